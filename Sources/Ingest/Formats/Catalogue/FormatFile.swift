import Events
import Yams

/// Reads one file of `rules/formats`.
struct FormatFile {
    let path: String
    /// Parts that several patterns share: `{=NAME}` and what it stands for.
    private var definitions: [String: String] = [:]

    /// Larger files are refused: YAML aliases could make them explode, and no format is that long.
    static let maximumBytes = 1 << 18

    static func parse(_ text: String, path: String) throws(FormatProblem) -> FormatDefinition {
        var file = FormatFile(path: path)
        guard text.utf8.count <= maximumBytes else {
            throw FormatProblem(file: path, line: 0, reason: "the file is larger than 256 KiB; split it")
        }
        let node: Node?
        do {
            // Scalars stand for what is asked of them: to tell their types beforehand is most of the work of reading them.
            node = try Yams.compose(yaml: text, .basic)
        } catch {
            let known = error as? YamlError
            throw FormatProblem(file: path, line: known?.markedLine ?? 0, reason: "not YAML: \(known?.shortReason ?? "\(error)")")
        }
        guard let node else { throw FormatProblem(file: path, line: 0, reason: "the file is empty") }
        return try file.definition(node)
    }

    private static let knownKeys = [
        "name", "title", "description", "order", "logsource", "programs", "anywhere", "define", "headers", "recognise", "set",
        "patterns",
        "map", "keys", "cases", "samples",
    ]

    private init(path: String) {
        self.path = path
    }

    private mutating func definition(_ node: Node) throws(FormatProblem) -> FormatDefinition {
        guard let mapping = node.mapping else { throw problem(node, "a format is a mapping of keys to values") }
        for (key, _) in mapping where !FormatFile.knownKeys.contains(key.string ?? "") {
            throw unknown(key, among: FormatFile.knownKeys)
        }
        var format = FormatDefinition()
        format.file = path
        guard let name = mapping["name"]?.string, !name.isEmpty, name.utf8.allSatisfy(isNameByte) else {
            throw problem(mapping["name"] ?? node, "'name' is lower-case letters, digits and _: it is what --format takes")
        }
        let stem = path.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
        guard stem == name else { throw problem(mapping["name"] ?? node, "the format is named '\(name)', its file '\(stem)'") }
        format.name = name
        guard let title = mapping["title"]?.string, !title.isEmpty else { throw problem(node, "the format has no 'title'") }
        format.title = title
        format.description = mapping["description"]?.string ?? ""
        if let order = mapping["order"] {
            guard let number = order.int, (1...999).contains(number) else {
                throw problem(order, "'order' is a number from 1 to 999")
            }
            format.order = number
        }
        guard let source = mapping["logsource"] else { throw problem(node, "the format has no 'logsource'") }
        format.logSource = try logSource(source)
        format.programs = try strings(mapping["programs"], "programs")
        format.isAnywhere = try flag(mapping["anywhere"], "anywhere") ?? true
        for (name, text) in try pairs(mapping["define"], "define") {
            definitions["{=\(name)}"] = try substituted(scalar(text), text)
        }
        format.headers = try texts(mapping["headers"], "headers")
        if let recognise = mapping["recognise"] {
            guard recognise.string == "header" else { throw problem(recognise, "'recognise' takes the one word header") }
            format.recognisesHeader = true
        }
        format.constants = try constants(mapping["set"])
        for entry in try sequence(mapping["patterns"], "patterns") { format.patterns.append(try pattern(entry)) }
        for (field, values) in try pairs(mapping["map"], "map") {
            let entries = try pairs(values, "map")
            format.maps.append(
                FormatDefinition.ValueMap(
                    field: field, values: try entries.map { entry throws(FormatProblem) in (entry.0, try scalar(entry.1)) }))
        }
        for (field, names) in try pairs(mapping["keys"], "keys") { format.keys.append((field, try strings(names, "keys"))) }
        for entry in try sequence(mapping["cases"], "cases") { format.cases.append(try keyedCase(entry)) }
        for entry in try sequence(mapping["samples"], "samples") { format.samples.append(try sample(entry)) }
        guard !(format.patterns.isEmpty && format.cases.isEmpty && format.keys.isEmpty) else {
            throw problem(node, "the format has neither 'patterns' nor 'keys' nor 'cases'")
        }
        guard !format.samples.isEmpty else { throw problem(node, "the format has no 'samples': lines and the fields they give") }
        return format
    }

    private func pattern(_ node: Node) throws(FormatProblem) -> FormatDefinition.PatternDefinition {
        if node.string != nil { return FormatDefinition.PatternDefinition(texts: try texts(node, "pattern")) }
        guard let mapping = node.mapping else {
            throw problem(node, "a pattern is a text, or a mapping with 'pattern' and 'set'")
        }
        for (key, _) in mapping where !["pattern", "set", "logsource"].contains(key.string ?? "") {
            throw unknown(key, among: ["pattern", "set", "logsource"])
        }
        let texts = try texts(mapping["pattern"], "pattern")
        guard !texts.isEmpty else { throw problem(node, "the entry has no 'pattern'") }
        var definition = FormatDefinition.PatternDefinition(texts: texts, constants: try constants(mapping["set"]))
        if let source = mapping["logsource"] { definition.logSource = try logSource(source) }
        return definition
    }

    private func keyedCase(_ node: Node) throws(FormatProblem) -> FormatDefinition.KeyedCase {
        guard let mapping = node.mapping else { throw problem(node, "a case is a mapping with 'when' and 'set'") }
        for (key, _) in mapping where !["when", "set", "logsource"].contains(key.string ?? "") {
            throw unknown(key, among: ["when", "set", "logsource"])
        }
        var conditions: [FormatDefinition.KeyedCondition] = []
        for (key, values) in try pairs(mapping["when"], "when") {
            conditions.append(FormatDefinition.KeyedCondition(key: key, values: try strings(values, "when")))
        }
        guard !conditions.isEmpty else { throw problem(node, "the case has no 'when'") }
        return FormatDefinition.KeyedCase(
            conditions: conditions, constants: try constants(mapping["set"]),
            logSource: try mapping["logsource"].map { source throws(FormatProblem) in try logSource(source) }, line: line(node))
    }

    private func sample(_ node: Node) throws(FormatProblem) -> FormatSample {
        guard let mapping = node.mapping else { throw problem(node, "a sample is a mapping with 'line' and 'fields'") }
        for (key, _) in mapping where !["line", "fields", "reference", "auto"].contains(key.string ?? "") {
            throw unknown(key, among: ["line", "fields", "reference", "auto"])
        }
        guard let text = mapping["line"]?.string, !text.isEmpty else { throw problem(node, "the sample has no 'line'") }
        var fields: [(name: String, value: String?)] = []
        for (name, value) in try pairs(mapping["fields"], "fields") {
            let isAbsent = value.scalar.map { $0.style == .plain && ["null", "~", ""].contains($0.string) } ?? false
            fields.append((name, isAbsent ? nil : try scalar(value)))
        }
        guard !fields.isEmpty else { throw problem(node, "the sample has no 'fields'") }
        var reference: Timestamp?
        if let node = mapping["reference"] {
            guard let time = node.string.flatMap({ Timestamp(rfc3339: $0) }) else {
                throw problem(node, "'reference' is an RFC 3339 time")
            }
            reference = time
        }
        return FormatSample(
            text: text, line: line(node), fields: fields, reference: reference,
            isRecognised: try flag(mapping["auto"], "auto") ?? true)
    }

    private func logSource(_ node: Node) throws(FormatProblem) -> LogSource {
        guard let mapping = node.mapping else { throw problem(node, "'logsource' is a mapping of category, product and service") }
        for (key, _) in mapping where !["category", "product", "service"].contains(key.string ?? "") {
            throw unknown(key, among: ["category", "product", "service"])
        }
        return LogSource(
            categories: Set(try strings(mapping["category"], "category")), product: mapping["product"]?.string,
            service: mapping["service"]?.string)
    }

    private func constants(_ node: Node?) throws(FormatProblem) -> [FormatDefinition.Constant] {
        var constants: [FormatDefinition.Constant] = []
        for (field, value) in try pairs(node, "set") {
            constants.append(FormatDefinition.Constant(field: field, value: try scalar(value)))
        }
        return constants
    }

    private func texts(_ node: Node?, _ name: String) throws(FormatProblem) -> [FormatDefinition.PatternText] {
        guard let node else { return [] }
        if let text = node.string { return [FormatDefinition.PatternText(text: try substituted(text, node), line: line(node))] }
        var texts: [FormatDefinition.PatternText] = []
        for entry in try sequence(node, name) {
            guard let text = entry.string else { throw problem(entry, "'\(name)' holds texts; put the pattern in quotes") }
            texts.append(FormatDefinition.PatternText(text: try substituted(text, entry), line: line(entry)))
        }
        return texts
    }

    private func substituted(_ text: String, _ node: Node) throws(FormatProblem) -> String {
        var text = text
        for (name, part) in definitions { text = text.replacing(name, with: part) }
        guard let left = text.firstRange(of: "{=") else { return text }
        let name = text[left.lowerBound...].prefix { $0 != "}" }
        throw problem(
            node,
            "\(name)} is not defined; 'define' comes before the patterns and holds \(definitions.keys.sorted().joined(separator: ", "))"
        )
    }

    private func strings(_ node: Node?, _ name: String) throws(FormatProblem) -> [String] {
        guard let node else { return [] }
        if let text = node.string { return [text] }
        var values: [String] = []
        for entry in try sequence(node, name) { values.append(try scalar(entry)) }
        return values
    }

    private func flag(_ node: Node?, _ name: String) throws(FormatProblem) -> Bool? {
        guard let node else { return nil }
        guard let flag = node.bool else { throw problem(node, "'\(name)' is true or false") }
        return flag
    }

    private func sequence(_ node: Node?, _ name: String) throws(FormatProblem) -> [Node] {
        guard let node else { return [] }
        guard let sequence = node.sequence else { throw problem(node, "'\(name)' is a list") }
        return Array(sequence)
    }

    private func pairs(_ node: Node?, _ name: String) throws(FormatProblem) -> [(String, Node)] {
        guard let node else { return [] }
        guard let mapping = node.mapping else { throw problem(node, "'\(name)' is a mapping") }
        var pairs: [(String, Node)] = []
        for (key, value) in mapping { pairs.append((try scalar(key), value)) }
        return pairs
    }

    private func scalar(_ node: Node) throws(FormatProblem) -> String {
        guard let text = node.scalar?.string else { throw problem(node, "a single value is wanted here") }
        return text
    }

    private func isNameByte(_ byte: UInt8) -> Bool {
        byte &- 0x61 < 26 || byte &- 0x30 <= 9 || byte == UInt8(ascii: "_")
    }

    private func line(_ node: Node) -> Int { node.mark?.line ?? 0 }

    private func problem(_ node: Node, _ reason: String) -> FormatProblem {
        FormatProblem(file: path, line: line(node), reason: reason)
    }

    private func unknown(_ key: Node, among known: [String]) -> FormatProblem {
        let name = key.string ?? ""
        let nearest =
            NearestName.find(name, among: known).map { "; did you mean '\($0)'?" }
            ?? "; known are \(known.joined(separator: ", "))"
        return problem(key, "'\(name)' is not known\(nearest)")
    }
}

extension YamlError {
    fileprivate var markedLine: Int {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        default: 0
        }
    }

    fileprivate var shortReason: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _): problem
        default: "\(self)"
        }
    }
}
