import Events

/// Which names in a Windows event are wanted, what field each becomes, and how the event's log source is told.
///
/// Names are compared without spaces and underscores: Defender writes `Threat Name` for what rules call `ThreatName`, and
/// rules say `Provider_Name` for an attribute `Name` of the element `Provider`. Immutable; a class, because every parser
/// of a process refers to the same one.
final class WindowsFieldPlan: Sendable {
    /// Up to two parts of one name: an element, and its attribute.
    struct Name {
        var element: ByteRange
        var attribute = ByteRange(start: 0, count: 0)
    }

    struct Entry {
        var name: [UInt8]
        var field: FieldID
    }

    private struct Origin {
        var conditions: [(field: FieldID, values: [[UInt8]])]
        var source: LogSourceID
    }

    let copies: [FieldID: FieldID]
    let lists: [FieldID: [Entry]]
    /// By field: whether it is in `copies` or `lists`, as few are.
    private let hasMore: [Bool]
    private let entries: [Entry]
    /// Open addressing; -1 is free. At most half full.
    private let buckets: [Int32]
    private let mask: Int
    /// By the hash of a value that their first condition asks for: of some hundred origins, few are looked at.
    private let origins: [UInt64: [Origin]]
    private let deciding: [FieldID]
    private let otherwise: LogSourceID

    init(_ fields: FieldTable, _ taxonomy: EventTaxonomy) {
        var entries: [Entry] = []
        var taken: Set<[UInt8]> = []
        func add(_ name: String, _ field: FieldID) {
            let bytes = name.utf8.filter { !WindowsFieldPlan.isPassedOver($0) }
            if taken.insert(bytes).inserted { entries.append(Entry(name: bytes, field: field)) }
        }
        for (name, field) in taxonomy.names.sorted(by: { $0.key < $1.key }) { add(name, field) }
        for (index, name) in fields.names.enumerated() { add(name, FieldID(rawValue: UInt16(index))) }
        var size = 16
        while size < entries.count * 2 { size *= 2 }
        var buckets = [Int32](repeating: -1, count: size)
        for (index, entry) in entries.enumerated() {
            var bucket = Int(truncatingIfNeeded: JSONFieldPlan.hash(entry.name)) & (size - 1)
            while buckets[bucket] >= 0 { bucket = (bucket + 1) & (size - 1) }
            buckets[bucket] = Int32(index)
        }
        self.entries = entries
        self.buckets = buckets
        mask = size - 1
        copies = taxonomy.copies
        lists = taxonomy.assignments.reduce(into: [:]) { lists, assignments in
            lists[assignments.list] = assignments.fields.map { Entry(name: Array($0.key.lowercased().utf8), field: $0.value) }
        }
        let more = Array(copies.keys) + Array(lists.keys)
        var hasMore = [Bool](repeating: false, count: (more.map { Int($0.rawValue) }.max() ?? -1) + 1)
        for field in more { hasMore[Int(field.rawValue)] = true }
        self.hasMore = hasMore
        var origins: [UInt64: [Origin]] = [:]
        var deciding: [FieldID] = []
        for origin in taxonomy.origins {
            guard let first = origin.conditions.first else { continue }
            if !deciding.contains(first.field) { deciding.append(first.field) }
            // The first, which found the origin, is checked last: the others tell more about it, and are shorter.
            let compiled = Origin(
                conditions: origin.conditions.reversed().map { ($0.field, $0.values.map { Array($0.lowercased().utf8) }) },
                source: origin.source)
            for value in first.values {
                origins[JSONFieldPlan.hash(Array(value.lowercased().utf8)), default: []].append(compiled)
            }
        }
        self.origins = origins
        self.deciding = deciding
        otherwise = taxonomy.otherwise
    }

    /// Whether the field's values also go to other fields.
    func goesFurther(_ field: FieldID) -> Bool {
        Int(field.rawValue) < hasMore.count && hasMore[Int(field.rawValue)]
    }

    /// The field of that name; `nil` where no rule wants it.
    func field(_ name: Name, _ bytes: Span<UInt8>) -> FieldID? {
        var hash = JSONFieldPlan.hashSeed
        for index in name.element.bounds where !WindowsFieldPlan.isPassedOver(bytes[index]) {
            hash = JSONFieldPlan.extend(hash, bytes[index])
        }
        for index in name.attribute.bounds where !WindowsFieldPlan.isPassedOver(bytes[index]) {
            hash = JSONFieldPlan.extend(hash, bytes[index])
        }
        var bucket = Int(truncatingIfNeeded: hash) & mask
        while buckets[bucket] >= 0 {
            let entry = Int(buckets[bucket])
            if isEqual(entries[entry].name, name, bytes) { return entries[entry].field }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    private func isEqual(_ wanted: [UInt8], _ name: Name, _ bytes: Span<UInt8>) -> Bool {
        var position = 0
        return stands(wanted, &position, name.element.bounds, bytes) && stands(wanted, &position, name.attribute.bounds, bytes)
            && position == wanted.count
    }

    private func stands(_ wanted: [UInt8], _ position: inout Int, _ range: Range<Int>, _ bytes: Span<UInt8>) -> Bool {
        for index in range where !WindowsFieldPlan.isPassedOver(bytes[index]) {
            guard position < wanted.count, wanted[position] == bytes[index] else { return false }
            position += 1
        }
        return true
    }

    private static func isPassedOver(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "_")
    }

    /// The log source of the event whose fields are in `sink`.
    func origin(_ sink: FieldSink, _ bytes: Span<UInt8>) -> LogSourceID {
        for field in deciding {
            guard let range = sink.range(of: field) else { continue }
            var hash = JSONFieldPlan.hashSeed
            WindowsFieldPlan.fold(range, bytes) { hash = JSONFieldPlan.extend(hash, $0) }
            for origin in origins[hash] ?? [] where origin.conditions.allSatisfy({ holds($0.field, $0.values, sink, bytes) }) {
                return origin.source
            }
        }
        return otherwise
    }

    private func holds(_ field: FieldID, _ values: [[UInt8]], _ sink: FieldSink, _ bytes: Span<UInt8>) -> Bool {
        guard let range = sink.range(of: field) else { return false }
        return values.contains { wanted in
            var position = 0
            var isEqual = true
            WindowsFieldPlan.fold(range, bytes) { byte in
                isEqual = isEqual && position < wanted.count && wanted[position] == byte
                position += 1
            }
            return isEqual && position == wanted.count
        }
    }

    /// In lower case, and with `\/` read as `/`: channels have slashes, which some encoders escape. No other escape occurs
    /// in the values that tell log sources.
    private static func fold(_ range: ByteRange, _ bytes: Span<UInt8>, _ take: (UInt8) -> Void) {
        for index in range.bounds {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\"), index + 1 < range.end, bytes[index + 1] == UInt8(ascii: "/") { continue }
            take(byte &- 0x41 < 26 ? byte | 0x20 : byte)
        }
    }
}
