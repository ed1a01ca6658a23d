import Events
import Journal
import Response
import Testing

/// What is read from the journal is what happened.
@Suite struct LeaseJournalTests {
    private struct Random: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 31)
        }
    }

    /// Any life, sensible or not: events in any order, about leases of every verb.
    private static func life(_ random: inout Random) -> [(Timestamp, LeaseEvent)] {
        var time = Timestamp(nanoseconds: 1_795_000_000_123_456_789)
        return (0..<80).map { _ in
            time = time.advanced(byNanoseconds: Int64.random(in: 0...4_000_000_000_000, using: &random))
            let number = Int.random(in: 0..<6, using: &random)
            let id = "lease-\(number)"
            let event: LeaseEvent
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1:
                let verb = Lease.Verb.allCases.randomElement(using: &random) ?? .blockAddress
                event = .requested(
                    Lease(
                        id: id, verb: verb, target: verb.isNetwork ? "203.0.113.\(number)" : "thing-\(number)",
                        scope: number == 1 ? "notes" : "platform", reason: "guesses \"passwords\"\n", incident: "SEC-2026-0001",
                        requestedBy: ["system", "ana", "uid:0", "run:7"][number % 4], requestedAt: time,
                        expiresAt: time.advanced(byNanoseconds: 3_600_000_000_001), enforcer: "toy",
                        parameters: number == 2 ? ["requests": "10"] : [:]))
            case 2: event = .refused(id: id, reason: "never \(number)")
            case 3: event = .approved(id: id, by: number == 0 ? "system" : "ana")
            case 4: event = .applied(id: id)
            case 5: event = .proven(id: id, Lease.Proof.allCases.randomElement(using: &random) ?? .readBack)
            case 6: event = .notInForce(id: id, reason: "gone \(number % 2)")
            case 7: event = .undoRequested(id: id, by: "ana", reason: number == 0 ? "" : "wrong")
            case 8: event = .lifting(id: id, Lease.LiftReason.allCases.randomElement(using: &random) ?? .expired)
            case 10: event = .probed(id: id, wasRefused: Bool.random(using: &random), by: number == 0 ? "uid:0" : "ana")
            case 9: event = number < 3 ? .notLifted(id: id, reason: "away") : .delivered(id: id)
            default: event = .lifted(id: id, isProven: Bool.random(using: &random))
            }
            return (time, event)
        }
    }

    /// Through canonical JSON and back, personal fields included.
    private static func throughTheJournal(_ event: LeaseEvent, _ lease: Lease, at time: Timestamp) throws -> LeaseEvent? {
        let draft = event.draft(of: lease, at: time)
        #expect(draft.occurredAt == time)
        var personal: [String: JSONValue?] = [:]
        for field in draft.personal { personal[field.name] = try JSONValue(parsing: try field.value.canonicalBytes()) }
        let data = try JSONValue(parsing: try JSONValue.object(draft.data).canonicalBytes()).objectValue
        return LeaseEvent(type: draft.type, data: try #require(data), personal: personal)
    }

    @Test(arguments: 0..<60) func replayEqualsLive(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var live = LeaseBook()
        var entries: [(Timestamp, LeaseEvent)] = []
        for (time, event) in Self.life(&random) {
            live.apply(event, at: time)
            // What is about no lease that is known is not written down.
            guard let lease = live.standings[event.id]?.lease else { continue }
            var written = event
            // The first order counts, as it was.
            if case .requested = event { written = .requested(lease) }
            let read = try #require(try Self.throughTheJournal(written, lease, at: time))
            #expect(read == written)
            entries.append((time, read))
        }
        #expect(LeaseBook(replaying: entries).standings == live.standings)
    }

    @Test func anErasedTargetTakesTheLeaseWithIt() throws {
        let lease = LeaseBookTests.lease("203.0.113.9", id: "lease-1")
        let draft = LeaseEvent.requested(lease).draft(of: lease, at: lease.requestedAt)
        #expect(draft.personal.first { $0.name == "target" }?.subjects == [Subject(kind: .ip, value: "203.0.113.9")])
        #expect(!"\(draft.data)".contains("203.0.113.9"))
        let erased: [String: JSONValue?] = ["target": nil as JSONValue?, "reason": nil as JSONValue?]
        #expect(LeaseEvent(type: draft.type, data: draft.data, personal: erased) == nil)
    }

    @Test func namesOfPeopleAreSealedAndThoseOfMachinesAreNot() {
        let lease = LeaseBookTests.lease("203.0.113.9")
        let byAna = LeaseEvent.approved(id: lease.id, by: "ana").draft(of: lease, at: lease.requestedAt)
        #expect(byAna.personal.map(\.name) == ["by"])
        for machine in ["system", "uid:1000", "run:4711"] {
            #expect(LeaseEvent.approved(id: lease.id, by: machine).draft(of: lease, at: lease.requestedAt).personal.isEmpty)
        }
    }

    @Test func entriesAboutOtherThingsAreNoLeases() {
        #expect(LeaseEvent(type: "run.started", data: ["lease": "x"], personal: [:]) == nil)
        #expect(LeaseEvent(type: "lease.unheard_of", data: ["lease": "x"], personal: [:]) == nil)
        #expect(LeaseEvent(type: "lease.requested", data: ["lease": "x"], personal: [:]) == nil)
        #expect(LeaseEvent(type: "lease.applied", data: [:], personal: [:]) == nil)
    }
}
