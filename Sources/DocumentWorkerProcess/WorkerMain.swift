import CSandbox
import Confinement
import DocumentWorker
import Glibc

/// The inside of `tatou-worker`: takes one job from standard input, which is a socket, does it behind walls, answers and ends.
///
/// A program of its own, and not `tatou` started again: it is linked with the readers of documents and with nothing of the server, so
/// it starts in a third of the time, needs less of the address space that is limited, and what takes it over finds no code for networks,
/// databases or keys. `tatou`, in turn, contains no reader of documents that it could call by mistake.
package enum WorkerMain {
    package static func run() -> Never {
        guard chdir("/") == 0 else { _exit(1) }
        // A full buffer must not hold a dying worker.
        _ = fcntl(2, F_SETFL, O_NONBLOCK)
        do {
            try WarmUp.run()
        } catch {
            _exit(WorkerExit.couldNotWarmUp)
        }
        guard let (request, descriptors) = receive() else { _exit(0) }
        let surroundings = request.isDescription ? Surroundings.describe(descriptors) : ""
        let memory = PeakMemory()
        switch request.job {
        case .render(let range): Renderer.run(range, descriptors, request.limits)
        case .probeRenderer:
            if let failure = Confinement.lockRenderer(
                request.limits, readable: Renderer.readable, executable: Renderer.executable)
            {
                _exit(failure)
            }
        default:
            guard Confinement.lock(request.limits) else { _exit(WorkerExit.couldNotLock) }
        }
        let answer = JobRunner(request: request, descriptors: descriptors, surroundings: surroundings, memory: memory).run()
        send(answer)
        _exit(0)
    }

    /// The job, which comes from the server and is believed. Nil when the server has gone.
    private static func receive() -> (JobRequest, [Int32])? {
        var header = [UInt8](repeating: 0, count: Frame.headerBytes)
        var descriptors = [Int32](repeating: -1, count: 200)
        var count = 0
        var position = 0
        while position < header.count {
            var some = 0
            let received = header.withUnsafeMutableBytes { buffer in
                sandbox_receive(
                    0, buffer.baseAddress?.advanced(by: position), buffer.count - position, &descriptors[count], 200 - count,
                    &some)
            }
            if received < 0, errno == EINTR { continue }
            guard received > 0 else { return nil }
            position += received
            count += some
        }
        guard let length = Frame.length(header, most: JobRequest.mostBytes) else { return nil }
        guard let body = WorkerSocket.read(length), let request = try? Frame.decode(JobRequest.self, body) else { return nil }
        return (request, Array(descriptors[..<count]))
    }

    private static func send(_ answer: JobAnswer) {
        guard let bytes = try? Frame.encode(answer) else { return }
        WorkerSocket.write(bytes)
    }
}

extension JobRequest {
    var isDescription: Bool {
        if case .probe(.describe) = job { true } else { false }
    }
}
