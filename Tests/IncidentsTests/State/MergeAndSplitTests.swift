import Events
import Incidents
import Journal
import Testing

@testable import Detection

@Suite("Merging and splitting incidents")
struct MergeAndSplitTests {
    /// Two incidents of one address each, as detection makes them.
    private func twoIncidents() throws -> (desk: Desk, findings: [Finding]) {
        var desk = Desk()
        var findings: [Finding] = []
        for number in 1...2 {
            var finding = Sample.finding(number)
            finding.sourceIP = "203.0.113.\(number)"
            findings.append(finding)
            try record(finding, &desk)
        }
        return (desk, findings)
    }

    private func record(_ finding: Finding, _ desk: inout Desk) throws {
        var book = desk.ledger.book
        desk.apply(Grouping().events(for: finding, lines: [], book: &book, now: Desk.start), at: Desk.start)
        #expect(book == desk.ledger.book)
    }

    private func next(_ number: Int, address: String) -> Finding {
        var finding = Sample.finding(number)
        finding.sourceIP = address
        return finding
    }

    @Test("both ids stay, and findings of either side go where they belong now")
    func merge() throws {
        var (desk, _) = try twoIncidents()
        #expect(desk.ledger.incidents.keys.sorted() == ["SEC-2026-0001", "SEC-2026-0002"])
        try desk.order(.severity(.critical), "SEC-2026-0002")
        try desk.order(.merge(into: "SEC-2026-0001"), "SEC-2026-0002")
        #expect(desk.ledger.current("SEC-2026-0002") == "SEC-2026-0001")
        let target = try #require(desk.state())
        #expect(target.absorbed == ["SEC-2026-0002"] && target.findingCount == 2 && target.severity == .critical)
        let source = try #require(desk.state("SEC-2026-0002"))
        #expect(source.isClosed && source.resolution == .duplicate && source.mergedInto == "SEC-2026-0001")
        #expect(throws: IncidentRefusal.self) { try desk.order(.acknowledge, "SEC-2026-0002") }
        try record(next(3, address: "203.0.113.2"), &desk)
        #expect(desk.ledger.incidents.count == 2 && desk.state()?.findingCount == 3)
    }

    @Test("what is closed, restricted otherwise, or the incident itself cannot be merged")
    func refusedMerges() throws {
        var (desk, _) = try twoIncidents()
        #expect(throws: IncidentRefusal.self) { try desk.order(.merge(into: "SEC-2026-0001")) }
        #expect(throws: IncidentRefusal.self) { try desk.order(.merge(into: "SEC-2026-0007")) }
        try desk.order(.restrict(readers: ["0a"]))
        #expect(throws: IncidentRefusal.self) { try desk.order(.merge(into: "SEC-2026-0002")) }
        try desk.order(.unrestrict)
        try desk.order(.close(.falsePositive), "SEC-2026-0002")
        #expect(throws: IncidentRefusal.self) { try desk.order(.merge(into: "SEC-2026-0002")) }
    }

    @Test("what is split off takes its address along, and stays restricted")
    func split() throws {
        var (desk, findings) = try twoIncidents()
        try desk.order(.merge(into: "SEC-2026-0001"), "SEC-2026-0002")
        try desk.order(.restrict(readers: ["0a"]))
        try desk.order(
            .split(
                title: "Another one", findings: [findings[1].id],
                entities: [IncidentEntity(kind: .address, value: "203.0.113.2")]))
        let new = try #require(desk.state("SEC-2026-0003"))
        #expect(new.findingCount == 1 && new.readers == ["0a"] && desk.state()?.findingCount == 1)
        try record(next(3, address: "203.0.113.2"), &desk)
        try record(next(4, address: "203.0.113.1"), &desk)
        #expect(desk.state("SEC-2026-0003")?.findingCount == 2 && desk.state()?.findingCount == 2)
    }

    @Test("findings that are not there, named twice, or all of them cannot be split off")
    func refusedSplits() throws {
        var (desk, findings) = try twoIncidents()
        try desk.order(.merge(into: "SEC-2026-0001"), "SEC-2026-0002")
        let ids = findings.map(\.id)
        for chosen in [[], ids, [ids[0], ids[0]], ["ffff"]] {
            #expect(throws: IncidentRefusal.self) {
                try desk.order(.split(title: "t", findings: chosen, entities: []))
            }
        }
    }

    @Test("what an address does after its incident was closed is another incident that says of which it is a recurrence")
    func recurrence() throws {
        var (desk, _) = try twoIncidents()
        try desk.order(.close(.falsePositive))
        try record(next(3, address: "203.0.113.1"), &desk)
        #expect(desk.state("SEC-2026-0003")?.links == [.init(kind: .recurrence, incident: "SEC-2026-0001")])
        #expect(desk.state()?.findingCount == 1)
    }

    @Test("people's orders survive the journal, and erasing a person blanks the words and keeps the deeds")
    func roundTrip() async throws {
        var desk = Desk(policies: try ShippedPolicies.load())
        try desk.open()
        try desk.open()
        try desk.order(.acknowledge, text: nil)
        try desk.order(.note, text: "Called bo", request: "r1")
        try desk.order(.statusUpdate)
        try desk.order(.phase(.triage))
        try desk.order(.severity(.low))
        try desk.order(.assign(role: "commander", person: "bo"))
        try desk.order(.release(role: "commander", person: "bo"))
        try desk.order(.addEntity(IncidentEntity(kind: .address, value: "2001:db8::1")))
        try desk.order(.affected(users: 3, data: ["e-mail addresses"]))
        try desk.order(.trafficLight(.amberStrict))
        try desk.order(.restrict(readers: ["0a"]))
        try desk.order(.unrestrict)
        try desk.order(.link(.related, to: "SEC-2026-0002"))
        try desk.order(.unlink(.related, to: "SEC-2026-0002"))
        try desk.order(.pauseClock("triage"))
        try desk.order(.resumeClock("triage"))
        try desk.order(.pauseClock(nil))
        try desk.order(.milestone(.usersNotified))
        try desk.order(.close(.accepted))
        try desk.order(.reopen)
        try desk.order(.merge(into: "SEC-2026-0002"))
        let intent = PageIntent(
            key: "k", incident: "SEC-2026-0002", cycle: 1, purpose: .page, step: "L1", target: "rotation:on-call",
            channel: "mail", person: "bo", address: "bo@example.org")
        let whats: [PageEvent.What] = [
            .intended(intent), .attempted(number: 1), .failed(number: 1, reason: "no answer", retryAt: .minutes(3)),
            .attempted(number: 2, digest: "digest/k"), .sent(number: 2), .dead(number: 3, reason: "given up"),
            .cancelled(reason: "acknowledged"),
        ]
        desk.apply(
            whats.map { .page(PageEvent(incident: "SEC-2026-0002", key: "k", at: .minutes(2), what: $0)) }, at: .minutes(2))
        desk.apply(
            [
                .clockMissed(
                    ClockMissed(
                        incident: "SEC-2026-0002", key: "SEC-2026-0002/1/fix", clock: "fix", due: .minutes(1), at: .minutes(2)))
            ], at: .minutes(2))
        desk.apply(
            [
                .changed(
                    IncidentChange(
                        incident: "SEC-2026-0002", at: .minutes(2), author: Desk.ana,
                        action: .split(
                            into: "SEC-2026-0003", findings: ["0f"], entities: [IncidentEntity(kind: .account, value: "bo")])))
            ], at: .minutes(2))

        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        _ = try await journal.append(desk.events.map { $0.draft() }, at: Desk.start)
        let read = { () async throws -> [IncidentEvent?] in
            let entries = try journal.reader().next(limit: .max)
            return zip(entries, try await EntryOpener(keys: keys).open(entries)).map { IncidentEvent($0, personal: $1) }
        }
        #expect(try await read() == desk.events)
        let bytes = try journal.reader().next(limit: .max).flatMap(\.canonicalBytes)
        let text = String(decoding: bytes, as: UTF8.self)
        for word in ["Called", "bo@example.org", "2001:db8", "\"ana\""] { #expect(!text.contains(word)) }

        await keys.erase(Subject(kind: .user, value: "ana"))
        var ledger = IncidentLedger()
        for event in try await read() { ledger.apply(try #require(event), recordedAt: Desk.start) }
        let state = try #require(ledger["SEC-2026-0001"])
        #expect(state.phase == .closed && state.cycle == 2 && state.noteCount == 1)
        #expect(state.severities.last?.reason == nil && state.severities.last?.author == Author(id: "0a", name: nil))
        #expect(state.severity == .low)
    }

    @Test("what is for other readers is not merged, and what was merged is restricted and opened with its target")
    func readersOfMerges() throws {
        var (desk, _) = try twoIncidents()
        try desk.order(.restrict(readers: ["0a", "0b"]))
        try desk.order(.restrict(readers: ["0a", "0c"]), "SEC-2026-0002")
        #expect(throws: IncidentRefusal.self) { try desk.order(.merge(into: "SEC-2026-0002")) }
        try desk.order(.restrict(readers: ["0b", "0a"]), "SEC-2026-0002")
        try desk.order(.merge(into: "SEC-2026-0002"))
        try desk.order(.restrict(readers: ["0a"]), "SEC-2026-0002")
        #expect(desk.state()?.readers == ["0a"])
        try desk.order(.unrestrict, "SEC-2026-0002")
        #expect(desk.state()?.readers == nil && desk.state("SEC-2026-0002")?.readers == nil)
    }

    @Test("who may not know of an incident can neither do anything to it, nor link or merge another with it")
    func unknownOthers() throws {
        var (desk, _) = try twoIncidents()
        let bo = Author(id: "0b", name: "bo")
        try desk.order(.restrict(readers: ["0a"]))
        for (verb, incident) in [
            (IncidentOrder.Verb.link(.related, to: "SEC-2026-0001"), "SEC-2026-0002"),
            (.merge(into: "SEC-2026-0001"), "SEC-2026-0002"), (.note, "SEC-2026-0001"),
        ] {
            let refusal = #expect(throws: IncidentRefusal.self) { try desk.order(verb, incident, by: bo) }
            // Word for word what is said of one that is not there.
            #expect(refusal?.code == .unknownIncident && refusal?.reason == "there is no incident SEC-2026-0001")
        }
        try desk.order(.link(.related, to: "SEC-2026-0001"), "SEC-2026-0002", by: Author(id: "uid:0", name: "root"))
    }
}
