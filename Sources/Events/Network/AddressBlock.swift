/// A CIDR block, IPv4 or IPv6.
package struct AddressBlock: Hashable, Sendable {
    package let base: IPAddress
    /// Bits of the 128-bit form that have to agree (an IPv4 /24 has 120).
    package let bits: Int

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a lone address; `nil` when it is neither.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        let width = address.isV4 ? 32 : 128
        var length = width
        if parts.count == 2 {
            guard let given = Int(parts[1]), (0...width).contains(given) else { return nil }
            length = given
        }
        bits = length + (128 - width)
        base = AddressBlock.masked(address, bits: bits)
    }

    package func contains(_ address: IPAddress) -> Bool {
        AddressBlock.masked(address, bits: bits) == base
    }

    private static func masked(_ address: IPAddress, bits: Int) -> IPAddress {
        let high: UInt64 = bits >= 64 ? .max : ~(UInt64.max >> UInt64(bits))
        let low: UInt64 = bits >= 128 ? .max : bits <= 64 ? 0 : ~(UInt64.max >> UInt64(bits - 64))
        return IPAddress(high: address.high & high, low: address.low & low)
    }
}
