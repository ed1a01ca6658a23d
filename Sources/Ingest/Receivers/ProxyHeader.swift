package import Events

/// The header by which a proxy of connections says whose connection it passes on, before anything else is sent
/// (<https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>, versions 1 and 2).
package enum ProxyHeader {
    package enum Reading: Equatable, Sendable {
        /// It may become one once more has come.
        case incomplete
        /// What comes is something else.
        case absent
        /// - Parameter source: `nil` for the proxy's own connections (its health checks), and for what has no IP address.
        case whole(bytes: Int, source: IPAddress?)
    }

    /// Of version 2: addresses, and as many additional values as proxies send; the protocol itself would allow 64 KiB.
    package static let maximumBytes = 4_096
    /// Of version 1, with its line end (section 2.1).
    private static let maximumLineBytes = 107
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]
    private static let word = Array("PROXY ".utf8)

    /// Looks at the first bytes of a connection.
    ///
    /// - Throws: when it begins like a header and is none: nothing behind it can be told apart.
    package static func read(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> Reading {
        if let isWhole = begins(bytes, with: word) { return isWhole ? try readLine(bytes) : .incomplete }
        if let isWhole = begins(bytes, with: signature) { return isWhole ? try readBinary(bytes) : .incomplete }
        return .absent
    }

    /// `nil` when it does not; false while what is there is too short to tell.
    private static func begins(_ bytes: Span<UInt8>, with start: [UInt8]) -> Bool? {
        for index in 0..<min(start.count, bytes.count) where bytes[index] != start[index] { return nil }
        return bytes.count >= start.count
    }

    /// `PROXY TCP4 203.0.113.9 10.0.0.1 50122 6514`, and a line end of two bytes.
    private static func readLine(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> Reading {
        let limit = min(bytes.count, maximumLineBytes)
        guard let feed = bytes.firstIndex(of: 0x0A, from: 0, to: limit) else {
            guard bytes.count < maximumLineBytes else { throw .malformed("a PROXY header does not end") }
            return .incomplete
        }
        guard bytes[feed - 1] == 0x0D else {
            throw .malformed("a PROXY header does not end with a carriage return and a line feed")
        }
        let parts = bytes.string(word.count..<feed - 1).split(separator: " ", omittingEmptySubsequences: false)
        if parts.first == "UNKNOWN" { return .whole(bytes: feed + 1, source: nil) }
        guard parts.count == 5, parts[0] == "TCP4" || parts[0] == "TCP6",
            let source = IPAddress(parts[1]), IPAddress(parts[2]) != nil,
            parts[1].contains(":") == (parts[0] == "TCP6"), parts[2].contains(":") == (parts[0] == "TCP6"),
            UInt16(parts[3]) != nil, UInt16(parts[4]) != nil
        else { throw .malformed("a PROXY header names no addresses and ports") }
        return .whole(bytes: feed + 1, source: source)
    }

    /// Signature, version and command, family and transport, length, addresses, additional values (section 2.2). Of those none is read:
    /// checksums of what came over TCP add nothing, and names are the proxy's word about what a certificate proves better.
    private static func readBinary(_ bytes: Span<UInt8>) throws(ReceiverRefusal) -> Reading {
        guard bytes.count >= 16 else { return .incomplete }
        guard bytes[12] >> 4 == 2, bytes[12] & 15 <= 1 else {
            throw .malformed("a PROXY header of a version or with a command that is not known")
        }
        let length = Int(bytes[14]) << 8 | Int(bytes[15])
        guard 16 + length <= maximumBytes else {
            throw ReceiverRefusal(.tooLarge, "a PROXY header has more than \(maximumBytes) bytes")
        }
        guard bytes.count >= 16 + length else { return .incomplete }
        guard bytes[12] & 15 == 1 else { return .whole(bytes: 16 + length, source: nil) }
        switch bytes[13] >> 4 {
        case 0: return .whole(bytes: 16 + length, source: nil)
        case 1 where length >= 12:
            return .whole(bytes: 16 + length, source: IPAddress(v4: UInt32(number(bytes, 16..<20))))
        case 2 where length >= 36:
            return .whole(bytes: 16 + length, source: IPAddress(high: number(bytes, 16..<24), low: number(bytes, 24..<32)))
        case 3 where length >= 216: return .whole(bytes: 16 + length, source: nil)
        default: throw .malformed("a PROXY header whose addresses are not whole, or of no known family")
        }
    }

    private static func number(_ bytes: Span<UInt8>, _ range: Range<Int>) -> UInt64 {
        range.reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }
}
