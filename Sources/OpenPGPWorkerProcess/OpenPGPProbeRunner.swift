import Confinement
import Glibc
import RMAP

/// Tries what must not be possible. Where it is possible, says so; where not, this process is no more.
enum OpenPGPProbeRunner {
    static func run(_ probe: OpenPGPProbe) -> OpenPGPAnswer {
        switch probe {
        case .openFile: _ = open("/etc/passwd", O_RDONLY)
        case .openSocket: _ = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        case .runProgram:
            var words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/true"), nil]
            _ = execv("/bin/true", &words)
        case .startThread:
            var thread = pthread_t()
            _ = pthread_create(&thread, nil, { _ in nil }, nil)
        case .crash:
            // Built at run time: the compiler would turn a constant into a trap.
            UnsafeMutablePointer<UInt8>(bitPattern: Int(getpid()) & 1 | 8)?.pointee = 1
        case .sleep: _ = WorkerSocket.read(1)
        case .useTime:
            var value: UInt64 = 1
            while value != 0 { value = value &* 6_364_136_223_846_793_005 | 1 }
            // Never reached, but without it nobody asks for the value, and the optimiser leaves out the loop.
            WorkerSocket.write([UInt8(truncatingIfNeeded: value)])
        case .useMemory:
            var hoard: [[UInt8]] = []
            while hoard.count < 100_000 {
                hoard.append([UInt8](repeating: UInt8(truncatingIfNeeded: hoard.count), count: 4 << 20))
            }
        case .answerGarbage:
            WorkerSocket.write([0, 0, 0, 5] + Array("{{{{{".utf8))
            _exit(0)
        }
        return .probed
    }
}
