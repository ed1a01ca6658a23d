import Events

/// A format whose lines are keys and values: JSON, logfmt, key=value, CEF.
struct KeyedFormat: Sendable {
    struct Target: Sendable {
        var field: FieldID
        /// Numbers of keys; the first of them that a line has fills the field.
        var keys: [Int]
    }

    struct Condition: Sendable {
        var key: Int
        var values: [KeyedValue]
    }

    struct Case: Sendable {
        /// All of them have to hold.
        var conditions: [Condition]
        var constants: [FormatSet.ConstantValue]
        var logSource: LogSourceID
    }

    private(set) var keys: [String] = []
    var targets: [Target] = []
    var cases: [Case] = []

    mutating func number(of key: String) -> Int {
        if let known = keys.firstIndex(of: key) { return known }
        keys.append(key)
        return keys.count - 1
    }

    /// Finds the format's own keys; fields stand for the numbers of keys.
    var plan: JSONFieldPlan {
        JSONFieldPlan(entries: keys.enumerated().map { (path: $0.element, field: FieldID(rawValue: UInt16($0.offset))) })
    }
}

/// A value that a condition names: the whole of it, or with `*` in front or behind.
struct KeyedValue: Sendable {
    let text: [UInt8]
    let isOpenInFront: Bool
    let isOpenBehind: Bool

    init(_ pattern: String) {
        isOpenInFront = pattern.hasPrefix("*")
        isOpenBehind = pattern.hasSuffix("*") && pattern.utf8.count > 1 || pattern == "*"
        text = Array(pattern.utf8.dropFirst(isOpenInFront ? 1 : 0).dropLast(isOpenBehind && pattern != "*" ? 1 : 0))
    }

    /// `*`: whatever the value is.
    var isAny: Bool { text.isEmpty && isOpenInFront }

    /// Whether looking at one value tells at once.
    var isTrigger: Bool { isAny || !(isOpenInFront || isOpenBehind) }

    func matches(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard range.count >= text.count else { return false }
        if isAny { return true }
        if !isOpenInFront, !isOpenBehind { return range.count == text.count && stands(bytes, range.lowerBound) }
        if !isOpenInFront { return stands(bytes, range.lowerBound) }
        if !isOpenBehind { return stands(bytes, range.upperBound - text.count) }
        for start in range.lowerBound...range.upperBound - text.count where stands(bytes, start) { return true }
        return false
    }

    private func stands(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        for offset in text.indices where bytes[start + offset] != text[offset] { return false }
        return true
    }
}

/// Which formats a line of keys and values may have, told by the values that the first reading found anyway.
struct KeyedIndex: Sendable {
    /// The rules' plan and, beside it, the keys that formats are told by and no rule knows.
    private(set) var plan: JSONFieldPlan?
    /// Fields from here on exist only to tell formats: they are taken out of the event again.
    private(set) var firstScratchField = Int.max
    /// By field: whether any format is told by it.
    private(set) var isTrigger: [Bool] = []
    /// Likewise for the fields below 64, as `FieldSink.bit` tells them.
    private var triggers: UInt64 = 0
    private var formatsByField: [[Int32]] = []
    private var formatsByValue: [UInt64: [Int32]] = [:]
    /// By field: a bit for each length and first byte, mixed, of a value that tells a format. Most values of a line have another.
    private var outlinesByField: [UInt64] = []
    /// By format.
    private(set) var plans: [JSONFieldPlan?] = []
    /// By format: for each of its cases, the fields that a line has which has the keys of the case's conditions.
    private var needed: [[Needed]] = []

    private struct Needed: Sendable {
        /// The bits that `FieldSink.bit` gives the fields below 64, and the other fields.
        var bits: UInt64 = 0
        var others: [FieldID] = []

        init(_ fields: [FieldID]) {
            for field in fields {
                if field.rawValue < 64 { bits |= FieldSink.bit(field) } else { others.append(field) }
            }
        }
    }

    init() {}

    init(_ formats: [FormatSet.Format], fields: FieldTable, taxonomy: EventTaxonomy) {
        plans = formats.map { $0.keyed?.plan }
        let known = JSONFieldPlan(fields)
        var table = fields
        firstScratchField = fields.count
        func field(_ key: String) -> FieldID? { known.field(named: key) ?? table.intern(key) }
        var byField: [(FieldID, Int32)] = []
        var outlines: [(FieldID, UInt64)] = []
        for (number, format) in formats.enumerated() {
            needed.append([])
            guard let keyed = format.keyed else { continue }
            for entry in keyed.cases {
                needed[number].append(Needed(entry.conditions.compactMap { field(keyed.keys[$0.key]) }))
                guard let trigger = entry.conditions.first(where: { $0.values.allSatisfy(\.isTrigger) }),
                    let field = field(keyed.keys[trigger.key])
                else { continue }
                for value in trigger.values {
                    if value.isAny {
                        byField.append((field, Int32(number)))
                    } else {
                        formatsByValue[KeyedIndex.hash(field, value.text), default: []].append(Int32(number))
                        byField.append((field, -1))
                        outlines.append((field, KeyedIndex.outline(value.text.span, value.text.indices)))
                    }
                }
            }
        }
        isTrigger = Array(repeating: false, count: table.count)
        formatsByField = Array(repeating: [], count: table.count)
        outlinesByField = Array(repeating: 0, count: table.count)
        for (field, outline) in outlines { outlinesByField[Int(field.rawValue)] |= outline }
        for (field, format) in byField {
            isTrigger[Int(field.rawValue)] = true
            if field.rawValue < 64 { triggers |= FieldSink.bit(field) }
            if format >= 0 { formatsByField[Int(field.rawValue)].append(format) }
        }
        plan = JSONFieldPlan(table, taxonomy: taxonomy)
    }

    /// False where no format is told by the field; for the fields from 64 on `formats` knows better.
    @inline(__always)
    func mayTrigger(_ field: FieldID) -> Bool { field.rawValue >= 64 || FieldSink.bit(field) & triggers != 0 }

    /// Calls `found` with the formats that a field of this value tells of.
    func formats(_ field: FieldID, _ bytes: Span<UInt8>, _ range: Range<Int>, _ found: (Int32) -> Void) {
        let number = Int(field.rawValue)
        guard number < isTrigger.count, isTrigger[number] else { return }
        for index in formatsByField[number].indices { found(formatsByField[number][index]) }
        guard range.count <= 64, outlinesByField[number] & KeyedIndex.outline(bytes, range) != 0 else { return }
        var hash = KeyedIndex.seed(field)
        for index in range { hash = JSONFieldPlan.extend(hash, bytes[index]) }
        if let formats = formatsByValue[hash] { for format in formats { found(format) } }
    }

    /// Whether the line has what any case of the format asks for, as far as its fields tell: then its keys are worth reading.
    func mayApply(_ format: Int, _ sink: FieldSink) -> Bool {
        for entry in needed[format].indices {
            guard sink.present & needed[format][entry].bits == needed[format][entry].bits else { continue }
            if hasOthers(of: format, entry, sink) { return true }
        }
        return false
    }

    private func hasOthers(of format: Int, _ entry: Int, _ sink: FieldSink) -> Bool {
        for index in needed[format][entry].others.indices where sink.range(of: needed[format][entry].others[index]) == nil {
            return false
        }
        return true
    }

    /// One bit of 64 for how long a value is and what it begins with.
    @inline(__always)
    private static func outline(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        let first = range.isEmpty ? 0 : UInt64(bytes[range.lowerBound])
        return 1 &<< (first &+ UInt64(truncatingIfNeeded: range.count) &* 11)
    }

    private static func seed(_ field: FieldID) -> UInt64 {
        JSONFieldPlan.extend(
            JSONFieldPlan.extend(JSONFieldPlan.hashSeed, UInt8(field.rawValue & 0xFF)), UInt8(field.rawValue >> 8))
    }

    private static func hash(_ field: FieldID, _ value: [UInt8]) -> UInt64 {
        value.reduce(seed(field)) { JSONFieldPlan.extend($0, $1) }
    }
}
