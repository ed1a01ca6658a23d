import Events
import Response
import Synchronization
import Testing

/// An enforcer that can be told to fail.
final class ToyEnforcer: Enforcer {
    let name = "toy"
    let verbs: Set<Lease.Verb> = Set(Lease.Verb.allCases)
    struct State {
        var blocked: [String: Timestamp] = [:]
        var isAway = false
        /// Takes orders and does not carry them out.
        var isDeaf = false
        var orders = 0
    }
    let state = Mutex(State())

    func apply(_ leases: [Lease], now: Timestamp) async throws {
        try state.withLock {
            if $0.isAway { throw EnforcerError(enforcer: name, reason: "it does not answer") }
            $0.orders += 1
            for lease in leases where !$0.isDeaf { $0.blocked[lease.target] = lease.expiresAt }
        }
    }
    func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        try state.withLock { state in
            if state.isAway { throw EnforcerError(enforcer: name, reason: "it does not answer") }
            var found: [String: Observation] = [:]
            for lease in leases where state.blocked[lease.target] != nil { found[lease.id] = .shown(refusals: 0) }
            return found
        }
    }
    func lift(_ leases: [Lease]) async throws {
        try state.withLock {
            if $0.isAway { throw EnforcerError(enforcer: name, reason: "it does not answer") }
            for lease in leases { $0.blocked[lease.target] = nil }
        }
    }
}

@Suite struct LeaseBookTests {
    static let start = Timestamp(seconds: 1_795_000_000)

    static func lease(_ target: String, id: String? = nil, seconds: Int64 = 3600, at: Timestamp = start) -> Lease {
        Lease(
            id: id ?? "lease-\(target)", verb: .blockAddress, target: target, reason: "guesses passwords",
            incident: "SEC-2026-0001",
            requestedBy: "system", requestedAt: at, expiresAt: at.advanced(bySeconds: seconds), enforcer: "toy")
    }

    /// A book, its entries and its enforcer, driven as a server drives them.
    struct World {
        var book = LeaseBook()
        var entries: [(Timestamp, LeaseEvent)] = []
        let enforcer = ToyEnforcer()
        var policy = LeasePolicy()
        var pages: [String] = []
        var questions: [String] = []

        mutating func record(_ event: LeaseEvent, at time: Timestamp) {
            entries.append((time, event))
            book.apply(event, at: time)
        }

        /// - Parameter limit: dies after so many intents.
        mutating func settle(at time: Timestamp, limit: Int = .max) async {
            var left = limit
            for _ in 0..<12 {
                let intents = book.next(now: time, policy: policy)
                let before = book
                for intent in intents {
                    guard left > 0 else { return }
                    left -= 1
                    if case .page(let lease, _) = intent { pages.append(lease.id) }
                    if case .ask(let lease, _) = intent { questions.append(lease.id) }
                    for event in await enforcer.carryOut(intent, now: time) { record(event, at: time) }
                }
                if book == before { return }
            }
        }

        func phase(_ id: String) -> Lease.Phase? { book.standings[id]?.phase }
    }

    @Test func aLeaseIsAppliedProvenLiftedAndProvenAgain() async {
        var world = World()
        let lease = Self.lease("203.0.113.9")
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        #expect(world.phase(lease.id) == .inForce(.readBack), "and no stronger proof than was achieved")
        #expect(world.book.standings[lease.id]?.approvedBy == "system")
        await world.settle(at: Self.start.advanced(bySeconds: 3599))
        #expect(world.phase(lease.id) == .inForce(.readBack))
        await world.settle(at: Self.start.advanced(bySeconds: 3600))
        #expect(world.phase(lease.id) == .lifted(.expired, isProven: true))
        #expect(world.enforcer.state.withLock { $0.blocked.isEmpty })
    }

    @Test func strongerProofStaysAndWeakerDoesNotReplaceIt() {
        var book = LeaseBook()
        let lease = Self.lease("203.0.113.9")
        for event in [
            LeaseEvent.requested(lease), .approved(id: lease.id, by: "system"), .applied(id: lease.id),
            .proven(id: lease.id, .readBack),
            .proven(id: lease.id, .observed), .proven(id: lease.id, .readBack),
        ] { book.apply(event, at: Self.start) }
        #expect(book.standings[lease.id]?.phase == .inForce(.observed))
        book.apply(.notInForce(id: lease.id, reason: "gone"), at: Self.start)
        book.apply(.proven(id: lease.id, .readBack), at: Self.start)
        #expect(book.standings[lease.id]?.phase == .inForce(.readBack), "old proof does not count for a new block")
    }

    @Test func anEnforcerThatIsAwayIsShownPagedAndTriedAgain() async {
        var world = World()
        let lease = Self.lease("203.0.113.9")
        world.enforcer.state.withLock { $0.isAway = true }
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        guard case .notInForce(let reason)? = world.phase(lease.id) else {
            Issue.record("shown as in force")
            return
        }
        #expect(reason.contains("does not answer"))
        #expect(world.pages.contains(lease.id))
        world.enforcer.state.withLock { $0.isAway = false }
        await world.settle(at: Self.start.advanced(bySeconds: 60))
        #expect(world.phase(lease.id) == .inForce(.readBack))
    }

    @Test func anOrderThatIsTakenAndNotCarriedOutIsNotInForce() async {
        var world = World()
        let lease = Self.lease("203.0.113.9")
        world.enforcer.state.withLock { $0.isDeaf = true }
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        if case .inForce? = world.phase(lease.id) { Issue.record("an order is no proof") }
        await world.settle(at: Self.start.advanced(bySeconds: 6))
        #expect(world.pages.contains(lease.id))
    }

    @Test func aBlockThatSomebodyRemovedIsNoticed() async {
        var world = World()
        let lease = Self.lease("203.0.113.9")
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        world.enforcer.state.withLock { $0.blocked = [:] }
        let later = Self.start.advanced(bySeconds: 61)
        let intents = world.book.next(now: later, policy: world.policy)
        #expect(intents == [.readBack(lease)])
        for event in await world.enforcer.carryOut(intents[0], now: later) { world.record(event, at: later) }
        guard case .notInForce? = world.phase(lease.id) else {
            Issue.record("still shown as in force")
            return
        }
    }

    @Test(arguments: [
        "192.0.2.1", "192.0.2.0/24", "192.0.2.1/32", "10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8:0:1::/64",
        "nonsense",
        "203.0.113.9; drop", "",
    ])
    func whatIsProtectedIsNeverBlocked(target: String) async throws {
        var world = World()
        world.policy.neverBlock = [
            .init(try #require(AddressBlock("192.0.2.0/28")), owner: "our gateway"),
            .init(try #require(AddressBlock("2001:db8:0:1::7")), owner: "the operator"),
        ]
        let lease = Self.lease(target)
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        guard case .refused? = world.phase(lease.id) else {
            Issue.record("\(target) was not refused")
            return
        }
        #expect(world.enforcer.state.withLock { $0.orders } == 0)
    }

    @Test func aNeverBlockListLiftsWhatIsInForce() async throws {
        var world = World()
        let lease = Self.lease("192.0.2.1")
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        #expect(world.phase(lease.id) == .inForce(.readBack))
        world.policy.neverBlock = [.init(try #require(AddressBlock("192.0.2.0/28")), owner: "our gateway")]
        await world.settle(at: Self.start.advanced(bySeconds: 1))
        #expect(world.phase(lease.id) == .lifted(.neverBlock, isProven: true))
    }

    @Test func overTheBudgetAPersonIsAsked() async {
        var world = World()
        world.policy.budgetPerHour = 3
        for number in 1...5 { world.record(.requested(Self.lease("203.0.113.\(number)")), at: Self.start) }
        await world.settle(at: Self.start)
        #expect(world.enforcer.state.withLock { $0.blocked.count } == 3)
        #expect(Set(world.questions) == ["lease-203.0.113.4", "lease-203.0.113.5"])
        world.record(.approved(id: "lease-203.0.113.4", by: "ana"), at: Self.start)
        await world.settle(at: Self.start)
        #expect(world.phase("lease-203.0.113.4") == .inForce(.readBack))
        await world.settle(at: Self.start.advanced(bySeconds: 3599))
        #expect(world.phase("lease-203.0.113.5") == .requested)
    }

    @Test func undoIsLiftedAndProven() async {
        var world = World()
        let lease = Self.lease("203.0.113.9")
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        world.record(.undoRequested(id: lease.id, by: "ana"), at: Self.start)
        world.enforcer.state.withLock { $0.isAway = true }
        await world.settle(at: Self.start)
        #expect(world.phase(lease.id) == .lifting(.undone), "not called lifted before it is")
        world.enforcer.state.withLock { $0.isAway = false }
        await world.settle(at: Self.start.advanced(bySeconds: 5))
        #expect(world.phase(lease.id) == .lifted(.undone, isProven: true))
    }

    /// Dies after each intent of three leases' lives, and goes on from the entries alone, after the leases have expired.
    @Test func expiryHappensAlsoAfterACrash() async {
        for limit in 0..<16 {
            var world = World()
            for number in 1...3 {
                world.record(.requested(Self.lease("203.0.113.\(number)", seconds: Int64(number) * 600)), at: Self.start)
            }
            await world.settle(at: Self.start, limit: limit)
            let replayed = LeaseBook(replaying: world.entries)
            #expect(replayed == world.book, "replay equals live")
            world.book = replayed
            await world.settle(at: Self.start.advanced(bySeconds: 1200))
            #expect(world.enforcer.state.withLock { Set($0.blocked.keys) } == ["203.0.113.3"], "\(limit)")
            await world.settle(at: Self.start.advanced(bySeconds: 7200))
            #expect(world.enforcer.state.withLock { $0.blocked.isEmpty }, "\(limit)")
        }
    }

    @Test func aLeaseAskedForTwiceIsOne() async {
        var world = World()
        let lease = Self.lease("203.0.113.9")
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        world.record(.requested(lease), at: Self.start)
        await world.settle(at: Self.start)
        #expect(world.enforcer.state.withLock { $0.orders } == 1)
    }
}
