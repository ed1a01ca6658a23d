/// Writes numbers compactly: seven bits a byte, low ones first (as Protocol Buffers do).
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func add(_ number: UInt64) {
        var left = number
        while left >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
            left >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: left))
    }

    mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

    /// Small magnitudes are short, whatever their sign.
    mutating func add(signed number: Int64) { add(UInt64(bitPattern: number << 1 ^ number >> 63)) }

    /// Eight bytes, for hashes and the bits of other numbers.
    mutating func add(fixed number: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    mutating func add(_ flag: Bool) { bytes.append(flag ? 1 : 0) }

    mutating func add(_ text: some Collection<UInt8>) {
        add(text.count)
        bytes.append(contentsOf: text)
    }
}

/// Reads what `ByteWriter` wrote, and trusts none of it.
struct ByteReader {
    struct Damaged: Error {}

    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { index == bytes.count }

    mutating func byte() throws(Damaged) -> UInt8 {
        guard index < bytes.count else { throw Damaged() }
        index += 1
        return bytes[index - 1]
    }

    mutating func number() throws(Damaged) -> UInt64 {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let next = try byte()
            guard shift < 63 || next < 2 else { throw Damaged() }
            number |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return number }
            shift += 7
        }
    }

    mutating func signed() throws(Damaged) -> Int64 {
        let number = try number()
        return Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }

    mutating func fixed() throws(Damaged) -> UInt64 {
        guard index + 8 <= bytes.count else { throw Damaged() }
        var number: UInt64 = 0
        for place in 0..<8 { number |= UInt64(bytes[index + place]) << UInt64(8 * place) }
        index += 8
        return number
    }

    /// A length: never more than there are bytes left, so that a damaged file cannot ask for memory.
    mutating func count() throws(Damaged) -> Int {
        let number = try number()
        guard number <= UInt64(bytes.count - index) else { throw Damaged() }
        return Int(number)
    }

    mutating func flag() throws(Damaged) -> Bool {
        let next = try byte()
        guard next < 2 else { throw Damaged() }
        return next == 1
    }

    mutating func text() throws(Damaged) -> [UInt8] {
        let count = try count()
        defer { index += count }
        return Array(bytes[index..<index + count])
    }
}
