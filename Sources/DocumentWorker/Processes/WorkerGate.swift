import Synchronization

/// Lets so many jobs through at a time; the others wait in the order they came, and only so many.
package final class WorkerGate: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private enum Decision {
        case pass, wait, refuse
    }

    private let state: Mutex<State>
    private let mostWaiting: Int

    package init(concurrent: Int, waiting: Int) {
        state = Mutex(State(free: max(1, concurrent)))
        mostWaiting = waiting
    }

    /// Every return without an error is followed by one ``leave()``.
    package func enter() async throws(WorkerError) {
        var isRefused = false
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let decision: Decision = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return .pass
                }
                guard state.waiting.count < mostWaiting else { return .refuse }
                state.waiting.append(continuation)
                return .wait
            }
            isRefused = decision == .refuse
            if decision != .wait { continuation.resume() }
        }
        if isRefused { throw .busy }
    }

    package func leave() {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}
