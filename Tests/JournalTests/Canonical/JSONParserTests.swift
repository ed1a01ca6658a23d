import Journal
import Testing

@Suite("Reading JSON")
struct JSONParserTests {
    @Test("what is no JSON is refused with its code", arguments: Repository.fixtures("refused"))
    func refused(_ fixture: Fixture) throws {
        let bytes = try Files.read(fixture.path)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
        #expect(error?.code.rawValue == fixture.code)
        #expect((0...bytes.count).contains(error?.offset ?? -1))
    }

    @Test("every code has a fixture")
    func codesCovered() {
        let covered = Set(Repository.fixtures("refused").map(\.code))
        #expect(covered == Set(JSONError.Code.allCases.map(\.rawValue)))
    }

    @Test("unusual but valid JSON is taken, and its canonical form is stable", arguments: Repository.fixtures("accepted"))
    func accepted(_ fixture: Fixture) throws {
        let canonical = try JSONValue(parsing: Files.read(fixture.path)).canonicalBytes()
        #expect(try JSONValue(parsing: canonical).canonicalBytes() == canonical)
    }

    @Test("every prefix of a document is refused, none crashes")
    func prefixes() throws {
        let document = Array(#"{"a":[1,-2.5e-3,true,false,null,"x\u00e9\ud83d\ude02\n"],"é":{}}"#.utf8)
        for length in 0..<document.count {
            #expect(throws: JSONError.self) { try JSONValue(parsing: Array(document[..<length])) }
        }
        _ = try JSONValue(parsing: document)
    }

    @Test("mutated documents never crash, and what is taken has a stable form")
    func mutations() throws {
        var generator = SeededGenerator(state: 1)
        let document = Array(#"{"a":[1,-2.5e-3,true,null,"x\u00e9\ud83d\ude02\n"],"k":{"z":1E30}}"#.utf8)
        for _ in 0..<20_000 {
            var mutated = document
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                mutated[Int.random(in: 0..<mutated.count, using: &generator)] = .random(in: .min ... .max, using: &generator)
            }
            guard let value = try? JSONValue(parsing: mutated) else { continue }
            let canonical = try value.canonicalBytes()
            #expect(try JSONValue(parsing: canonical).canonicalBytes() == canonical)
        }
    }

    @Test("integers stay exact as far as every reader keeps them")
    func integers() throws {
        #expect(try JSONValue(parsing: "9007199254740991") == .integer(9_007_199_254_740_991))
        #expect(try JSONValue(parsing: "9007199254740993") == .number(9_007_199_254_740_992))
        #expect(try JSONValue(parsing: "1.0") == .number(1))
        #expect(throws: JSONError(.numberOutOfRange)) { try JSONValue.integer(1 << 60).canonicalBytes() }
        #expect(throws: JSONError(.numberOutOfRange)) { try JSONValue.number(.infinity).canonicalBytes() }
        #expect(throws: JSONError(.numberOutOfRange)) { try JSONValue.number(.nan).canonicalBytes() }
    }
}
