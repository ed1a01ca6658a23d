import Events

/// Walks one object. The bytes are passed along rather than held, so that this stays an ordinary value.
struct JSONScanner {
    private let end: Int
    private(set) var index: Int
    /// The keys on the way to the value at hand, for comparing paths whose hashes agree.
    private var path = InlineArray<32, ByteRange>(repeating: ByteRange(start: 0, count: 0))
    /// The outermost array around the value at hand, counted over the line; 0 outside of any.
    private var array: Int32 = 0
    private var arrays: Int32 = 0
    private var openArrays = 0
    /// The wanted paths that had values within an array: further values of theirs in the same array count too.
    private var arrayPaths = InlineArray<8, ArrayPath>(repeating: ArrayPath(entry: 0, array: 0))
    private var arrayPathCount = 0

    private struct ArrayPath: BitwiseCopyable {
        var entry: Int32
        var array: Int32
    }

    /// What a key stands for.
    private struct Key {
        /// Its entry in the memory of keys, or `none`.
        var memory: Int32
        var planEntry: Int32
        var field: FieldID
        var hash: UInt64
    }

    init(start: Int, end: Int) {
        self.end = end
        index = start
    }

    /// One object and nothing behind it but white space.
    mutating func line(_ bytes: Span<UInt8>, _ plan: JSONFieldPlan, into sink: inout FieldSink) -> Bool {
        let top = Key(
            memory: JSONKeyMemory.none, planEntry: JSONKeyMemory.none, field: .message, hash: JSONFieldPlan.hashSeed)
        guard object(bytes, plan, top, depth: 0, into: &sink) else { return false }
        skipSpace(bytes)
        return index >= end
    }

    private mutating func object(
        _ bytes: Span<UInt8>, _ plan: JSONFieldPlan, _ parent: Key, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        guard depth < JSONFormat.maximumDepth, take(UInt8(ascii: "{"), bytes) else { return false }
        if take(UInt8(ascii: "}"), bytes) { return true }
        repeat {
            guard take(UInt8(ascii: "\""), bytes), let key = key(bytes, plan, parent, depth: depth, into: &sink),
                take(UInt8(ascii: ":"), bytes), value(bytes, plan, key, depth: depth, into: &sink)
            else { return false }
        } while take(UInt8(ascii: ","), bytes)
        return take(UInt8(ascii: "}"), bytes)
    }

    /// The key whose opening quote has just been passed.
    @inline(__always)
    private mutating func key(
        _ bytes: Span<UInt8>, _ plan: JSONFieldPlan, _ parent: Key, depth: Int, into sink: inout FieldSink
    ) -> Key? {
        let start = index
        if let memory = sink.keys.match(bytes, at: start, to: end, parent: parent.memory) {
            let known = sink.keys[memory]
            path[depth] = ByteRange(start: start, count: Int(known.count))
            index = start &+ Int(known.count) &+ 1
            return Key(memory: memory, planEntry: known.planEntry, field: known.field, hash: known.hash)
        }
        return newKey(bytes, plan, parent, depth: depth, into: &sink)
    }

    private mutating func newKey(
        _ bytes: Span<UInt8>, _ plan: JSONFieldPlan, _ parent: Key, depth: Int, into sink: inout FieldSink
    ) -> Key? {
        guard let text = string(bytes) else { return nil }
        var hash = depth == 0 ? parent.hash : JSONFieldPlan.extend(parent.hash, UInt8(ascii: "."))
        if text.isEscaped {
            // Python writes every letter beyond ASCII so, and PHP every slash.
            sink.scratch.removeAll(keepingCapacity: true)
            JSONStringDecoder.append(bytes, text.start..<text.end, to: &sink.scratch)
            for byte in sink.scratch { hash = JSONFieldPlan.extend(hash, byte) }
        } else {
            for position in text.start..<text.end { hash = JSONFieldPlan.extend(hash, bytes[position]) }
        }
        path[depth] = ByteRange(start: text.start, count: text.end - text.start)
        let entry = plan.entry(hash: hash, isEqual: { isPath($0, bytes, depth: depth) })
        let field = entry.map { plan.entries[$0].field } ?? .message
        let memory = sink.keys.learn(
            bytes, text.start..<text.end, isEscaped: text.isEscaped, parent: parent.memory, planEntry: entry, field: field,
            hash: hash)
        return Key(
            memory: memory ?? JSONKeyMemory.none, planEntry: entry.map { Int32($0) } ?? JSONKeyMemory.none, field: field,
            hash: hash)
    }

    private mutating func value(
        _ bytes: Span<UInt8>, _ plan: JSONFieldPlan, _ key: Key, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        skipSpace(bytes)
        guard index < end else { return false }
        switch bytes[index] {
        case UInt8(ascii: "\""):
            index &+= 1
            guard let text = string(bytes) else { return false }
            if key.planEntry >= 0, !isNothing(text.start, text.end, key.field, plan, bytes) {
                add(text.start, text.end, isEscaped: text.isEscaped, key, into: &sink)
            }
            return true
        case UInt8(ascii: "{"):
            return object(bytes, plan, key, depth: depth + 1, into: &sink)
        case UInt8(ascii: "["):
            return elements(bytes, plan, key, depth: depth, into: &sink)
        default:
            let start = index
            while index < end, !JSONScanner.endsToken(bytes[index]) { index &+= 1 }
            guard index > start else { return false }
            if key.planEntry >= 0, !bytes.hasPrefix("null", from: start, to: index),
                !isNothing(start, index, key.field, plan, bytes)
            {
                add(start, index, isEscaped: false, key, into: &sink)
            }
            return true
        }
    }

    /// What servers write where a request has no such header, and no user. In other fields these are values.
    @inline(__always)
    private func isNothing(_ start: Int, _ end: Int, _ field: FieldID, _ plan: JSONFieldPlan, _ bytes: Span<UInt8>) -> Bool {
        guard end &- start <= 5, FieldSink.bit(field) & plan.optional != 0 else { return false }
        return AbsentValue.isAbsent(bytes, start, end, field)
    }

    /// White space and control bytes, `,`, `}`, `]`, `"`, `:`.
    @inline(__always)
    private static func endsToken(_ byte: UInt8) -> Bool {
        byte <= 0x22 ? byte != 0x21 : byte == 0x2C || byte == 0x7D || byte == 0x5D || byte == 0x3A
    }

    /// Every element counts as a value of its array's key; arrays in arrays are passed over.
    private mutating func elements(
        _ bytes: Span<UInt8>, _ plan: JSONFieldPlan, _ key: Key, depth: Int, into sink: inout FieldSink
    ) -> Bool {
        guard depth + 1 < JSONFormat.maximumDepth else { return false }
        index += 1
        if take(UInt8(ascii: "]"), bytes) { return true }
        if openArrays == 0 {
            arrays += 1
            array = arrays
        }
        openArrays += 1
        defer {
            openArrays -= 1
            if openArrays == 0 { array = 0 }
        }
        repeat {
            skipSpace(bytes)
            guard index < end else { return false }
            // Depth is counted by the key path, which an array does not lengthen: nested arrays are passed over instead.
            let isRead =
                bytes[index] == UInt8(ascii: "[")
                ? skipNestedArray(bytes) : value(bytes, plan, key, depth: depth, into: &sink)
            guard isRead else { return false }
        } while take(UInt8(ascii: ","), bytes)
        return take(UInt8(ascii: "]"), bytes)
    }

    private mutating func skipNestedArray(_ bytes: Span<UInt8>) -> Bool {
        var open = 0
        while index < end {
            let byte = bytes[index]
            index += 1
            switch byte {
            case UInt8(ascii: "["): open += 1
            case UInt8(ascii: "]"):
                open -= 1
                if open == 0 { return true }
            case UInt8(ascii: "\""):
                guard string(bytes) != nil else { return false }
            default: break
            }
        }
        return false
    }

    /// The first path found for a field counts, and only its first value, unless its values are an array's.
    @inline(__always)
    private mutating func add(_ start: Int, _ end: Int, isEscaped: Bool, _ key: Key, into sink: inout FieldSink) {
        if array != 0 || sink.mayHold(FieldSink.bit(key.field)) {
            return addRepeated(start, end, isEscaped: isEscaped, key, into: &sink)
        }
        if isEscaped { sink.escaped.append(sink.values.count) }
        sink.add(key.field, start, end)
    }

    private mutating func addRepeated(_ start: Int, _ end: Int, isEscaped: Bool, _ key: Key, into sink: inout FieldSink) {
        if sink.range(of: key.field) != nil {
            guard array != 0, isArrayPath(key.planEntry) else { return }
            return sink.addFurther(key.field, start, end, isEscaped: isEscaped)
        }
        // With more wanted paths than places in one line's arrays, the last ones have one value each.
        if array != 0, arrayPathCount < arrayPaths.count {
            arrayPaths[arrayPathCount] = ArrayPath(entry: key.planEntry, array: array)
            arrayPathCount += 1
        }
        if isEscaped { sink.escaped.append(sink.values.count) }
        sink.add(key.field, start, end)
    }

    private func isArrayPath(_ entry: Int32) -> Bool {
        for place in 0..<arrayPathCount where arrayPaths[place].entry == entry && arrayPaths[place].array == array {
            return true
        }
        return false
    }

    private func isPath(_ name: [UInt8], _ bytes: Span<UInt8>, depth: Int) -> Bool {
        var position = 0
        for level in 0...depth {
            if level > 0 {
                guard position < name.count, name[position] == UInt8(ascii: ".") else { return false }
                position += 1
            }
            let part = path[level].bounds
            if bytes.firstIndex(of: UInt8(ascii: "\\"), from: part.lowerBound, to: part.upperBound) != nil {
                var decoded: [UInt8] = []
                JSONStringDecoder.append(bytes, part, to: &decoded)
                guard name.dropFirst(position).starts(with: decoded) else { return false }
                position += decoded.count
                continue
            }
            for index in part {
                guard position < name.count, name[position] == bytes[index] else { return false }
                position += 1
            }
        }
        return position == name.count
    }

    /// The rest of the string whose opening quote has just been passed.
    @inline(__always)
    private mutating func string(_ bytes: Span<UInt8>) -> (start: Int, end: Int, isEscaped: Bool)? {
        let start = index
        var isEscaped = false
        while let found = bytes.firstIndex(of: UInt8(ascii: "\""), or: UInt8(ascii: "\\"), from: index, to: end) {
            if bytes[found] == UInt8(ascii: "\"") {
                index = found &+ 1
                return (start, found, isEscaped)
            }
            isEscaped = true
            index = found &+ 2
        }
        index = end
        return nil
    }

    @inline(__always)
    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < end, bytes[index] <= 0x20 { index &+= 1 }
    }

    /// Programs that write one object a line put no white space between its parts.
    @inline(__always)
    private mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        guard index < end else { return false }
        let next = bytes[index]
        if next == byte {
            index &+= 1
            return true
        }
        return next <= 0x20 && takeBehindSpace(byte, bytes)
    }

    private mutating func takeBehindSpace(_ byte: UInt8, _ bytes: Span<UInt8>) -> Bool {
        skipSpace(bytes)
        guard index < end, bytes[index] == byte else { return false }
        index &+= 1
        return true
    }
}
