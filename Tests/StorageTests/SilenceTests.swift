import Events
import GRDB
import Journal
import Testing

@testable import Incidents
@testable import Storage

@Suite("Silenced findings in the tables")
struct SilenceTests {
    private let ledger: Ledger

    init() throws { ledger = try Ledger() }

    private func silenced(_ incident: String?, by silence: String = "S-1", severity: Severity = .medium) -> IncidentEvent {
        var finding = ledger.finding(
            "SEC-2026-0001", title: "Worse", severity: severity, address: "198.51.100.1", user: "mallory", category: "exploit",
            count: 7)
        finding.incident = incident
        finding.silence = silence
        return .findingRecorded(finding)
    }

    private var tables: Projections { ledger.projections }

    @Test("it stands with the incident's findings, and neither entity, category, title nor severity comes of it")
    func joins() async throws {
        try await ledger.open("SEC-2026-0001")
        let before = try #require(try await tables.summary(ofIncident: "SEC-2026-0001"))
        try await ledger.record([silenced("SEC-2026-0001", severity: .critical)])
        let detail = try #require(try await tables.incident(id: "SEC-2026-0001", maximumFindings: 10))
        #expect(detail.findings.map(\.silence) == ["S-1", nil] && detail.findings[0].incident == "SEC-2026-0001")
        var after = detail.summary
        #expect(after.findingCount == 2 && after.eventCount == 12)
        (after.findingCount, after.eventCount) = (before.findingCount, before.eventCount)
        (after.updatedAt, after.lastSeen) = (before.updatedAt, before.lastSeen)
        #expect(after == before)
        #expect(try await tables.ruleLevels(ofIncident: "SEC-2026-0001") == ["brute_force": ["medium"]])
        #expect(detail.timeline.last?.text == "Worse (7 counted), taken by S-1")
        #expect(try await ledger.rebuilt().dump() == tables.dump())
    }

    @Test("merged and split, what was silenced is still counted alone")
    func mergedAndSplit() async throws {
        try await ledger.open("SEC-2026-0001")
        try await ledger.open("SEC-2026-0002", address: "203.0.113.2")
        try await ledger.record([silenced("SEC-2026-0002", severity: .critical)])
        try await ledger.change("SEC-2026-0002", .merge(into: "SEC-2026-0001"))
        let merged = try #require(try await tables.summary(ofIncident: "SEC-2026-0001"))
        #expect(merged.findingCount == 3 && merged.categories == ["brute_force"])
        #expect(try await tables.ruleLevels(ofIncident: "SEC-2026-0001") == ["brute_force": ["medium"]])
        #expect(Set(merged.entities.compactMap(\.value)) == ["203.0.113.9", "203.0.113.2"])
        // On its way to what was merged.
        try await ledger.record([silenced("SEC-2026-0002")])
        #expect(try await tables.summary(ofIncident: "SEC-2026-0001")?.findingCount == 4)
        #expect(try await ledger.rebuilt().dump() == tables.dump())
    }

    @Test("of none, it is counted on its silence; nothing of a restricted incident is, but for its readers")
    func tallies() async throws {
        try await ledger.open("SEC-2026-0001")
        try await ledger.record([silenced(nil)])
        try await ledger.record([silenced("SEC-2026-0001")], recordedAt: 60)
        try await ledger.change("SEC-2026-0001", .restrict(readers: ["0a"]))
        let reader = IncidentReader(account: "0a", name: "ana")
        let stranger = IncidentReader(account: "0b", name: "bo")
        let all = SilenceTally(findings: 2, last: Ledger.start.advanced(bySeconds: 60))
        #expect(try await tables.silenceTallies(for: nil) == ["S-1": all])
        #expect(try await tables.silenceTallies(for: reader) == ["S-1": all])
        #expect(try await tables.silenceTallies(for: stranger) == ["S-1": SilenceTally(findings: 1, last: Ledger.start)])
        #expect(try await tables.findings(takenBy: "S-1", limit: 10, for: reader).map(\.incident) == ["SEC-2026-0001", nil])
        #expect(try await tables.findings(takenBy: "S-1", limit: 10, for: stranger).map(\.incident) == [nil])
        #expect(try await ledger.rebuilt().dump() == tables.dump())
    }

    @Test("of one that came of a restricted incident, what it takes is known to the incident's readers alone")
    func origin() async throws {
        try await ledger.open("SEC-2026-0001")
        try await ledger.change("SEC-2026-0001", .restrict(readers: ["0a"]))
        let matcher = SilenceMatcher(addresses: [try #require(AddressBlock("198.51.100.1"))])
        let silence = Silence(
            id: "S-1", kind: .exception, matcher: matcher, reason: "ours", author: Author(id: "0a", name: "ana"),
            createdAt: Ledger.start, until: Ledger.start.advanced(bySeconds: 60), incident: "SEC-2026-0001")
        let entries = try await ledger.journal.append(
            [SilenceEvent.created(silence, request: nil).draft()], at: Ledger.start)
        try await tables.apply(entries.map { ($0, nil) })
        try await ledger.record([silenced(nil)])
        for (account, count) in [("0a", 1), ("0b", 0)] {
            let reader = IncidentReader(account: account, name: account)
            #expect(try await tables.silenceTallies(for: reader)["S-1"]?.findings ?? 0 == count)
            #expect(try await tables.findings(takenBy: "S-1", limit: 10, for: reader).count == count)
            let preview = try await tables.preview(matcher, isCommander: true, for: reader, now: Ledger.start)
            #expect(preview.findings == count)
        }
        #expect(try await tables.ruleActivity().isEmpty, "both are of a restricted incident")
        #expect(try await ledger.rebuilt().dump() == tables.dump())
    }

    @Test("a preview looks a day back, and sees what whoever asks may know of")
    func preview() async throws {
        try await ledger.open("SEC-2026-0001")
        try await ledger.open("SEC-2026-0002")
        try await ledger.change("SEC-2026-0002", .restrict(readers: ["0a"]))
        let matcher = SilenceMatcher(addresses: [try #require(AddressBlock("203.0.113.9"))])
        let now = Ledger.start.advanced(bySeconds: 3_600)
        func counted(_ account: String, at now: Timestamp) async throws -> [String: Int] {
            let preview = try await tables.preview(
                matcher, isCommander: true, for: IncidentReader(account: account, name: account), now: now)
            #expect(preview.findings == preview.incidents.reduce(0) { $0 + $1.findings } && !preview.isPartial)
            return preview.incidents.reduce(into: [:]) { $0[$1.id] = $1.findings }
        }
        #expect(try await counted("0a", at: now) == ["SEC-2026-0001": 1, "SEC-2026-0002": 1])
        #expect(try await counted("0b", at: now) == ["SEC-2026-0001": 1])
        #expect(try await counted("0a", at: now.advanced(bySeconds: 86_400)) == [:])
    }

    @Test("findings of other rules, however many and new, push those of the rule that is named out of no preview")
    func previewOfRule() async throws {
        try await ledger.open("SEC-2026-0001")
        try await tables.pool.write { database in
            try database.execute(
                sql: """
                    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n <= ?)
                    INSERT INTO finding
                    SELECT printf('%032x', n), sequence + n, incident, 'another', rule_title, rule_hash, level, category, severity,
                        techniques, entities, count, first_seen, last_seen, recorded_at + n, grouping, evidence, is_lower_bound,
                        silence
                    FROM finding, number
                    """, arguments: [SilencePreview.maximumFindings])
        }
        func preview(_ matcher: SilenceMatcher) async throws -> SilencePreview {
            try await tables.preview(matcher, isCommander: true, for: nil, now: Ledger.start.advanced(bySeconds: 60))
        }
        let ofRule = try await preview(SilenceMatcher(rule: "rule"))
        #expect(ofRule.findings == 1 && !ofRule.isPartial)
        let ofAddress = try await preview(SilenceMatcher(addresses: [try #require(AddressBlock("203.0.113.9"))]))
        #expect(ofAddress.findings == SilencePreview.maximumFindings && ofAddress.isPartial)
        #expect(ofAddress.incidents.map(\.findings) == [SilencePreview.maximumFindings])
    }
}
