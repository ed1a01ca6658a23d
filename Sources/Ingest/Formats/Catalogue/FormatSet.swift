package import Events

/// The formats of `rules/formats`, compiled for one set of rules: what a `BatchParser` reads unknown lines with.
///
/// Immutable and shared; what changes from line to line is in `FormatMatcher`.
package struct FormatSet: Sendable {
    /// No formats but the built-in ones.
    package static let none = FormatSet(FormatFolder(), fields: FieldTable(), logSources: LogSourceTable())

    struct Format: Sendable {
        var name: String
        var title: String
        var logSource: LogSourceID
        var programs: [[UInt8]]
        var isAnywhere: Bool
        var headers: [LinePattern]
        var hasPatterns: Bool
        var constants: [ConstantValue]
        var maps: [MappedValue]
        var keyed: KeyedFormat?

        /// `programs: ["*"]`: what a library says in the name of any program, as PAM does.
        var isOfEveryProgram: Bool { programs.contains([UInt8(ascii: "*")]) }
    }

    /// A variant of a pattern.
    struct Pattern: Sendable {
        var line: LinePattern
        var format: Int
        var constants: [ConstantValue]
        var logSource: LogSourceID
        /// Stands for a header whose message no pattern knows.
        var isHeaderOnly: Bool
        /// Where it is written, for explanations.
        var text: String
        /// What `nearestFormat` calls the elements.
        var expectations: [String]
    }

    /// A value that no line contains: a range of `constantBytes`.
    struct ConstantValue: Sendable {
        var field: FieldID
        var range: ByteRange
    }

    struct MappedValue: Sendable {
        var field: FieldID
        var from: [UInt8]
        var range: ByteRange
    }

    private(set) var formats: [Format] = []
    private(set) var patterns: [Pattern] = []
    private(set) var literals: [UInt8] = []
    private(set) var constantBytes: [UInt8] = []
    private(set) var index = LiteralIndex([])
    private(set) var keyedIndex = KeyedIndex()
    /// Changes with the text of any format: what was read with one and is read with another may have other fields.
    package let fingerprint: UInt64
    /// Which keys of lines of keys and values become fields.
    package private(set) var plan: JSONFieldPlan

    /// - Parameters:
    ///   - fields: those that rules and formats know; what a format captures under another name is not kept.
    ///   - logSources: with those of the folder in it, see `FormatFolder.intern`.
    ///   - taxonomy: what the pipelines say of Windows events.
    package init(
        _ folder: FormatFolder, fields: FieldTable, logSources: LogSourceTable, taxonomy: EventTaxonomy = EventTaxonomy()
    ) {
        plan = JSONFieldPlan(fields, taxonomy: taxonomy)
        fingerprint = folder.definitions.reduce(JSONFieldPlan.hashSeed) { hash, definition in
            definition.text.utf8.reduce(JSONFieldPlan.extend(hash, 0)) { JSONFieldPlan.extend($0, $1) }
        }
        var anchors: [(literal: [UInt8], value: Int)] = []
        for definition in folder.definitions {
            do throws(FormatProblem) {
                try add(definition, &anchors, field: { fields.find($0) }, logSource: { logSources.find($0) ?? .unknown })
            } catch {
                // Refused when the folder was read: `FormatFolder.problems` has it.
                continue
            }
        }
        index = LiteralIndex(anchors)
        keyedIndex = KeyedIndex(formats, fields: fields, taxonomy: taxonomy)
        plan = keyedIndex.plan ?? plan
    }

    package var names: [String] { formats.map(\.name) }

    func number(of name: String) -> Int? { formats.firstIndex { $0.name == name } }

    package func contains(_ name: String) -> Bool { formats.contains { $0.name == name } }

    /// Compiles one definition by itself, to have it refused with file and line.
    static func compile(_ definition: FormatDefinition, _ table: inout FieldTable) throws(FormatProblem) -> FormatSet {
        var set = FormatSet.none
        var anchors: [(literal: [UInt8], value: Int)] = []
        for name in definition.fieldNames where table.intern(name) == nil {
            throw FormatProblem(file: definition.file, line: 0, reason: "there are more field names than can be kept")
        }
        try set.add(definition, &anchors, field: { table.find($0) }, logSource: { _ in .unknown })
        return set
    }

    private mutating func add(
        _ definition: FormatDefinition, _ anchors: inout [(literal: [UInt8], value: Int)], field: (String) -> FieldID?,
        logSource: (LogSource) -> LogSourceID
    ) throws(FormatProblem) {
        var headers: [LinePattern] = []
        var headerAnchors: [(pattern: Pattern, anchor: [UInt8])] = []
        let number = formats.count
        for header in definition.headers {
            for items in try variants(header, definition) {
                guard items.contains(where: \.isMessage) else {
                    throw FormatProblem(
                        file: definition.file, line: header.line, reason: "a header says where the message stands: {message:rest}"
                    )
                }
                let line = compile(items, field)
                headers.append(line)
                guard definition.recognisesHeader else { continue }
                let whole = Pattern(
                    line: LinePattern(elements: [.gap(isGreedy: true, isCell: false, field: nil)]), format: number, constants: [],
                    logSource: logSource(definition.logSource), isHeaderOnly: true, text: header.text, expectations: [])
                headerAnchors.append((whole, try anchor(items, header, definition)))
            }
        }
        let shared = constants(definition.constants, field)
        for entry in definition.patterns {
            for text in entry.texts {
                for items in try variants(text, definition) {
                    anchors.append((try anchor(items, text, definition), patterns.count))
                    patterns.append(
                        Pattern(
                            line: compile(items, field), format: number, constants: constants(entry.constants, field),
                            logSource: logSource(entry.logSource ?? definition.logSource), isHeaderOnly: false, text: text.text,
                            expectations: items.map(\.expectation)))
                }
            }
        }
        for (pattern, anchor) in headerAnchors {
            anchors.append((anchor, patterns.count))
            patterns.append(pattern)
        }
        var maps: [MappedValue] = []
        for map in definition.maps {
            guard let field = field(map.field) else { continue }
            for (from, to) in map.values { maps.append(MappedValue(field: field, from: Array(from.utf8), range: pooled(to))) }
        }
        formats.append(
            Format(
                name: definition.name, title: definition.title, logSource: logSource(definition.logSource),
                programs: definition.programs.map { Array($0.utf8) }, isAnywhere: definition.isAnywhere, headers: headers,
                hasPatterns: !definition.patterns.isEmpty, constants: shared, maps: maps, keyed: nil))
        formats[number].keyed = try keyed(definition, number, field, logSource)
    }

    private mutating func keyed(
        _ definition: FormatDefinition, _ number: Int, _ field: (String) -> FieldID?, _ logSource: (LogSource) -> LogSourceID
    ) throws(FormatProblem) -> KeyedFormat? {
        guard !(definition.cases.isEmpty && definition.keys.isEmpty) else { return nil }
        var keyed = KeyedFormat()
        for (name, keys) in definition.keys {
            guard let target = field(name) else { continue }
            keyed.targets.append(KeyedFormat.Target(field: target, keys: keys.map { keyed.number(of: $0) }))
        }
        for entry in definition.cases {
            guard entry.conditions.contains(where: { $0.values.allSatisfy { KeyedValue($0).isTrigger } }) else {
                throw FormatProblem(
                    file: definition.file, line: entry.line,
                    reason: "no condition names whole values or '*': one must, so that other lines are passed over quickly")
            }
            keyed.cases.append(
                KeyedFormat.Case(
                    conditions: entry.conditions.map { condition in
                        KeyedFormat.Condition(key: keyed.number(of: condition.key), values: condition.values.map(KeyedValue.init))
                    },
                    constants: constants(entry.constants, field), logSource: logSource(entry.logSource ?? definition.logSource)))
        }
        return keyed
    }

    private func variants(_ text: FormatDefinition.PatternText, _ definition: FormatDefinition) throws(FormatProblem)
        -> [[PatternSyntax.Item]]
    {
        do throws(PatternSyntax.Failure) {
            return try PatternSyntax.variants(text.text)
        } catch {
            throw FormatProblem(file: definition.file, line: text.line, reason: "pattern '\(text.text)': \(error.reason)")
        }
    }

    /// The text that a line of the pattern surely contains, by which others are passed over.
    private func anchor(
        _ items: [PatternSyntax.Item], _ text: FormatDefinition.PatternText, _ definition: FormatDefinition
    ) throws(FormatProblem) -> [UInt8] {
        let found = items.compactMap { item -> [UInt8]? in if case .literal(let bytes) = item { bytes } else { nil } }
            .max { $0.count < $1.count }
        guard let found, found.count >= LiteralIndex.minimumBytes else {
            let wanted = "at least \(LiteralIndex.minimumBytes) bytes in a row that every line of it contains"
            throw FormatProblem(file: definition.file, line: text.line, reason: "pattern '\(text.text)' has no \(wanted)")
        }
        return found
    }

    private mutating func compile(_ items: [PatternSyntax.Item], _ field: (String) -> FieldID?) -> LinePattern {
        LinePattern(
            elements: items.map { item in
                switch item {
                case .literal(let bytes):
                    let range = ByteRange(start: literals.count, count: bytes.count)
                    literals += bytes
                    return .literal(range)
                case .capture(let name, let kind):
                    let field = name.flatMap(field)
                    return kind.isGap
                        ? .gap(isGreedy: kind != .until, isCell: kind == .cell, field: field) : .capture(kind, field: field)
                }
            })
    }

    private mutating func constants(_ constants: [FormatDefinition.Constant], _ field: (String) -> FieldID?) -> [ConstantValue] {
        constants.compactMap { constant in
            field(constant.field).map { ConstantValue(field: $0, range: pooled(constant.value)) }
        }
    }

    private mutating func pooled(_ text: String) -> ByteRange {
        let bytes = Array(text.utf8)
        // The same few words over and over: the pool is searched while it is short, which it stays.
        if !bytes.isEmpty, constantBytes.count >= bytes.count {
            for start in 0...constantBytes.count - bytes.count
            where constantBytes[start..<start + bytes.count].elementsEqual(bytes) {
                return ByteRange(start: start, count: bytes.count)
            }
        }
        constantBytes += bytes
        return ByteRange(start: constantBytes.count - bytes.count, count: bytes.count)
    }
}

extension FormatDefinition {
    /// Every field that the format can fill.
    package var fieldNames: [String] {
        var names = constants.map(\.field) + maps.map(\.field) + keys.map(\.field)
        for entry in patterns { names += entry.constants.map(\.field) }
        for entry in cases { names += entry.constants.map(\.field) }
        for text in headers + patterns.flatMap(\.texts) {
            for items in (try? PatternSyntax.variants(text.text)) ?? [] {
                for case .capture(let field?, _) in items { names.append(field) }
            }
        }
        return names
    }
}

extension PatternSyntax.Item {
    fileprivate var isMessage: Bool {
        if case .capture("message", let kind) = self { kind.isGap } else { false }
    }

    fileprivate var expectation: String {
        switch self {
        case .literal(let bytes): "'\(String(decoding: bytes, as: UTF8.self))'"
        case .capture(let field?, let kind): "\(kind.description) for \(field)"
        case .capture(nil, let kind): kind.description
        }
    }
}
