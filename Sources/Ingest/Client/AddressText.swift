package import Events

/// Finds the address in the ways in which programs write one.
enum AddressText {
    /// The address in `192.0.2.1`, `192.0.2.1:50122`, `[2001:db8::1]:50122`, `for="[2001:db8::1]"`, `::ffff:192.0.2.1`.
    static func address(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var text = range
        // RFC 7239: `for=192.0.2.60;proto=http;by=203.0.113.43`.
        if bytes.firstIndex(of: UInt8(ascii: "="), from: range.lowerBound, to: range.upperBound) != nil {
            let named = ForwardedElement.clients(bytes, range)
            if named.count > 1 { return nil }
            text = named.last
        }
        let inner = ForwardedElement.unquoted(bytes, text)
        let (start, end) = (inner.lowerBound, inner.upperBound)
        if start < end, bytes[start] != UInt8(ascii: "["), IPAddress(bytes.extracting(start..<end)) != nil {
            return CaptureKind.ip.take(bytes, start, end, before: nil, bytes)?.value
        }
        guard let taken = CaptureKind.ip.take(bytes, start, end, before: nil, bytes) else { return nil }
        guard taken.next == end || bytes[taken.next] == UInt8(ascii: ":") else { return nil }
        return taken.value
    }

    /// The client in a list of addresses that an application logged as one: the last that is not private, since the
    /// nearer hops are the operator's own proxies, and what stands in front of it the client may have sent. All private:
    /// the first.
    static func client(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int>? {
        var first: Range<Int>?
        var end = range.upperBound
        while end > range.lowerBound {
            let start = ForwardedElement.start(bytes, from: range.lowerBound, to: end)
            guard let hop = address(bytes, start..<end), let parsed = IPAddress(bytes.extracting(hop)) else { return first }
            first = hop
            if !PrivateAddresses.contain(parsed) { return hop }
            end = start - 1
        }
        return first
    }
}

/// Addresses that are nobody's on the Internet: RFC 1918, RFC 6598, RFC 4193, loopback and link-local.
package enum PrivateAddresses {
    private static let blocks = [
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "::1/128", "fc00::/7",
        "fe80::/10",
    ].compactMap { AddressBlock($0) }

    package static func contain(_ address: IPAddress) -> Bool { blocks.contains { $0.contains(address) } }
}
