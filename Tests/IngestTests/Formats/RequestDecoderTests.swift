import Events
import Ingest
import Testing

/// Laws of the decoded form; the vectors are fixtures.
@Suite("Undoing encodings")
struct RequestDecoderTests {
    /// The decoded forms of request targets, each logged as nginx logs it.
    private func decoded(_ targets: [[UInt8]]) -> [[UInt8]] {
        var text: [UInt8] = []
        for target in targets {
            text += Array("192.0.2.1 - - [01/Mar/2026:10:00:00 +0000] \"GET ".utf8) + target + Array(" HTTP/1.1\" 200 1\n".utf8)
        }
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var assembler = LineAssembler()
        var lines: [RawLine] = []
        assembler.begin(&batch)
        batch.bytes.append(contentsOf: text)
        assembler.finish(batch, isFinal: true, into: &lines)
        var parser = BatchParser(format: .combined, plan: JSONFieldPlan(FieldTable()))
        parser.parse(lines, of: &batch, consumed: assembler.offset, reference: Reading.reference)
        #expect(parser.counters.parsed == targets.count)
        return batch.events.compactMap { batch.range(of: .decodedURL, in: $0).map { Array(batch.bytes[$0.bounds]) } }
    }

    /// Bytes that no decoding touches, whatever stands beside them.
    private static let plain = Array("abcdefghijklmnopqrstuvwxyzABCDEF0123456789-._~!$'(),:@=;<>[]{}|^`/".utf8)

    private func random(_ alphabet: [UInt8], _ length: ClosedRange<Int>, _ generator: inout SeededGenerator) -> [UInt8] {
        (0..<Int.random(in: length, using: &generator)).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        }
    }

    private func percentEncoded(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            let mustEncode = byte == UInt8(ascii: "%")
            guard mustEncode || Bool.random(using: &generator) else { return [byte] }
            let digits = String(byte, radix: 16, uppercase: Bool.random(using: &generator))
            return Array("%\(digits.count == 1 ? "0" : "")\(digits)".utf8)
        }
    }

    @Test("text without encodings is its own decoded form")
    func identity() {
        var generator = SeededGenerator(state: 30)
        let targets = (0..<500).map { _ in random(Self.plain, 1...60, &generator) }
        #expect(decoded(targets) == targets)
    }

    @Test("percent-encoding is undone to the third round, whichever bytes are encoded", arguments: [1, 2, 3])
    func rounds(_ count: Int) {
        var generator = SeededGenerator(state: 31)
        let targets = (0..<300).map { _ in random(Self.plain, 1...40, &generator) }
        var encoded = targets
        for _ in 0..<count { encoded = encoded.map { percentEncoded($0, &generator) } }
        #expect(decoded(encoded) == targets)
    }

    @Test("log escapes of any byte mean the byte: percent-encoded or escaped makes no difference")
    func escapesAndPercent() {
        let bytes = (UInt8.min ... .max).filter { $0 != UInt8(ascii: "%") && $0 != UInt8(ascii: "+") }
        let hexadecimal = bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }
        let escaped = decoded(hexadecimal.map { Array("/\\x\($0)z".utf8) })
        #expect(escaped == decoded(hexadecimal.map { Array("/%\($0)z".utf8) }))
    }

    @Test("random bytes: no trap, no control bytes, no runs of spaces, never longer than what was sent")
    func randomBytes() {
        var generator = SeededGenerator(state: 32)
        let syntax = Array("%u\\x&#;/*+ 0123abcdefABCDEF".utf8) + [0xC0, 0xAF, 0xE0, 0x80, 0xF0, 0xFF, 0x01, 0x09, 0x7F]
        let any = (UInt8.min ... .max).filter { $0 != 0x0A && $0 != 0x22 && $0 != 0x5C }
        let targets = (0..<3_000).map { index in
            [UInt8(ascii: "/")] + random(index.isMultiple(of: 2) ? syntax : any, 0...40, &generator) + [UInt8(ascii: "/")]
        }
        for (target, result) in zip(targets, decoded(targets)) {
            // U+FFFD for a lone surrogate (`%ud800`) or a number past Unicode takes no more than what it stands for.
            #expect(result.count <= target.count, "\(target)")
            #expect(result.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "\(target)")
            #expect(!zip(result, result.dropFirst()).contains { $0 == (0x20, 0x20) }, "\(target)")
        }
    }

    @Test("decoding what is decoded changes nothing, where no encoding was nested deeper than it is undone")
    func idempotence() {
        var generator = SeededGenerator(state: 33)
        let alphabet = Self.plain + Array("   +++???".utf8)
        let targets = (0..<300).map { _ in
            percentEncoded(
                [UInt8(ascii: "/")] + random(alphabet.filter { $0 != UInt8(ascii: "+") }, 0...40, &generator) + [
                    UInt8(ascii: "/")
                ], &generator)
        }
        let once = decoded(targets)
        #expect(decoded(once) == once)
    }

    @Test("comments that never end stay as they are, however many there are")
    func unclosedComments() {
        let target = Array(String(repeating: "/*a", count: 20_000).utf8)
        #expect(decoded([target]) == [target])
    }
}
