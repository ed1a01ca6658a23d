import ArgumentParser
import Detection
import Events
import Foundation
import Ingest
import Journal

struct RulesExplain: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say why a rule matches lines, or does not, condition by condition; exit 1 when it matches none.",
        discussion: """
            For a correlation: which rule each line is counted for, in which group, what the group's value is then, and whether
            that makes it fire; likewise for correlations that it counts. Whether it fires is what `vigie detect` finds.

              vigie rules explain sql_injection access.log
              tail -1 access.log | vigie rules explain 'Path traversal' -
            """
    )

    @Argument(help: "A rule: its id, name, title or file.")
    var rule: String

    @Argument(help: "A file of log lines or JSON events; '-' for standard input.")
    var events: String

    @Option(help: "A folder of rules, or one rule file; may be given several times. Default: rules.")
    var rules: [String] = []

    @Option(
        help: "How the lines are written: \(LogFormat.allCases.map(\.rawValue).joined(separator: ", ")), or one of rules/formats."
    )
    var format = "auto"

    @Option(help: "RFC 3339 time just after the last line; resolves dates that carry no year. Default: now.")
    var referenceTime: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// More is for `detect`: an explanation is read by a person.
    static let maximumBytes = 1 << 20

    func run() throws {
        let (folder, formatFolder) = RuleFolder.read(rules.isEmpty ? ["rules"] : rules)
        let reference = try ReferenceTimeArgument.parse(referenceTime)
        let explainer: RuleExplainer
        do throws(RuleProblem) {
            explainer = try RuleExplainer(folder, rule: rule)
        } catch {
            throw CommandFailure(.usage, error.description)
        }
        let formats = FormatSet(
            formatFolder, fields: explainer.fields, logSources: explainer.logSources, taxonomy: explainer.taxonomy)
        let format = try LogFormatArgument.parse(format, formats: formats)
        var parser = BatchParser(format: format, plan: formats.plan, formats: formats)
        let batch = LogStream.parse(try text(), name: events, parser: &parser, reference: reference)
        guard !batch.events.isEmpty else { throw CommandFailure(.usage, "\(events) holds no line to explain") }
        switch explainer.explain(batch) {
        case .rule(let explanation):
            if json {
                Output.line(FindingJSON.text(ExplanationJSON.value(explanation)))
            } else {
                ExplanationText.show(explanation)
            }
            guard explanation.matches else { throw CommandFailure(.failed, "no line matches '\(explanation.header.title)'") }
        case .correlation(let explanation):
            if json {
                Output.line(FindingJSON.text(ExplanationJSON.value(explanation)))
            } else {
                ExplanationText.show(explanation)
            }
            guard explanation.matches else { throw CommandFailure(.failed, "'\(explanation.header.title)' does not fire") }
        }
    }

    private func text() throws -> String {
        let handle = events == "-" ? FileHandle.standardInput : FileHandle(forReadingAtPath: events)
        guard let handle, let data = try? handle.read(upToCount: RulesExplain.maximumBytes + 1) else {
            throw CommandFailure(.usage, "\(events) cannot be read; check its path and permissions")
        }
        guard data.count <= RulesExplain.maximumBytes else {
            throw CommandFailure(.usage, "\(events) is larger than 1 MiB; name the lines in question, or use `vigie detect`")
        }
        return String(decoding: data, as: UTF8.self)
    }
}

/// Explanations for people: every verdict is a sign and a word, not a colour.
private enum ExplanationText {
    static func show(_ explanation: Explanation) {
        Output.line("\(explanation.header.title)  \(explanation.header.file):\(explanation.header.line)")
        for event in explanation.events { show(event, wants: explanation.wants) }
    }

    private static func show(_ event: Explanation.Event, wants: String) {
        Output.line("")
        Output.line(
            "line \(event.line): \(event.matches ? "✓ matches" : "✗ does not match")  \(printable(event.text).prefix(160))")
        Output.line(
            event.isRouted
                ? "  ✓ log source: the rule wants \(wants); the event is \(event.logSource)"
                : "  ✗ log source: the rule wants \(wants), but the event is \(event.logSource): the rule does not see it")
        guard event.isRouted else { return }
        show(event.condition, indent: "  ")
    }

    private static func show(_ step: Explanation.Step, indent: String) {
        var text = "\(indent)\(step.holds ? "✓ true " : "✗ false") \(printable(step.text))"
        if step.holds, let value = step.actual.first { text += "   value is '\(printable(value))'" }
        if let note = step.note { text += "   \(printable(note))" }
        Output.line(text)
        // Of a long list only what decides: the values that hold, or how many do not.
        let values = step.steps.filter { $0.kind == .value }
        if values.count > 8 {
            for value in values where value.holds { show(value, indent: indent + "  ") }
            let missed = values.count { !$0.holds }
            if missed > 0 { Output.line("\(indent)  ✗ false \(missed) other values") }
            return
        }
        for inner in step.steps { show(inner, indent: indent + "  ") }
    }

    static func show(_ explanation: CorrelationExplanation) {
        Output.line("\(explanation.header.title)  \(explanation.header.file):\(explanation.header.line)")
        Output.line("wants \(explanation.wants)")
        for inner in explanation.inner { Output.line("'\(inner.name)' wants \(inner.wants)") }
        for step in explanation.steps { show(step) }
        let count = explanation.findings.count
        if explanation.matches {
            Output.line("✓ fires: \(count) \(count == 1 ? "finding" : "findings")")
        } else {
            Output.line("✗ does not fire" + (explanation.reason.map { ": \(printable($0))" } ?? ""))
        }
        if !explanation.countedBy.isEmpty {
            let names = explanation.countedBy.map { "'\($0)'" }.joined(separator: ", ")
            Output.line("Nothing is reported of it alone: it is counted by \(names).")
        }
        let counted = Set(explanation.steps.map(\.line))
        for rule in explanation.rules {
            let missed = rule.events.filter { !$0.matches && !counted.contains($0.line) }
            guard let first = missed.first else { continue }
            Output.line("")
            Output.line("'\(rule.header.title)' does not count \(missed.count) of the lines; the first of them:")
            show(first, wants: rule.wants)
        }
    }

    private static func show(_ step: CorrelationExplanation.Step) {
        var parts = ["line \(step.line)", step.time.rfc3339]
        let place = step.isInner ? "→ '\(step.correlation)'" : ""
        parts.append([step.counted ?? "", place].filter { !$0.isEmpty }.joined(separator: " "))
        parts.append((step.group + step.values).map(text).joined(separator: ", "))
        for words in [step.reading, step.note] { parts.append(printable(words ?? "")) }
        parts.append(step.finding == nil ? "✗ does not fire" : "✓ fires")
        Output.line(parts.filter { !$0.isEmpty }.joined(separator: "  "))
    }

    /// With where it was read, where the name alone does not say it.
    private static func text(_ part: CorrelationExplanation.Part) -> String {
        let value = "\(part.name)=\(printable(part.value ?? "absent"))"
        if let inner = part.inner { return "\(value) (\(part.field) of \(inner))" }
        return part.field == part.name ? value : "\(value) (\(part.field))"
    }

    /// Log lines are attackers' text: nothing in them may move a terminal's cursor.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "·" : $0 }))
    }
}

private enum ExplanationJSON {
    static func value(_ explanation: Explanation) -> JSONValue {
        [
            "rule": FindingJSON.rule(explanation.header), "matches": .bool(explanation.matches),
            "logsource": .string(explanation.wants), "events": .array(explanation.events.map(value)),
        ]
    }

    private static func value(_ event: Explanation.Event) -> JSONValue {
        [
            "line": .integer(event.line), "time": .string(event.time.rfc3339), "logsource": .string(event.logSource),
            "routed": .bool(event.isRouted), "matches": .bool(event.matches), "condition": value(event.condition),
        ]
    }

    private static func value(_ step: Explanation.Step) -> JSONValue {
        var object: [String: JSONValue] = [
            "kind": .string(step.kind.rawValue), "text": .string(step.text), "holds": .bool(step.holds),
        ]
        if !step.actual.isEmpty { object["values"] = .array(step.actual.map { .string($0) }) }
        if let note = step.note { object["note"] = .string(note) }
        if !step.steps.isEmpty { object["parts"] = .array(step.steps.map(value)) }
        return .object(object)
    }

    static func value(_ explanation: CorrelationExplanation) -> JSONValue {
        var object: [String: JSONValue] = [
            "rule": FindingJSON.rule(explanation.header), "matches": .bool(explanation.matches),
            "wants": .string(explanation.wants), "steps": .array(explanation.steps.map(value)),
            "inner": .array(explanation.inner.map { ["name": .string($0.name), "wants": .string($0.wants)] }),
            "findings": .integer(Int64(explanation.findings.count)),
            "counted_by": .array(explanation.countedBy.map { .string($0) }),
            "rules": .array(explanation.rules.map(value)),
        ]
        if let reason = explanation.reason { object["reason"] = .string(reason) }
        return .object(object)
    }

    private static func value(_ step: CorrelationExplanation.Step) -> JSONValue {
        var object: [String: JSONValue] = [
            "line": .integer(step.line), "time": .string(step.time.rfc3339), "correlation": .string(step.correlation),
            "inner": .bool(step.isInner), "counted": .array(step.counted.map { [.string($0)] } ?? []),
            "group": .array(step.group.map(value)), "values": .array(step.values.map(value)),
            "fires": .bool(step.finding != nil),
        ]
        if let value = step.value { object["value"] = .number(value) }
        if let reading = step.reading { object["reading"] = .string(reading) }
        if let note = step.note { object["note"] = .string(note) }
        return .object(object)
    }

    private static func value(_ part: CorrelationExplanation.Part) -> JSONValue {
        var object: [String: JSONValue] = [
            "name": .string(part.name), "field": .string(part.field), "value": part.value.map { .string($0) } ?? .null,
        ]
        if let inner = part.inner { object["of"] = .string(inner) }
        return .object(object)
    }
}
