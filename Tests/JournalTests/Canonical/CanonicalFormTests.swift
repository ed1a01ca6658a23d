import Crypto
import Foundation
import Journal
import Testing

@Suite("RFC 8785 canonical form")
struct CanonicalFormTests {
    // Not parametrised: a cancelled case of a parametrised test is reported as passed, without its reason.
    @Test("published vectors")
    func vectors() throws {
        let folder = try Suites.require("merkle/jcs")
        for name in ["arrays", "french", "structures", "unicode", "values", "weird"] {
            let input = try Files.read(folder.appendingPathComponent("input/\(name).json").path)
            let expected = try Files.read(folder.appendingPathComponent("output/\(name).json").path)
            #expect(try JSONValue(parsing: input).canonicalBytes() == expected, "\(name)")
            #expect(try JSONValue(parsing: expected).canonicalBytes() == expected, "\(name)")
        }
    }

    @Test("digests of the published number sequence")
    func numbers() throws {
        let file = try Suites.require("merkle/jcs/numbers.json")
        let document = try JSONValue(parsing: Files.read(file.path))
        let special = (document["u64_of_the_special_values_hex"]?.arrayValue ?? []).compactMap(\.stringValue)
        var bits = special.compactMap { UInt64($0, radix: 16) }
        bits += (0..<2000).map { 0x0010_0000_0000_0000 + $0 }
        var chain = [UInt8](repeating: 0, count: 32)
        while bits.count < 10_000 {
            chain = Array(SHA256.hash(data: chain))
            for start in stride(from: 0, to: 32, by: 8) {
                let value = chain[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
                let double = Double(bitPattern: value)
                if double.isFinite, double != 0 { bits.append(value) }
            }
        }
        for lines in [1_000, 10_000] {
            var hasher = SHA256()
            for value in bits.prefix(lines) {
                let text = "\(String(value, radix: 16)),\(Double(bitPattern: value).ecmaScriptDescription)\n"
                hasher.update(data: Data(text.utf8))
            }
            let digest = hasher.finalize().map { String(format: "%02x", $0) }.joined()
            #expect(digest == document["sha256_of_the_first_lines"]?["\(lines)"]?.stringValue)
        }
    }

    @Test(
        "numbers as RFC 8785 appendix B prints them",
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"), (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"), (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"), (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"), (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func appendixB(_ bits: UInt64, _ text: String) {
        #expect(Double(bitPattern: bits).ecmaScriptDescription == text)
    }

    @Test("names are ordered by UTF-16 code units")
    func order() throws {
        let value: JSONValue = ["\u{FB33}": 1, "\u{1F600}": 2, "\u{20AC}": 3, "a": 4, "aa": 5, "": 6]
        let expected = "{\"\":6,\"a\":4,\"aa\":5,\"\u{20AC}\":3,\"\u{1F600}\":2,\"\u{FB33}\":1}"
        #expect(try value.canonicalBytes() == Array(expected.utf8))
    }

    @Test("names with any first difference are ordered as their UTF-16 code units are")
    func orderLaw() throws {
        var generator = SeededGenerator(state: 5)
        let scalars: [Unicode.Scalar] = [
            "a", "\u{7F}", "\u{80}", "\u{7FF}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}",
        ]
        func name() -> String {
            String(
                String.UnicodeScalarView(
                    (0..<Int.random(in: 0...3, using: &generator)).compactMap { _ in scalars.randomElement(using: &generator) }))
        }
        for _ in 0..<2_000 {
            let (left, right) = (name(), name())
            guard left != right else { continue }
            let bytes = try JSONValue.object([left: 1, right: 2]).canonicalBytes()
            let first = left.utf16.lexicographicallyPrecedes(right.utf16) ? (left, 1) : (right, 2)
            #expect(bytes.starts(with: Array("{\"\(first.0)\":\(first.1),".utf8)))
        }
    }

    @Test("reading a canonical form and writing it again changes nothing")
    func roundTrip() throws {
        var generator = SeededGenerator(state: 2)
        for _ in 0..<2_000 {
            let canonical = try JSONValue.random(depth: 4, using: &generator).canonicalBytes()
            let again = try JSONValue(parsing: canonical)
            #expect(try again.canonicalBytes() == canonical)
            #expect(try JSONValue(parsing: again.canonicalBytes()) == again)
        }
    }

    @Test("every double reads back as itself")
    func doubles() throws {
        var generator = SeededGenerator(state: 3)
        for _ in 0..<20_000 {
            let double = Double(bitPattern: generator.next())
            guard double.isFinite else { continue }
            #expect(Double(double.ecmaScriptDescription) == double)
        }
    }

    @Test("base64 has one spelling")
    func base64() {
        var generator = SeededGenerator(state: 4)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            #expect(Base64.encode(bytes) == Data(bytes).base64EncodedString())
            #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        }
        for refused in ["A", "AA", "AAA", "AA=", "AB==", "AAB=", "A===", "====", "AA==AAAA", "AA-_", "AAAA\n", " AAA"] {
            #expect(Base64.decode(refused) == nil, "\(refused)")
        }
    }
}

extension JSONValue {
    /// Any document, with texts that need every kind of escape.
    static func random(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(.random(in: exactIntegers, using: &generator))
        case 3:
            let double = Double(bitPattern: generator.next())
            return .number(double.isFinite ? double : 0.5)
        case 4, 5: return .string(randomText(using: &generator))
        case 6:
            return .array((0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) })
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                members[randomText(using: &generator)] = random(depth: depth - 1, using: &generator)
            }
            return .object(members)
        }
    }

    private static func randomText(using generator: inout SeededGenerator) -> String {
        let ranges: [ClosedRange<UInt32>] = [
            0...0x1F, 0x20...0x7F, 0x80...0x7FF, 0x800...0xD7FF, 0xE000...0xFFFF, 0x10000...0x10FFFF,
        ]
        var text = ""
        for _ in 0..<Int.random(in: 0...8, using: &generator) {
            let range = ranges[Int.random(in: 0..<ranges.count, using: &generator)]
            if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &generator)) { text.unicodeScalars.append(scalar) }
        }
        return text
    }
}
