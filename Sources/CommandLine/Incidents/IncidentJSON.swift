import Events
import Incidents
import Journal

/// Incidents as JSON, for `--json`.
enum IncidentJSON {
    static func summary(_ incident: IncidentSummary) -> JSONValue {
        [
            "id": .string(incident.id), "title": .string(incident.title), "severity": .string(incident.severity.code),
            "phase": .string(incident.phase.rawValue), "entities": .array(incident.entities.map(entity)),
            "findings": .integer(Int64(incident.findingCount)), "events": .integer(Int64(incident.eventCount)),
            "first_seen": .string(incident.firstSeen.rfc3339), "last_seen": .string(incident.lastSeen.rfc3339),
            "opened_at": .string(incident.openedAt.rfc3339), "updated_at": .string(incident.updatedAt.rfc3339),
            "categories": .array(incident.categories.map { .string($0) }),
            "attack": .array(incident.techniques.map { .string($0) }), "kind": .string(incident.kind.rawValue),
            "acknowledged_at": incident.acknowledgedAt.map { .string($0.rfc3339) } ?? .null,
            "resolution": incident.resolution.map { .string($0.rawValue) } ?? .null,
            "merged_into": incident.mergedInto.map { .string($0) } ?? .null, "restricted": .bool(incident.isRestricted),
        ]
    }

    static func detail(_ detail: IncidentDetail, clocks: [ClockStatus]) -> JSONValue {
        [
            "incident": summary(detail.summary),
            "timeline": .array(
                detail.timeline.map { item in
                    [
                        "sequence": .integer(Int64(item.sequence)), "occurred_at": .string(item.occurredAt.rfc3339),
                        "recorded_at": .string(item.recordedAt.rfc3339), "actor": .string(item.actor), "kind": .string(item.kind),
                        "text": .string(item.text),
                    ]
                }),
            "findings": .array(detail.findings.map(finding)), "clocks": .array(clocks.map(clock)),
        ]
    }

    private static func clock(_ clock: ClockStatus) -> JSONValue {
        let time = { (time: Timestamp?) -> JSONValue in time.map { .string($0.rfc3339) } ?? .null }
        return [
            "clock": .string(clock.clock), "start": time(clock.start), "due": time(clock.due), "stopped": time(clock.stopped),
            "outcome": .string(clock.outcome.rawValue), "overdue": .bool(clock.isOverdue),
        ]
    }

    private static func finding(_ finding: FindingView) -> JSONValue {
        [
            "id": .string(finding.id), "sequence": .integer(Int64(finding.sequence)),
            "rule": [
                "id": .string(finding.ruleID), "title": .string(finding.ruleTitle), "hash": .string(finding.ruleHash),
                "level": .string(finding.level),
            ],
            "category": .string(finding.category), "severity": .string(finding.severity.code),
            "attack": .array(finding.techniques.map { .string($0) }), "entities": .array(finding.entities.map(entity)),
            "count": .integer(Int64(finding.count)),
            "count_is_lower_bound": .bool(finding.isLowerBound), "first_seen": .string(finding.firstSeen.rfc3339),
            "last_seen": .string(finding.lastSeen.rfc3339), "recorded_at": .string(finding.recordedAt.rfc3339),
            "grouping": .string(finding.grouping),
            "evidence": .array(
                finding.lines.map { line in
                    [
                        "file": .string(line.file), "line": .integer(Int64(line.line)), "offset": .integer(Int64(line.offset)),
                        "text": line.text.map { .string($0) } ?? .null,
                    ]
                }),
        ]
    }

    private static func entity(_ entity: IncidentEntity) -> JSONValue {
        ["type": .string(entity.kind.rawValue), "value": entity.value.map { .string($0) } ?? .null]
    }
}
