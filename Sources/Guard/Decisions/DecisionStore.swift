import Events
import Synchronization

/// The decisions in force, for every request to ask. One short lock per question; replacing everything takes it for one assignment.
final class DecisionStore: Sendable {
    struct State {
        var table = DecisionTable()
        /// Whether what is here is all that Vigie had decided at some time: from Vigie itself, or from a whole cache.
        var isKnown: Bool
        /// The last change that is on the disk, too.
        var durableSequence = 0
        var isConnected = false
        /// How often a decision refused something, by its identifier.
        var refusals: [String: Int] = [:]
    }

    /// What stands against a request before anybody knows who asks.
    enum Verdict: Equatable {
        case none
        case unknown
        case blocked(by: String)
        case maintenance(by: String, retryAfter: Int?)
        case throttled(by: String, RateLimit)
    }

    /// What stands against somebody who has shown who they are.
    enum SubjectVerdict: Equatable {
        case none
        case unknown
        case revoked(by: String)
        case disabled(by: String)
        case throttled(by: String, RateLimit)
    }

    private let state: Mutex<State>

    init(isKnown: Bool) {
        state = Mutex(State(isKnown: isKnown))
    }

    /// Maintenance comes after blocks and before throttles: whoever is blocked is told nothing else.
    func verdict(address: IPAddress?, method: String, path: String, now: () -> Timestamp) -> Verdict {
        state.withLock { state in
            guard state.table.decisions.isEmpty == false else { return state.isKnown ? .none : .unknown }
            var verdict = Verdict.none
            if let address {
                state.table.blocks.visit(address) { holds in
                    let moment = now()
                    guard let hold = holds.first(where: { $0.stands(at: moment) }) else { return true }
                    state.refusals[hold.id, default: 0] += 1
                    verdict = .blocked(by: hold.id)
                    return false
                }
                if verdict != .none { return verdict }
            }
            if !state.table.maintenance.isEmpty {
                let moment = now()
                let segments = RoutePattern.segments(of: path)
                if let found = state.table.maintenance.first(where: {
                    $0.hold.stands(at: moment) && $0.pattern.matches(method: method, segments: segments)
                }) {
                    state.refusals[found.hold.id, default: 0] += 1
                    return .maintenance(by: found.hold.id, retryAfter: found.retryAfter)
                }
            }
            guard state.isKnown else { return .unknown }
            if let address, state.table.throttles.count > 0 {
                var slowest: DecisionTable.Throttle?
                state.table.throttles.visit(address) { throttles in
                    let moment = now()
                    for throttle in throttles where throttle.hold.stands(at: moment) {
                        if slowest.map({ throttle.limit.interval > $0.limit.interval }) ?? true { slowest = throttle }
                    }
                    return true
                }
                if let slowest { return .throttled(by: slowest.hold.id, slowest.limit) }
            }
            return .none
        }
    }

    func verdict(on subject: Subject, now: Timestamp) -> SubjectVerdict {
        let issued = subject.issued.map { Timestamp($0) }
        return state.withLock { state in
            let table = state.table
            func first(_ holds: [DecisionTable.Hold]?) -> String? {
                holds?.first { $0.stands(at: now) }?.id
            }
            /// A token without a time counts as issued before: a revocation must not be escaped by leaving something out.
            func voiding(_ holds: [DecisionTable.Hold]?) -> String? {
                holds?.first { hold in hold.stands(at: now) && (issued.map { $0 <= hold.before } ?? true) }?.id
            }
            if let id = first(table.disabled[subject.user]) {
                state.refusals[id, default: 0] += 1
                return .disabled(by: id)
            }
            if let id = subject.token.flatMap({ first(table.tokens[$0]) }) ?? subject.session.flatMap({
                first(table.sessions[$0])
            })
                ?? voiding(table.users[subject.user]) ?? voiding(table.everyone)
            {
                state.refusals[id, default: 0] += 1
                return .revoked(by: id)
            }
            guard state.isKnown else { return .unknown }
            if let throttle = table.userThrottles[subject.user]?.first(where: { $0.hold.stands(at: now) }) {
                return .throttled(by: throttle.hold.id, throttle.limit)
            }
            return .none
        }
    }

    /// The decision that keeps an object from being served.
    func quarantine(type: String, id: String, now: Timestamp) -> String? {
        state.withLock { state in
            let key = DecisionTable.ObjectKey(type: type, id: id)
            guard let hold = state.table.objects[key]?.first(where: { $0.stands(at: now) }) else { return nil }
            state.refusals[hold.id, default: 0] += 1
            return hold.id
        }
    }

    func isDisabled(user: String, now: Timestamp) -> Bool {
        state.withLock { $0.table.disabled[user]?.contains { $0.stands(at: now) } ?? false }
    }

    /// Whether a password that was set then is not enough any more.
    func mustResetPassword(user: String, changed: Timestamp?, now: Timestamp) -> Bool {
        state.withLock { state in
            guard
                let hold = state.table.resets[user]?.first(where: { hold in
                    hold.stands(at: now) && (changed.map { $0 <= hold.before } ?? true)
                })
            else { return false }
            state.refusals[hold.id, default: 0] += 1
            return true
        }
    }

    func countRefusal(by id: String) {
        state.withLock { $0.refusals[id, default: 0] += 1 }
    }

    /// Puts a whole table in place of the one before.
    func replace(_ table: DecisionTable, isKnown: Bool) {
        let old = state.withLock { state in
            let old = state.table
            state.table = table
            state.isKnown = state.isKnown || isKnown
            state.refusals = state.refusals.filter { table.decisions[$0.key] != nil }
            return old
        }
        // Freed here, outside of the lock.
        _ = consume old
    }

    /// Carries out one change.
    func add(_ decision: Decision, sequence: Int) {
        state.withLock { state in
            state.table.add(decision)
            state.table.sequence = sequence
        }
    }

    /// Lifts one decision.
    func remove(id: String, sequence: Int) {
        state.withLock { state in
            state.table.remove(id: id)
            state.table.sequence = sequence
            state.refusals[id] = nil
        }
    }

    func setConnected(_ isConnected: Bool) {
        state.withLock { $0.isConnected = isConnected }
    }

    func setDurable(_ sequence: Int) {
        state.withLock { $0.durableSequence = sequence }
    }

    /// Takes out what is over, a little at a time.
    func sweep(now: Timestamp) {
        while state.withLock({ $0.table.sweep(now: now, limit: 256) }) == 256 {}
    }

    /// Reads something; keep it short.
    func read<Result>(_ body: (State) -> Result) -> Result {
        state.withLock { body($0) }
    }
}
