package import Incidents
import Synchronization

/// The policies by which everything is decided now: one place, so that all change over at once.
package final class PoliciesInForce: Sendable {
    private let state: Mutex<(policies: Policies, generation: Int)>

    package init(_ policies: Policies) { state = Mutex((policies, 0)) }

    package var current: Policies { state.withLock { $0.policies } }

    /// Another number after each change: for whoever keeps something that was made of them.
    var generation: Int { state.withLock { $0.generation } }

    func replace(by policies: Policies) {
        state.withLock { $0 = (policies, $0.generation + 1) }
    }
}
