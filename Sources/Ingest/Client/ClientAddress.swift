import Events

/// Makes `source.ip` the client's address.
enum ClientAddress {
    /// An application's `ip: "192.0.2.1:50122"` or list of addresses becomes the one address.
    static func normalise(_ bytes: Span<UInt8>, _ sink: inout FieldSink) {
        guard let index = sink.index(of: .sourceIP), !sink.escaped.contains(index) else { return }
        let range = sink.values[index].range.bounds
        // Nearly always it is an address by itself.
        if IPAddress.isDottedQuad(bytes, range) { return }
        guard let client = AddressText.client(bytes, range), client != range else { return }
        sink.values[index].range = ByteRange(start: client.lowerBound, count: client.count)
    }

    /// Where the peer is a trusted proxy, what it said about the client is read, from the right: the address of its PROXY header is what
    /// it saw itself, and stands nearer than anything of the request's own headers, which such a proxy passes on as they came.
    ///
    /// - Parameter text: the line as its program wrote it, without a container's or receiver's wrapping.
    static func correct(_ bytes: Span<UInt8>, _ text: Range<Int>, proxies: TrustedProxies, _ sink: inout FieldSink) {
        guard let index = sink.index(of: .sourceIP),
            let peer = IPAddress(bytes.extracting(sink.values[index].range.bounds)), proxies.contains(peer)
        else { return }
        let tail = AccessLineTail(bytes, from: sink.tail ?? sink.range(of: .userAgent).map { $0.end + 1 }, in: text)
        let named = JSONProxyAddress.find(bytes, text) ?? tail.proxyAddress
        if let named, let hop = AddressText.address(bytes, named), let address = IPAddress(bytes.extracting(hop)) {
            sink.values[index].range = ByteRange(start: hop.lowerBound, count: hop.count)
            guard proxies.contains(address) else { return }
        }
        guard let forwarded = (sink.range(of: .forwardedFor) ?? sink.range(of: .forwarded))?.bounds ?? tail.forwarded,
            let client = proxies.client(peer: peer, forwarded: forwarded, in: bytes)
        else { return }
        sink.values[index].range = ByteRange(start: client.lowerBound, count: client.count)
    }
}

/// What a server appends to an access line behind the user agent.
///
/// Only what stands outside of quotes has a name that can be believed: text in quotes is the client's.
private struct AccessLineTail {
    /// nginx's `main` and the usual Apache formats append `"$http_x_forwarded_for"`: the first quoted text.
    private(set) var forwarded: Range<Int>?
    /// `proxy_protocol_addr=$proxy_protocol_addr`, with quotes around the value or without.
    private(set) var proxyAddress: Range<Int>?

    init(_ bytes: Span<UInt8>, from start: Int?, in text: Range<Int>) {
        guard let start, text.contains(start) else { return }
        let end = text.upperBound
        var index = start
        while index < end {
            while index < end, bytes[index] == 0x20 { index += 1 }
            let isNamed = bytes.hasPrefix(AccessLineTail.name, from: index, to: end)
            if isNamed { index += AccessLineTail.name.utf8CodeUnitCount }
            let value: Range<Int>
            if index < end, bytes[index] == UInt8(ascii: "\"") {
                let first = index + 1
                index = first
                // Apache escapes a quote with a backslash, nginx writes it as `\x22`.
                while index < end, bytes[index] != UInt8(ascii: "\"") { index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1 }
                guard index < end else { return }
                value = first..<index
                index += 1
                if !isNamed { forwarded = forwarded ?? value }
            } else {
                let first = index
                while index < end, bytes[index] != 0x20, bytes[index] != UInt8(ascii: "\"") { index += 1 }
                value = first..<index
            }
            if isNamed { proxyAddress = proxyAddress ?? value }
        }
    }

    private static let name: StaticString = "proxy_protocol_addr="
}

/// The value of nginx's `$proxy_protocol_addr` in a line of JSON.
///
/// Sought in the text: a field of its own in every plan would cost all lines something, and only those of a trusted proxy have a use for
/// it. What a client sends cannot make it up: within a string of JSON a quote has a backslash in front.
private enum JSONProxyAddress {
    private static let key: StaticString = "\"proxy_protocol_addr\""

    static func find(_ bytes: Span<UInt8>, _ text: Range<Int>) -> Range<Int>? {
        var start = text.lowerBound
        while start < text.upperBound, bytes[start] == 0x20 { start += 1 }
        guard start < text.upperBound, bytes[start] == UInt8(ascii: "{") else { return nil }
        while let found = bytes.firstIndex(of: key, from: start, to: text.upperBound) {
            start = found + key.utf8CodeUnitCount
            guard bytes[found - 1] != UInt8(ascii: "\\") else { continue }
            var index = start
            while index < text.upperBound, bytes[index] == 0x20 { index += 1 }
            guard index < text.upperBound, bytes[index] == UInt8(ascii: ":") else { continue }
            index += 1
            while index < text.upperBound, bytes[index] == 0x20 { index += 1 }
            guard index < text.upperBound, bytes[index] == UInt8(ascii: "\""),
                let close = bytes.firstIndex(of: UInt8(ascii: "\""), from: index + 1, to: text.upperBound)
            else { return nil }
            return index + 1..<close
        }
        return nil
    }
}
