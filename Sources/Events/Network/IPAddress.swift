/// An IPv4 or IPv6 address.
///
/// Kept as 128 bits; an IPv4 address is its IPv4-mapped form (RFC 4291 §2.5.5.2), so `::ffff:192.0.2.1` and `192.0.2.1`
/// are the same address, as a dual-stack listener may log either.
package struct IPAddress: Hashable, Comparable, Sendable, BitwiseCopyable {
    /// The first and the last eight bytes, in network order.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(v4 address: UInt32) {
        high = 0
        low = 0xFFFF_0000_0000 | UInt64(address)
    }

    package static func < (left: IPAddress, right: IPAddress) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    package var isV4: Bool { high == 0 && low >> 32 == 0xFFFF }

    /// The group that one party controls: an IPv4 address itself, or an IPv6 /64 (RFC 6177: the least a site gets).
    package var prefix: IPAddress {
        isV4 ? self : IPAddress(high: high, low: 0)
    }

    /// `0.0.0.0` or `::`: every address of this machine, and nobody's.
    package var isUnspecified: Bool { isV4 ? low & 0xFFFF_FFFF == 0 : high == 0 && low == 0 }

    /// Whether nothing outside this machine has it: 127.0.0.0/8 (RFC 1122 §3.2.1.3) and ::1 (RFC 4291 §2.5.3).
    package var isLoopback: Bool { isV4 ? low >> 24 & 0xFF == 127 : high == 0 && low == 1 }

    /// Loopback, private, link-local, shared or unique-local (RFC 1122, 1918, 3927, 6598, 4193).
    package var isPrivate: Bool {
        if isV4 {
            let address = UInt32(truncatingIfNeeded: low)
            return address >> 24 == 10 || address >> 24 == 127 || address >> 20 == 0xAC1 || address >> 16 == 0xC0A8
                || address >> 16 == 0xA9FE || address >> 22 == 0x64_40 >> 6
        }
        return high >> 57 == 0xFC >> 1 || high >> 54 == 0xFE80 >> 6 || (high == 0 && low == 1)
    }
}
