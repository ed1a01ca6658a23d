import Detection
import Events
import Journal

@testable import Incidents
@testable import Storage

/// A journal with its keys, and tables that follow it: what a server does with incident events, without the server.
final class Ledger {
    static let start = Timestamp(seconds: 1_790_000_000)

    let folder: TemporaryFolder
    let keys: PrivateDatabase
    let journal: Journal
    let projections: Projections
    private var findings = 0

    init() throws {
        folder = try TemporaryFolder()
        keys = try PrivateDatabase(path: folder.file("private.db"))
        journal = try Journal.open(directory: folder.file("journal"), keys: keys)
        projections = try Projections(path: folder.file("projections.db"))
    }

    func record(_ events: [IncidentEvent], recordedAt seconds: Int64 = 0) async throws {
        let entries = try await journal.append(events.map { $0.draft() }, at: Ledger.start.advanced(bySeconds: seconds))
        try await projections.apply(zip(entries, events).map { ($0, $1) })
    }

    /// Opens an incident with one finding.
    func open(
        _ incident: String, title: String = "SSH brute force", severity: Severity = .medium, address: String = "203.0.113.9",
        user: String? = nil, category: String = "brute_force"
    ) async throws {
        try await record([
            .opened(IncidentOpened(incident: incident, title: title, severity: severity, firstSeen: Ledger.start)),
            .findingRecorded(
                finding(incident, title: title, severity: severity, address: address, user: user, category: category)),
        ])
    }

    func finding(
        _ incident: String, title: String = "SSH brute force", severity: Severity = .medium, address: String? = "203.0.113.9",
        user: String? = nil, others: [String] = [], category: String = "brute_force", text: String? = "a line", count: Int = 5
    ) -> FindingRecord {
        findings += 1
        return FindingRecord(
            id: "finding-\(findings)", ruleID: "rule", ruleTitle: title, ruleHash: "hash", level: "medium", category: category,
            severity: severity, techniques: ["T1110.001", "T1078"], count: count, time: Ledger.start, firstSeen: Ledger.start,
            lastSeen: Ledger.start.advanced(bySeconds: Int64(findings)), address: address, user: user, otherAddresses: others,
            evidence: [EvidenceLine(file: "/var/log/auth.log", line: findings, offset: 100, text: text)], incident: incident,
            grouping: "the first finding of this incident", erased: [])
    }

    /// Tables made anew from the journal alone, in another file.
    func rebuilt(_ name: String = "rebuilt.db") async throws -> Projections {
        let fresh = try Projections(path: folder.file(name))
        let entries = try journal.reader().next(limit: .max)
        let personal = try await EntryOpener(keys: keys).open(entries)
        try await fresh.apply(zip(entries, personal).map { ($0, IncidentEvent($0, personal: $1)) })
        return fresh
    }
}

extension Ledger {
    /// Records what a person does.
    func change(_ incident: String, _ action: IncidentChange.Action, text: String? = nil) async throws {
        try await record([
            .changed(
                IncidentChange(
                    incident: incident, at: Ledger.start, author: Author(id: "0a", name: "ana"), action: action, text: text))
        ])
    }
}
