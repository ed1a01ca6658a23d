/// Snappy's block format: what Prometheus and Loki wrap around protobuf
/// (<https://github.com/google/snappy/blob/main/format_description.txt>).
package enum SnappyBlock {
    /// - Parameter limit: the most bytes that the decoded block may have. A block that says it has more is refused unread.
    package static func decode(_ bytes: Span<UInt8>, limit: Int) throws(ReceiverRefusal) -> [UInt8] {
        var index = 0
        let length = try length(bytes, &index)
        guard length <= limit else {
            throw ReceiverRefusal(.tooLarge, "the snappy block has \(length) bytes when decoded; \(limit) is the most")
        }
        // An element of 3 bytes makes 64 at most: a short text that claims a long one is not worth its memory.
        guard length <= bytes.count * 24 else { throw .malformed("the snappy block is shorter than its length says") }
        var output: [UInt8] = []
        output.reserveCapacity(length)
        while index < bytes.count {
            let tag = bytes[index]
            index += 1
            if tag & 3 == 0 {
                try literal(tag, bytes, &index, length, &output)
            } else {
                try copy(tag, bytes, &index, length, &output)
            }
        }
        guard output.count == length else { throw .malformed("the snappy block is shorter than its length says") }
        return output
    }

    private static func length(_ bytes: Span<UInt8>, _ index: inout Int) throws(ReceiverRefusal) -> Int {
        var value = 0
        for shift in stride(from: 0, through: 28, by: 7) {
            guard index < bytes.count else { break }
            let byte = bytes[index]
            index += 1
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 {
                guard value <= Int(UInt32.max) else { break }
                return value
            }
        }
        throw .malformed("the snappy block has no length in front")
    }

    private static func literal(
        _ tag: UInt8, _ bytes: Span<UInt8>, _ index: inout Int, _ length: Int, _ output: inout [UInt8]
    ) throws(ReceiverRefusal) {
        var count = Int(tag >> 2)
        if count >= 60 {
            let size = count - 59
            count = try number(bytes, &index, size)
        }
        count += 1
        guard count <= bytes.count - index, output.count + count <= length else {
            throw .malformed("a snappy literal is longer than the block")
        }
        for position in index..<index + count { output.append(bytes[position]) }
        index += count
    }

    private static func copy(
        _ tag: UInt8, _ bytes: Span<UInt8>, _ index: inout Int, _ length: Int, _ output: inout [UInt8]
    ) throws(ReceiverRefusal) {
        let count: Int
        let offset: Int
        switch tag & 3 {
        case 1:
            count = Int(tag >> 2 & 7) + 4
            offset = Int(tag >> 5) << 8 | (try number(bytes, &index, 1))
        case 2:
            count = Int(tag >> 2) + 1
            offset = try number(bytes, &index, 2)
        default:
            count = Int(tag >> 2) + 1
            offset = try number(bytes, &index, 4)
        }
        guard offset > 0, offset <= output.count, output.count + count <= length else {
            throw .malformed("a snappy copy points outside the block")
        }
        // Source and target may overlap: a run is a copy of its own beginning.
        let start = output.count - offset
        for position in start..<start + count { output.append(output[position]) }
    }

    private static func number(_ bytes: Span<UInt8>, _ index: inout Int, _ size: Int) throws(ReceiverRefusal) -> Int {
        guard size <= bytes.count - index else { throw .malformed("the snappy block ends in the middle") }
        var value = 0
        for place in 0..<size { value |= Int(bytes[index + place]) << (8 * place) }
        index += size
        return value
    }
}
