import CSandbox
import Glibc
import Synchronization

/// One worker, `tatou-worker` or another: started, given at most one job, ended and waited for.
///
/// Calls block; they are made from a thread that may. ``end()`` may come from any thread at any time.
package final class WorkerProcess: Sendable {
    /// Nil once it has been waited for: its number may be another's by then.
    private let running: Mutex<pid_t?>
    private let socket: Int32
    /// What it writes to standard error, of which the first bytes tell how it died.
    private let errors: Int32

    /// Its name, for whoever has to install it.
    let program: String

    init(_ program: String, pid: pid_t, socket: Int32, errors: Int32) {
        self.program = program
        running = Mutex(pid)
        self.socket = socket
        self.errors = errors
    }

    deinit {
        end()
        _ = reap()
        close(socket)
        close(errors)
    }

    func end() {
        running.withLock { pid in
            if let pid { _ = kill(pid, SIGKILL) }
        }
    }

    /// Whether it still waits for a job.
    var isWaiting: Bool {
        var events = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&events, 1, 0) == 0
    }

    // MARK: - One job

    /// Hands over what a worker needs before its job comes. False where it does not take it.
    package func prepare(_ message: [UInt8], seconds: Double) -> Bool {
        (try? send(message, [], until: .now + .seconds(seconds))) != nil
    }

    /// Hands over the job and waits for the answer, a frame of at most `most` bytes. The process is gone when this returns.
    package func exchange(
        _ request: [UInt8], _ descriptors: [Int32], limits: WorkerLimits, most: Int
    ) throws(WorkerError) -> [UInt8] {
        let deadline = ContinuousClock.now + .seconds(limits.seconds)
        var isLate = false
        var answer: [UInt8]?
        do {
            try send(request, descriptors, until: deadline)
            if let header = try receive(Frame.headerBytes, until: deadline),
                let length = Frame.length(header, most: most)
            {
                answer = try receive(length, until: deadline)
            }
        } catch {
            isLate = true
        }
        // What an answer left out no longer matters: nothing that the process still does is waited for.
        let isAnswered = answer != nil
        if isLate || isAnswered { end() }
        let death = reap(mostSeconds: isLate || isAnswered ? nil : 1)
        if let answer { return answer }
        if isLate { throw .killed(.time) }
        throw Self.error(death, limits: limits, said: said(), program: program)
    }

    /// The deadline has passed.
    struct Late: Error {}

    private func wait(for event: Int32, until deadline: ContinuousClock.Instant) throws(Late) {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw Late() }
            var events = pollfd(fd: socket, events: Int16(event), revents: 0)
            let milliseconds = Int32(
                clamping: left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
            if poll(&events, 1, milliseconds) > 0 { return }
        }
    }

    func send(_ bytes: [UInt8], _ descriptors: [Int32], until deadline: ContinuousClock.Instant) throws(Late) {
        var position = 0
        while position < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                sandbox_send(
                    socket, buffer.baseAddress?.advanced(by: position), bytes.count - position, descriptors,
                    position == 0 ? descriptors.count : 0)
            }
            if count > 0 {
                position += count
            } else if errno == EAGAIN {
                try wait(for: POLLOUT, until: deadline)
            } else if errno != EINTR {
                return  // It has died: reading will tell.
            }
        }
    }

    /// Nil at the end of what it says.
    func receive(_ length: Int, until deadline: ContinuousClock.Instant) throws(Late) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: length)
        var position = 0
        while position < length {
            let count = bytes.withUnsafeMutableBytes { buffer in
                read(socket, buffer.baseAddress?.advanced(by: position), length - position)
            }
            if count > 0 {
                position += count
            } else if count == 0 {
                return nil
            } else if errno == EAGAIN {
                try wait(for: POLLIN, until: deadline)
            } else if errno != EINTR {
                return nil
            }
        }
        return bytes
    }

    func said() -> String {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = read(errors, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
    }

    // MARK: - Its end

    struct Death {
        /// As wait(2) gives it.
        var status: Int32
        var cpuSeconds: Double
        /// The most that was ever in memory, in bytes.
        var peakMemory: Int
        /// It would not end by itself, and was ended.
        var wasEnded = false
    }

    /// Waits for the end: for so long, then ends it.
    func reap(mostSeconds: Double? = nil) -> Death? {
        guard let pid = running.withLock({ $0 }) else { return nil }
        var status: Int32 = 0
        var usage = rusage()
        var wasEnded = false
        if let mostSeconds, !waits(pid, mostSeconds) {
            end()
            wasEnded = true
        }
        // The number is taken from ``end()`` before it is free for another process: nobody is killed by mistake.
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
        running.withLock { $0 = nil }
        while wait4(pid, &status, 0, &usage) < 0 {
            guard errno == EINTR else { return nil }
        }
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        let microseconds = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
        return Death(
            status: status, cpuSeconds: seconds + microseconds / 1e6, peakMemory: usage.ru_maxrss << 10, wasEnded: wasEnded)
    }

    /// Whether the process ends within so many seconds: asked by the end of its standard error, which nobody else holds.
    private func waits(_ pid: pid_t, _ seconds: Double) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        var information = siginfo_t()
        while ContinuousClock.now < deadline {
            information.si_signo = 0
            if waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT | WNOHANG) == 0, information.si_signo != 0 { return true }
            var events = pollfd(fd: -1, events: 0, revents: 0)
            _ = poll(&events, 1, 1)
        }
        return false
    }

    private static var ownPeakMemory: Int {
        var usage = rusage()
        getrusage(RUSAGE_SELF.rawValue, &usage)
        return usage.ru_maxrss << 10
    }

    static func error(_ death: Death?, limits: WorkerLimits, said: String, program: String) -> WorkerError {
        guard let death else { return .crashed(signal: 0) }
        let signal = death.status & 0x7F
        if signal == 0 {
            switch death.status >> 8 & 0xFF {
            case WorkerExit.couldNotLock:
                return .unavailable("A worker could not lock itself in: this kernel does not let it (seccomp).")
            case WorkerExit.couldNotWarmUp:
                return .unavailable("\(program) fails on a document of its own. Install it and its libraries again.")
            case 127:
                return .unavailable("\(program) cannot be run: a library that it needs is missing.")
            default: return .crashed(signal: 0)
            }
        }
        switch signal {
        case SIGSYS: return .violation
        case SIGXCPU: return .killed(.cpu)
        case SIGXFSZ: return .killed(.output)
        case SIGKILL where death.wasEnded: return .crashed(signal: 0)
        case SIGKILL: return death.cpuSeconds >= Double(limits.cpuSeconds) ? .killed(.cpu) : .killed(.memory)
        default:
            // The runtime ends itself when memory is refused; what it says then, or how much it had, tells that from other deaths.
            // Its peak begins with this process's own, which started it: only what is beyond that is its own.
            let isMemory =
                said.contains("llocate") || said.contains("bad_alloc")
                || death.peakMemory > max(limits.memory / 4 * 3, ownPeakMemory)
            return isMemory ? .killed(.memory) : .crashed(signal: signal)
        }
    }
}
