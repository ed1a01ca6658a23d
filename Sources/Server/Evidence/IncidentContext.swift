import Console
import Events
import Evidence
import Foundation
import Incidents
import Journal
import Storage

/// What the server itself knows about an incident and its own state, to be sealed beside what the machine shows.
struct IncidentContext: Sendable {
    let options: ServerOptions
    let folder: DataFolder
    let watch: Watch
    let rules: RuleReloader
    let projections: Projections
    let capture: EvidenceCapture
    let now: @Sendable () -> Timestamp

    /// Findings of an incident whose lines are sealed with it.
    static let maximumFindings = 1000
    /// Files of the folders where attackers may put some: the newest ones, changed within this time.
    static let maximumFiles = 16
    static let fileSeconds: TimeInterval = 3600

    func sources(_ incident: String) async -> [EvidenceCapture.Source] {
        var sources: [EvidenceCapture.Source] = []
        if let metrics = try? await metrics().canonicalBytes() {
            sources.append(.bytes(name: "metrics.json", source: "metrics of this server", metrics, .memory))
        }
        for path in options.systemLogs where FileManager.default.isReadableFile(atPath: path) {
            sources.append(.tail(path: path, byteCount: EvidenceCollector.tailBytes))
        }
        sources += newFiles().map { .file(path: $0, isSuspicious: true) }
        if let events = try? await events(incident) {
            sources.append(.bytes(name: "events.ndjson", source: "events behind the findings of \(incident)", events, .disk))
        }
        if let configuration = try? await configuration().canonicalBytes() {
            sources.append(
                .bytes(name: "configuration.json", source: "configuration and rules in force", configuration, .topology))
        }
        return sources
    }

    private func metrics() async -> JSONValue {
        let detection = await watch.detection
        let free = (try? FileManager.default.attributesOfFileSystem(forPath: folder.path))?[.systemFreeSize] as? NSNumber
        return [
            "at": .string(now().rfc3339), "kernel": .object(capture.load().mapValues { .string($0) }),
            "disk_free_bytes": free.map { .integer($0.int64Value) } ?? .null,
            "detection": [
                "events": .integer(Int64(detection.events)), "matches": .integer(Int64(detection.matches)),
            ],
            "sources": .array(
                await watch.statuses.map { source in
                    [
                        "name": .string(source.name), "state": .string(source.state), "problem": .string(source.problem),
                        "lines": .integer(Int64(source.counters.lines)), "parsed": .integer(Int64(source.counters.parsed)),
                        "lag_bytes": .integer(Int64(source.lagBytes)),
                        "last_event": source.lastEvent.map { .string($0.rfc3339) } ?? .null,
                    ]
                }),
        ]
    }

    /// One line for each log line behind a finding, oldest finding first.
    private func events(_ incident: String) async throws -> [UInt8] {
        guard let detail = try await projections.incident(id: incident, maximumFindings: Self.maximumFindings) else { return [] }
        var lines: [UInt8] = []
        for finding in detail.findings.reversed() {
            for line in finding.lines {
                let document: JSONValue = [
                    "finding": .string(finding.id), "rule": .string(finding.ruleID), "rule_hash": .string(finding.ruleHash),
                    "file": .string(line.file), "line": .integer(Int64(line.line)), "offset": .integer(Int64(line.offset)),
                    "text": line.text.map { .string($0) } ?? .null,
                ]
                lines += try document.canonicalBytes() + [0x0A]
            }
        }
        return lines
    }

    private func configuration() async -> JSONValue {
        [
            "options": options.record, "rules_hash": .string(await rules.hash),
            "rules": .array(
                await rules.summaries.map { rule in
                    [
                        "id": .string(rule.id), "file": .string(rule.file), "hash": .string(rule.hash),
                        "refused": .bool(rule.problem != nil),
                    ]
                }),
        ]
    }

    /// Regular files that changed lately in the folders where attackers may put some, newest first.
    private func newFiles() -> [String] {
        let keys: [URLResourceKey] = [.isRegularFileKey, .isSymbolicLinkKey, .contentModificationDateKey]
        let oldest = Date(timeIntervalSince1970: Double(now().nanoseconds / 1_000_000_000) - Self.fileSeconds)
        var found: [(path: String, changed: Date)] = []
        for folder in options.uploadFolders {
            let walk = FileManager.default.enumerator(at: URL(fileURLWithPath: folder), includingPropertiesForKeys: keys)
            for case let url as URL in walk ?? .init() {
                guard let values = try? url.resourceValues(forKeys: Set(keys)), values.isRegularFile == true,
                    values.isSymbolicLink != true, let changed = values.contentModificationDate, changed >= oldest
                else { continue }
                found.append((url.path, changed))
            }
        }
        return found.sorted { ($0.changed, $0.path) > ($1.changed, $1.path) }.prefix(Self.maximumFiles).map(\.path)
    }
}
