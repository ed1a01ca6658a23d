import Synchronization

/// Wakes a loop that has nothing to do until something happens. One task waits, anybody rings.
///
/// A ring while nobody waits is kept: the next wait ends at once. Rings that come together count once.
final class Bell: Sendable {
    private struct State {
        var isRung = false
        var sleeper: CheckedContinuation<Void, Never>?
        /// Counts the waits: an alarm wakes from its own only.
        var wait = 0
    }

    private let state = Mutex(State())

    func ring() {
        let sleeper = state.withLock { state in
            defer { state.sleeper = nil }
            state.isRung = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Returns once it is rung, or the time is over, or the task is cancelled.
    func wait(atMost duration: Duration) async {
        let wait = state.withLock { state -> Int? in
            defer { state.isRung = false }
            state.wait += 1
            return state.isRung ? nil : state.wait
        }
        guard let wait else { return }
        let alarm = Task {
            // An alarm that is called off rings nobody: else each wait would end the one after it, for ever.
            guard (try? await Task.sleep(for: duration)) != nil else { return }
            self.ring(after: wait)
        }
        defer { alarm.cancel() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    defer { state.isRung = false }
                    if !state.isRung { state.sleeper = continuation }
                    return state.isRung
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            ring()
        }
    }

    private func ring(after wait: Int) {
        let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.wait == wait else { return nil }
            defer { state.sleeper = nil }
            // Before it lay down.
            state.isRung = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume()
    }
}
