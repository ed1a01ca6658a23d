extension RuleCoverage {
    /// docs/detection-coverage.md: depends on the rules and nothing else.
    ///
    /// - Parameter root: what the paths of rule files begin with and links must not show.
    package func markdown(root: String = "") -> String {
        var text = """
            # What the rules cover

            Made from the rules by `vigie rules coverage --markdown`; a test holds this file against them. \(total) rules, correlations
            and the rules that they count included.

            ## Requirements

            Rules name the requirement that they are there for: `vigie: {requirements: [D1]}`.

            """
        text += "\n" + table("Requirement", requirements, root)
        text += "\n## Categories\n\n| Category | Rules |\n|---|---|\n"
        for topic in categories { text += "| \(topic.name) | \(topic.rules.count) |\n" }
        text += "\n## ATT&CK tactics\n\n| Tactic | Rules |\n|---|---|\n"
        for topic in tactics { text += "| \(topic.name) | \(topic.rules.count) |\n" }
        text += "\n## ATT&CK techniques\n\n"
        text += table("Technique", techniques, root)
        text += "\n## Log sources\n\n| Log source | Rules |\n|---|---|\n"
        for topic in logSources { text += "| \(topic.name) | \(topic.rules.count) |\n" }
        text += "\n" + list("Log sources that formats give and no rule looks at", unwatchedSources)
        text += list("Rules without samples", withoutSamples.map(\.title))
        text += list("Rules without a technique", withoutTechnique.map(\.title))
        return text
    }

    private func table(_ heading: String, _ topics: [Topic], _ root: String) -> String {
        guard !topics.isEmpty else { return "None.\n" }
        var text = "| \(heading) | Rules |\n|---|---|\n"
        for topic in topics {
            let links = topic.rules.map { rule in
                let path = rule.file.hasPrefix(root) ? String(rule.file.dropFirst(root.count)) : rule.file
                return "[\(rule.title.replacing("|", with: "\\|"))](../\(path))"
            }
            text += "| \(topic.name) | \(links.joined(separator: ", ")) |\n"
        }
        return text
    }

    private func list(_ heading: String, _ items: [String]) -> String {
        items.isEmpty ? "\(heading): none.\n" : "\(heading):\n\n" + items.map { "- \($0)\n" }.joined() + "\n"
    }
}
