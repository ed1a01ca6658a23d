package import Events
package import Journal
import Synchronization

/// Puts leases into force in applications that have Guard: they hold a stream of changes open, and are asked over a way of their own
/// what they enforce.
package final class GuardEnforcer: Enforcer {
    package let name = "guard"
    package let verbs = GuardFeed.verbs
    package let keepsLeasesApart = true
    /// Asks an application's `GET /guard/v1/decisions`, about one decision or in general.
    package typealias ReadBack = @Sendable (_ application: String, _ id: String?) async throws -> JSONValue

    /// Up to so many leases are asked for one by one, which tells what each refused; of more, whether the application is that far.
    private static let fewLeases = 8

    private struct State {
        var feeds: [String: GuardFeed]
        var listeners: [Int: (application: String, wake: AsyncStream<Void>.Continuation)] = [:]
        var nextListener = 0
    }

    package let applications: [String]
    private let readBack: ReadBack
    private let state: Mutex<State>

    package init(applications: [String], epoch: String, readBack: @escaping ReadBack) {
        self.applications = applications
        self.readBack = readBack
        state = Mutex(State(feeds: Dictionary(uniqueKeysWithValues: applications.map { ($0, GuardFeed(epoch: epoch)) })))
    }

    /// The applications that a lease is for.
    private func applications(of lease: Lease) throws -> [String] {
        if lease.scope == "platform" { return applications }
        guard applications.contains(lease.scope) else {
            throw EnforcerError(enforcer: name, lease: lease.id, reason: "there is no application '\(lease.scope)'")
        }
        return [lease.scope]
    }

    package func resume(with wanted: [Lease], ended: [Lease]) async throws { change(adding: wanted) }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        for lease in leases { _ = try applications(of: lease) }
        change(adding: leases)
    }

    package func lift(_ leases: [Lease]) async throws { change(removing: leases.map(\.id)) }

    private func change(adding leases: [Lease] = [], removing ids: [String] = []) {
        let wakes = state.withLock { state in
            for lease in leases {
                for application in (try? applications(of: lease)) ?? [] { state.feeds[application]?.add(lease) }
            }
            for application in applications { for id in ids { state.feeds[application]?.remove(id: id) } }
            return state.listeners.values.map(\.wake)
        }
        for wake in wakes { wake.yield() }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        var asked: [String: [Lease]] = [:]
        for lease in leases {
            for application in (try? applications(of: lease)) ?? [] { asked[application, default: []].append(lease) }
        }
        var found: [String: Observation] = [:]
        for (application, leases) in asked.sorted(by: { $0.key < $1.key }) {
            guard let marks = marks(of: application, leases) else { continue }
            let general = leases.count > Self.fewLeases ? try await readBack(application, nil) : nil
            for lease in leases {
                let observation: Observation
                if let general {
                    observation = Self.observation(of: lease, in: general, marks)
                } else {
                    observation = Self.observation(asked: lease, try await readBack(application, lease.id), marks)
                }
                // What holds in one application and not in another does not hold.
                found[lease.id] = found[lease.id].map { Self.weaker($0, observation) } ?? observation
            }
        }
        return found
    }

    /// Where a feed stands, and which change brought each lease.
    private struct Marks {
        var epoch: String
        var sequence: Int64
        var changes: [String: Int64]
    }

    private func marks(of application: String, _ leases: [Lease]) -> Marks? {
        state.withLock { state in
            guard let feed = state.feeds[application] else { return nil }
            var changes: [String: Int64] = [:]
            for lease in leases { changes[lease.id] = feed.sequence(of: lease.id) }
            return Marks(epoch: feed.epoch, sequence: feed.sequence, changes: changes)
        }
    }

    private static func weaker(_ left: Observation, _ right: Observation) -> Observation {
        switch (left, right) {
        case (.shown(let one), .shown(let other)): .shown(refusals: one + other)
        // Lifted in one application and still there in another: it is still there.
        case (.absent, .shown), (.shown, .absent): .pending
        case (.shown, let other), (let other, .shown): other
        case (.pending, _), (_, .pending): .pending
        default: left
        }
    }

    private static func observation(asked lease: Lease, _ answer: JSONValue, _ marks: Marks) -> Observation {
        let isCurrent = isCurrent(answer, marks, lease)
        guard answer["decision"]?["id"]?.stringValue == lease.id, answer["decision"]?["in_force"]?.boolValue == true else {
            return isCurrent ? .absent : .pending
        }
        // Shown, but perhaps from before: a revocation has to survive the application's restart, too.
        guard marks.changes[lease.id] == nil || isCurrent else { return .pending }
        return .shown(refusals: answer["decision"]?["refusals"]?.integerValue ?? 0)
    }

    private static func observation(of lease: Lease, in answer: JSONValue, _ marks: Marks) -> Observation {
        guard isCurrent(answer, marks, lease) else { return .pending }
        let refused = answer["not_enforced"]?.arrayValue?.contains { $0.stringValue == lease.id } ?? false
        return marks.changes[lease.id] == nil || refused ? .absent : .shown(refusals: 0)
    }

    /// Whether the application has got as far as the lease's change, or where it is lifted, as far as the feed.
    private static func isCurrent(_ answer: JSONValue, _ marks: Marks, _ lease: Lease) -> Bool {
        let number = marks.changes[lease.id] ?? marks.sequence
        guard answer["epoch"]?.stringValue == marks.epoch, let sequence = answer["sequence"]?.integerValue, sequence >= number
        else { return false }
        switch lease.verb {
        case .revokeToken, .revokeSessions, .revokeEveryone, .disableAccount, .forcePasswordReset:
            return (answer["durable_sequence"]?.integerValue ?? 0) >= number
        default: return true
        }
    }

    // MARK: What applications are told

    package var epoch: String { state.withLock { $0.feeds.values.first?.epoch ?? "" } }

    /// The body of `GET /api/guard/v1/decisions`.
    package func document(for application: String, now: Timestamp) -> JSONValue? {
        state.withLock { $0.feeds[application]?.document(now: now) }
    }

    /// Lines of the stream after the change of that number, a heartbeat last; `nil` where they cannot be had any more.
    package func news(for application: String, after number: Int64, epoch: String?) -> (lines: [String], sequence: Int64)? {
        state.withLock { state in
            guard let feed = state.feeds[application], let lines = feed.lines(after: number, epoch: epoch) else { return nil }
            return (lines + [feed.heartbeat], feed.sequence)
        }
    }

    /// Wakes all streams, so that each sends a sign of life.
    package func beat() {
        for wake in state.withLock({ $0.listeners.values.map(\.wake) }) { wake.yield() }
    }

    /// Wakes whoever streams to the application, after each change; ends with ``end(_:)``.
    package func listen(_ application: String) -> (id: Int, wakes: AsyncStream<Void>) {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let id = state.withLock { state in
            state.nextListener += 1
            state.listeners[state.nextListener] = (application, wake)
            return state.nextListener
        }
        return (id, wakes)
    }

    package func end(_ listener: Int) {
        state.withLock { $0.listeners.removeValue(forKey: listener) }?.wake.finish()
    }

    /// Streams that are open to the application.
    package func listeners(of application: String) -> Int {
        state.withLock { $0.listeners.values.count { $0.application == application } }
    }

    /// Ends all streams: the server stops.
    package func endAll() {
        let wakes = state.withLock { state in
            defer { state.listeners = [:] }
            return state.listeners.values.map(\.wake)
        }
        for wake in wakes { wake.finish() }
    }
}
