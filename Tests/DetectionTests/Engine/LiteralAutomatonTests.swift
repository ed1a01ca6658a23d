import Testing

@testable import Detection

@Suite struct LiteralAutomatonTests {
    /// The automaton reports what a search for each literal by itself finds.
    @Test(arguments: 1...40)
    func findsWhatSingleSearchesFind(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let alphabet = Array("abcA/.".utf8)
        let literals = (0..<Int.random(in: 1...12, using: &random)).map { index in
            let bytes = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                foldedToLowerCase(alphabet.randomElement(using: &random) ?? 0x61)
            }
            return (bytes: bytes, output: Int32(index))
        }
        let automaton = LiteralAutomaton(literals)
        for _ in 0..<50 {
            let text = (0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0x61 }
            var found: Set<Int32> = []
            automaton.scan(text.span, 0..<text.count) { found.insert($0) }
            let folded = text.map(foldedToLowerCase)
            let expected = literals.filter { literal in
                literal.bytes.count <= folded.count
                    && (0...folded.count - literal.bytes.count).contains {
                        Array(folded[$0..<$0 + literal.bytes.count]) == literal.bytes
                    }
            }
            #expect(found == Set(expected.map(\.output)))
        }
    }

    @Test func stateDoesNotLeakFromOneTextToTheNext() {
        let automaton = LiteralAutomaton([(Array("abc".utf8), 1)])
        var found = 0
        for part in ["ab", "c"] {
            let bytes = Array(part.utf8)
            automaton.scan(bytes.span, 0..<bytes.count) { _ in found += 1 }
        }
        #expect(found == 0)
    }
}
