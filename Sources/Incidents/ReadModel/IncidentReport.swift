package import Events

/// The report of one incident: what the records say, in the order in which people ask for it. Nothing in it is typed by hand.
package struct IncidentReport: Sendable {
    private enum Block {
        case heading(Int, String)
        case text(String)
        case list([String])
        case table([String], [[String]])
        case lines([String])
    }

    private let title: String
    private var blocks: [Block] = []

    /// - Parameters:
    ///   - actions: what people did, whether the timeline goes back to it or not.
    ///   - now: when the report is made.
    package init(
        _ detail: IncidentDetail, _ state: IncidentState, actions: [TimelineItem], clocks: [ClockStatus], now: Timestamp
    ) {
        let incident = detail.summary
        title = "\(incident.id): \(incident.title)"
        blocks.append(.text("Report of \(now.rfc3339), rendered from the journal. Times are UTC."))
        if state.kind != .real { blocks.append(.text("This was a \(state.kind.rawValue), no real incident.")) }
        if let light = state.trafficLight { blocks.append(.text(light.rawValue)) }
        summary(incident, state)
        timeline(detail)
        sources(detail, state)
        impact(incident, state)
        analysis(detail)
        metrics(state, clocks)
        self.actions(actions)
        lessons(detail, state)
        appendix(detail)
    }

    private mutating func summary(_ incident: IncidentSummary, _ state: IncidentState) {
        blocks.append(.heading(2, "1. Summary"))
        let ended =
            state.resolution.map { "closed as \($0.rawValue.replacing("_", with: " "))" } ?? "open, in \(state.phase.rawValue)"
        blocks.append(
            .text(
                "\(incident.title). Severity \(state.severity.code) (\(state.severity.name)), \(ended). "
                    + "\(incident.findingCount) findings count \(incident.eventCount) events "
                    + "from \(incident.firstSeen.rfc3339) to \(incident.lastSeen.rfc3339)."))
        blocks.append(
            .table(
                ["Severity", "From", "By", "Why"],
                state.severities.map { [$0.severity.code, $0.at.rfc3339, $0.author.label, $0.reason ?? ""] }))
        if !state.roles.isEmpty {
            blocks.append(.table(["Role", "Person"], state.roles.map { [$0.role, $0.person ?? "(erased)"] }))
        }
        if !state.links.isEmpty {
            blocks.append(.list(state.links.map { "\($0.kind.rawValue.replacing("_", with: " ")) \($0.incident)" }))
        }
    }

    private mutating func timeline(_ detail: IncidentDetail) {
        blocks.append(.heading(2, "2. Timeline"))
        if detail.timeline.count < detail.timelineCount {
            blocks.append(.text("The newest \(detail.timeline.count) of \(detail.timelineCount) entries."))
        }
        blocks.append(
            .table(
                ["Happened", "Recorded", "By", "What", "Entry"],
                detail.timeline.map { [$0.occurredAt.rfc3339, $0.recordedAt.rfc3339, $0.actor, $0.text, "\($0.sequence)"] }))
    }

    private mutating func sources(_ detail: IncidentDetail, _ state: IncidentState) {
        blocks.append(.heading(2, "3. Detection sources"))
        let files = Set(detail.findings.flatMap { $0.lines.map(\.file) }).sorted()
        let opener = state.severities.first?.author
        let none =
            opener.map { $0 != .system } ?? false
            ? "No log: it was opened by \(opener?.label ?? "somebody")." : "No log line of its findings is kept."
        blocks.append(.list(files.isEmpty ? [none] : files))
    }

    private mutating func impact(_ incident: IncidentSummary, _ state: IncidentState) {
        blocks.append(.heading(2, "4. Impact"))
        let users = state.affectedUsers.map { "\($0) users affected." } ?? "The number of affected users is not recorded."
        let data =
            state.affectedData.isEmpty ? "No affected data is recorded." : "Data: \(state.affectedData.joined(separator: ", "))."
        blocks.append(.text("\(users) \(data)"))
        blocks.append(
            .list(
                (incident.entities + state.entities.filter { !incident.entities.contains($0) }).map {
                    "\($0.kind.rawValue) \($0.value ?? "(erased)")"
                }))
    }

    private mutating func analysis(_ detail: IncidentDetail) {
        blocks.append(.heading(2, "5. Analysis of events"))
        if detail.findings.count < detail.summary.findingCount {
            blocks.append(.text("The newest \(detail.findings.count) of \(detail.summary.findingCount) findings."))
        }
        for finding in detail.findings.reversed() {
            blocks.append(.heading(3, "\(finding.firstSeen.rfc3339) \(finding.ruleTitle)"))
            blocks.append(
                .text(
                    "\(finding.severity.code), \(finding.category), \(finding.techniques.joined(separator: ", ")); "
                        + "\(finding.isLowerBound ? "at least " : "")\(finding.count) events until \(finding.lastSeen.rfc3339). "
                        + "In this incident: \(finding.grouping)."))
            blocks.append(.lines(finding.lines.map { "\($0.file):\($0.line)  \($0.text ?? "(not kept, or erased)")" }))
        }
    }

    private mutating func metrics(_ state: IncidentState, _ clocks: [ClockStatus]) {
        blocks.append(.heading(2, "6. Clocks"))
        blocks.append(
            .table(
                ["Clock", "Started", "Due", "Stopped", "Outcome"],
                clocks.map {
                    [
                        $0.title, $0.start?.rfc3339 ?? "", $0.due?.rfc3339 ?? "", $0.stopped?.rfc3339 ?? "",
                        $0.outcome.rawValue.replacing("_", with: " "),
                    ]
                }))
        // What was not exercised never counts as met.
        let met = clocks.count { $0.outcome == .met }
        let ended = clocks.count { $0.outcome == .met || $0.outcome == .missed }
        blocks.append(.text("\(met) of \(ended) clocks that were exercised and have ended were met."))
    }

    private mutating func actions(_ rows: [TimelineItem]) {
        blocks.append(.heading(2, "7. Actions taken"))
        blocks.append(
            rows.isEmpty
                ? .text("None is recorded.")
                : .table(["When", "By", "What"], rows.map { [$0.occurredAt.rfc3339, $0.actor, $0.text] }))
    }

    private mutating func lessons(_ detail: IncidentDetail, _ state: IncidentState) {
        blocks.append(.heading(2, "8. Lessons"))
        blocks.append(
            .text(state.milestones[.reviewed].map { "The review was held \($0.rfc3339)." } ?? "No review is recorded yet."))
        blocks.append(.heading(2, "9. Follow-ups"))
        blocks.append(.text("Vigie keeps none."))
    }

    private mutating func appendix(_ detail: IncidentDetail) {
        blocks.append(.heading(2, "10. Appendix: how to check this"))
        blocks.append(.list(["vigie incidents show \(detail.summary.id) --json", "vigie journal verify"]))
        let rules = Dictionary(detail.findings.map { ($0.ruleID, [$0.ruleID, $0.ruleTitle, $0.ruleHash]) }) { $1 }
        blocks.append(.table(["Rule", "Title", "SHA-256"], rules.values.sorted { $0[0] < $1[0] }))
    }

    // MARK: - Texts

    package var markdown: String {
        var text = "# \(IncidentReport.plain(title))\n"
        for block in blocks {
            text += "\n"
            switch block {
            case .heading(let level, let words):
                text += String(repeating: "#", count: level) + " \(IncidentReport.plain(words))\n"
            case .text(let words): text += IncidentReport.plain(words) + "\n"
            case .list(let items): text += items.map { "- \(IncidentReport.plain($0))\n" }.joined()
            case .table(let head, let rows):
                text += "| \(head.joined(separator: " | ")) |\n|\(String(repeating: "---|", count: head.count))\n"
                for row in rows { text += "| \(row.map(IncidentReport.plain).joined(separator: " | ")) |\n" }
            case .lines(let lines):
                // Four spaces make code of it; no fence in a log line can end that.
                text += lines.map { "    \(IncidentReport.oneLine($0))\n" }.joined()
            }
        }
        return text
    }

    /// Attackers' and people's words as words: nothing of them is markup.
    private static func plain(_ text: String) -> String {
        var plain = ""
        // By scalars: a bracket with a combining mark behind it is a bracket to a reader of Markdown, and no such `Character`.
        for scalar in oneLine(text).unicodeScalars {
            if "\\`*_{}[]<>|#!~&".unicodeScalars.contains(scalar) { plain += "\\" }
            plain.unicodeScalars.append(scalar)
        }
        return plain
    }

    private static func oneLine(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .lineSeparator, .paragraphSeparator: scalar == "\n" || scalar == "\t" ? " " : "\u{FFFD}"
                    case .format: "\u{FFFD}"
                    default: scalar
                    }
                }))
    }

    package var html: String {
        let escape = IncidentReport.escape
        var text = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escape(title))</title>
            <style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top}
            pre{overflow-x:auto;background:#f4f4f4;padding:.5rem}</style></head><body><main>
            <h1>\(escape(title))</h1>

            """
        for block in blocks {
            switch block {
            case .heading(let level, let words): text += "<h\(level)>\(escape(words))</h\(level)>\n"
            case .text(let words): text += "<p>\(escape(words))</p>\n"
            case .list(let items): text += "<ul>\(items.map { "<li>\(escape($0))</li>" }.joined())</ul>\n"
            case .table(let head, let rows):
                text += "<table><thead><tr>\(head.map { "<th scope=\"col\">\($0)</th>" }.joined())</tr></thead><tbody>\n"
                for row in rows { text += "<tr>\(row.map { "<td>\(escape($0))</td>" }.joined())</tr>\n" }
                text += "</tbody></table>\n"
            case .lines(let lines):
                if !lines.isEmpty { text += "<pre>\(lines.map { escape($0) }.joined(separator: "\n"))</pre>\n" }
            }
        }
        return text + "</main></body></html>\n"
    }

    /// A line break is a space: nothing that somebody wrote looks like a further line of the records.
    private static func escape(_ text: String) -> String {
        HTMLText.escaped(String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\n" || $0 == "\t" ? " " : $0 })))
    }
}
