package import Events

/// What a segment file begins with. Numbers are big-endian.
///
/// | bytes | what |
/// |---|---|
/// | 4 | `VGS1` |
/// | 4 | flags: bit 0 packed (small blocks were put together), bit 1 reduced (only security events are left) |
/// | 8 | number of the segment, as in its name |
/// | 8 | time of receipt of its first line |
/// | 8 | fingerprint of the formats its lines were read with: value filters hold for readers with the same ones |
/// | 2 | bytes of the next |
/// | … | trusted proxies, as configured, a space between two |
/// | 4 | CRC-32C over all of the above |
package struct SegmentHeader: Sendable, Hashable {
    static let magic = Array("VGS1".utf8)
    /// Without trusted proxies, and with as many as there is room for.
    static let minimumBytes = 38
    static let maximumBytes = minimumBytes + Int(UInt16.max)

    package var isPacked = false
    package var isReduced = false
    package var number: UInt64
    package var created: Timestamp
    package var fingerprint: UInt64
    package var trustedProxies: [String]

    init(number: UInt64, created: Timestamp, fingerprint: UInt64, trustedProxies: [String]) {
        self.number = number
        self.created = created
        self.fingerprint = fingerprint
        self.trustedProxies = trustedProxies
    }

    /// `nil` when the bytes do not begin with a whole header.
    init?(_ bytes: [UInt8]) {
        guard bytes.starts(with: SegmentHeader.magic) else { return nil }
        var reader = NumberReader(bytes, from: 4)
        guard let flags = reader.fixed(UInt32.self), let number = reader.fixed(UInt64.self),
            let created = reader.fixed(Int64.self), let fingerprint = reader.fixed(UInt64.self),
            let count = reader.fixed(UInt16.self), reader.left >= Int(count) + 4
        else { return nil }
        let end = reader.index + Int(count)
        let proxies = String(decoding: bytes[reader.index..<end], as: UTF8.self)
        var tail = NumberReader(bytes, from: end)
        guard tail.fixed(UInt32.self) == CRC32C.checksum(bytes[..<end]) else { return nil }
        isPacked = flags & 1 == 1
        isReduced = flags & 2 == 2
        self.number = number
        self.created = Timestamp(nanoseconds: created)
        self.fingerprint = fingerprint
        trustedProxies = proxies.split(separator: " ").map(String.init)
    }

    var encoded: [UInt8] {
        // Twenty bytes each: thousands of proxies have room. What has none is left out whole, not cut.
        var proxies: [UInt8] = []
        for proxy in trustedProxies where proxies.count + proxy.utf8.count < Int(UInt16.max) {
            if !proxies.isEmpty { proxies.append(0x20) }
            proxies += proxy.utf8
        }
        var writer = NumberWriter(bytes: SegmentHeader.magic)
        writer.fixed(UInt32(isPacked ? 1 : 0) | UInt32(isReduced ? 2 : 0))
        writer.fixed(number)
        writer.fixed(created.nanoseconds)
        writer.fixed(fingerprint)
        writer.fixed(UInt16(proxies.count))
        writer.bytes += proxies
        writer.fixed(CRC32C.checksum(writer.bytes[...]))
        return writer.bytes
    }
}
