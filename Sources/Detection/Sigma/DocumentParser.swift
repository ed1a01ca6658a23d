import Crypto
import Events
import Yams

/// Reads one YAML document as a Sigma rule or correlation.
struct DocumentParser {
    let file: String
    let hash: String

    func document(_ node: Node) throws(RuleProblem) -> SigmaDocument {
        guard let mapping = node.mapping else { throw problem(node, "a rule is a mapping of keys to values") }
        if let filter = mapping["filter"] {
            let header = try header(mapping, node, isFilter: true)
            return SigmaDocument(header: header, body: .filter(try self.filter(filter, mapping, header)))
        }
        let header = try header(mapping, node, isFilter: false)
        if let correlation = mapping["correlation"] {
            return SigmaDocument(header: header, body: .correlation(try self.correlation(correlation, own: mapping["vigie"])))
        }
        guard let detection = mapping["detection"] else {
            throw problem(node, "the rule has neither 'detection' nor 'correlation' nor 'filter'")
        }
        guard let logSource = mapping["logsource"] else { throw problem(node, "the rule has no 'logsource'") }
        return SigmaDocument(
            header: header, body: .detection(try self.detection(detection, logSource: self.logSource(logSource))))
    }

    func problem(_ node: Node, _ reason: String) -> RuleProblem {
        RuleProblem(file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0, reason: reason)
    }

    private func header(_ mapping: Node.Mapping, _ node: Node, isFilter: Bool) throws(RuleProblem) -> RuleHeader {
        guard let title = mapping["title"]?.string, !title.isEmpty else { throw problem(node, "the rule has no 'title'") }
        guard title.count <= 256 else { throw problem(node, "the title is longer than 256 characters") }
        let id = mapping["id"]?.string
        if let node = mapping["id"], !(id.map(isUUID) ?? false) {
            throw problem(node, "'id' must be a UUID: findings know the rule by it")
        }
        var level = Level.medium
        if let node = mapping["level"] {
            guard let text = node.string, let known = Level(rawValue: text.lowercased()) else {
                throw problem(node, "'level' is one of \(Level.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            level = known
        }
        let status = mapping["status"]?.string?.lowercased()
        if let node = mapping["status"], !DocumentParser.statuses.contains(status ?? "") {
            throw problem(node, "'status' is one of \(DocumentParser.statuses.joined(separator: ", "))")
        }
        try checkDates(mapping)
        let tags = strings(mapping["tags"]).map { $0.lowercased() }
        if let node = mapping["tags"], let wrong = tags.first(where: { !isTag($0) }) {
            throw problem(node, "tag '\(wrong)' is none: a namespace, a full stop and a name, without spaces (attack.t1110)")
        }
        var header = RuleHeader(
            id: id?.lowercased() ?? (isFilter ? "" : substituteID(title)), name: mapping["name"]?.string, title: title,
            description: mapping["description"]?.string ?? "", level: level, tags: tags, category: FindingCategory(tags: tags),
            author: mapping["author"]?.string ?? "", falsePositives: strings(mapping["falsepositives"]),
            references: strings(mapping["references"]), isHostile: true, file: file, line: node.mark?.line ?? 0, hash: hash,
            status: status, license: mapping["license"]?.string)
        if let node = mapping["taxonomy"] {
            guard let taxonomy = node.string, DocumentParser.taxonomies.contains(taxonomy) else {
                throw problem(node, "taxonomy '\(node.string ?? "")' is not known; known are sigma and ecs")
            }
            header.taxonomy = taxonomy
        }
        if let own = mapping["vigie"] { try readOwnKeys(own, isCorrelation: mapping["correlation"] != nil, into: &header) }
        return header
    }

    private static let statuses = ["stable", "test", "experimental", "deprecated", "unsupported"]
    /// Sigma's own names, which pipelines turn into ours, and ours.
    private static let taxonomies = [RuleHeader.defaultTaxonomy, "ecs"]

    private static let ownKeys = ["category", "hostile", "requirements", "samples"]

    /// `vigie`: what a rule says to us alone. Other keys that Sigma does not know are left alone.
    private func readOwnKeys(_ own: Node, isCorrelation: Bool, into header: inout RuleHeader) throws(RuleProblem) {
        guard let keys = own.mapping else { throw problem(own, "'vigie' is a mapping") }
        for (key, value) in keys {
            switch key.string {
            case "category":
                guard let text = value.string, let known = FindingCategory(rawValue: text) else {
                    let known = FindingCategory.allCases.map(\.rawValue).joined(separator: ", ")
                    throw problem(value, "'vigie.category' is one of \(known)")
                }
                header.category = known
            case "hostile":
                guard let flag = value.bool else { throw problem(value, "'vigie.hostile' is true or false") }
                header.isHostile = flag
            case let key? where isCorrelation && DocumentParser.correlationKeys.contains(key): continue
            case "requirements":
                guard let names = value.sequence?.map(\.string), !names.contains(nil) else {
                    throw problem(value, "'vigie.requirements' is a list of names, such as [D1, D2]")
                }
                header.requirements = names.compactMap { $0 }
            // `RuleSample` reads them.
            case "samples": continue
            default:
                let known = DocumentParser.ownKeys + (isCorrelation ? DocumentParser.correlationKeys : [])
                let nearest = NearestName.find(key.string ?? "", among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw problem(
                    key, "'vigie.\(key.string ?? "")' is not known\(nearest) (known: \(known.joined(separator: ", ")))")
            }
        }
    }

    private func checkDates(_ mapping: Node.Mapping) throws(RuleProblem) {
        for key in ["date", "modified"] {
            guard let node = mapping[key] else { continue }
            let text = node.scalar?.string ?? ""
            let digits = text.split(whereSeparator: { $0 == "-" || $0 == "/" }).map { Int($0) ?? 0 }
            // Rules of before 2024 write 2020/07/28.
            guard text.count == 10, digits.count == 3, (1...12).contains(digits[1]), (1...31).contains(digits[2]) else {
                throw problem(node, "'\(key)' is a date: 2026-03-01")
            }
        }
    }

    /// `namespace.name`, of lower-case letters, digits, hyphens, underscores and full stops.
    private func isTag(_ text: String) -> Bool {
        guard let point = text.firstIndex(of: "."), point > text.startIndex, text.last != "." else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// What a rule without an id is known by: its title, and its file's name wherever that lies. Version 8 of RFC 9562.
    private func substituteID(_ title: String) -> String {
        let name = file.split(separator: "/").last ?? ""
        var bytes = Array(SHA256.hash(data: Array("\(name)\n\(title)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0F | 0x80
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = bytes.hexadecimal
        let ends = [8, 12, 16, 20, 32]
        return zip([0] + ends, ends).map { String(digits.dropFirst($0).prefix($1 - $0)) }.joined(separator: "-")
    }

    private func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy(\.isHexDigit) }
    }

    private func strings(_ node: Node?) -> [String] {
        guard let node else { return [] }
        if let sequence = node.sequence { return sequence.compactMap(\.string) }
        return node.string.map { [$0] } ?? []
    }

    private func logSource(_ node: Node) throws(RuleProblem) -> LogSource {
        guard let mapping = node.mapping else { throw problem(node, "'logsource' is a mapping") }
        let text = { (key: String) in mapping[key]?.string?.lowercased() }
        return LogSource(
            categories: Set([text("category")].compactMap { $0 }), product: text("product"), service: text("service"))
    }

    // MARK: Detection

    private func detection(_ node: Node, logSource: LogSource) throws(RuleProblem) -> SigmaDetection {
        guard let mapping = node.mapping else { throw problem(node, "'detection' is a mapping") }
        let (searches, conditions) = try searches(mapping, node, "detection", passingOver: [])
        return SigmaDetection(logSource: logSource, searches: searches, conditions: conditions)
    }

    private func filter(_ node: Node, _ document: Node.Mapping, _ header: RuleHeader) throws(RuleProblem) -> SigmaFilter {
        guard let mapping = node.mapping else { throw problem(node, "'filter' is a mapping") }
        guard let logSource = document["logsource"] else { throw problem(node, "the filter has no 'logsource'") }
        guard let named = mapping["rules"] else {
            throw problem(node, "the filter has no 'rules': names or ids, or 'any' for every rule of its log source")
        }
        let rules = strings(named)
        guard !rules.isEmpty, rules.count == named.sequence?.count ?? 1 else {
            throw problem(named, "'rules' lists names or ids, or is 'any'")
        }
        let (searches, conditions) = try searches(mapping, node, "filter", passingOver: ["rules"])
        return SigmaFilter(
            rules: rules.map { $0.lowercased() } == ["any"] ? nil : rules, logSource: try self.logSource(logSource),
            searches: searches, conditions: conditions, line: named.mark?.line ?? 0, title: header.title, hash: header.hash)
    }

    /// The search-identifiers and conditions of a detection or a filter.
    private func searches(
        _ mapping: Node.Mapping, _ node: Node, _ what: String, passingOver: Set<String>
    ) throws(RuleProblem) -> (searches: [(name: String, search: SigmaSearch)], conditions: [SigmaCondition]) {
        var searches: [(name: String, search: SigmaSearch)] = []
        var conditions: [(condition: SigmaCondition, node: Node)] = []
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            if passingOver.contains(name) { continue }
            if name == "condition" {
                let texts = value.sequence.map(Array.init) ?? [value]
                for text in texts {
                    guard let string = text.string else { throw problem(text, "a condition is text") }
                    do {
                        conditions.append((try ConditionParser.parse(string), text))
                    } catch {
                        throw problem(text, error.reason)
                    }
                }
            } else if name == "timeframe" {
                throw problem(key, "'timeframe' is Sigma 1; write a correlation document instead")
            } else {
                searches.append((name, try search(value)))
            }
        }
        guard !conditions.isEmpty else { throw problem(node, "'\(what)' has no condition") }
        guard !searches.isEmpty else { throw problem(node, "'\(what)' has no search-identifier") }
        // Search-identifiers may stand behind the conditions that name them.
        for (condition, node) in conditions { try check(condition, searches.map(\.name), node) }
        return (searches, conditions.map(\.condition))
    }

    /// Refuses what names no search-identifier.
    private func check(_ condition: SigmaCondition, _ names: [String], _ node: Node) throws(RuleProblem) {
        switch condition {
        case .and(let parts), .or(let parts): for part in parts { try check(part, names, node) }
        case .not(let inner): try check(inner, names, node)
        case .search(let name):
            guard !names.contains(name) else { return }
            let nearest = NearestName.find(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
            throw problem(node, "the condition names '\(name)', which is not there\(nearest)")
        case .quantified(_, let pattern):
            guard !names.contains(where: SigmaCondition.fits(pattern)) else { return }
            throw problem(node, "'of \(pattern)' fits no search-identifier")
        }
    }

    func search(_ node: Node) throws(RuleProblem) -> SigmaSearch {
        if let mapping = node.mapping { return try map(mapping, node) }
        guard let sequence = node.sequence else {
            return .keywords([value(node)], all: false, modifiers: [], line: node.mark?.line ?? 0)
        }
        guard !sequence.isEmpty else { throw problem(node, "an empty list matches nothing") }
        if sequence.allSatisfy({ $0.scalar != nil }) {
            return .keywords(sequence.map(value), all: false, modifiers: [], line: node.mark?.line ?? 0)
        }
        var parts: [SigmaSearch] = []
        for element in sequence { parts.append(try search(element)) }
        return .anyOf(parts)
    }

    private func map(_ mapping: Node.Mapping, _ node: Node) throws(RuleProblem) -> SigmaSearch {
        guard !mapping.isEmpty else { throw problem(node, "an empty search-identifier matches nothing") }
        var items: [SigmaItem] = []
        for (key, values) in mapping {
            let parts = (key.scalar?.string ?? "").split(separator: "|", omittingEmptySubsequences: false).map(String.init)
            let modifiers = Array(parts.dropFirst())
            let listed = try self.values(values)
            if parts[0].isEmpty {
                guard mapping.count == 1 else { throw problem(key, "keywords stand alone, not beside fields") }
                return .keywords(
                    listed, all: modifiers.contains("all"), modifiers: modifiers.filter { $0 != "all" }, line: key.mark?.line ?? 0
                )
            }
            items.append(SigmaItem(field: parts[0], modifiers: modifiers, values: listed, line: key.mark?.line ?? 0))
        }
        return .map(items)
    }

    func values(_ node: Node) throws(RuleProblem) -> [SigmaValue] {
        if let sequence = node.sequence {
            guard !sequence.isEmpty else { throw problem(node, "an empty list matches nothing") }
            for element in sequence where element.scalar == nil { throw problem(element, "a value is text, a number or null") }
            return sequence.map(value)
        }
        guard node.scalar != nil else { throw problem(node, "a value is text, a number, null, or a list of these") }
        return [value(node)]
    }

    private func value(_ node: Node) -> SigmaValue {
        guard let scalar = node.scalar else { return .null }
        // Only plain scalars have other types than text: '404' in quotes is text.
        guard scalar.style == .any || scalar.style == .plain else { return .text(scalar.string) }
        if node.null != nil { return .null }
        if let flag = node.bool { return .boolean(flag) }
        if Double(scalar.string) != nil { return .number(scalar.string) }
        return .text(scalar.string)
    }
}
