import Dispatch
import Synchronization

/// Workers that are started and wait for a job. Each does one, and is replaced while it does.
package final class SpareProcesses: Sendable {
    private struct State {
        var waiting: [WorkerProcess] = []
        var starting = 0
        var isStopped = false
    }

    private let state = Mutex(State())
    private let most: Int
    private let start: @Sendable () throws(WorkerError) -> WorkerProcess

    /// - Parameter start: starts one, and gives it what it needs before its job.
    package init(most: Int, start: @escaping @Sendable () throws(WorkerError) -> WorkerProcess) {
        self.most = most
        self.start = start
    }

    /// One that waits, or a new one.
    package func take() throws(WorkerError) -> WorkerProcess {
        while let spare = state.withLock({ $0.waiting.popLast() }) {
            // The system may have ended it for its memory.
            if spare.isWaiting { return spare }
        }
        return try start()
    }

    /// Starts what is missing, on a thread of its own.
    package func fill() {
        let isMissing = state.withLock { state in
            guard !state.isStopped, state.waiting.count + state.starting < most else { return false }
            state.starting += 1
            return true
        }
        guard isMissing else { return }
        DispatchQueue.global().async { [self] in
            let process = try? start()
            let isFull = state.withLock { state in
                state.starting -= 1
                guard let process, !state.isStopped else { return true }
                state.waiting.append(process)
                return state.waiting.count + state.starting >= most
            }
            if !isFull { fill() }
        }
    }

    package func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for process in waiting { process.end() }
    }
}
