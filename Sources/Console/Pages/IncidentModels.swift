import Events
import Incidents

/// Turns the read model into what the incident templates show.
enum IncidentModels {
    /// Entities named in a row of the list; the rest is a number.
    private static let entitiesInRow = 4
    /// Log lines of a finding that are open from the start.
    private static let openLines = 6

    static func row(_ incident: IncidentSummary, now: Timestamp) -> PageModel {
        var model = head(incident, now: now)
        model["chips"] = incident.entities.prefix(entitiesInRow).map(entity)
        let more = incident.entities.count - entitiesInRow
        model["moreEntities"] = more > 0 ? more : nil
        return model
    }

    static func head(_ incident: IncidentSummary, now: Timestamp) -> PageModel {
        [
            "id": incident.id,
            "path": "/incidents/\(FormFields.encode(incident.id))",
            "name": incident.title,
            "severity": severity(incident.severity),
            "phase": incident.phase.rawValue,
            "isClosed": incident.phase == .closed,
            "findingCount": NumberText.grouped(incident.findingCount),
            "eventCount": NumberText.grouped(incident.eventCount),
            "isOneEvent": incident.eventCount == 1,
            "first": TimeText.model(incident.firstSeen, now: now),
            "last": TimeText.model(incident.lastSeen, now: now),
            "opened": TimeText.model(incident.openedAt, now: now),
            "updated": TimeText.model(incident.updatedAt, now: now),
            "categories": incident.categories.map(words),
            "techniques": incident.techniques,
        ]
    }

    /// - Parameters:
    ///   - silences: those that findings of it name.
    ///   - maySilence: whoever looks.
    static func detail(
        _ detail: IncidentDetail, silences: [String: Silence] = [:], maySilence: Bool = false, now: Timestamp
    ) -> PageModel {
        var model = head(detail.summary, now: now)
        model["entities"] = detail.summary.entities.map(entity)
        let current = Phase.allCases.firstIndex(of: detail.summary.phase) ?? 0
        model["steps"] = Phase.allCases.enumerated().map { index, phase -> PageModel in
            ["label": phase.rawValue, "isCurrent": index == current, "isPast": index < current]
        }
        model["timeline"] = detail.timeline.map { timelineItem($0, now: now) }
        model["findings"] = detail.findings.map {
            finding($0, now: now).merging(SilenceModels.note($0, silences: silences, maySilence: maySilence, now: now))
        }
        let hidden = detail.summary.findingCount - detail.findings.count
        if hidden > 0 {
            model["shownCount"] = NumberText.grouped(detail.findings.count)
            model["hasMore"] = true
        }
        if detail.timeline.count < detail.timelineCount {
            model["timelineCut"] = true
            model["timelineShown"] = NumberText.grouped(detail.timeline.count)
            model["timelineCount"] = NumberText.grouped(detail.timelineCount)
        }
        return model
    }

    static func severity(_ severity: Severity) -> PageModel {
        ["code": severity.code, "label": severity.name, "style": severity.code.lowercased()]
    }

    static func entity(_ entity: IncidentEntity) -> PageModel {
        let kind: String
        switch entity.kind {
        case .address: kind = "IP"
        case .account: kind = "user"
        }
        var model: PageModel = ["kind": kind]
        model["value"] = entity.value
        if let value = entity.value {
            model["searchPath"] = "/incidents?closed=1&q=\(FormFields.encode(value))"
        }
        return model
    }

    /// `brute_force` as people write it.
    static func words(_ category: String) -> String {
        String(category.map { $0 == "_" ? " " : $0 })
    }

    private static func timelineItem(_ item: TimelineItem, now: Timestamp) -> PageModel {
        [
            "sequence": item.sequence,
            "proofPath": LedgerModels.path(item.sequence),
            "occurred": TimeText.model(item.occurredAt, now: now),
            "recorded": TimeText.model(item.recordedAt, now: now),
            "delay": delay(from: item.occurredAt, to: item.recordedAt),
            "actor": item.actor,
            "isMachine": item.actor == "vigie",
            "kind": item.kind,
            "text": item.text,
        ]
    }

    /// How long after it happened something was written down: `+2 s`.
    private static func delay(from occurred: Timestamp, to recorded: Timestamp) -> String {
        let seconds = recorded.nanoseconds(since: occurred) / 1_000_000_000
        switch seconds {
        case ..<0: return "−\(TimeText.ago(recorded, now: occurred).replacing(" ago", with: ""))"
        case 0: return "+0 s"
        case ..<60: return "+\(seconds) s"
        case ..<3600: return "+\(seconds / 60) min"
        case ..<86_400: return "+\(seconds / 3600) h"
        default: return "+\(seconds / 86_400) d"
        }
    }

    static func finding(_ finding: FindingView, now: Timestamp) -> PageModel {
        var model: PageModel = [
            "anchor": "finding-\(finding.sequence)",
            "rule": finding.ruleTitle,
            "ruleID": finding.ruleID,
            "ruleHash": finding.ruleHash,
            "shortHash": String(finding.ruleHash.prefix(12)),
            "level": finding.level,
            "category": words(finding.category),
            "severity": severity(finding.severity),
            "techniques": finding.techniques,
            "chips": finding.entities.map(entity),
            "count": NumberText.grouped(finding.count),
            "isMany": finding.count != 1 || finding.isLowerBound,
            "isLowerBound": finding.isLowerBound,
            "first": TimeText.model(finding.firstSeen, now: now),
            "last": TimeText.model(finding.lastSeen, now: now),
            "isSameDay": finding.firstSeen.date == finding.lastSeen.date,
            "isMoment": finding.firstSeen == finding.lastSeen,
            "recorded": TimeText.model(finding.recordedAt, now: now),
            "grouping": finding.grouping,
            "lines": finding.lines.prefix(openLines).map(line),
        ]
        let rest = finding.lines.dropFirst(openLines)
        if !rest.isEmpty {
            model["moreLines"] = ["count": rest.count, "lines": rest.map(line)] as PageModel
        }
        return model
    }

    private static func line(_ line: EvidenceLine) -> PageModel {
        var model: PageModel = [
            "file": line.file, "shortFile": line.file.split(separator: "/").last.map(String.init) ?? line.file,
            "number": line.line, "offset": line.offset,
        ]
        model["text"] = line.text
        return model
    }
}
