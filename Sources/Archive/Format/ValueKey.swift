package import Events

/// An address or an account as blocks remember it: 16 bits of a hash, so that a hunt for one skips the blocks without it.
///
/// A block with 500 different values seems to hold a 501st in one of 130 cases: it is read for nothing, never passed over wrongly.
package struct ValueKey: Hashable, Comparable, Sendable, BitwiseCopyable {
    package let rawValue: UInt16

    init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// - Parameter field: `source.ip` or `user.name`; `nil` for others, which blocks do not remember.
    package init?(_ field: FieldID, _ value: String) {
        let bytes = Array(value.utf8)
        self.init(field, bytes.span)
    }

    init?(_ field: FieldID, _ value: Span<UInt8>) {
        switch field {
        case .sourceIP:
            // However it is written: `::FFFF:192.0.2.1` is 192.0.2.1.
            if let address = IPAddress(value) {
                self.init(hash: ValueKey.mix(address.high ^ ValueKey.mix(address.low)))
            } else {
                self.init(hash: ValueKey.foldedHash(value, kind: 1))
            }
        case .userName: self.init(hash: ValueKey.foldedHash(value, kind: 2))
        default: return nil
        }
    }

    package static func < (left: ValueKey, right: ValueKey) -> Bool { left.rawValue < right.rawValue }

    private init(hash: UInt64) {
        rawValue = UInt16(truncatingIfNeeded: hash >> 48)
    }

    /// FNV-1a, mixed: part of the format, so it never changes.
    static func hash(of bytes: some Sequence<UInt8>, kind: UInt8) -> UInt64 {
        var hash = extend(0xCBF2_9CE4_8422_2325, kind)
        for byte in bytes { hash = extend(hash, byte) }
        return mix(hash)
    }

    /// Likewise without regard to the case of ASCII letters: comparisons do not regard it either.
    private static func foldedHash(_ bytes: Span<UInt8>, kind: UInt8) -> UInt64 {
        var hash = extend(0xCBF2_9CE4_8422_2325, kind)
        for index in 0..<bytes.count {
            let byte = bytes[index]
            hash = extend(hash, byte &- 0x41 < 26 ? byte | 0x20 : byte)
        }
        return mix(hash)
    }

    private static func extend(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

    /// The finaliser of MurmurHash3: spreads every bit over all.
    private static func mix(_ value: UInt64) -> UInt64 {
        var value = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ value >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return value ^ value >> 33
    }
}
