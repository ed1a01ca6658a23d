import Events

/// Steps through the members of one JSON object or the elements of one array, and says where their values stand.
///
/// A text is checked as a whole once (`check`); stepping through it then is only a matter of finding ends. Nothing is copied.
package struct JSONCursor {
    /// How deep values may be nested.
    package static let maximumDepth = 32

    private var index: Int
    private let end: Int
    private var isFirst = true

    /// - Parameter range: an object or an array of a text that has been checked, with its brackets.
    package init(_ range: Range<Int>) {
        index = range.lowerBound + 1
        end = range.upperBound - 1
    }

    /// The next member of an object: its key without quotes, and its value.
    package mutating func member(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> (key: Range<Int>, value: Range<Int>)? {
        guard begin(bytes) else { return nil }
        var check = JSONCheck(index: index, end: end)
        let key = index + 1
        try check.string(bytes)
        let keyEnd = check.index - 1
        try check.take(UInt8(ascii: ":"), bytes)
        let value = try check.valueRange(bytes)
        index = check.index
        return (key..<keyEnd, value)
    }

    /// The next element of an array.
    package mutating func element(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> Range<Int>? {
        guard begin(bytes) else { return nil }
        var check = JSONCheck(index: index, end: end)
        let value = try check.valueRange(bytes)
        index = check.index
        return value
    }

    private mutating func begin(_ bytes: Span<UInt8>) -> Bool {
        while index < end, bytes[index] <= 0x20 || (!isFirst && bytes[index] == UInt8(ascii: ",")) { index += 1 }
        isFirst = false
        return index < end
    }

    /// Checks that the range holds one JSON value and nothing else, and says where it stands.
    ///
    /// Grammar of RFC 8259, but for numbers and the three words, which may be any run of their letters.
    package static func check(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(ReceiverRefusal) -> Range<Int> {
        var check = JSONCheck(index: range.lowerBound, end: range.upperBound)
        let value = try check.valueRange(bytes)
        check.skipSpace(bytes)
        guard check.index == range.upperBound else { throw .malformed("something follows the JSON value") }
        return value
    }
}

extension Span where Element == UInt8 {
    func isObject(_ range: Range<Int>) -> Bool { !range.isEmpty && self[range.lowerBound] == UInt8(ascii: "{") }
    func isArray(_ range: Range<Int>) -> Bool { !range.isEmpty && self[range.lowerBound] == UInt8(ascii: "[") }

    /// What stands between the quotes of a JSON string; `nil` for another value.
    func jsonText(_ range: Range<Int>) -> Range<Int>? {
        guard range.count >= 2, self[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        return range.lowerBound + 1..<range.upperBound - 1
    }

    /// A whole number, or a string that holds one, as OTLP and Loki write 64-bit numbers.
    func jsonNumber(_ range: Range<Int>) -> UInt64? {
        let digits = jsonText(range) ?? range
        guard !digits.isEmpty, digits.count <= 20 else { return nil }
        var value: UInt64 = 0
        for index in digits {
            let digit = self[index] &- 0x30
            guard digit <= 9 else { return nil }
            let (product, overflows) = value.multipliedReportingOverflow(by: 10)
            let (sum, carries) = product.addingReportingOverflow(UInt64(digit))
            guard !overflows, !carries else { return nil }
            value = sum
        }
        return value
    }

    func equals(_ text: StaticString, _ range: Range<Int>) -> Bool {
        range.count == text.utf8CodeUnitCount && hasPrefix(text, from: range.lowerBound, to: range.upperBound)
    }

    func equals(_ text: [UInt8], _ range: ByteRange) -> Bool {
        guard range.bounds.count == text.count else { return false }
        for (index, byte) in zip(range.bounds, text) where self[index] != byte { return false }
        return true
    }

    func string(_ range: Range<Int>) -> String { String(decoding: range.map { self[$0] }, as: UTF8.self) }
}

/// One pass over a JSON text that keeps nothing but its place.
private struct JSONCheck {
    var index: Int
    let end: Int
    var depth = 0

    mutating func valueRange(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> Range<Int> {
        skipSpace(bytes)
        let start = index
        try value(bytes)
        return start..<index
    }

    private mutating func value(_ bytes: Span<UInt8>) throws(ReceiverRefusal) {
        skipSpace(bytes)
        guard index < end else { throw .malformed("the JSON text ends in the middle") }
        switch bytes[index] {
        case UInt8(ascii: "\""): try string(bytes)
        case UInt8(ascii: "{"): try container(bytes, close: UInt8(ascii: "}"), hasKeys: true)
        case UInt8(ascii: "["): try container(bytes, close: UInt8(ascii: "]"), hasKeys: false)
        default:
            let start = index
            while index < end, JSONCheck.isTokenByte(bytes[index]) { index += 1 }
            guard index > start else {
                throw .malformed("the JSON text has a \(JSONCheck.shown(bytes[index])) where a value belongs")
            }
        }
    }

    private mutating func container(_ bytes: Span<UInt8>, close: UInt8, hasKeys: Bool) throws(ReceiverRefusal) {
        depth += 1
        guard depth <= JSONCursor.maximumDepth else {
            throw .malformed("the JSON text is nested deeper than \(JSONCursor.maximumDepth)")
        }
        index += 1
        skipSpace(bytes)
        if index < end, bytes[index] == close {
            index += 1
        } else {
            while true {
                if hasKeys {
                    skipSpace(bytes)
                    guard index < end, bytes[index] == UInt8(ascii: "\"") else {
                        throw .malformed("a JSON object has a key without quotes")
                    }
                    try string(bytes)
                    try take(UInt8(ascii: ":"), bytes)
                }
                try value(bytes)
                skipSpace(bytes)
                guard index < end else { throw .malformed("the JSON text ends in the middle") }
                let byte = bytes[index]
                index += 1
                if byte == close { break }
                guard byte == UInt8(ascii: ",") else {
                    throw .malformed("the JSON text has a \(JSONCheck.shown(byte)) where a comma belongs")
                }
            }
        }
        depth -= 1
    }

    /// From the opening quote to behind the closing one. What a string may not hold is refused: its bytes are copied as they are.
    mutating func string(_ bytes: Span<UInt8>) throws(ReceiverRefusal) {
        index += 1
        while index < end {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte == UInt8(ascii: "\\") {
                guard index < end else { break }
                let escape = bytes[index]
                index += 1
                if escape == UInt8(ascii: "u") {
                    guard HexadecimalDigits.value(bytes, at: index, count: 4, limit: end) != nil else {
                        throw .malformed("a JSON string has a \\u without four digits")
                    }
                    index += 4
                } else if !"\"\\/bfnrt".utf8.contains(escape) {
                    throw .malformed("a JSON string has an unknown escape")
                }
            } else if byte < 0x20 {
                throw .malformed("a JSON string has a control character that is not escaped")
            }
        }
        throw .malformed("a JSON string does not end")
    }

    mutating func take(_ byte: UInt8, _ bytes: Span<UInt8>) throws(ReceiverRefusal) {
        skipSpace(bytes)
        guard index < end, bytes[index] == byte else { throw .malformed("the JSON text lacks a \(JSONCheck.shown(byte))") }
        index += 1
    }

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while index < end, bytes[index] == 0x20 || bytes[index] &- 0x09 <= 1 || bytes[index] == 0x0D { index += 1 }
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || "+-.".utf8.contains(byte)
    }

    private static func shown(_ byte: UInt8) -> String {
        byte > 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
    }
}
