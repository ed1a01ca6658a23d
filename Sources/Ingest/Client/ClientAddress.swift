import Events

/// Makes `source.ip` the client's address.
enum ClientAddress {
    /// An application's `ip: "192.0.2.1:50122"` or list of addresses becomes the one address.
    static func normalise(_ bytes: Span<UInt8>, _ sink: inout FieldSink) {
        guard let index = sink.index(of: .sourceIP), !sink.escaped.contains(index) else { return }
        let range = sink.values[index].range.bounds
        // Nearly always it is an address by itself.
        if isDotted(bytes, range), IPAddress(bytes.extracting(range)) != nil { return }
        guard let client = AddressText.client(bytes, range), client != range else { return }
        sink.values[index].range = ByteRange(start: client.lowerBound, count: client.count)
    }

    private static func isDotted(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range where bytes[index] &- 0x30 > 9 && bytes[index] != UInt8(ascii: ".") { return false }
        return true
    }

    /// Where the peer is a trusted proxy, what it forwarded is read.
    static func correct(_ bytes: Span<UInt8>, _ line: Range<Int>, proxies: TrustedProxies, _ sink: inout FieldSink) {
        guard let index = sink.index(of: .sourceIP),
            let peer = IPAddress(bytes.extracting(sink.values[index].range.bounds)), proxies.contains(peer)
        else { return }
        guard let forwarded = sink.range(of: .forwardedFor)?.bounds ?? lastQuoted(bytes, line, sink),
            let client = proxies.client(peer: peer, forwarded: forwarded, in: bytes)
        else { return }
        sink.values[index].range = ByteRange(start: client.lowerBound, count: client.count)
    }

    /// nginx's `main` and the usual Apache formats append `"$http_x_forwarded_for"` to an access line: the first quoted
    /// text behind the user agent.
    private static func lastQuoted(_ bytes: Span<UInt8>, _ line: Range<Int>, _ sink: FieldSink) -> Range<Int>? {
        guard let agent = sink.range(of: .userAgent), agent.end < line.upperBound,
            let open = bytes.firstIndex(of: UInt8(ascii: "\""), from: agent.end + 1, to: line.upperBound),
            let close = bytes.firstIndex(of: UInt8(ascii: "\""), from: open + 1, to: line.upperBound)
        else { return nil }
        return open + 1..<close
    }
}
