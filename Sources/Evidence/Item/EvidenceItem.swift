import Crypto
package import Events
package import Journal

/// Sealed bytes with where they come from; one `evidence.added` entry of the journal. Never changed, only added.
package struct EvidenceItem: Hashable, Sendable {
    /// `EV-` and 16 hexadecimal digits, random: custody entries name it.
    package var id: String
    /// `SEC-YYYY-NNNN`.
    package var incident: String
    /// Lower-case hexadecimal SHA-256 of the bytes as they were collected; the blob's address.
    package var sha256: String
    package var size: UInt64
    /// A file name for people, without folders.
    package var name: String
    /// Where the bytes come from: a path, a command, an address.
    package var source: String
    /// Who or what collected them.
    package var collector: String
    package var host: String
    /// How far the source's clock was ahead of ours, in milliseconds, as far as is known.
    package var clockOffset: Int64?
    package var occurredAt: Timestamp
    package var collectedAt: Timestamp
    package var volatility: Volatility
    package var marking: TrafficLight
    /// Kept encrypted, so that no scanner or person trips over it.
    package var isSuspicious: Bool

    package static let type = "evidence.added"

    package init(
        id: String, incident: String, sha256: String, size: UInt64, name: String, source: String, collector: String, host: String,
        clockOffset: Int64? = nil, occurredAt: Timestamp, collectedAt: Timestamp, volatility: Volatility = .disk,
        marking: TrafficLight = .amber, isSuspicious: Bool = false
    ) {
        self.id = id
        self.incident = incident
        self.sha256 = sha256
        self.size = size
        self.name = Self.plainName(name)
        self.source = source
        self.collector = collector
        self.host = host
        self.clockOffset = clockOffset
        self.occurredAt = occurredAt
        self.collectedAt = collectedAt
        self.volatility = volatility
        self.marking = marking
        self.isSuspicious = isSuspicious
    }

    package static func newID(random: RandomSource = .system) -> String {
        "EV-" + random.bytes(8).hexadecimal
    }

    package static func isID(_ text: String) -> Bool {
        text.hasPrefix("EV-") && text.utf8.count == 19 && text.dropFirst(3).utf8.allSatisfy(isHexadecimal)
    }

    /// Lower-case hexadecimal SHA-256.
    package static func hash(of bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

    package static func isHash(_ text: String) -> Bool { text.utf8.count == 64 && text.utf8.allSatisfy(isHexadecimal) }

    package static func isIncident(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == "SEC" && parts[1].utf8.count == 4 && (4...9).contains(parts[2].utf8.count)
            && parts.dropFirst().allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) }

    /// The last part of a path, of letters that are safe in every file system and every page; at most 100 of them.
    package static func plainName(_ path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        let plain = String(
            last.unicodeScalars.prefix(100).map { scalar -> Character in
                let isSafe =
                    scalar.isASCII
                    && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "._-".unicodeScalars.contains(scalar))
                return isSafe ? Character(scalar) : "_"
            })
        return plain.isEmpty || plain.allSatisfy({ $0 == "." }) ? "unnamed" : plain
    }
}

extension EvidenceItem {
    package func draft(actor: String) -> EntryDraft {
        var data: [String: JSONValue] = [
            "evidence": .string(id), "incident": .string(incident), "sha256": .string(sha256),
            "size": .integer(Int64(clamping: size)),
            "name": .string(name), "source": .string(source), "collector": .string(collector), "host": .string(host),
            "collected_at": .string(collectedAt.rfc3339), "volatility": .integer(Int64(volatility.rawValue)),
            "tlp": .string(marking.rawValue), "suspicious": .bool(isSuspicious),
        ]
        if let clockOffset { data["clock_offset_ms"] = .integer(clockOffset) }
        return EntryDraft(type: Self.type, occurredAt: occurredAt, actor: actor, data: data)
    }

    /// `nil` for other entries, and for one that does not say everything an item needs.
    package init?(_ entry: Entry) {
        guard entry.type == Self.type else { return nil }
        let text = { (name: String) in entry.data[name]?.stringValue }
        guard let id = text("evidence"), Self.isID(id), let incident = text("incident"), Self.isIncident(incident),
            let sha256 = text("sha256"), Self.isHash(sha256),
            let size = entry.data["size"]?.integerValue.flatMap(UInt64.init(exactly:)), let name = text("name"),
            Self.plainName(name) == name, let source = text("source"), let collector = text("collector"), let host = text("host"),
            let collectedAt = text("collected_at").flatMap({ Timestamp(rfc3339: $0) }),
            let volatility = entry.data["volatility"]?.integerValue.flatMap({ Volatility(rawValue: Int($0)) }),
            let marking = text("tlp").flatMap(TrafficLight.init(rawValue:)),
            let isSuspicious = entry.data["suspicious"]?.boolValue
        else { return nil }
        self.init(
            id: id, incident: incident, sha256: sha256, size: size, name: name, source: source, collector: collector, host: host,
            clockOffset: entry.data["clock_offset_ms"]?.integerValue, occurredAt: entry.occurredAt, collectedAt: collectedAt,
            volatility: volatility, marking: marking, isSuspicious: isSuspicious)
    }
}
