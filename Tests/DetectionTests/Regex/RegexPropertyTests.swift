import Testing

@testable import Detection

@Suite("Bounded regex laws")
struct RegexPropertyTests {
    /// 4,000 patterns, five inputs each, and each input with ample, scarce and no memory for states.
    @Test("agrees with the definition, whatever the memory for states", arguments: [UInt64(1), 2, 3, 4])
    func definition(seed: UInt64) throws {
        var generator = RegexGenerator(seed: seed)
        var matches = 0
        for _ in 0..<1_000 {
            let tree = generator.node(depth: 4)
            let options = generator.options()
            let regex = try BoundedRegex(tree.text, options: options)
            var matchers = [1 << 20, 600, 0].map { RegexMatcher(regex, cacheLimit: $0) }
            for _ in 0..<5 {
                let input = generator.input()
                let expected = Oracle(input).finds(tree, options)
                matches += expected ? 1 : 0
                for index in matchers.indices {
                    let found = matchers[index].matches(input.span)
                    #expect(found == expected, "\(tree.text) \(options) \(input) memory \(index)")
                    let inside = [0x61] + input + [0x62]
                    let foundInside = matchers[index].matches(inside.span, in: 1..<(inside.count - 1))
                    #expect(foundInside == expected, "\(tree.text) \(options) \(input) in a range")
                }
            }
        }
        #expect((1_000...4_500).contains(matches), "the inputs must try both answers")
    }

    @Test("counted repeats that overlap themselves agree with the definition")
    func overlappingCounts() throws {
        var generator = RegexGenerator(seed: 10)
        var matches = 0
        for _ in 0..<1_500 {
            let tree = generator.overlappingCounts()
            let regex = try BoundedRegex(tree.text)
            var matchers = [1 << 20, 0].map { RegexMatcher(regex, cacheLimit: $0) }
            for _ in 0..<8 {
                let input = generator.narrowInput()
                let expected = Oracle(input).finds(tree, [])
                matches += expected ? 1 : 0
                for index in matchers.indices {
                    let found = matchers[index].matches(input.span)
                    let text = String(decoding: input, as: UTF8.self)
                    #expect(found == expected, "\(tree.text) \(text) memory \(index)")
                }
            }
        }
        #expect((1_500...9_000).contains(matches), "the inputs must try both answers")
    }

    @Test("an input that matches contains a required literal", arguments: [UInt64(5), 6, 7, 8])
    func literals(seed: UInt64) throws {
        var generator = RegexGenerator(seed: seed)
        var checked = 0
        for _ in 0..<2_000 {
            let isNarrow = generator.chance(2)
            let tree = isNarrow ? generator.overlappingCounts() : generator.node(depth: 3)
            let options = generator.options()
            let regex = try BoundedRegex(tree.text, options: options)
            guard let literals = regex.requiredLiterals else { continue }
            #expect(literals.count <= 32 && literals.allSatisfy { $0.count >= 2 && $0.allSatisfy { $0 < 0x80 } })
            var matcher = RegexMatcher(regex)
            for _ in 0..<40 {
                let input = isNarrow ? generator.narrowInput() : generator.input()
                guard matcher.matches(input.span) else { continue }
                checked += 1
                let lowered = input.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
                #expect(literals.contains { contains(lowered, $0) }, "\(tree.text) \(options) \(input) \(literals)")
            }
        }
        #expect(checked >= 200, "too few inputs matched to say anything")
    }

    /// Damaged patterns: whatever they mean, they are compiled or refused, and never end the process.
    @Test("any text is a pattern or a refusal with a place inside it")
    func anyText() {
        var generator = RegexRandom(seed: 9)
        let pieces = [
            "(", ")", "[", "]", "{", "}", "*", "+", "?", "|", "\\", "^", "$", ".", "-", ":", "=", "!", "<", ">", "#",
            "a", "1", ",", "9", "x", "Q", "E", "u", "P", "i", "é", "[:", ":]", "(?", "\\x", "alpha", "😀",
        ]
        for _ in 0..<20_000 {
            let count = Int.random(in: 1...12, using: &generator)
            let text = (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
            do throws(RegexError) {
                var matcher = RegexMatcher(try BoundedRegex(text))
                let input = Array(text.utf8)
                _ = matcher.matches(input.span)
            } catch {
                #expect((0...text.utf8.count).contains(error.offset), "\(text) \(error)")
            }
        }
    }

    private func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count else { return false }
        return (0...(text.count - part.count)).contains { text[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
