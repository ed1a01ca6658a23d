import Events
import Journal

/// What an archive says it holds. It is believed only because the journal has its hash: the entry `evidence.exported` names it.
struct Manifest {
    struct Part: Hashable {
        var path: String
        var sha256: String
        var size: UInt64
    }

    struct Item: Hashable {
        var id: String
        /// The file with its bytes; `nil` where the marking keeps it from this recipient.
        var path: String?
        /// For a suspicious item, the key its file is encrypted under: it keeps scanners out, not readers.
        var key: [UInt8]?
    }

    var incident: String
    var exportedAt: Timestamp
    var marking: TrafficLight
    var recipient: String
    var parts: [Part]
    var items: [Item]

    static let name = "manifest.json"

    func bytes() throws -> [UInt8] {
        let document: JSONValue = [
            "format": "vigie evidence archive v1", "incident": .string(incident), "exported_at": .string(exportedAt.rfc3339),
            "tlp": .string(marking.rawValue), "recipient": .string(recipient),
            "files": .array(
                parts.map {
                    ["path": .string($0.path), "sha256": .string($0.sha256), "size": .integer(Int64(clamping: $0.size))]
                }),
            "items": .array(
                items.map {
                    [
                        "evidence": .string($0.id), "path": $0.path.map(JSONValue.string) ?? .null,
                        "key": $0.key.map { .string(Base64.encode($0)) } ?? .null,
                    ]
                }),
        ]
        return try document.canonicalBytes()
    }

    /// - Throws: `EvidenceError`; also for a name that stands twice in an object, and for any other spelling than the canonical one.
    init(parsing bytes: [UInt8]) throws {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes, limits: JSONValue.Limits(bytes: 64 << 20))
            guard try document.canonicalBytes() == bytes else {
                throw EvidenceError(.archive, "the manifest is not in its canonical form")
            }
        } catch let error as JSONError {
            throw EvidenceError(.archive, "the manifest is no JSON: \(error)")
        }
        guard document["format"] == "vigie evidence archive v1", let incident = document["incident"]?.stringValue,
            EvidenceItem.isIncident(incident),
            let time = document["exported_at"]?.stringValue.flatMap({ Timestamp(rfc3339: $0) }),
            let marking = document["tlp"]?.stringValue.flatMap(TrafficLight.init(rawValue:)),
            let recipient = document["recipient"]?.stringValue, let files = document["files"]?.arrayValue,
            let items = document["items"]?.arrayValue
        else { throw EvidenceError(.archive, "the manifest lacks something, or is of another version") }
        self.init(incident: incident, exportedAt: time, marking: marking, recipient: recipient, parts: [], items: [])
        for file in files {
            guard let path = file["path"]?.stringValue, TarReader.isSafe(path), let hash = file["sha256"]?.stringValue,
                EvidenceItem.isHash(hash),
                let size = file["size"]?.integerValue.flatMap(UInt64.init(exactly:))
            else { throw EvidenceError(.archive, "the manifest lists a file without path, hash or size") }
            parts.append(Part(path: path, sha256: hash, size: size))
        }
        for item in items {
            guard let id = item["evidence"]?.stringValue, EvidenceItem.isID(id) else {
                throw EvidenceError(.archive, "the manifest lists an item without id")
            }
            self.items.append(
                Item(id: id, path: item["path"]?.stringValue, key: item["key"]?.stringValue.flatMap { Base64.decode($0) }))
        }
    }

    init(incident: String, exportedAt: Timestamp, marking: TrafficLight, recipient: String, parts: [Part], items: [Item]) {
        self.incident = incident
        self.exportedAt = exportedAt
        self.marking = marking
        self.recipient = recipient
        self.parts = parts
        self.items = items
    }
}

/// Names in an archive, below its one folder `logs/incidents/YYYY-MM-DD/SEC-YYYY-NNNN/`.
enum ArchiveLayout {
    static func folder(incident: String, at time: Timestamp) -> String {
        "logs/incidents/\(time.rfc3339.prefix(10))/\(incident)"
    }

    static let slice = "journal.ndjson"
    static let export = "export.json"
    static let checkpoint = "checkpoint"
    static let key = "log-key.pub"
    static let page = "README.html"
    static let document = "case.jsonld"

    static func proof(_ sequence: UInt64) -> String { "proofs/\(sequence).tlog-proof" }
    static func vouched(_ size: UInt64) -> String { "vouched/\(size).checkpoint" }
    static func timestamp(_ size: UInt64) -> String { "vouched/\(size).tsr" }
    static func consistency(_ size: UInt64) -> String { "vouched/\(size).consistency" }
}
