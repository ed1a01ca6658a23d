import CSandbox
import Foundation
import Glibc
import Synchronization

/// One program, run with nothing of this process: an environment of its own, no file but its three, a session of its own.
///
/// Whatever it does, it ends: by itself, at its deadline, when it writes too much, or when the task is cancelled. Its whole process
/// group is killed then, and also after it ended by itself, so that it leaves nothing behind but what made itself a session.
///
/// Not Foundation's `Process`: up to Swift 6.3 it reads past the end of a folder's listing when about 1,370 files are open
/// (swift-corelibs-foundation, pull request 5472), which can end the process that starts another.
package struct Subprocess: Sendable {
    package var program: String
    package var arguments: [String]
    package var environment: [String: String]
    package var input: [UInt8]
    /// Where standard output goes instead of into the outcome: a descriptor of the caller's, open until the end. Nobody waits for the
    /// answer of such a program, which may run for days: that it has ended is noticed within a quarter of a second.
    package var standardOutput: Int32?
    /// Bytes that are kept, of standard output and of standard error each.
    package var outputLimit = 65_536
    /// Bytes that are read in all before it is killed.
    package var floodLimit = 16 << 20

    package init(_ program: String, _ arguments: [String], environment: [String: String] = [:], input: [UInt8] = []) {
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.input = input
    }

    package enum Ending: Sendable, Hashable {
        case exited(Int32)
        /// By a signal that was not ours.
        case killed(Int32)
        case timedOut
        case flooded
        case cancelled
    }

    package struct Outcome: Sendable, Hashable {
        package var ending: Ending
        package var output: [UInt8] = []
        package var errors: [UInt8] = []
        /// More was written than is kept.
        package var isCut = false

        package var text: String { String(decoding: output, as: UTF8.self) }
        package var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    package struct Failure: Error, Sendable, CustomStringConvertible {
        package var description: String
    }

    /// - Parameter seconds: how long it may take by the monotonic clock.
    /// - Throws: `Failure` when it could not be started: then it has done nothing.
    package func run(seconds: Double) async throws(Failure) -> Outcome {
        let cancelled = Flag()
        let result: Result<Outcome, Failure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // A thread of its own: it waits in poll(2), which no thread of a pool should.
                Thread.detachNewThread { continuation.resume(returning: self.runBlocking(seconds: seconds, cancelled)) }
            }
        } onCancel: {
            cancelled.raise()
        }
        return try result.get()
    }

    /// As ``run(seconds:)``, for threads that may wait, as those of command lines.
    package func runBlocking(seconds: Double) throws(Failure) -> Outcome {
        try runBlocking(seconds: seconds, Flag()).get()
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isRaised: Bool { value.load(ordering: .relaxed) }
        func raise() { value.store(true, ordering: .relaxed) }
    }

    private func runBlocking(seconds: Double, _ cancelled: Flag) -> Result<Outcome, Failure> {
        if cancelled.isRaised { return .success(Outcome(ending: .cancelled)) }
        do throws(Failure) {
            let source = try Subprocess.file(with: input)
            defer { close(source) }
            var pipes: [[Int32]] = []
            defer { for descriptor in pipes.joined() where descriptor >= 0 { close(descriptor) } }
            for _ in 0..<2 {
                var ends: [Int32] = [-1, -1]
                guard pipe(&ends) == 0 else { throw Subprocess.failure("no pipe can be made") }
                pipes.append(ends)
                // Another program started in between may keep an end open: nothing here waits for the end of a pipe.
                for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
                _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            }
            let pid = try spawn(input: source, output: standardOutput ?? pipes[0][1], errors: pipes[1][1])
            for index in pipes.indices {
                close(pipes[index][1])
                pipes[index][1] = -1
            }
            return .success(follow(pid, pipes.map { $0[0] }, until: Subprocess.monotonic() + seconds, cancelled))
        } catch {
            return .failure(error)
        }
    }

    /// Reads until it has ended.
    private func follow(_ pid: pid_t, _ descriptors: [Int32], until deadline: Double, _ cancelled: Flag) -> Outcome {
        var outcome = Outcome(ending: .exited(0))
        var kept: [[UInt8]] = [[], []]
        var total = 0
        var open = [true, true]
        var ours: Ending?
        /// Milliseconds, once both pipes have ended.
        var pause = 1.0
        let longestPause = standardOutput == nil ? 20.0 : 250
        var buffer = [UInt8](repeating: 0, count: 65_536)
        func drain() {
            for index in 0..<2 where open[index] {
                while total <= floodLimit {
                    let count = read(descriptors[index], &buffer, buffer.count)
                    if count == 0 { open[index] = false }
                    guard count > 0 else { break }
                    total += count
                    let room = outputLimit - kept[index].count
                    kept[index] += buffer[..<min(count, max(0, room))]
                    if count > room { outcome.isCut = true }
                }
            }
        }
        while true {
            drain()
            var information = siginfo_t()
            // Looked at and left: while it is not reaped, its number is nobody else's, and the group can be killed safely.
            let looked = waitid(P_PID, id_t(pid), &information, WEXITED | WNOHANG | WNOWAIT)
            if looked != 0 || information.si_signo != 0 { break }
            if total > floodLimit {
                ours = .flooded
            } else if cancelled.isRaised {
                ours = .cancelled
            } else if Subprocess.monotonic() >= deadline {
                ours = .timedOut
            }
            if ours != nil { break }
            var polled = (0..<2).map { pollfd(fd: open[$0] ? descriptors[$0] : -1, events: Int16(POLLIN), revents: 0) }
            let isOpen = open.contains(true)
            poll(&polled, 2, Int32(max(1, min(isOpen ? longestPause : pause, (deadline - Subprocess.monotonic()) * 1000))))
            // What has let go of both pipes is about to end, and no descriptor tells of that: looked at soon, and then less often.
            if !isOpen { pause = min(longestPause, pause * 2) }
        }
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        drain()
        outcome.output = kept[0]
        outcome.errors = kept[1]
        // wait(2): the low seven bits are the signal, the second byte the exit code.
        let signal = status & 0x7F
        outcome.ending = ours ?? (signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal))
        return outcome
    }

    private func spawn(input: Int32, output: Int32, errors: Int32) throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // In the child: what other threads opened meanwhile is closed, too.
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // POSIX_SPAWN_SETSID is a macro that Swift does not import: no terminal, and a process group of its own.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF) | 0x80)
        let words = ([program] + arguments).map { strdup($0) }
        let variables = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + variables { free(pointer) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, &attributes, words + [nil], variables + [nil])
        guard code == 0 else { throw Failure(description: "\(program) cannot be run: \(String(cString: strerror(code)))") }
        return pid
    }

    /// A file without a name: nothing is left behind, and no reader can block a writer.
    private static func file(with bytes: [UInt8]) throws(Failure) -> Int32 {
        guard !bytes.isEmpty else {
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard null >= 0 else { throw failure("/dev/null cannot be opened") }
            return null
        }
        let path = NSTemporaryDirectory() + "vigie-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("no temporary file can be made") }
        unlink(path)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                let failure = failure("a temporary file cannot be written")
                close(descriptor)
                throw failure
            }
            written += count
        }
        lseek(descriptor, 0, SEEK_SET)
        return descriptor
    }

    private static func failure(_ what: String) -> Failure {
        Failure(description: "\(what): \(String(cString: strerror(errno)))")
    }

    private static func monotonic() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
