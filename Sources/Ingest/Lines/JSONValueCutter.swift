/// Cuts bytes into JSON values by counting brackets, in one pass.
///
/// Between values it passes over white space, a byte order mark, and what a list around them consists of (`[`, `,`, `]`).
/// Anything else there is given up to its line's end, for the format to refuse. Brackets alone decide: a value that is no
/// JSON is cut all the same. A value that never ends takes the rest with it only as far as `maximumValueBytes`, and only to
/// the next line that begins with `{"` where it began so itself: one broken line of many costs one event.
struct JSONValueCutter {
    /// An event's XML is at most 64 KiB; as indented JSON it can be several times as long.
    static let maximumValueBytes = 262_144

    struct Cut {
        var range: Range<Int>
        var isOverlong: Bool
        var isPartial: Bool
    }

    /// Behind the last byte that belongs to a value already given, or to none.
    private(set) var consumed: Int
    /// Inside an over-long value whose beginning has been given: the next one begins a line.
    private(set) var isSkipping: Bool

    init(start: Int, isSkipping: Bool) {
        consumed = start
        self.isSkipping = isSkipping
    }

    /// The next value; `nil` where the bytes end before it does.
    ///
    /// - Parameter isFinal: no more bytes will come: an unfinished value is given as a partial one.
    mutating func next(_ bytes: Span<UInt8>, isFinal: Bool) -> Cut? {
        if isSkipping {
            guard let start = JSONValueCutter.lineThatBeginsValue(bytes, from: consumed) else {
                // The last byte may be the line feed that the next value stands behind.
                consumed = isFinal ? bytes.count : max(consumed, bytes.count - 1)
                return nil
            }
            consumed = start
            isSkipping = false
        }
        while consumed < bytes.count, JSONValueCutter.isBetweenValues(bytes[consumed]) { consumed += 1 }
        guard consumed < bytes.count else { return nil }
        return bytes[consumed] == UInt8(ascii: "{") ? value(bytes, isFinal: isFinal) : other(bytes, isFinal: isFinal)
    }

    private mutating func value(_ bytes: Span<UInt8>, isFinal: Bool) -> Cut? {
        let start = consumed
        let limit = min(bytes.count, start + JSONValueCutter.maximumValueBytes)
        let beginsLine = JSONValueCutter.beginsMember(bytes, at: start)
        var depth = 0
        var isText = false
        var index = start
        while index < limit {
            if isText {
                // Most of a value is text: to the next byte of it that means something.
                guard
                    let found = bytes.firstIndex(
                        of: UInt8(ascii: "\""), or: UInt8(ascii: "\\"), or: 0x0A, from: index, to: limit)
                else { break }
                index = found
            }
            let byte = bytes[index]
            if isText {
                if byte == UInt8(ascii: "\\") {
                    index += 2
                    continue
                }
                if byte == UInt8(ascii: "\"") { isText = false }
            } else {
                switch byte {
                case UInt8(ascii: "\""): isText = true
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"):
                    depth -= 1
                    if depth == 0 { return take(start..<index + 1) }
                default: break
                }
            }
            // A line feed cannot stand in a text, so this one ends a value that was cut off within one, too.
            if byte == 0x0A, beginsLine, JSONValueCutter.beginsMember(bytes, at: index + 1) { return take(start..<index) }
            index += 1
        }
        if bytes.count - start > JSONValueCutter.maximumValueBytes {
            isSkipping = true
            return take(start..<limit, isOverlong: true)
        }
        return isFinal ? take(start..<bytes.count, isPartial: true) : nil
    }

    /// What is no value: to the end of its line.
    private mutating func other(_ bytes: Span<UInt8>, isFinal: Bool) -> Cut? {
        let start = consumed
        var index = start
        while index < bytes.count, bytes[index] != 0x0A {
            if index - start == LineAssembler.maximumLineBytes {
                isSkipping = true
                return take(start..<index, isOverlong: true)
            }
            index += 1
        }
        guard index < bytes.count || isFinal else { return nil }
        return take(start..<index, isPartial: index == bytes.count)
    }

    private mutating func take(_ range: Range<Int>, isOverlong: Bool = false, isPartial: Bool = false) -> Cut {
        consumed = range.upperBound
        return Cut(range: range, isOverlong: isOverlong, isPartial: isPartial)
    }

    /// `{"`, and so the beginning of an object on one line.
    private static func beginsMember(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        index + 1 < bytes.count && bytes[index] == UInt8(ascii: "{") && bytes[index + 1] == UInt8(ascii: "\"")
    }

    private static func lineThatBeginsValue(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + 1 < bytes.count {
            if bytes[index] == 0x0A, bytes[index + 1] == UInt8(ascii: "{") { return index + 1 }
            index += 1
        }
        return nil
    }

    /// White space, the bytes of a byte order mark, and a list's brackets and commas.
    private static func isBetweenValues(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0xEF, 0xBB, 0xBF, UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: ","): true
        default: false
        }
    }
}
