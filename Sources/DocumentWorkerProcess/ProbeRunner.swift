import CSandbox
import Confinement
import DocumentWorker
import Glibc

/// Tries what must not be possible. Where it is possible, says so; where not, this process is no more.
struct ProbeRunner {
    let descriptors: [Int32]
    let surroundings: String

    func run(_ probe: SandboxProbe) -> JobAnswer {
        switch probe {
        case .openFile: report(open("/etc/passwd", O_RDONLY))
        case .createFile: report(creat("/tmp/escaped", 0o600))
        case .openSocket: report(socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        case .runProgram: report(execl())
        case .fork: report(Int32(truncatingIfNeeded: sandbox_call(Int(SYS_clone))))
        case .startThread: report(startThread())
        case .signalParent: report(kill(getpid() == 1 ? 2 : 1, 0))
        case .mapExecutable:
            report(mmap(nil, 4_096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0)
        case .useMemory: useMemory()
        case .useTime: useTime()
        case .sleep: waitForever()
        case .crash: crash()
        case .abort: Glibc.abort()
        case .overflowStack: .probed(String(overflow(1)))
        case .writeTooMuch: writeTooMuch()
        case .answerGarbage: answer([0, 0, 0, 5] + Array("{{{{{".utf8))
        case .answerWithoutEnd: answer([0, 0, 1, 0] + Array("{".utf8))
        case .answerTooLong: answer([0xFF, 0xFF, 0xFF, 0xFF] + Array("{}".utf8))
        case .answerNothing: answer([])
        case .answerTwice: answer(((try? Frame.encode(JobAnswer.probed("first"))) ?? []) + [1, 2, 3, 4, 5])
        case .describe: .probed(surroundings)
        case .readElsewhere: report(open("/etc/passwd", O_RDONLY))
        case .writeElsewhere: report(open("/usr/share/fonts/escaped", O_WRONLY | O_CREAT, 0o600))
        case .renameElsewhere: report(rename("/tmp", "/tmp-escaped"))
        }
    }

    private func report(_ result: Int32) -> JobAnswer { .probed(result < 0 ? "refused by an error" : "allowed") }

    private func answer(_ bytes: [UInt8]) -> Never {
        WorkerSocket.write(bytes, to: 0)
        _exit(0)
    }

    private func execl() -> Int32 {
        var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
        return execv("/bin/true", &words)
    }

    private func startThread() -> Int32 {
        var thread = pthread_t()
        return pthread_create(&thread, nil, { _ in nil }, nil) == 0 ? 0 : -1
    }

    private func useMemory() -> JobAnswer {
        var hoard: [[UInt8]] = []
        while hoard.count < 100_000 { hoard.append([UInt8](repeating: UInt8(truncatingIfNeeded: hoard.count), count: 4 << 20)) }
        return .probed("\(hoard.count)")
    }

    private func useTime() -> JobAnswer {
        var value: UInt64 = 1
        while value != 0 { value = value &* 6_364_136_223_846_793_005 | 1 }
        return .probed("\(value)")
    }

    /// Reads from the socket, on which nothing comes.
    private func waitForever() -> JobAnswer {
        var byte: UInt8 = 0
        return .probed("\(read(0, &byte, 1))")
    }

    private func crash() -> JobAnswer {
        // Built at run time: the compiler would turn a constant into a trap.
        let address = UnsafeMutablePointer<UInt8>(bitPattern: Int(getpid()) & 1 | 8)
        address?.pointee = 1
        return .probed("written to address 8")
    }

    @inline(never)
    private func overflow(_ depth: Int) -> Int {
        let room = [UInt8](repeating: UInt8(truncatingIfNeeded: depth), count: 16)
        return depth < 0 ? 0 : overflow(depth + 1) + Int(room[depth & 15])
    }

    private func writeTooMuch() -> JobAnswer {
        let block = [UInt8](repeating: 0x41, count: 1 << 20)
        guard let descriptor = descriptors.last else { return .probed("no descriptor") }
        for _ in 0..<10_000 { WorkerSocket.write(block, to: descriptor) }
        return .probed("written")
    }
}

/// What a worker has before it is locked in: for the probe that shows it.
enum Surroundings {
    static func describe(_ descriptors: [Int32]) -> String {
        let threads = names("/proc/self/task").count
        let open = names("/proc/self/fd").compactMap { Int32($0) }.filter { fcntl($0, F_GETFD) >= 0 && !descriptors.contains($0) }
        var variables: [String] = []
        var pointer = environ
        while let variable = pointer.pointee {
            variables.append(String(cString: variable).split(separator: "=").first.map(String.init) ?? "")
            pointer += 1
        }
        return "threads \(threads); descriptors \(open.sorted()); environment \(variables.sorted())"
    }

    private static func names(_ path: String) -> [String] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }
}
