import Events
import Testing

@testable import Guard

@Suite struct AddressTrieTests {
    private static func found(_ trie: AddressTrie<[String]>, _ address: String) throws -> [String] {
        let address = try #require(IPAddress(address))
        var found: [String] = []
        trie.visit(address) {
            found += $0
            return true
        }
        return found
    }

    @Test func `an empty trie holds nobody`() throws {
        #expect(try Self.found(AddressTrie(), "192.0.2.1") == [])
    }

    @Test func `networks hold their addresses, the widest first`() throws {
        var trie = AddressTrie<[String]>()
        for text in ["192.0.2.0/24", "192.0.2.1", "192.0.0.0/16", "198.51.100.0/25", "2001:db8::/32", "0.0.0.0/0"] {
            let block = try #require(AddressBlock(text))
            trie.update(block) { $0 = [text] }
        }
        #expect(trie.count == 6)
        #expect(try Self.found(trie, "192.0.2.1") == ["0.0.0.0/0", "192.0.0.0/16", "192.0.2.0/24", "192.0.2.1"])
        #expect(try Self.found(trie, "192.0.2.2") == ["0.0.0.0/0", "192.0.0.0/16", "192.0.2.0/24"])
        #expect(try Self.found(trie, "198.51.100.128") == ["0.0.0.0/0"])
        #expect(try Self.found(trie, "2001:db8:ffff::1") == ["2001:db8::/32"])
        #expect(try Self.found(trie, "2001:db9::1") == [])
    }

    @Test func `all of IPv6 is not all of IPv4`() throws {
        var trie = AddressTrie<[String]>()
        let block = try #require(AddressBlock("::/0"))
        trie.update(block) { $0 = ["all"] }
        #expect(try Self.found(trie, "192.0.2.1") == [])
        #expect(try Self.found(trie, "2001:db8::1") == ["all"])
    }

    /// The law: a trie answers as a list of networks does, whatever is added and removed.
    @Test(arguments: 0..<20) func `a trie answers as a list would`(_ seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed) + 1)
        var trie = AddressTrie<[Int]>()
        var list: [AddressBlock: [Int]] = [:]
        func address() -> IPAddress {
            // Close together, so that prefixes are shared.
            Bool.random(using: &random)
                ? IPAddress(v4: 0xC000_0200 | UInt32.random(in: 0...0x3FF, using: &random))
                : IPAddress(
                    high: 0x2001_0DB8_0000_0000 | UInt64.random(in: 0...7, using: &random),
                    low: UInt64.random(in: 0...7, using: &random))
        }
        for step in 0..<600 {
            let base = address()
            let length = base.isV4 ? Int.random(in: 20...32, using: &random) : Int.random(in: 0...128, using: &random)
            let block = try #require(AddressBlock("\(base)/\(length)"))
            if Int.random(in: 0..<3, using: &random) == 0 {
                trie.update(block) { $0 = nil }
                list[block] = nil
            } else {
                trie.update(block) { $0 = ($0 ?? []) + [step] }
                list[block, default: []].append(step)
            }
            #expect(trie.count == list.count)
            let probe = address()
            var found: [Int] = []
            trie.visit(probe) {
                found += $0
                return true
            }
            let expected = list.filter { $0.key.contains(probe) }.sorted { $0.key.bits < $1.key.bits }.flatMap(\.value)
            #expect(found == expected)
        }
        for block in list.keys { trie.update(block) { $0 = nil } }
        #expect(trie.count == 0)
    }
}

/// SplitMix64: the same numbers on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
