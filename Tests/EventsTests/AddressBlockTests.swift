import Events
import Testing

@Suite("Address blocks")
struct AddressBlockTests {
    @Test(
        "a block holds what lies in it and nothing else",
        arguments: [
            ("192.0.2.0/24", ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7"], ["192.0.1.255", "192.0.3.0", "2001:db8::"]),
            ("192.0.2.77/24", ["192.0.2.0"], ["192.0.3.77"]), ("192.0.2.1", ["192.0.2.1"], ["192.0.2.0", "192.0.2.2"]),
            ("0.0.0.0/0", ["1.2.3.4", "255.255.255.255"], ["::1", "2001:db8::1"]),
            ("128.0.0.0/1", ["200.1.1.1"], ["127.255.255.255"]),
            ("192.0.2.2/31", ["192.0.2.2", "192.0.2.3"], ["192.0.2.4", "192.0.2.1"]),
            ("192.0.2.9/32", ["192.0.2.9"], ["192.0.2.8"]),
            ("2001:db8::/32", ["2001:db8:ffff::1"], ["2001:db9::", "192.0.2.1"]),
            ("2001:db8::1", ["2001:db8::1"], ["2001:db8::2"]),
            ("2001:db8::/64", ["2001:db8::ffff"], ["2001:db8:0:1::"]),
            ("2001:db8::8000:0:0:0/65", ["2001:db8::f000:0:0:0"], ["2001:db8::1"]),
            ("::/0", ["::1", "ffff::"], ["192.0.2.1"]), ("::/80", ["::1"], ["192.0.2.1"]), ("::1/128", ["::1"], ["::2"]),
            ("::ffff:192.0.2.0/120", ["192.0.2.200"], ["192.0.3.1"]), ("::ffff:0:0/96", ["8.8.8.8"], ["::1"]),
        ])
    func contains(_ text: String, inside: [String], outside: [String]) throws {
        let block = try #require(AddressBlock(text))
        for address in inside { #expect(block.contains(try #require(IPAddress(address))), "\(address)") }
        for address in outside { #expect(!block.contains(try #require(IPAddress(address))), "\(address)") }
    }

    @Test(
        "a block is written as people write it, and read again as itself",
        arguments: [
            ("10.0.0.0/8", "10.0.0.0/8"), ("10.1.2.3/8", "10.0.0.0/8"), ("192.0.2.1", "192.0.2.1"), ("192.0.2.1/32", "192.0.2.1"),
            ("0.0.0.0/0", "0.0.0.0/0"), ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::ffff:0:0/95", "::fffe:0:0/95"), ("2001:db8::/32", "2001:db8::/32"), ("2001:db8::1", "2001:db8::1"),
            ("::1/128", "::1"), ("::/0", "::/0"), ("fd00::/8", "fd00::/8"),
        ])
    func written(_ text: String, _ wanted: String) throws {
        let block = try #require(AddressBlock(text))
        #expect("\(block)" == wanted)
        #expect(AddressBlock(wanted) == block)
    }

    @Test(
        "what is no block is refused",
        arguments: [
            "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+24", "192.0.2.0/24/8", "192.0.2.0/ 24",
            "192.0.2.0/2４", "192.0.2.0/99999999999999999999", "192.0.2/24", "2001:db8::/129", "::ffff:1.2.3.4/129", "example/24",
        ])
    func refused(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test("membership agrees with comparing the leading bits one by one")
    func bitByBit() throws {
        var generator = SeededGenerator(state: 7)
        for _ in 0..<2_000 {
            // The first bit is set, so that no IPv4 address is met.
            let base = IPAddress(
                high: .random(in: 1 << 63 ... .max, using: &generator), low: .random(in: 0 ... .max, using: &generator))
            let length = Int.random(in: 0...128, using: &generator)
            let flipped = Int.random(in: 0..<128, using: &generator)
            let other = IPAddress(
                high: base.high ^ (flipped < 64 ? 1 << UInt64(63 - flipped) : 0),
                low: base.low ^ (flipped >= 64 ? 1 << UInt64(127 - flipped) : 0))
            let block = try #require(AddressBlock("\(base)/\(length)"))
            #expect(block.contains(base))
            #expect(block.contains(other) == (flipped >= length) || other.isV4)
        }
    }
}
