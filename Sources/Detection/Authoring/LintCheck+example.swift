extension LintCheck {
    /// A rule, shortened to what shows the fault, that this check and no other objects to. `completed` makes a whole rule of it.
    package var example: String {
        switch self {
        case .refused: "detection:\n  probe: {url.path|contain: /admin}\n  condition: probe"
        case .neverMatches: "detection:\n  signed_in: {user.name|exists: true}\n  condition: signed_in and not signed_in"
        case .correlationNever: LintCheck.counting("condition: {gt: 10, lt: 5}")
        case .contradiction:
            "detection:\n  get: {http.request.method: GET}\n  post: {http.request.method: POST}\n"
                + "  path: {url.path|contains: /admin}\n  condition: get and post and path"
        case .alwaysMatches:
            "detection:\n  named: {user.name|exists: true}\n  nameless: {user.name|exists: false}\n  condition: named or nameless"
        case .unusedSearch:
            "detection:\n  probe: {url.path|contains: /admin}\n  office: {source.ip|cidr: 192.0.2.0/24}\n  condition: probe"
        case .unknownField: "detection:\n  probe: {url.pth|contains: /admin}\n  condition: probe"
        case .unknownLogSource: "logsource: {category: webservers}\n" + LintCheck.plain
        case .unknownGroupField: LintCheck.counting("condition: {gte: 10}", group: "user.nme")
        case .impossibleText: "detection:\n  probe: {vigie.url.decoded|contains: 'union  select'}\n  condition: probe"
        case .impossibleValue: "detection:\n  refused: {http.response.status_code: 4xx}\n  condition: refused"
        case .duplicateValue: "detection:\n  probe: {url.path|endswith: [/admin, /ADMIN]}\n  condition: probe"
        case .keywordsEverywhere: "logsource: {}\ndetection:\n  words: [segfault]\n  condition: words"
        case .uncounted: "vigie: {hostile: false}\n" + LintCheck.plain
        case .longTimespan: LintCheck.counting("condition: {gte: 10}", timespan: "60d")
        case .duplicateTitle: LintCheck.plain + "\n---\n" + LintCheck.plain
        case .missingLevel, .missingDescription, .noSamples, .missingMetadata: LintCheck.plain
        case .invalidDate: "date: 2026/02/30\n" + LintCheck.plain
        case .invalidTag: "tags: [attack.credential-acces]\n" + LintCheck.plain
        case .redundantValue: "detection:\n  probe: {url.path|contains: [/admin, /administrator]}\n  condition: probe"
        case .everyEvent: "detection:\n  success: {event.outcome: success}\n  condition: not success"
        case .regexWithoutLiteral: "detection:\n  digits: {url.path|re: '/[0-9]{12}$'}\n  condition: digits"
        case .shortLiteral: "detection:\n  quote: {vigie.url.decoded|contains: \"'\"}\n  condition: quote"
        case .quantifierOfOne: "detection:\n  probe_path: {url.path|contains: /admin}\n  condition: all of probe_*"
        case .correlationAlways: LintCheck.counting("condition: {gte: 1}")
        }
    }

    /// The example with everything that every rule has, and that it does not show.
    package var completed: String {
        var number = 0
        return example.components(of: "---\n").map { document in
            number += 1
            let isCorrelation = document.contains("correlation:\n")
            let defaults: [(key: String, text: String)] = [
                ("title", "Example"), ("id", "00000000-0000-4000-8000-00000000000\(number)"), ("status", "test"),
                ("description", "Shows what a check objects to."), ("date", "2026-11-21"), ("tags", "[attack.t1110]"),
                ("level", "low"), ("logsource", "{category: webserver}"),
            ]
            var text = ""
            for (key, value) in defaults where !omitted.contains(key) && !(isCorrelation && key == "logsource") {
                let isShown = document.hasPrefix("\(key):") || document.contains("\n\(key):")
                if !isShown { text += "\(key): \(value)\n" }
            }
            return text + document
        }.joined(separator: "---\n")
    }

    /// Keys whose absence is the fault.
    private var omitted: Set<String> {
        switch self {
        case .missingLevel: ["level"]
        case .missingDescription: ["description"]
        case .missingMetadata: ["status", "date", "tags"]
        default: []
        }
    }

    private static let plain = "detection:\n  probe: {url.path|contains: /admin}\n  condition: probe"

    private static func counting(_ condition: String, group: String = "source.ip", timespan: String = "5m") -> String {
        "name: probe\n\(plain)\n---\ntitle: Probes\ncorrelation:\n  type: event_count\n  rules: [probe]\n  group-by: [\(group)]\n"
            + "  timespan: \(timespan)\n  \(condition)"
    }

    /// docs/rule-lint.md.
    package static var markdown: String {
        var text = """
            # What `vigie rules lint` looks for

            Made from the program by `vigie rules lint --markdown`; a test holds this file against it and runs every example.

            Errors make the command exit with 1, with `--strict` warnings do, too. What is reported is certain: a check keeps silent where
            an event could prove it wrong. One line for each finding: `file:line:column: severity: what; what to do [check]`; `--json` gives
            one object per line.

            An example shows only what matters; title, id, description and the other keys that it does not show are in order.

            """
        for severity in LintFinding.Severity.allCases {
            text += "\n## \(severity.heading)\n"
            for check in allCases where check.severity == severity {
                text += "\n### \(check.rawValue)\n\n\(check.summary) What to do: \(check.advice).\n"
                if check.omitted.isEmpty, check != .noSamples {
                    text += "\n" + check.example.split(separator: "\n").map { "    \($0)\n" }.joined()
                }
            }
        }
        return text
    }
}

extension LintFinding.Severity {
    fileprivate var heading: String {
        switch self {
        case .error: "Errors: the rule does not do what it is there for"
        case .warning: "Warnings: it very likely does something else than was meant"
        case .advice: "Advice: it works, and could be better"
        }
    }
}

extension String {
    /// The parts between `separator`.
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
