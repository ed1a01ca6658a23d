import Events
import Yams

extension Pipeline {
    /// The pipelines of one file: every document is one.
    ///
    /// - Throws: `RuleProblem` when a document is none: a pipeline that is half understood would silence rules.
    package static func parse(_ source: RuleSource) throws(RuleProblem) -> [Pipeline] {
        var pipelines: [Pipeline] = []
        for node in try SigmaParser.compose(source) {
            let hash = try SigmaParser.hash(node, of: source)
            var pipeline = try PipelineParser(file: source.path).pipeline(node)
            pipeline.hash = hash
            pipelines.append(pipeline)
        }
        return pipelines
    }
}

/// Reads one YAML document as a pipeline.
struct PipelineParser {
    let file: String

    private static let keys: Set<String> = [
        "name", "description", "logsource", "fields", "prefixes", "add_prefix", "add_suffix", "change_logsource", "placeholders",
        "add_condition", "set_custom_attribute", "nest", "events",
    ]
    private static let eventKeys: Set<String> = ["format", "names", "copies", "assignments", "logsources"]

    func pipeline(_ node: Node) throws(RuleProblem) -> Pipeline {
        let mapping = try self.mapping(node, "a pipeline", known: PipelineParser.keys)
        var pipeline = Pipeline()
        if let node = mapping["logsource"] { pipeline.logSource = try logSource(node) }
        for (name, value) in try pairs(mapping["fields"], "fields") { pipeline.fields[name] = try texts(value, "a field") }
        for (name, value) in try pairs(mapping["prefixes"], "prefixes") {
            guard let text = value.string else { throw problem(value, "a prefix becomes a text") }
            pipeline.prefixes.append((name, text))
        }
        pipeline.addedPrefix = mapping["add_prefix"]?.string ?? ""
        pipeline.addedSuffix = mapping["add_suffix"]?.string ?? ""
        if let node = mapping["change_logsource"] { pipeline.newLogSource = try logSource(node) }
        let document = DocumentParser(file: file, hash: "")
        for (name, value) in try pairs(mapping["placeholders"], "placeholders") {
            pipeline.placeholders[name] = try document.values(value)
        }
        if let node = mapping["add_condition"] {
            for part in node.sequence.map(Array.init) ?? [node] {
                if let inner = part.mapping, inner.count == 1, let negated = inner["not"] {
                    pipeline.conditions.append((try document.search(negated), true))
                } else {
                    pipeline.conditions.append((try document.search(part), false))
                }
            }
        }
        for (name, value) in try pairs(mapping["set_custom_attribute"], "set_custom_attribute") {
            guard let text = value.scalar?.string else { throw problem(value, "an attribute is text, a number, true or false") }
            pipeline.attributes[name] = text
        }
        if let node = mapping["nest"] {
            guard let parts = node.sequence else { throw problem(node, "'nest' is a list of pipelines") }
            for part in parts { pipeline.nested.append(try self.pipeline(part)) }
        }
        if let node = mapping["events"] { pipeline.events = try events(node) }
        return pipeline
    }

    private func events(_ node: Node) throws(RuleProblem) -> PipelineEvents {
        let mapping = try self.mapping(node, "'events'", known: PipelineParser.eventKeys)
        guard mapping["format"]?.string == "windows" else {
            throw problem(mapping["format"] ?? node, "'format' says whose events these are; only windows can be described")
        }
        var events = PipelineEvents()
        events.names = try names(mapping["names"], "names")
        events.copies = try names(mapping["copies"], "copies")
        for (list, fields) in try pairs(mapping["assignments"], "assignments") {
            events.assignments[list] = try names(fields, "assignments")
        }
        guard let origins = mapping["logsources"] else { return events }
        guard let sequence = origins.sequence else { throw problem(origins, "'logsources' is a list") }
        for element in sequence {
            let origin = try self.mapping(element, "a log source", known: ["when", "category", "product", "service"])
            var conditions: [(field: String, values: [String])] = []
            for (name, value) in try pairs(origin["when"], "when") { conditions.append((name, try texts(value, "a value"))) }
            guard !conditions.isEmpty else { throw problem(element, "'when' says which events are of this log source") }
            let source = LogSource(
                categories: Set(try origin["category"].map { node throws(RuleProblem) in try texts(node, "a category") } ?? []),
                product: origin["product"]?.string, service: origin["service"]?.string)
            events.origins.append(PipelineEvents.Origin(conditions: conditions, source: source))
        }
        return events
    }

    private func logSource(_ node: Node) throws(RuleProblem) -> LogSource {
        let mapping = try self.mapping(node, "a log source", known: ["category", "product", "service"])
        return LogSource(
            categories: Set([mapping["category"]?.string].compactMap { $0 }), product: mapping["product"]?.string,
            service: mapping["service"]?.string)
    }

    // MARK: Nodes

    private func problem(_ node: Node, _ reason: String) -> RuleProblem {
        RuleProblem(file: file, line: node.mark?.line ?? 0, reason: reason)
    }

    private func mapping(_ node: Node, _ what: String, known: Set<String>) throws(RuleProblem) -> Node.Mapping {
        guard let mapping = node.mapping else { throw problem(node, "\(what) is a mapping") }
        for (key, _) in mapping where !known.contains(key.string ?? "") {
            let nearest = NearestName.find(key.string ?? "", among: known)
            throw problem(
                key,
                "'\(key.string ?? "")' is not known in \(what); "
                    + (nearest.map { "did you mean '\($0)'?" } ?? "known are \(known.sorted().joined(separator: ", "))"))
        }
        return mapping
    }

    private func pairs(_ node: Node?, _ what: String) throws(RuleProblem) -> [(name: String, value: Node)] {
        guard let node else { return [] }
        guard let mapping = node.mapping else { throw problem(node, "'\(what)' is a mapping") }
        var pairs: [(name: String, value: Node)] = []
        for (key, value) in mapping {
            guard let name = key.scalar?.string else { throw problem(key, "a name in '\(what)' is text") }
            pairs.append((name, value))
        }
        return pairs
    }

    private func names(_ node: Node?, _ what: String) throws(RuleProblem) -> [String: String] {
        var names: [String: String] = [:]
        for (name, value) in try pairs(node, what) {
            guard let text = value.scalar?.string else { throw problem(value, "a name in '\(what)' stands for one field") }
            names[name] = text
        }
        return names
    }

    /// One text or several.
    private func texts(_ node: Node, _ what: String) throws(RuleProblem) -> [String] {
        let texts = (node.sequence.map(Array.init) ?? [node]).compactMap { $0.scalar?.string }
        guard !texts.isEmpty, texts.count == node.sequence?.count ?? 1 else {
            throw problem(node, "\(what) is one text, or a list of them")
        }
        return texts
    }
}
