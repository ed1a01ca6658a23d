package import Events

/// The reverse proxies whose word about the client is taken.
///
/// A proxy appends the address that it saw itself to `X-Forwarded-For` (or `Forwarded`, RFC 7239 §4), so that the header is
/// read from the right: as long as the address at hand is a trusted proxy's, the next one to the left is what that proxy
/// saw. What stands further left was sent by the client and proves nothing. A header from a peer that is no trusted proxy
/// changes nothing at all.
package struct TrustedProxies: Sendable {
    package static let none = TrustedProxies([])

    private let blocks: [AddressBlock]

    package init(_ blocks: [AddressBlock]) {
        self.blocks = blocks
    }

    package var isEmpty: Bool { blocks.isEmpty }

    package func contains(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }

    /// Where in `forwarded` the client's address stands; `nil` when the peer's own is to be taken.
    ///
    /// - Parameters:
    ///   - peer: the address of the connection, as the server logged it.
    ///   - forwarded: the value of `X-Forwarded-For`, or of `Forwarded` with its `for=` parameters.
    package func client(peer: IPAddress, forwarded: Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
        guard contains(peer) else { return nil }
        var found: Range<Int>?
        var end = forwarded.upperBound
        while end > forwarded.lowerBound {
            let start = ForwardedElement.start(bytes, from: forwarded.lowerBound, to: end)
            // A hop that is no address (`unknown`, `_hidden`) ends what can be told.
            guard let hop = AddressText.address(bytes, start..<end), let address = IPAddress(bytes.extracting(hop)) else {
                return found
            }
            found = hop
            guard contains(address) else { return hop }
            end = start - 1
        }
        return found
    }
}
