import Events
import Foundation
import Journal
import Testing

@testable import Incidents
@testable import Storage

@Suite("Tables made from the journal")
struct ProjectionsTests {
    private let ledger: Ledger

    init() throws { ledger = try Ledger() }

    @Test("made anew, they are the same in every row", arguments: 0..<4)
    func rebuild(seed: UInt64) async throws {
        var random = SeededGenerator(state: seed)
        var severities: [String: Severity] = [:]
        for step in 0..<60 {
            let incident = "SEC-2026-000\(Int.random(in: 1...5, using: &random))"
            let severity = Severity.allCases.randomElement(using: &random) ?? .low
            var events: [IncidentEvent] = []
            if let known = severities[incident] {
                if severity > known {
                    events.append(
                        .severityChanged(
                            SeverityChange(incident: incident, from: known, to: severity, reason: "worse", at: Ledger.start)))
                    severities[incident] = severity
                }
            } else {
                events.append(
                    .opened(IncidentOpened(incident: incident, title: "First", severity: severity, firstSeen: Ledger.start)))
                severities[incident] = severity
            }
            events.append(
                .findingRecorded(
                    ledger.finding(
                        incident, title: "Rule \(Int.random(in: 0..<4, using: &random))", severity: severity,
                        address: Bool.random(using: &random) ? "203.0.113.\(Int.random(in: 0..<3, using: &random))" : nil,
                        user: Bool.random(using: &random) ? "alice" : nil,
                        others: Bool.random(using: &random) ? ["192.0.2.1", "2001:db8::1"] : [],
                        category: Bool.random(using: &random) ? "scan" : "brute_force",
                        text: [nil, "line \u{1b}[31m", "\"quoted\\"].randomElement(using: &random) ?? nil)))
            try await ledger.record(events, recordedAt: Int64(step))
        }
        #expect(try await ledger.projections.applied() == ledger.journal.count)
        let dump = try ledger.projections.dump()
        #expect(dump.count > 60)
        #expect(try await ledger.rebuilt().dump() == dump)
    }

    @Test("after an erasure the rebuilt tables have blanks where the subject was, and its name nowhere")
    func erasure() async throws {
        try await ledger.open("SEC-2026-0001", address: "203.0.113.77", user: "alice")
        try await ledger.open("SEC-2026-0002", address: "198.51.100.1", user: "bob")
        try await ledger.keys.erase(Subject(kind: .ip, value: "203.0.113.77"))

        let rebuilt = try await ledger.rebuilt()
        let detail = try #require(try await rebuilt.incident(id: "SEC-2026-0001", maximumFindings: 10))
        #expect(
            Set(detail.summary.entities) == [
                IncidentEntity(kind: .address, value: nil), IncidentEntity(kind: .account, value: "alice"),
            ])
        #expect(detail.findings.first?.lines.map(\.text) == [nil])
        #expect(detail.summary.title == "SSH brute force")
        #expect(detail.summary.eventCount == 5)
        #expect(try rebuilt.dump().allSatisfy { !$0.contains("203.0.113.77") })
        #expect(try rebuilt.dump().contains { $0.contains("198.51.100.1") })
        for (suffix, bytes) in Files.database(ledger.folder.file("rebuilt.db")) {
            #expect(bytes.range(of: Data("203.0.113.77".utf8)) == nil, "rebuilt.db\(suffix)")
        }
    }

    @Test("entries are applied in order and without a gap, or not at all")
    func gap() async throws {
        try await ledger.open("SEC-2026-0001")
        let event = IncidentEvent.findingRecorded(ledger.finding("SEC-2026-0001"))
        let entries = try await ledger.journal.append([event.draft(), event.draft()], at: Ledger.start)
        let before = try ledger.projections.dump()
        let error = await #expect(throws: StorageError.self) { try await ledger.projections.apply([(entries[1], event)]) }
        #expect(error?.code == .behind)
        #expect(error?.description.contains("projections.db") == true)
        #expect(try ledger.projections.dump() == before)
        // What is there already is not applied again, either.
        let first = try ledger.journal.reader().next(limit: 1)
        await #expect(throws: StorageError.self) { try await ledger.projections.apply(first.map { ($0, nil) }) }
    }

    @Test("an incident is called after its worst rule, the first of equals")
    func title() async throws {
        try await ledger.open("SEC-2026-0001", title: "Low", severity: .low)
        var titles: [String?] = []
        for (title, severity) in [("Medium", Severity.medium), ("Medium again", .medium), ("Low again", .low), ("High", .high)] {
            try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0001", title: title, severity: severity))])
            titles.append(try await ledger.projections.incident(id: "SEC-2026-0001", maximumFindings: 1)?.summary.title)
        }
        #expect(titles == ["Medium", "Medium", "Medium", "High"])
    }
}

@Suite("Reading the tables")
struct IncidentReadingTests {
    private let ledger: Ledger

    init() throws { ledger = try Ledger() }

    private func ids(_ query: IncidentQuery) async throws -> [String] {
        try await ledger.projections.incidents(matching: query).incidents.map(\.id)
    }

    @Test(
        "every word has to occur in the id, the title, a category or an entity, and is taken as it is",
        arguments: [
            ("", ["SEC-2026-0004", "SEC-2026-0003", "SEC-2026-0002", "SEC-2026-0001"]),
            ("0002", ["SEC-2026-0002"]), ("sec-2026-0002", ["SEC-2026-0002"]), ("PROBE", ["SEC-2026-0002"]),
            ("203.0.113.9", ["SEC-2026-0001"]), ("enumeration", ["SEC-2026-0004"]), ("ssh alice", ["SEC-2026-0001"]),
            ("ssh carol", []),
            ("100%", ["SEC-2026-0003"]), ("%", ["SEC-2026-0003"]), ("a_b", ["SEC-2026-0004"]),
            ("_", ["SEC-2026-0004", "SEC-2026-0003", "SEC-2026-0001"]),
            ("\\", ["SEC-2026-0004"]), ("'", ["SEC-2026-0003"]), ("\" OR 1=1", []), ("  ssh \t ", ["SEC-2026-0001"]),
        ])
    func search(words: String, found: [String]) async throws {
        try await ledger.open("SEC-2026-0001", title: "SSH brute force", address: "203.0.113.9", user: "alice")
        try await ledger.open("SEC-2026-0002", title: "Probe", address: "203.0.113.10", category: "scan")
        try await ledger.open(
            "SEC-2026-0003", title: "Flood at 100% of O'Brien", address: "198.51.100.1", category: "brute_force")
        try await ledger.open("SEC-2026-0004", title: "Names\\", address: "198.51.100.2", user: "a_b", category: "enumeration")
        #expect(try await ids(IncidentQuery(search: words)) == found)
    }

    @Test("pages are disjoint, together everything, and the newest activity comes first")
    func paging() async throws {
        for number in 1...9 { try await ledger.open("SEC-2026-000\(number)", address: "192.0.2.\(number)") }
        try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0002", address: "192.0.2.2"))])
        let expected = [2, 9, 8, 7, 6, 5, 4, 3, 1].map { "SEC-2026-000\($0)" }
        for size in 1...10 {
            var read: [String] = []
            for offset in stride(from: 0, to: 9, by: size) { read += try await ids(IncidentQuery(limit: size, offset: offset)) }
            #expect(read == expected)
        }
        #expect(try await ledger.projections.incidents(matching: IncidentQuery(limit: 2, offset: 8)).total == 9)
        #expect(try await ids(IncidentQuery(offset: 9)).isEmpty)
        #expect(try await ids(IncidentQuery(limit: -5, offset: -5)).count == 1)
    }

    @Test("severities filter, none of them finds nothing")
    func severities() async throws {
        try await ledger.open("SEC-2026-0001", severity: .high, address: "192.0.2.1")
        try await ledger.open("SEC-2026-0002", severity: .low, address: "192.0.2.2")
        #expect(try await ids(IncidentQuery(severities: [.high, .critical])) == ["SEC-2026-0001"])
        #expect(try await ids(IncidentQuery(severities: [])).isEmpty)
    }

    @Test("a count that is only a lower bound is shown as one")
    func lowerBound() async throws {
        try await ledger.open("SEC-2026-0001")
        var finding = ledger.finding("SEC-2026-0001", count: 7)
        finding.isLowerBound = true
        try await ledger.record([.findingRecorded(finding)])
        let detail = try #require(try await ledger.projections.incident(id: "SEC-2026-0001", maximumFindings: 3))
        #expect(detail.findings.map(\.isLowerBound) == [true, false])
        #expect(detail.timeline.last?.text == "SSH brute force (at least 7 counted)")
    }

    @Test("the page of an incident: newest findings first, at most as many as asked for, the timeline in order")
    func detail() async throws {
        try await ledger.open("SEC-2026-0001")
        for _ in 0..<5 { try await ledger.record([.findingRecorded(ledger.finding("SEC-2026-0001", count: 2))], recordedAt: 60) }
        let detail = try #require(try await ledger.projections.incident(id: "SEC-2026-0001", maximumFindings: 3))
        #expect(detail.findings.map(\.id) == ["finding-6", "finding-5", "finding-4"])
        #expect(detail.timeline.map(\.sequence) == Array(0...6) && detail.timelineCount == 7)
        #expect(detail.summary.findingCount == 6)
        #expect(detail.summary.eventCount == 15)
        #expect(detail.summary.openedAt == Ledger.start)
        #expect(detail.summary.updatedAt == Ledger.start.advanced(bySeconds: 60))
        #expect(detail.summary.lastSeen == Ledger.start.advanced(bySeconds: 6))
        #expect(detail.summary.techniques == ["T1078", "T1110.001"])
        #expect(try await ledger.projections.incident(id: "SEC-2026-0009", maximumFindings: 3) == nil)
    }
}
