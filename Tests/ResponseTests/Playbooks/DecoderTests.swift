import Foundation
import Journal
import Response
import Testing

@Suite struct DecoderTests {
    @Test func theSmallestPlaybookIsReadWithoutAWord() throws {
        let reading = PlaybookDecoder.read(Authoring.smallest)
        #expect(reading.problems == [])
        let playbook = try #require(reading.playbook)
        #expect(playbook.steps.count == 3)
        #expect(playbook.document == Authoring.smallest)
    }

    @Test func everyProblemIsNamedByItsPath() {
        let broken = Authoring.smallest.setting("/created", to: "yesterday").setting("/impact", to: 101)
            .setting("/workflow/\(Authoring.id("action", 2))/comands", to: [])
            .setting("/workflow/\(Authoring.id("start", 1))/on_completion", to: .string(Authoring.id("action", 77)))
        let reading = PlaybookDecoder.read(broken)
        #expect(reading.playbook == nil)
        let found = Set(reading.errors.map { "\($0.check.rawValue) \($0.path)" })
        #expect(
            found == [
                "timestamp-form /created", "number-range /impact",
                "unknown-property /workflow/\(Authoring.id("action", 2))/comands",
                "missing-step /workflow/\(Authoring.id("start", 1))/on_completion",
            ])
        #expect(reading.problems.contains { $0.reason.contains("commands") }, "the nearest name is suggested")
    }

    @Test func textThatIsNoJSONIsRefusedWithItsPlace() {
        let reading = PlaybookDecoder.read(Array("{\"type\": ".utf8))
        #expect(reading.problems.map(\.check) == [.json])
    }

    @Test(arguments: ["basic-example-1", "spec-3.1-example"])
    func officialExamplesAreReadWithoutErrors(name: String) throws {
        let file = try Files.suite("oasis/Examples/CACAO-2.0/\(name).json")
        let reading = PlaybookDecoder.read(try Files.bytes(file))
        #expect(reading.errors == [])
        #expect(reading.playbook?.document == (try Files.json(file)))
    }

    /// Valid against the official schemas, and yet it breaks MUSTs: steps under version 5 UUIDs, a UUID used twice, a target that
    /// nobody defines, references that are not listed.
    @Test func theOfficialExampleThatBreaksMustsIsRefusedForThem() throws {
        let file = try Files.suite("oasis/Examples/CACAO-2.0/locky-bart-mbc-examples.json")
        let reading = PlaybookDecoder.read(try Files.bytes(file))
        #expect(Set(reading.errors.map(\.check)) == [.uuidVersion, .duplicateUUID, .missingDefinition, .unlistedReference])
        #expect(reading.playbook == nil)
    }

    @Test func variablesAreFoundWhereTheyAreUsed() {
        let uses = VariableUse.all(in: "block __address__:value on __host__:values, not __:value or __9a__:value; __a__b__:value")
        #expect(uses.map(\.name) == ["__address__", "__a__b__"])
    }

    /// Mutated bytes of a playbook: the decoder answers, whatever they are, and accepts only what it can write again.
    @Test func hostileBytesAreAnswered() throws {
        var generator = SeededGenerator(state: 7)
        let original = try Authoring.smallest.canonicalBytes()
        let snippets = ["null", "[]", "{}", "\"\"", "-1", "1e400", "\"__x__:value\"", "\\ud800", "true", "9999999999999999999"]
        for _ in 0..<3000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...40, using: &generator)))
                case 2: bytes.insert(contentsOf: snippets[Int.random(in: 0..<snippets.count, using: &generator)].utf8, at: place)
                default:
                    let end = min(bytes.count, place + Int.random(in: 1...60, using: &generator))
                    bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0..<bytes.count, using: &generator))
                }
                if bytes.isEmpty { bytes = [0x7B] }
            }
            let reading = PlaybookDecoder.read(bytes)
            if let playbook = reading.playbook {
                #expect(PlaybookDecoder.read(try playbook.document.canonicalBytes()).playbook == playbook)
            } else {
                #expect(!reading.errors.isEmpty)
            }
        }
    }
}
