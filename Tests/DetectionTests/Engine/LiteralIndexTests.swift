import Testing

@testable import Detection

@Suite struct LiteralIndexTests {
    /// The index reports what a search for each literal by itself finds.
    @Test(arguments: 1...40)
    func findsWhatSingleSearchesFind(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let alphabet = Array("abcA/.@`[{é\0".utf8)
        let anchors: [TextPattern.Anchor] = [.contains, .equals, .startsWith, .endsWith]
        func text(_ lengths: ClosedRange<Int>) -> [UInt8] {
            (0..<Int.random(in: lengths, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0x61 }
        }
        for _ in 0..<5 {
            let literals = (0..<Int.random(in: 1...40, using: &random)).map { number in
                let bytes = text(1...(number % 5 == 0 ? 30 : 5)).map(foldedToLowerCase)
                let anchor = anchors.randomElement(using: &random) ?? .contains
                return (literal: LiteralIndex.Literal(bytes: bytes, anchor: anchor), output: Int32(number))
            }
            let index = LiteralIndex(literals)
            for _ in 0..<40 {
                // Values stand between others; some hold a literal for certain.
                let planted = literals.randomElement(using: &random).map(\.literal.bytes) ?? []
                let value = Bool.random(using: &random) ? text(0...60) : text(0...20) + planted + text(0...20)
                let before = text(0...6)
                let bytes = before + value + text(0...6)
                var found: Set<Int32> = []
                index.scan(bytes.span, before.count..<before.count + value.count) { found.insert($0) }
                let expected = literals.filter { literal, _ in
                    TextPattern(literal: literal.bytes, anchor: literal.anchor, isCased: false).matches(
                        value.span, 0..<value.count)
                }
                #expect(found == Set(expected.map(\.output)))
            }
        }
    }

    /// Few long literals are looked for at every fourth place only: none is missed at any of them, and none is seen twice.
    @Test(arguments: [5, 6, 7, 12]) func longLiteralsAreFoundAtEveryPlace(length: Int) {
        let letters = Array("abcdefghijklmnopqrstuvwxyz".utf8)
        let literals: [[UInt8]] = (0..<6).map { number in
            (0..<length).map { (place: Int) -> UInt8 in letters[(place * (number + 2) + number) % letters.count] }
        }
        let index = LiteralIndex(
            literals.enumerated().map { (LiteralIndex.Literal(bytes: $1, anchor: .contains), Int32($0)) })
        #expect(index.count == literals.count)
        for (number, literal) in literals.enumerated() {
            for before in 0..<12 {
                for behind in 0..<6 {
                    var bytes = [UInt8](repeating: 0x23, count: before)
                    bytes += literal
                    bytes += [UInt8](repeating: 0x2E, count: behind)
                    var found: [Int32] = []
                    index.scan(bytes.span, 0..<bytes.count) { found.append($0) }
                    #expect(found == [Int32(number)])
                }
            }
        }
    }

    @Test func doesNotLookBeyondTheValue() {
        let index = LiteralIndex([(LiteralIndex.Literal(bytes: Array("abc".utf8), anchor: .contains), 1)])
        let bytes = Array("abc".utf8)
        var found = 0
        index.scan(bytes.span, 0..<2) { _ in found += 1 }
        index.scan(bytes.span, 1..<3) { _ in found += 1 }
        #expect(found == 0)
    }

    @Test func anUnusualWindowIsPreferredToAnOrdinaryOne() {
        let literal = Array("windowsxq7~".utf8)
        #expect(LiteralRarity.rarestWindows(of: literal, width: 4, count: 1) >= 6)
        #expect(LiteralRarity.bits(Array("\\powershell.exe".utf8)) < LiteralRarity.bits(Array("sekurlsa".utf8)))
    }

    /// "200" is a rare text but what most requests are answered with; "/" is in every path but is few of them.
    @Test func aWholeValueIsAsRareAsValuesAreNotAsItsLetters() {
        func bits(_ text: String) -> Double { LiteralRarity.bits(LiteralIndex.Literal(bytes: Array(text.utf8), anchor: .equals)) }
        #expect(bits("/") > bits("200"))
        #expect(bits("/") > LiteralRarity.bits(Array("/".utf8)))
        #expect(bits("401") > bits("post"))
    }
}
