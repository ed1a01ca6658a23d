import Events
import Incidents
import Journal
import Logging
import Response
import Synchronization

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
    /// When it was looked last whether somebody is to be paged.
    var lookedForOutages: ContinuousClock.Instant?
    /// Addresses of people who are signed in, until when.
    var operators: [String: (owner: String, until: Timestamp)] = [:]
    var protectedAt: Timestamp?
    /// What waits to be written down, in the order in which it came.
    private var decisions: [Decision] = []
    private var isWriting = false
    private var watchers: [Int: AsyncStream<Void>.Continuation] = [:]
    private var nextWatcher = 0
    /// Enforcers know what is in force: until then, after a start, they would answer that nothing is.
    nonisolated let hasResumed = Atomic<Bool>(false)
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

    /// The newest first. Goes through all of them once, and sorts no more than it gives.
    func standings(
        limit: Int = 500, where isWanted: @Sendable (LeaseBook.Standing) -> Bool = { _ in true }
    ) -> [LeaseBook.Standing] {
        var newest: [(at: Timestamp, id: String)] = []
        for standing in book.standings.values where isWanted(standing) {
            let key = (at: standing.lease.requestedAt, id: standing.lease.id)
            if newest.count == limit {
                guard let last = newest.last, (last.at, last.id) < (key.at, key.id) else { continue }
                newest.removeLast()
            }
            var (low, high) = (0, newest.count)
            while low < high {
                let middle = (low + high) / 2
                if (newest[middle].at, newest[middle].id) < (key.at, key.id) { high = middle } else { low = middle + 1 }
            }
            newest.insert(key, at: low)
        }
        return newest.compactMap { book.standings[$0.id] }
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

    /// What is to be decided and written down.
    struct Decision {
        var time: Timestamp
        /// When the enforcer took what is applied, where that is earlier than the rest.
        var taken: Timestamp?
        var decide: @Sendable (LeaseBook) -> [LeaseEvent]
        var isWritten: CheckedContinuation<Result<[LeaseEvent], any Error>, Never>
    }

    /// Writes down what a decision on the present book comes to, and makes it count. One after the other, although the disk is waited
    /// for in between; what came while it was waited for is written together.
    ///
    /// - Parameter taken: when the enforcer took what is applied, where that is earlier than the rest.
    @discardableResult
    func record(
        at time: Timestamp, taken: Timestamp? = nil, _ decide: @escaping @Sendable (LeaseBook) -> [LeaseEvent]
    ) async throws -> [LeaseEvent] {
        let result = await withCheckedContinuation { continuation in
            decisions.append(Decision(time: time, taken: taken, decide: decide, isWritten: continuation))
            if !isWriting {
                isWriting = true
                Task { await self.writeDecisions() }
            }
        }
        return try result.get()
    }

    private func writeDecisions() async {
        while !decisions.isEmpty {
            let (group, events) = takeGroup()
            let result: Result<Void, any Error>
            do {
                try await write(zip(group, events).map { ($0.0, $0.1) })
                result = .success(())
            } catch {
                result = .failure(error)
            }
            for (decision, events) in zip(group, events) { decision.isWritten.resume(returning: result.map { events }) }
        }
        isWriting = false
    }

    /// The next decisions that do not depend on each other: they are about other leases, and spend of the hour's budget once at most.
    private func takeGroup() -> (group: [Decision], events: [[LeaseEvent]]) {
        var (group, all) = ([Decision](), [[LeaseEvent]]())
        var ids: Set<String> = []
        var (count, hasSpent) = (0, false)
        for decision in decisions {
            let events = decision.decide(book)
            let mine = Set(events.map(\.id))
            let spends = events.contains { if case .approved(_, LeaseBook.policyActor) = $0 { true } else { false } }
            let isFree = ids.isDisjoint(with: mine) && !(spends && hasSpent) && count + events.count <= LeaseDesk.entriesPerAppend
            guard group.isEmpty || isFree else { break }
            ids.formUnion(mine)
            hasSpent = hasSpent || spends
            count += events.count
            group.append(decision)
            all.append(events)
        }
        decisions.removeFirst(group.count)
        return (group, all)
    }

    /// Entries that are written at a time, so that nobody else waits long for the journal.
    private static let entriesPerAppend = 2_000

    private func write(_ decided: [(decision: Decision, events: [LeaseEvent])]) async throws {
        var leases: [String: Lease] = [:]
        var dated: [(event: LeaseEvent, at: Timestamp)] = []
        for (decision, events) in decided {
            for event in events {
                if case .requested(let lease) = event { leases[lease.id] = lease }
                let time = if case .applied = event { decision.taken ?? decision.time } else { decision.time }
                dated.append((event, time))
            }
        }
        guard let time = decided.last?.decision.time, !dated.isEmpty else { return }
        var drafts: [EntryDraft] = []
        for (event, time) in dated {
            if let lease = leases[event.id] ?? book.standings[event.id]?.lease { drafts.append(event.draft(of: lease, at: time)) }
        }
        for start in stride(from: 0, to: drafts.count, by: LeaseDesk.entriesPerAppend) {
            let part = Array(drafts[start..<min(start + LeaseDesk.entriesPerAppend, drafts.count)])
            try await recorder.record(part, at: time)
        }
        for (event, time) in dated { apply(event, at: time) }
        for watcher in watchers.values { watcher.yield() }
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
