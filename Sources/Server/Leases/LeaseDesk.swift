import Events
import Incidents
import Journal
import Logging
import Response

/// Where leases are ordered and kept: every order and every change is written down before it counts, and what is written down is
/// carried out, also by the next process.
///
/// What is to be done follows from the book, which is made of journal entries and nothing else. Nothing but the pace of retries is
/// in memory alone.
actor LeaseDesk: LeaseOrdering {
    /// Everything that is ordered of the same enforcer with the same effect: lifting one of these must not lift the others.
    struct Effect: Hashable {
        var enforcer: String
        var verb: Lease.Verb
        var target: String
        var scope: String
        var parameters: [String: String]

        init(_ lease: Lease) {
            (enforcer, verb, target, scope) = (lease.enforcer, lease.verb, lease.target, lease.scope)
            parameters = lease.parameters
        }
    }

    /// Leases may stand for a minute to a year.
    static let durations: ClosedRange<Int64> = 60...31_622_400
    static let maximumTextBytes = 2_000

    let recorder: Recorder
    let policies: PoliciesInForce
    let logger: Logger
    let now: @Sendable () -> Timestamp
    let enforcers: [any Enforcer]
    let basePolicy: LeasePolicy
    /// Seconds that a lease may be out of force before somebody is paged.
    let pageAfter: Int64
    let ownAddresses: @Sendable () -> [LeasePolicy.Protected]

    var policy: LeasePolicy
    private(set) var book: LeaseBook
    /// Of each effect, the leases that want force.
    private(set) var holders: [Effect: Set<String>] = [:]
    /// Not in force, or not lifted.
    private(set) var troubled: Set<String> = []
    var schedule = LeaseSchedule()
    /// Tries in a row that failed or showed nothing yet.
    var attempts: [String: Int] = [:]
    /// Enforcers that are at work, and what waits for them.
    var atWork: Set<String> = []
    var held: [String: Set<String>] = [:]
    /// When all that an enforcer should hold was read back last.
    var checkedAt: [String: Timestamp] = [:]
    var pagedOutages: Set<String> = []
    /// Addresses of people who are signed in, until when.
    var operators: [String: (owner: String, until: Timestamp)] = [:]
    var protectedAt: Timestamp?
    private var turn: Task<Void, Never>?
    private var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    private var nextWatcher = 0
    /// Rung whenever something may have to be done at once.
    let bell = Bell()

    /// - Parameters:
    ///   - book: what the journal says.
    ///   - enforcers: in the order of preference.
    ///   - ownAddresses: of this machine and what it cannot do without; asked for now and then.
    init(
        recorder: Recorder, book: LeaseBook, enforcers: [any Enforcer], policy: LeasePolicy, policies: PoliciesInForce,
        pageAfter: Int64 = 5,
        logger: Logger, ownAddresses: @escaping @Sendable () -> [LeasePolicy.Protected] = { [] },
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.recorder = recorder
        self.book = book
        self.enforcers = enforcers
        self.policies = policies
        self.pageAfter = pageAfter
        self.logger = logger
        self.ownAddresses = ownAddresses
        self.now = now
        basePolicy = policy
        var policy = policy
        policy.neverBlock += ownAddresses()
        self.policy = policy
        for standing in book.standings.values where standing.phase.wantsForce {
            holders[Effect(standing.lease), default: []].insert(standing.lease.id)
        }
    }

    // MARK: Orders

    func apply(_ request: LeaseRequest) async throws -> Lease {
        let time = now()
        if let id = request.key.map(LeaseDesk.id(forKey:)), let known = book.standings[id] { return known.lease }
        let lease = try await lease(for: request, at: time)
        let policy = policy
        if let objection = policy.objection(to: lease.verb, lease.target) {
            throw LeaseRefusal(.protected, objection, "name a smaller target, or change response.never_block")
        }
        if let origin = request.origin.flatMap({ AddressBlock($0) }), lease.verb.isNetwork,
            let block = AddressBlock(lease.target), block.overlaps(origin)
        {
            throw LeaseRefusal(
                .protected, "\(lease.target) is where this order comes from", "give the order from somewhere else, if it is meant"
            )
        }
        try await record(at: time) { book in
            // Ordered by somebody else in between.
            guard book.standings[lease.id] == nil else { return [] }
            var events: [LeaseEvent] = [.requested(lease)]
            if let person = request.approvedBy {
                events.append(.approved(id: lease.id, by: person))
            } else if !policy.asksFor.contains(lease.verb), book.spent(now: time) < policy.budgetPerHour {
                events.append(.approved(id: lease.id, by: LeaseBook.policyActor))
            }
            return events
        }
        bell.ring()
        return book.standings[lease.id]?.lease ?? lease
    }

    func undo(id: String, by person: String, reason: String) async throws {
        let standing = try known(id)
        guard standing.phase.wantsForce || standing.phase == .requested else { return }
        let reason = try LeaseDesk.text(reason)
        try await record(at: now()) { book in
            book.standings[id]?.undoneBy == nil ? [.undoRequested(id: id, by: person, reason: reason)] : []
        }
        schedule.set(id, now())
        bell.ring()
    }

    /// Consents to a lease that waits for a person.
    func approve(id: String, by person: String) async throws {
        let standing = try known(id)
        guard standing.phase == .requested else {
            throw LeaseRefusal(
                .notAllowed, "\(id) does not wait for anybody's consent", "`vigie lease list` shows where it stands")
        }
        try await record(at: now()) { book in
            book.standings[id]?.phase == .requested ? [.approved(id: id, by: person)] : []
        }
        bell.ring()
    }

    func standing(of id: String) -> LeaseBook.Standing? { book.standings[id] }

    /// The newest first.
    func standings(limit: Int = 500, where isWanted: @Sendable (LeaseBook.Standing) -> Bool = { _ in true }) -> [LeaseBook
        .Standing]
    {
        Array(
            book.standings.values.filter(isWanted)
                .sorted { ($1.lease.requestedAt, $1.lease.id) < ($0.lease.requestedAt, $0.lease.id) }.prefix(limit))
    }

    func settle(id: String, by deadline: Timestamp) async -> LeaseBook.Standing? {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        nextWatcher += 1
        let watcher = nextWatcher
        watchers[watcher] = wake
        let left = deadline.nanoseconds(since: now())
        let end = Task {
            try? await Task.sleep(for: .nanoseconds(max(left, 0)))
            wake.finish()
        }
        defer {
            end.cancel()
            watchers[watcher] = nil
        }
        if isSettled(id) { return book.standings[id] }
        for await _ in wakes where isSettled(id) { break }
        return book.standings[id]
    }

    private func isSettled(_ id: String) -> Bool {
        guard let standing = book.standings[id] else { return true }
        switch standing.phase {
        case .refused, .lifted, .notInForce: return true
        case .inForce: return standing.undoneBy == nil
        case .applied: return standing.isDelivered && standing.undoneBy == nil
        // Policy has spoken already; what is left waits for a person.
        case .requested: return standing.undoneBy == nil
        case .approved, .lifting: return false
        }
    }

    func known(_ id: String) throws -> LeaseBook.Standing {
        guard let standing = book.standings[id] else {
            throw LeaseRefusal(.unknown, "there is no lease \(id.prefix(80))", "`vigie lease list` shows those there are")
        }
        return standing
    }

    // MARK: Writing down

    /// Writes down what a decision on the present book comes to, and makes it count. One after the other, although the disk is waited
    /// for in between.
    ///
    /// - Parameter taken: when the enforcer took what is applied, where that is earlier than the rest.
    @discardableResult
    func record(
        at time: Timestamp, taken: Timestamp? = nil, _ decide: @escaping @Sendable (LeaseBook) -> [LeaseEvent]
    ) async throws -> [LeaseEvent] {
        let previous = turn
        let task = Task {
            await previous?.value
            return try await self.commit(at: time, taken: taken, decide)
        }
        turn = Task { _ = await task.result }
        return try await task.value
    }

    private func commit(
        at time: Timestamp, taken: Timestamp?, _ decide: (LeaseBook) -> [LeaseEvent]
    ) async throws -> [LeaseEvent] {
        let events = decide(book)
        let moment = { @Sendable (event: LeaseEvent) in if case .applied = event { taken ?? time } else { time } }
        guard !events.isEmpty else { return [] }
        var leases: [String: Lease] = [:]
        for case .requested(let lease) in events { leases[lease.id] = lease }
        let drafts = events.compactMap { event in
            (leases[event.id] ?? book.standings[event.id]?.lease).map { event.draft(of: $0, at: moment(event)) }
        }
        // An entry for each; so many at a time that nobody else waits long for the journal.
        for start in stride(from: 0, to: drafts.count, by: 2_000) {
            try await recorder.record(Array(drafts[start..<min(start + 2_000, drafts.count)]), at: time)
        }
        for event in events { apply(event, at: moment(event)) }
        for watcher in watchers.values { watcher.yield() }
        return events
    }

    private func apply(_ event: LeaseEvent, at time: Timestamp) {
        book.apply(event, at: time)
        guard let standing = book.standings[event.id] else { return }
        let (lease, effect) = (standing.lease, Effect(standing.lease))
        if standing.phase.wantsForce {
            holders[effect, default: []].insert(lease.id)
        } else if holders[effect]?.remove(lease.id) != nil, holders[effect]?.isEmpty == true {
            holders[effect] = nil
        }
        var isTroubled = standing.trouble != nil
        if case .notInForce = standing.phase { isTroubled = true }
        if isTroubled { troubled.insert(lease.id) } else { troubled.remove(lease.id) }
        reschedule(standing, at: time)
    }
}
