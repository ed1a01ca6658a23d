import Events
import Evidence
import Foundation
import Journal
import Testing

/// A journal with evidence of one incident, in a folder of its own.
final class Case {
    let path: String
    let journal: Journal
    let tree: JournalTree
    let signer: NoteSigner
    let store: BlobStore
    let now = Timestamp(seconds: 1_790_000_000)
    static let incident = "SEC-2026-0001"

    init() throws {
        path = NSTemporaryDirectory() + "/evidence-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        signer = try KeyFile.readOrMake(path + "/keys/checkpoint", kind: .ed25519)
        journal = try Journal.open(directory: path + "/journal", keys: InMemorySubjectKeys())
        tree = try JournalTree.open(journal: journal, signer: signer)
        store = BlobStore(directory: path + "/evidence", keys: path + "/keys/evidence")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func read(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: file(name)))) }

    func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) }

    @discardableResult
    func add(
        _ bytes: [UInt8], name: String, marking: TrafficLight = .amber, isSuspicious: Bool = false,
        volatility: Volatility = .disk,
        incident: String = Case.incident
    ) async throws -> EvidenceItem {
        let sealed = try store.add(bytes)
        let item = EvidenceItem(
            id: EvidenceItem.newID(), incident: incident, sha256: sealed.sha256, size: sealed.size, name: name,
            source: "/srv/\(name)",
            collector: "test", host: "web-1", clockOffset: -12, occurredAt: now, collectedAt: now, volatility: volatility,
            marking: marking,
            isSuspicious: isSuspicious)
        _ = try await journal.append([item.draft(actor: "system")], at: now)
        return item
    }

    func fill() async throws {
        _ = try await journal.append(
            [
                EntryDraft(
                    type: "incident.opened", occurredAt: now, actor: "system",
                    data: ["incident": .string(Case.incident), "title": "<script>alert(1)</script>", "severity": "P1"])
            ], at: now)
        try await add(Array("log line\n".utf8), name: "access.log", marking: .green)
        try await add(Array("processes".utf8), name: "ps.txt", volatility: .memory)
        try await add(Array("X5O!P%@AP".utf8), name: "shell.php", isSuspicious: true)
        try await add(Array("names of people".utf8), name: "people.csv", marking: .red)
        try await add([], name: "empty", incident: "SEC-2026-0002")
    }

    @discardableResult
    func export(_ marking: TrafficLight = .amber, to name: String = "out.tar") async throws -> ArchiveExporter.Outcome {
        let exporter = ArchiveExporter(journal: journal.directory, store: store, key: signer.key) { [journal, now] draft in
            let entries = try await journal.append([draft], at: now)
            return try #require(entries.first)
        } checkpoint: { [tree, journal, signer] _ in
            try await tree.publish()
            return try #require(try TreeReader(journal: journal.directory).checkpoint(key: signer.key))
        }
        return try await exporter.export(
            .init(incident: Case.incident, marking: marking, recipient: "the auditor", actor: "uid:0", now: now), to: file(name))
    }

    func verify(_ name: String = "out.tar", key: NoteKey? = nil, witnesses: [NoteKey] = []) throws -> ArchiveVerifier.Report {
        ArchiveVerifier.verify(try ByteFile.reading(file(name)), key: key ?? signer.key, witnesses: witnesses)
    }
}
