import Events
import Journal
import Testing

@testable import Incidents
@testable import Storage

@Suite("What people do with incidents, in the tables")
struct ChangeTests {
    private let ledger: Ledger

    init() throws { ledger = try Ledger() }

    private func summary(_ id: String, reader: IncidentReader? = nil) async throws -> IncidentSummary? {
        try await ledger.projections.incident(id: id, maximumFindings: 10, reader: reader)?.summary
    }

    @Test("acknowledged, moved on, closed, opened again")
    func lifecycle() async throws {
        try await ledger.open("SEC-2026-0001")
        try await ledger.change("SEC-2026-0001", .acknowledge)
        try await ledger.change("SEC-2026-0001", .phase(from: .detection, to: .triage), text: "looking")
        try await ledger.change("SEC-2026-0001", .close(from: .triage, resolution: .falsePositive), text: "a scanner of ours")
        let closed = try #require(try await summary("SEC-2026-0001"))
        #expect(closed.phase == .closed && closed.resolution == .falsePositive && closed.acknowledgedAt == Ledger.start)
        try await ledger.change("SEC-2026-0001", .reopen, text: "it was not")
        let open = try #require(try await summary("SEC-2026-0001"))
        #expect(open.phase == .triage && open.resolution == nil && open.acknowledgedAt == nil)
        let timeline = try await ledger.projections.incident(id: "SEC-2026-0001", maximumFindings: 10)?.timeline
        #expect(
            timeline?.suffix(3).map(\.text) == [
                "Phase detection → triage: looking", "Closed as false positive: a scanner of ours", "Opened again: it was not",
            ])
        #expect(timeline?.last?.actor == "ana")
    }

    @Test("merged and split, everything is counted anew, and a rebuild gives the same rows")
    func mergeAndSplit() async throws {
        try await ledger.open("SEC-2026-0001", address: "203.0.113.1", category: "scan")
        try await ledger.open("SEC-2026-0002", address: "203.0.113.2", user: "alice")
        try await ledger.change("SEC-2026-0001", .addEntity(IncidentEntity(kind: .account, value: "bob")))
        try await ledger.change("SEC-2026-0002", .merge(into: "SEC-2026-0001"), text: "one campaign")
        let merged = try #require(try await summary("SEC-2026-0001"))
        #expect(merged.findingCount == 2 && merged.eventCount == 10 && Set(merged.categories) == ["scan", "brute_force"])
        #expect(Set(merged.entities.compactMap(\.value)) == ["203.0.113.1", "203.0.113.2", "alice", "bob"])
        let source = try #require(try await summary("SEC-2026-0002"))
        #expect(source.mergedInto == "SEC-2026-0001" && source.phase == .closed && source.findingCount == 0)
        // A finding that was on its way to the source arrives at the target.
        try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0002", address: "203.0.113.2"))])
        #expect(try await summary("SEC-2026-0001")?.findingCount == 3)
        var low = ledger.finding("SEC-2026-0001", address: "203.0.113.1", category: "scan")
        low.level = "low"
        try await ledger.record([.findingRecorded(low), .findingRecorded(ledger.finding("SEC-2026-0001", category: "scan"))])
        #expect(
            try await ledger.projections.ruleLevels(ofIncident: "SEC-2026-0001")
                == ["scan": ["low", "medium"], "brute_force": ["medium"]])
        #expect(try await ledger.projections.ruleLevels(ofIncident: "SEC-2026-0002").isEmpty)

        try await ledger.record([
            .opened(IncidentOpened(incident: "SEC-2026-0003", title: "t", severity: .low, firstSeen: Ledger.start))
        ])
        try await ledger.change("SEC-2026-0001", .split(into: "SEC-2026-0003", findings: ["finding-1", low.id], entities: []))
        #expect(try await summary("SEC-2026-0003")?.entities == [IncidentEntity(kind: .address, value: "203.0.113.1")])
        #expect(try await summary("SEC-2026-0001")?.findingCount == 3)
        #expect(try await ledger.projections.ruleLevels(ofIncident: "SEC-2026-0003") == ["scan": ["low", "medium"]])
        #expect(
            try await ledger.projections.ruleLevels(ofIncident: "SEC-2026-0001")
                == ["scan": ["medium"], "brute_force": ["medium"]])
        #expect(try await ledger.rebuilt().dump() == ledger.projections.dump())
    }

    @Test("a restricted incident is in no list, no search and no count of those who need not know")
    func needToKnow() async throws {
        try await ledger.open("SEC-2026-0001", title: "Secret")
        try await ledger.open("SEC-2026-0002")
        try await ledger.change("SEC-2026-0001", .restrict(readers: ["0a"]))
        try await ledger.change("SEC-2026-0001", .assign(role: "legal_counsel", person: "cy"))
        for (reader, count) in [
            (IncidentReader(account: "0a", name: "ana"), 2), (.init(account: "0c", name: "cy"), 2),
            (.init(account: "0b", name: "bo"), 1), (nil, 2),
        ] {
            let page = try await ledger.projections.incidents(matching: IncidentQuery(reader: reader))
            #expect(page.total == count && page.incidents.count == count)
            let found = try await ledger.projections.incidents(matching: IncidentQuery(search: "Secret", reader: reader))
            #expect(found.total == count - 1)
            #expect(try await summary("SEC-2026-0001", reader: reader) != nil || count == 1)
            if let reader {
                #expect(try await ledger.projections.isHidden(id: "SEC-2026-0001", from: reader) == (count == 1))
                #expect(try await !ledger.projections.isHidden(id: "SEC-2026-0007", from: reader))
            }
        }
        try await ledger.change("SEC-2026-0001", .release(role: "legal_counsel", person: "cy"))
        #expect(try await summary("SEC-2026-0001", reader: IncidentReader(account: "0c", name: "cy")) == nil)
        try await ledger.change("SEC-2026-0001", .unrestrict, text: "it is public")
        #expect(try await summary("SEC-2026-0001", reader: IncidentReader(account: "0b", name: "bo")) != nil)
    }

    @Test("the title is that of the worst finding, the first of equals, through merges and splits")
    func titles() async throws {
        try await ledger.open("SEC-2026-0001", title: "Medium", severity: .medium)
        let title = { try await summary("SEC-2026-0001")?.title }
        for (name, severity, expected) in [
            ("Low", Severity.low, "Medium"), ("Medium too", .medium, "Medium"), ("High", .high, "High"), ("Later", .high, "High"),
        ] {
            try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0001", title: name, severity: severity))])
            #expect(try await title() == expected)
        }
        try await ledger.open("SEC-2026-0002", title: "Critical", severity: .critical, address: "203.0.113.2")
        try await ledger.change("SEC-2026-0002", .merge(into: "SEC-2026-0001"), text: "one campaign")
        try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0001", title: "Critical too", severity: .critical))])
        #expect(try await title() == "High")
        #expect(try await ledger.rebuilt().dump() == ledger.projections.dump())
    }

    @Test("words are found wherever they stand, in part, in any case, as they are, and in what came or changed later")
    func search() async throws {
        try await ledger.open("SEC-2026-0001", title: "SSH brute force", address: "203.0.113.9", user: "O'Brien \"x\"")
        try await ledger.open("SEC-2026-0002", title: "100% of_it", address: "198.51.100.7", category: "web_scan")
        try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0002", title: "Złoty AND*", severity: .high))])
        try await ledger.change("SEC-2026-0001", .addEntity(IncidentEntity(kind: .account, value: "late")))
        for (search, ids) in [
            ("", [1, 2]), ("brute", [1, 2]), ("SSH", [1]), ("ssh BRU", [1]), ("0001", [1]), ("113.9", [1, 2]), ("o'brien", [1]),
            ("\"x\"", [1]), ("late", [1]), ("złoty and*", [2]), ("100%", []), ("of_it", []), ("web", [2]), ("scan brute", [2]),
            ("zł", [2]), ("_", [1, 2]), ("%", []), ("\"", [1]), ("nothing", []), ("1001", []),
            ("sec-2026 late 203", [1]),
        ] {
            let page = try await ledger.projections.incidents(matching: IncidentQuery(search: search))
            #expect(page.incidents.map(\.id) == ids.map { "SEC-2026-000\($0)" }, "\(search)")
            #expect(page.total == ids.count)
        }
        try await ledger.change("SEC-2026-0002", .merge(into: "SEC-2026-0001"), text: "one campaign")
        for (search, ids) in [("198.51", [1]), ("0002", [2]), ("web_scan", [1])] {
            let page = try await ledger.projections.incidents(matching: IncidentQuery(search: search))
            #expect(page.incidents.map(\.id) == ids.map { "SEC-2026-000\($0)" }, "\(search)")
        }
    }

    @Test("pages and counts by severity, whichever severities are asked for")
    func pages() async throws {
        for number in 1...9 {
            try await ledger.open(
                "SEC-2026-000\(number)", severity: Severity.allCases[number % 4], address: "203.0.113.\(number)")
        }
        try await ledger.change("SEC-2026-0009", .close(from: .detection, resolution: .duplicate))
        for severities in [[Severity.critical], [.high, .low], Severity.allCases, []] {
            let ids = (1...8).reversed().filter { severities.contains(Severity.allCases[$0 % 4]) }.map { "SEC-2026-000\($0)" }
            for offset in 0...4 {
                let page = try await ledger.projections.incidents(
                    matching: IncidentQuery(severities: Set(severities), includesClosed: false, limit: 2, offset: offset))
                #expect(page.incidents.map(\.id) == Array(ids.dropFirst(offset).prefix(2)))
                #expect(page.total == ids.count && page.counts == [.critical: 2, .high: 2, .medium: 2, .low: 2])
            }
        }
    }

    @Test("a timeline has a limit of its own and says how much there is, and no finding pushes out what people did")
    func longTimeline() async throws {
        try await ledger.open("SEC-2026-0001")
        try await ledger.change("SEC-2026-0001", .acknowledge)
        for _ in 0..<30 { try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0001"))]) }
        let read = { (findings: Int, timeline: Int) in
            try await ledger.projections.incident(
                id: "SEC-2026-0001", maximumFindings: findings, maximumTimeline: timeline, reader: nil)
        }
        let whole = try #require(try await read(2, 200))
        #expect(whole.findings.count == 2 && whole.timeline.count == 33 && whole.timelineCount == 33)
        let cut = try #require(try await read(25, 10))
        #expect(cut.findings.count == 25 && cut.timeline == Array(whole.timeline.suffix(10)) && cut.timelineCount == 33)
        #expect(try await ledger.projections.actions(ofIncident: "SEC-2026-0001").map(\.kind) == ["incident.acknowledged"])
    }
}
