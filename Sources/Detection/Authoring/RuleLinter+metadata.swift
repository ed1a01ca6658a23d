import Events
import Yams

/// What a rule says about itself.
extension RuleLinter {
    /// ATT&CK's tactics for enterprises, version 17, as Sigma writes them; `defense-impairment` and `stealth` are of version 18.
    private static let tactics: Set<String> = [
        "reconnaissance", "resource-development", "initial-access", "execution", "persistence", "privilege-escalation",
        "defense-evasion", "credential-access", "discovery", "lateral-movement", "collection", "command-and-control",
        "exfiltration", "impact", "stealth", "defense-impairment",
    ]

    mutating func checkMetadata(_ document: Document) {
        guard let mapping = document.node.mapping else { return }
        if !document.body.isFilter { checkMissing(mapping, document) }
        for key in ["date", "modified"] {
            if let date = mapping[key], !RuleLinter.isDate(date.scalar?.string ?? "") {
                report(.invalidDate, document, at: date, "'\(key)' is '\(date.scalar?.string ?? "")'")
            }
        }
        for tag in mapping["tags"]?.sequence ?? [] {
            let text = tag.string ?? ""
            if let reason = RuleLinter.complaint(tag: text) { report(.invalidTag, document, at: tag, "'\(text)' \(reason)") }
        }
    }

    private mutating func checkMissing(_ mapping: Node.Mapping, _ document: Document) {
        if mapping["level"] == nil { report(.missingLevel, document, at: nil, "there is no 'level'") }
        if mapping["description"]?.string?.isEmpty ?? true {
            report(.missingDescription, document, at: nil, "there is no 'description'")
        }
        let missing = ["status", "date", "tags"].filter { mapping[$0] == nil }
        if !missing.isEmpty {
            report(.missingMetadata, document, at: nil, "there is no \(missing.map { "'\($0)'" }.joined(separator: ", "))")
        }
    }

    private static func isDate(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.count) == [4, 2, 2], let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            (1...12).contains(month), day >= 1
        else { return false }
        let next = month == 12 ? CivilDate(year: year + 1, month: 1, day: 1) : CivilDate(year: year, month: month + 1, day: 1)
        return day <= next.daysSinceEpoch - CivilDate(year: year, month: month, day: 1).daysSinceEpoch
    }

    private static func complaint(tag: String) -> String? {
        let parts = tag.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let isPlain = tag.utf8.allSatisfy { byte in
            byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2E || byte == 0x2D || byte == 0x5F
        }
        guard parts.count == 2, isPlain else { return "is not in lower case" }
        guard parts[0] == "attack" else { return nil }
        let name = String(parts[1]).replacing("_", with: "-")
        if tactics.contains(name) { return nil }
        guard let kind = name.first, "tgsc".contains(kind), name.dropFirst().first?.isNumber == true else {
            let nearest = NearestName.find(name, among: tactics).map { "; did you mean 'attack.\($0)'?" } ?? ""
            return "names no tactic of ATT&CK\(nearest)"
        }
        let digits = name.dropFirst().split(separator: ".", omittingEmptySubsequences: false)
        let lengths = digits.map(\.count)
        guard digits.allSatisfy({ $0.allSatisfy(\.isNumber) }), lengths == [4] || (kind == "t" && lengths == [4, 3]) else {
            return "is not of the form t1110 or t1110.001"
        }
        return nil
    }

    /// The samples of a file, for all rules in it.
    mutating func checkSamples(of source: RuleSource, _ documents: some Sequence<Document>) {
        do throws(RuleProblem) {
            guard try folder.samples(of: source).isEmpty else { return }
            for document in documents { report(.noSamples, document, at: nil, "it has no samples") }
        } catch {
            refuse(error, title: "")
        }
    }

    /// Titles that several rules have. That two have one name or id is a reason to refuse the second.
    mutating func checkTitles(_ documents: [Document]) {
        var seen: [String: RuleHeader] = [:]
        for document in documents {
            let title = document.header.title
            guard let other = seen[title] else {
                seen[title] = document.header
                continue
            }
            report(
                .duplicateTitle, document, at: document.node.mapping?["title"],
                "'\(title)' is also the title of the rule at \(other.file):\(other.line)")
        }
    }

    /// Rules that are there to be counted, and are not.
    mutating func checkCounting(_ documents: [Document]) {
        var counted: Set<String> = []
        for case .correlation(let correlation) in documents.map(\.body) {
            // Ids are written in either case.
            counted.formUnion(correlation.rules + correlation.rules.map { $0.lowercased() })
        }
        for document in documents where !document.header.isHostile {
            let isCounted = counted.contains(document.header.id) || document.header.name.map(counted.contains) ?? false
            guard case .detection = document.body, !isCounted else { continue }
            report(.uncounted, document, at: document.node.mapping?["vigie"], "'\(document.header.title)' is counted by nothing")
        }
    }
}
