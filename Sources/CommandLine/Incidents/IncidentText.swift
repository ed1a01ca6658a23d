import Events
import Incidents

/// An incident as text for a terminal. Log lines are attackers' text: control characters never reach the terminal.
enum IncidentText {
    static func lines(_ detail: IncidentDetail, clocks: [ClockStatus]) -> [String] {
        let incident = detail.summary
        var lines = [
            "\(incident.id)  \(incident.severity.code) \(incident.severity.name)  \(incident.phase.rawValue)",
            printable(incident.title), "",
            "about      \(incident.entities.map { "\($0.kind.rawValue) \(printable($0.value ?? "(erased)"))" }.joined(separator: ", "))",
            "findings   \(incident.findingCount), counting \(incident.eventCount) events",
            "seen       \(incident.firstSeen.rfc3339) to \(incident.lastSeen.rfc3339)",
            "opened     \(incident.openedAt.rfc3339)", "categories \(incident.categories.joined(separator: ", "))",
            "ATT&CK     \(incident.techniques.joined(separator: ", "))", "",
        ]
        if !clocks.isEmpty {
            lines.append("Clocks")
            for clock in clocks {
                let due = clock.due.map { "  due \($0.rfc3339)" } ?? ""
                lines.append("  \(clock.outcome.rawValue.replacing("_", with: " "))  \(clock.title)\(due)")
            }
            lines.append("")
        }
        lines.append("Timeline (when it happened, when it was recorded)")
        if detail.timeline.count < detail.timelineCount {
            lines.append("  the newest \(detail.timeline.count) of \(detail.timelineCount)")
        }
        for item in detail.timeline {
            lines.append("  \(item.occurredAt.rfc3339)  \(item.recordedAt.rfc3339)  \(item.actor)  \(printable(item.text))")
        }
        lines += ["", "Findings, newest first"]
        for finding in detail.findings {
            let count = "\(finding.isLowerBound ? "at least " : "")×\(finding.count)"
            lines.append("  \(finding.severity.code)  \(printable(finding.ruleTitle))  \(count)  (\(finding.grouping))")
            for line in finding.lines {
                lines.append("      \(line.file):\(line.line)  \(line.text.map(printable) ?? "(not kept, or erased)")")
            }
        }
        return lines
    }

    static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
                        ? "\u{FFFD}" : scalar
                }))
    }
}
