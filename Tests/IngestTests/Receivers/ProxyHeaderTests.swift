import Events
import Ingest
import Testing

@Suite("The header of the PROXY protocol")
struct ProxyHeaderTests {
    private static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// Version 2: command and family as given, addresses and additional values as `rest`.
    private static func binary(_ command: UInt8, _ family: UInt8, _ rest: [UInt8]) -> [UInt8] {
        signature + [0x20 | command, family << 4 | 1, UInt8(rest.count >> 8), UInt8(rest.count & 255)] + rest
    }

    private static let v4 = binary(1, 1, [203, 0, 113, 9, 10, 0, 0, 1, 0xC3, 0xCA, 0x19, 0x72])
    private static let v6 = binary(
        1, 2,
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [7] + [UInt8](repeating: 1, count: 16) + [0, 1, 0, 2])
    /// With what HAProxy adds for `send-proxy-v2-ssl` and `proxy-v2-options`: kinds, lengths and values.
    private static let additional = binary(1, 1, Array(v4[16...]) + [0x05, 0, 3, 1, 2, 3, 0x20, 0, 1, 7])

    /// The header, whose connection it is, and whether there is one.
    private static let wholes: [([UInt8], String?)] = [
        (Array("PROXY TCP4 203.0.113.9 10.0.0.1 50122 6514\r\n".utf8), "203.0.113.9"),
        (Array("PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n".utf8), "2001:db8::7"),
        (Array("PROXY UNKNOWN\r\n".utf8), nil), (Array("PROXY UNKNOWN ffff:f...f 1 2 3\r\n".utf8), nil),
        (v4, "203.0.113.9"), (v6, "2001:db8::7"), (additional, "203.0.113.9"), (binary(0, 0, []), nil),
        (binary(0, 1, [UInt8](repeating: 9, count: 12)), nil), (binary(1, 0, [1, 2]), nil),
        (binary(1, 3, [UInt8](repeating: 65, count: 216)), nil),
    ]

    @Test("both versions are read, wherever they are cut, and what follows is not touched")
    func wholes() throws {
        for (header, address) in Self.wholes {
            for count in 0..<header.count {
                #expect(try ProxyHeader.read(Array(header[..<count]).span) == .incomplete, "\(count) of \(header)")
            }
            let wanted = ProxyHeader.Reading.whole(bytes: header.count, source: address.flatMap { IPAddress($0) })
            #expect(try ProxyHeader.read(header.span) == wanted)
            #expect(try ProxyHeader.read((header + Array("<13>PROXY x\r\n".utf8)).span) == wanted)
        }
    }

    @Test(
        "what begins otherwise is none",
        arguments: ["<13>a", "POST / HTTP/1.1\r\n", "PROXIES", "\u{16}\u{3}\u{1}", "proxy tcp4 ", "\r\nGET"])
    func absent(_ text: String) throws {
        #expect(try ProxyHeader.read(Array(text.utf8).span) == .absent)
    }

    @Test(
        "what begins like one and is none is refused",
        arguments: [
            "PROXY TCP4 203.0.113.9 10.0.0.1 1 2\n", "PROXY TCP4 203.0.113.9 10.0.0.1 1\r\n",
            "PROXY TCP4  203.0.113.9 10.0.0.1 1 2\r\n",
            "PROXY TCP4 203.0.113.9 10.0.0.1 1 65536\r\n", "PROXY TCP4 2001:db8::7 10.0.0.1 1 2\r\n",
            "PROXY TCP6 203.0.113.9 10.0.0.1 1 2\r\n", "PROXY TCP5 203.0.113.9 10.0.0.1 1 2\r\n", "PROXY \r\n",
            "PROXY UNKNOWN " + String(repeating: "a", count: 100) + "\r\n", "PROXY " + String(repeating: "a", count: 200),
        ])
    func malformed(_ text: String) {
        #expect(throws: ReceiverRefusal.self) { try ProxyHeader.read(Array(text.utf8).span) }
    }

    @Test("a binary header with another version, command, family or length than it may have is refused")
    func malformedBinary() {
        var version = Self.v4
        version[12] = 0x11
        let long = Self.signature + [0x21, 0x11, 0xFF, 0xFF]
        for bytes in [
            version, Self.binary(2, 1, Array(Self.v4[16...])), Self.binary(1, 4, [UInt8](repeating: 0, count: 216)),
            Self.binary(1, 1, [1, 2, 3]), Self.binary(1, 2, [UInt8](repeating: 0, count: 35)),
            Self.binary(1, 3, [UInt8](repeating: 0, count: 215)), long,
        ] {
            #expect(throws: ReceiverRefusal.self) { try ProxyHeader.read(bytes.span) }
        }
    }

    /// What is whole stays what it is with anything behind it; what is refused stays refused; nothing is awaited for ever.
    @Test("damaged headers are read, awaited or refused, and more bytes never change an answer")
    func damaged() {
        var generator = SeededGenerator(state: 11)
        func answer(_ bytes: [UInt8]) -> ProxyHeader.Reading? {
            do throws(ReceiverRefusal) { return try ProxyHeader.read(bytes.span) } catch { return nil }
        }
        for round in 0..<20_000 {
            var bytes = Self.wholes[round % Self.wholes.count].0
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator) / 2)
            let first = answer(bytes)
            let more =
                bytes + (0..<Int.random(in: 0...400, using: &generator)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if first != .incomplete { #expect(answer(more) == first, "\(bytes)") }
            let full = bytes + [UInt8](repeating: 0x20, count: ProxyHeader.maximumBytes)
            #expect(answer(full) != .incomplete, "\(bytes)")
        }
    }
}
