import Detection
import Events
import Journal

/// A finding as `vigie detect` prints it: one canonical JSON object per line.
enum FindingJSON {
    static func value(_ finding: Finding) -> JSONValue {
        var object: [String: JSONValue] = [
            "id": .string(finding.id),
            "time": .string(finding.time.rfc3339),
            "rule": rule(finding.rule),
            "category": .string(finding.rule.category.rawValue),
            "severity": .string(finding.rule.level.severityCode),
            "entities": .array(entities(finding)),
            "attack": .array(finding.rule.techniques.map { .string($0) }),
            "count": .integer(Int64(finding.count)),
            "first_seen": .string(finding.firstSeen.rfc3339),
            "last_seen": .string(finding.lastSeen.rfc3339),
            "evidence": .array(finding.evidence.map { ["file": .string($0.origin.source), "line": .integer($0.line)] }),
        ]
        if finding.isLowerBound { object["count_is_lower_bound"] = true }
        if let address = finding.sourceIP { object["source"] = ["ip": .string(address)] }
        if let user = finding.userName { object["user"] = ["name": .string(user)] }
        return .object(object)
    }

    static func rule(_ header: RuleHeader) -> JSONValue {
        [
            "id": .string(header.id), "title": .string(header.title), "level": .string(header.level.rawValue),
            "hash": .string(header.hash),
        ]
    }

    private static func entities(_ finding: Finding) -> [JSONValue] {
        let addresses = [finding.sourceIP].compactMap { $0 } + finding.otherAddresses.map(\.description)
        var entities: [JSONValue] = []
        for (index, address) in addresses.enumerated() where !addresses[..<index].contains(address) {
            entities.append(["type": "ip", "value": .string(address)])
        }
        if let user = finding.userName { entities.append(["type": "user", "value": .string(user)]) }
        return entities
    }

    static func text(_ value: JSONValue) -> String {
        // Every value made here is representable; a failure would be a defect, shown rather than hidden.
        (try? value.canonicalBytes()).map { String(decoding: $0, as: UTF8.self) } ?? "{\"error\":\"not representable as JSON\"}"
    }
}
