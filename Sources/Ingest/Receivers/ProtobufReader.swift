/// Walks the fields of one message in protobuf's wire format (<https://protobuf.dev/programming-guides/encoding/>).
///
/// The bytes are passed along rather than held, so that this stays an ordinary value. Groups, which proto3 does not have, are refused.
package struct ProtobufReader {
    package enum Value: Hashable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// A string, bytes, or a message of its own.
        case bytes(Range<Int>)
    }

    package struct Field: Hashable {
        package var number: Int
        package var value: Value

        /// The bytes of a field that has some.
        package var range: Range<Int>? { if case .bytes(let range) = value { range } else { nil } }
    }

    private var index: Int
    private let end: Int

    package init(_ range: Range<Int>) {
        index = range.lowerBound
        end = range.upperBound
    }

    /// - Returns: `nil` at the end of the message.
    package mutating func next(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> Field? {
        guard index < end else { return nil }
        let key = try varint(bytes)
        let number = Int(truncatingIfNeeded: key >> 3)
        guard number > 0, key >> 3 <= 0x1FFF_FFFF else { throw .malformed("a protobuf field has the number \(key >> 3)") }
        switch key & 7 {
        case 0: return Field(number: number, value: .varint(try varint(bytes)))
        case 1: return Field(number: number, value: .fixed64(try fixed(bytes, 8)))
        case 2:
            let count = try varint(bytes)
            guard count <= UInt64(end - index) else { throw .malformed("a protobuf field is longer than its message") }
            let start = index
            index += Int(count)
            return Field(number: number, value: .bytes(start..<index))
        case 5: return Field(number: number, value: .fixed32(UInt32(truncatingIfNeeded: try fixed(bytes, 4))))
        default: throw .malformed("a protobuf field has the wire type \(key & 7), which is none of proto3's")
        }
    }

    private mutating func varint(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> UInt64 {
        var value: UInt64 = 0
        for place in 0..<10 {
            guard index < end else { throw .malformed("the protobuf message ends in the middle") }
            let byte = bytes[index]
            index += 1
            value |= UInt64(byte & 0x7F) << UInt64(7 * place)
            if byte < 0x80 { return value }
        }
        throw .malformed("a protobuf number is longer than ten bytes")
    }

    private mutating func fixed(_ bytes: Span<UInt8>, _ size: Int) throws(ReceiverRefusal) -> UInt64 {
        guard size <= end - index else { throw .malformed("the protobuf message ends in the middle") }
        var value: UInt64 = 0
        for place in 0..<size { value |= UInt64(bytes[index + place]) << UInt64(8 * place) }
        index += size
        return value
    }
}
