import Foundation
import Journal
import Response
import Testing

@Suite struct YAMLTests {
    private static func convert(_ text: String) throws -> JSONValue { try PlaybookYAML.convert(Array(text.utf8)) }

    /// Every shipped playbook, written as YAML in block and in flow style, is the same playbook: the same hash.
    @Test(arguments: ShippedPlaybookTests.files)
    func aPlaybookInYAMLIsTheSamePlaybook(file: URL) throws {
        let document = try Files.json(file)
        let playbook = try PlaybookDecoder.decode(Files.bytes(file))
        for text in [Self.block(document, 0), String(decoding: try document.canonicalBytes(), as: UTF8.self)] {
            let converted = try Self.convert(text)
            #expect(converted == document)
            #expect(PlaybookDecoder.read(converted).playbook?.contentHash == playbook.contentHash)
        }
    }

    private static func block(_ value: JSONValue, _ depth: Int) -> String {
        let indent = String(repeating: "  ", count: depth)
        switch value {
        case .object(let members) where !members.isEmpty:
            return "\n"
                + members.sorted { $0.key < $1.key }.map {
                    "\(indent)\(JSONValue.string($0.key)): \(block($0.value, depth + 1))"
                }.joined(separator: "\n")
        case .array(let elements) where !elements.isEmpty:
            return "\n" + elements.map { "\(indent)- \(block($0, depth + 1))" }.joined(separator: "\n")
        default: return "\(value)"
        }
    }

    @Test func plainScalarsAreThoseOfTheCoreSchema() throws {
        let text = """
            a: no
            b: true
            c: 30000
            d: "30000"
            e: 2026-11-21T00:00:00Z
            f: ~
            g: -1.5e3
            h: 0x10
            i: 010
            j: |
              echo one
              echo two
            """
        #expect(
            try Self.convert(text) == [
                "a": "no", "b": true, "c": 30_000, "d": "30000", "e": "2026-11-21T00:00:00Z", "f": .null, "g": .number(-1500),
                "h": "0x10", "i": "010", "j": "echo one\necho two",
            ])
    }

    @Test(arguments: [
        ("a: &x [1]\nb: *x", 1, "anchor"), ("a: 1\nb:\n  - *y", 3, "anchor"), ("{\"a\":*x }", 1, "anchor"),
        ("a: 1\na: 2", 1, "twice"), ("a: 1\n\"a\": 2", 1, "twice"), ("a: !!binary aGk=", 1, "tags"), ("a: !own 1", 1, "tags"),
        ("? [1, 2]\n: 3", 1, "a key is a text"), ("a: 1\n---\nb: 2", 0, ""), ("a: [1", 0, "not YAML"), ("", 0, "empty"),
        ("a: \u{FEFF}\u{0}", 0, "not YAML"), (String(repeating: "[", count: 5000), 1, "deep"),
        (String(repeating: "- ", count: 5000), 1, "deep"),
        ((0..<400).map { String(repeating: " ", count: $0) + "a:\n" }.joined(), 258, "deep"),
    ])
    func whatIsNoJSONIsRefused(text: String, line: Int, reason: String) {
        #expect {
            try Self.convert(text)
        } throws: { error in
            guard let failure = error as? PlaybookYAML.Failure else { return false }
            return (line == 0 || failure.line == line) && (reason.isEmpty || failure.reason.contains(reason))
        }
    }

    /// A bomb: each level names the one before ten times, and a key has to be compared.
    @Test func nestedAliasesAreRefusedBeforeTheyAreRead() {
        var text = "a0: &a0 [x]\n"
        for level in 1..<40 {
            text += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ","))]\n"
        }
        text += "? *a39\n: 1\n"
        #expect(throws: PlaybookYAML.Failure.self) { try Self.convert(text) }
    }

    /// Bytes of a playbook changed at random: an answer or a refusal, never a crash.
    @Test func anyBytesAreAnsweredOrRefused() throws {
        let file = try #require(ShippedPlaybookTests.files.first)
        let whole = Array(Self.block(try Files.json(file), 0).utf8)
        var generator = SeededGenerator(state: 7)
        let interesting = Array("&*!|>-?:{}[],#'\"%@`\n\t \u{0}é~".utf8)
        for _ in 0..<400 {
            let start = Int.random(in: 0..<whole.count, using: &generator)
            var bytes = Array(whole[start..<min(start + 2_000, whole.count)])
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = interesting.randomElement(using: &generator) ?? 0
            }
            _ = try? PlaybookYAML.convert(bytes)
        }
    }
}
