/// Appends numbers and texts as segments hold them: fixed ones big-endian, others as LEB128, signed ones zigzag.
struct NumberWriter {
    var bytes: [UInt8] = []

    mutating func fixed(_ value: some FixedWidthInteger) {
        var shift = value.bitWidth
        while shift > 0 {
            shift -= 8
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func number(_ value: UInt64) {
        var left = value
        while left >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: left))
    }

    mutating func number(_ value: Int) { number(UInt64(max(value, 0))) }

    mutating func signed(_ value: Int64) { number(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    mutating func text(_ value: String) {
        number(value.utf8.count)
        bytes.append(contentsOf: value.utf8)
    }
}

/// Reads them back. Every answer is `nil` once the bytes end early: they may be damaged.
struct NumberReader {
    let bytes: [UInt8]
    private(set) var index: Int
    let end: Int

    init(_ bytes: [UInt8], from start: Int = 0, to end: Int? = nil) {
        self.bytes = bytes
        index = start
        self.end = min(end ?? bytes.count, bytes.count)
    }

    var left: Int { end - index }

    mutating func fixed<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
        guard left >= type.bitWidth / 8 else { return nil }
        var value: Value = 0
        for _ in 0..<type.bitWidth / 8 {
            value = value << 8 | Value(truncatingIfNeeded: bytes[index])
            index += 1
        }
        return value
    }

    mutating func number() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while index < end, shift < 64 {
            let byte = bytes[index]
            index += 1
            // The tenth byte has room for one bit.
            guard shift < 63 || byte <= 1 else { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// A number that is at most `limit`.
    mutating func count(limit: Int) -> Int? {
        guard let value = number(), value <= UInt64(max(limit, 0)) else { return nil }
        return Int(value)
    }

    mutating func signed() -> Int64? {
        guard let value = number() else { return nil }
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    mutating func text(limit: Int) -> String? {
        guard let count = count(limit: limit), count <= left else { return nil }
        defer { index += count }
        return String(decoding: bytes[index..<index + count], as: UTF8.self)
    }
}
