/// The Castagnoli checksum (RFC 3720 appendix B.4): finds every burst of up to 32 damaged bits. It protects against disks, not
/// against people: who may write the archive can also write its checksums.
package enum CRC32C {
    /// Slicing by eight: table `t` holds what a byte `t` places ahead of the register's end contributes.
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for byte in 0..<256 {
            var value = UInt32(byte)
            for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
            tables[byte] = value
        }
        for slice in 1..<8 {
            for byte in 0..<256 {
                let previous = tables[(slice - 1) * 256 + byte]
                tables[slice * 256 + byte] = previous >> 8 ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()

    package static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let tables = tables.span
        let span = bytes.span
        var value = UInt32.max
        var index = 0
        while index + 8 <= span.count {
            let low =
                value
                ^ (UInt32(span[index]) | UInt32(span[index + 1]) << 8 | UInt32(span[index + 2]) << 16
                    | UInt32(span[index + 3]) << 24)
            var next = tables[7 * 256 + Int(low & 0xFF)] ^ tables[6 * 256 + Int(low >> 8 & 0xFF)]
            next ^= tables[5 * 256 + Int(low >> 16 & 0xFF)] ^ tables[4 * 256 + Int(low >> 24)]
            next ^= tables[3 * 256 + Int(span[index + 4])] ^ tables[2 * 256 + Int(span[index + 5])]
            value = next ^ tables[256 + Int(span[index + 6])] ^ tables[Int(span[index + 7])]
            index += 8
        }
        while index < span.count {
            value = value >> 8 ^ tables[Int((value ^ UInt32(span[index])) & 0xFF)]
            index += 1
        }
        return ~value
    }
}
