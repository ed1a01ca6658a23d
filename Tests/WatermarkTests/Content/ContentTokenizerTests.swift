import Testing
import Watermark

@Suite("Tokens of content streams")
struct ContentTokenizerTests {
    private func kinds(_ text: String) -> [ContentToken.Kind] {
        let bytes = Array(text.utf8)
        var tokenizer = ContentTokenizer(bytes.span)
        var kinds: [ContentToken.Kind] = []
        while let token = tokenizer.next() { kinds.append(token.kind) }
        return kinds
    }

    private func strings(_ bytes: [UInt8]) -> [[UInt8]] {
        var tokenizer = ContentTokenizer(bytes.span)
        var strings: [[UInt8]] = []
        while let token = tokenizer.next() {
            if token.kind == .string { strings.append(tokenizer.string(token.range)) }
        }
        return strings
    }

    @Test("Numbers, names, arrays, dictionaries, strings, operators and comments")
    func everyKind() {
        #expect(
            kinds("/F1 -12.5 Tf [(a)-3 <62>] TJ <</K true>> BDC % nothing (here)\n.5 +7 T* 4. --5") == [
                .name, .number(-12.5), .keyword, .arrayStart, .string, .number(-3), .string, .arrayEnd, .keyword,
                .dictionaryStart, .name, .keyword, .dictionaryEnd, .keyword, .number(0.5), .number(7), .keyword, .number(4),
                .keyword,
            ])
    }

    @Test("An inline image ends at its EI, not at letters within its data")
    func inlineImage() {
        #expect(kinds("q BI /W 1 /H 1 ID xEIx EI\u{1} \u{2} EI Q") == [.keyword, .inlineImage, .keyword])
        #expect(kinds("BI /W 1 ID never ends") == [.inlineImage])
    }

    @Test("Escapes, nested parentheses, octal codes, line ends and odd hexadecimal digits")
    func decodedStrings() {
        #expect(
            strings(Array(#"(a\(b\)\\(c)\101\7\r\n\q) <4a4> (x\"#.utf8) + [0x0D, 0x0A] + Array("y\r\nz)".utf8)) == [
                Array(#"a(b)\(c)A"#.utf8) + [7, 0x0D, 0x0A] + Array("q".utf8), [0x4A, 0x40], Array("xy\nz".utf8),
            ])
    }

    @Test("Any bytes give tokens that follow one another and stay within the bytes", arguments: 0..<40)
    func anyBytes(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let alphabet = Array("()<>[]{}/%\\ \n\r0123456789.+-BIEDTjJ'\"\u{0}\u{7f}".utf8)
        let bytes = (0..<3_000).map { _ in
            Bool.random(using: &random) ? alphabet.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
        }
        var tokenizer = ContentTokenizer(bytes.span)
        var last = 0
        while let token = tokenizer.next() {
            #expect(token.range.lowerBound >= last && token.range.upperBound <= bytes.count && !token.range.isEmpty)
            if token.kind == .string { #expect(tokenizer.string(token.range).count <= token.range.count) }
            last = token.range.upperBound
        }
    }
}
