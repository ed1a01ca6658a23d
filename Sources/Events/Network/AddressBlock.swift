/// A CIDR block, IPv4 or IPv6.
package struct AddressBlock: Hashable, Sendable {
    package let base: IPAddress
    /// Bits of the 128-bit form that have to agree (an IPv4 /24 has 120).
    package let bits: Int

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or a lone address; `nil` when it is neither.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        // `::ffff:192.0.2.0/120` counts its bits as IPv6 does, though the address is an IPv4 one.
        let width = first.utf8.contains(UInt8(ascii: ":")) ? 128 : 32
        var length = width
        if parts.count == 2 {
            let digits = parts[1].utf8
            // `Int` alone would take a sign.
            guard digits.count <= 3, digits.allSatisfy({ (0x30...0x39).contains($0) }), let given = Int(parts[1]), given <= width
            else { return nil }
            length = given
        }
        bits = length + (128 - width)
        base = AddressBlock.masked(address, bits: bits)
    }

    /// An IPv6 block wider than all of IPv4's mapped form holds no IPv4 address: `::/0` means every IPv6 address.
    package func contains(_ address: IPAddress) -> Bool {
        AddressBlock.masked(address, bits: bits) == base && (bits >= 96 || !address.isV4)
    }

    private static func masked(_ address: IPAddress, bits: Int) -> IPAddress {
        let high: UInt64 = bits >= 64 ? .max : ~(UInt64.max >> UInt64(bits))
        let low: UInt64 = bits >= 128 ? .max : bits <= 64 ? 0 : ~(UInt64.max >> UInt64(bits - 64))
        return IPAddress(high: address.high & high, low: address.low & low)
    }
}

extension AddressBlock: CustomStringConvertible {
    /// As people write it, with IPv4's own 32 bits; a lone address without its length. `AddressBlock` reads the same block from it.
    package var description: String {
        if bits == 128 { return "\(base)" }
        return "\(base)/\(bits >= 96 && base.isV4 ? bits - 96 : bits)"
    }
}
