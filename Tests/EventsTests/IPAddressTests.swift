import Events
import Glibc
import Testing

@Suite("IP addresses")
struct IPAddressTests {
    @Test(
        "addresses are written as RFC 5952 says",
        arguments: [
            ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"), ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
            ("2001:DB8::AbCd", "2001:db8::abcd"), ("0:0:0:0:0:0:0:0", "::"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
            ("1:0:0:0:0:0:0:0", "1::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1:0:0:2:0:0:3:4", "1::2:0:0:3:4"), ("0:0:1::", "0:0:1::"), ("fe80::1%eth0", "fe80::1"),
            ("fe80::1%25eth0", "fe80::1"),
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"), ("0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::192.0.2.1", "::c000:201"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func canonical(_ text: String, expected: String) throws {
        let address = try #require(IPAddress(text))
        #expect(address.description == expected)
        #expect(IPAddress(address.description) == address)
    }

    @Test("what nothing outside this machine has")
    func loopback() throws {
        for text in ["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1"] {
            #expect(try #require(IPAddress(text)).isLoopback, "\(text)")
        }
        for text in ["128.0.0.1", "12.7.0.1", "0.0.0.0", "::", "::2", "::127.0.0.1", "fe80::1", "2001:db8::127", "1::1"] {
            #expect(try #require(IPAddress(text)).isLoopback == false, "\(text)")
        }
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", ":", "%", "%eth0", ":::", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "1.2.3.256",
            "01.2.3.4",
            "1.2.3.04", "1.2.3.4 ", " 1.2.3.4", "1.2.3.4%eth0", "1.2.3.4:80", "0x1.2.3.4", "1.2.3.1000", "+1.2.3.4", "-1.2.3.4",
            "1.2.3.４", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:2:3:4:5:6:7::8", "1::2:3:4:5:6:7:8",
            "::1:2:3:4:5:6:7:8",
            "12345::", "::g", "1:", ":1", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8", "::1:", "1:::2", "[::1]", "::1.2.3", "::1.2.3.4.5",
            "::256.0.0.1", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::ffff:192.0.2.01", "::1.2.3.4:5", "::1 ", "::1\u{0}",
            "example.org",
            "1.2.3.4,5.6.7.8", String(repeating: "1:", count: 500), String(repeating: "1", count: 60),
            "::" + String(repeating: "0", count: 62),
        ])
    func refused(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    /// The C library is asked what the text means; zones and length are our own.
    @Test("mutated texts are read as the system's own parser reads them")
    func againstSystem() {
        var generator = SeededGenerator(state: 4)
        let seeds = [
            "2001:db8::1:0:0:1", "1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "192.0.2.100", "::", "fe80::a:b", "1:2:3:4:5:6:1.2.3.4",
        ]
        let alphabet = Array("0123456789abcdefABF:::..g".utf8)
        var taken = 0
        for round in 0..<40_000 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let byte = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[index] = byte
                case 1: bytes.insert(byte, at: index)
                default: if bytes.count > 1 { bytes.remove(at: index) }
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let ours = IPAddress(bytes.span)
            #expect(ours == systemAddress(text), "\(text)")
            if ours != nil { taken += 1 }
        }
        #expect(taken > 5_000)
    }

    @Test("random addresses survive being written and read, and are written as the system writes them")
    func roundTrip() {
        var generator = SeededGenerator(state: 5)
        for _ in 0..<10_000 {
            var halves: [UInt64] = [0, 0]
            for group in 0..<8 where Int.random(in: 0..<5, using: &generator) < 2 {
                halves[group / 4] |= .random(in: 0...0xFFFF, using: &generator) << (48 - 16 * UInt64(group % 4))
            }
            let address = IPAddress(high: halves[0], low: halves[1])
            #expect(IPAddress(address.description) == address, "\(address)")
            // The system writes IPv4-compatible addresses with a dotted quad; RFC 5952 §5 leaves that to known prefixes.
            if halves[0] != 0 { #expect(address.description == systemText(address)) }
        }
        for _ in 0..<2_000 {
            let address = IPAddress(v4: .random(in: 0 ... .max, using: &generator))
            #expect(address.isV4 && IPAddress(address.description) == address)
            #expect(IPAddress("::ffff:\(address)") == address)
        }
    }

    @Test("random bytes never trap")
    func randomBytes() {
        var generator = SeededGenerator(state: 6)
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 0...70, using: &generator)).map { _ in
                UInt8.random(in: 0x25...0x3A, using: &generator)
            }
            _ = IPAddress(bytes.span)
        }
    }

    @Test("the prefix is the party: an IPv4 address itself, an IPv6 /64")
    func prefix() {
        #expect(IPAddress("192.0.2.1")?.prefix == IPAddress("192.0.2.1"))
        #expect(IPAddress("::ffff:192.0.2.1")?.prefix == IPAddress("192.0.2.1"))
        #expect(IPAddress("2001:db8:1:2:3:4:5:6")?.prefix == IPAddress("2001:db8:1:2::"))
        #expect(IPAddress("2001:db8:1:2::")?.prefix != IPAddress("2001:db8:1:3::")?.prefix)
    }

    @Test(
        "private ranges end where they end",
        arguments: [
            ("9.255.255.255", false), ("10.0.0.0", true), ("10.255.255.255", true), ("11.0.0.0", false), ("127.0.0.1", true),
            ("172.15.255.255", false), ("172.16.0.0", true), ("172.31.255.255", true), ("172.32.0.0", false),
            ("192.168.0.0", true),
            ("192.167.255.255", false), ("192.169.0.0", false), ("169.254.169.254", true), ("169.255.0.0", false),
            ("100.63.255.255", false), ("100.64.0.0", true), ("100.127.255.255", true), ("100.128.0.0", false),
            ("203.0.113.1", false),
            ("::1", true), ("::2", false), ("fc00::", true), ("fdff::1", true), ("fe00::", false), ("fe80::1", true),
            ("febf::1", true),
            ("fec0::1", false), ("2001:db8::1", false), ("::ffff:10.1.2.3", true),
        ])
    func privateRanges(_ text: String, isPrivate: Bool) throws {
        #expect(try #require(IPAddress(text)).isPrivate == isPrivate)
    }

    private func systemAddress(_ text: String) -> IPAddress? {
        var v4 = in_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return IPAddress(v4: UInt32(bigEndian: v4.s_addr)) }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
        let halves = withUnsafeBytes(of: v6) { raw in
            (0..<2).map { UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self)) }
        }
        return IPAddress(high: halves[0], low: halves[1])
    }

    private func systemText(_ address: IPAddress) -> String {
        var halves = (address.high.bigEndian, address.low.bigEndian)
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(AF_INET6, &halves, &text, socklen_t(text.count))
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
