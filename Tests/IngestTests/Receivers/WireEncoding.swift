import Events
import Ingest

/// Protobuf as a sender writes it: enough for Loki and OpenTelemetry.
enum Protobuf {
    static func varint(_ value: UInt64) -> [UInt8] {
        var value = value
        var bytes: [UInt8] = []
        while value >= 0x80 {
            bytes.append(UInt8(value & 0x7F) | 0x80)
            value >>= 7
        }
        return bytes + [UInt8(value)]
    }

    static func number(_ field: Int, _ value: UInt64) -> [UInt8] { varint(UInt64(field << 3)) + varint(value) }
    static func fixed64(_ field: Int, _ value: UInt64) -> [UInt8] {
        varint(UInt64(field << 3 | 1)) + (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
    static func bytes(_ field: Int, _ value: [UInt8]) -> [UInt8] {
        varint(UInt64(field << 3 | 2)) + varint(UInt64(value.count)) + value
    }
    static func text(_ field: Int, _ value: String) -> [UInt8] { bytes(field, Array(value.utf8)) }

    /// `KeyValue` with a text.
    static func pair(_ field: Int, _ key: String, _ value: String) -> [UInt8] {
        bytes(field, text(1, key) + bytes(2, text(1, value)))
    }
}

/// Snappy's block format, written plainly: literals, and copies of four bytes and more that stand within reach.
enum Snappy {
    static func encode(_ input: [UInt8]) -> [UInt8] {
        var output = Protobuf.varint(UInt64(input.count))
        var literal: [UInt8] = []
        var known: [[UInt8]: Int] = [:]
        func flush() {
            for chunk in stride(from: 0, to: literal.count, by: 60) {
                let part = literal[chunk..<min(chunk + 60, literal.count)]
                output += [UInt8((part.count - 1) << 2)] + part
            }
            literal = []
        }
        var index = 0
        while index < input.count {
            guard index + 4 <= input.count else {
                literal.append(input[index])
                index += 1
                continue
            }
            let word = Array(input[index..<index + 4])
            if let place = known[word], index - place < 65_536 {
                var count = 4
                while count < 64, index + count < input.count, input[place + count] == input[index + count] { count += 1 }
                flush()
                let offset = index - place
                output += [UInt8((count - 1) << 2 | 2), UInt8(offset & 0xFF), UInt8(offset >> 8)]
                index += count
            } else {
                literal.append(input[index])
                known[word] = index
                index += 1
            }
        }
        flush()
        return output
    }
}

/// What the lines of a spool are read as.
extension ReceivedLines {
    static let received = Timestamp(seconds: 1_772_366_400)  // 2026-03-01T12:00:00Z

    init(format: LogFormat = .auto) { self.init(received: ReceivedLines.received, format: format) }

    func read(fields names: [String] = []) -> [ReadEvent] {
        Reading(bytes, .json, reference: Timestamp(seconds: 1_772_366_400 + 86_400 * 30), fields: names).events
    }

    var text: String { String(decoding: bytes, as: UTF8.self) }
}
