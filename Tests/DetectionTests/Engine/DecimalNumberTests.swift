import Testing

@testable import Detection

@Suite struct DecimalNumberTests {
    /// What Swift's own parser reads, for every text of a few characters and for random longer ones.
    @Test func readsWhatDoubleReads() {
        var random = SeededGenerator(seed: 7)
        let alphabet = Array("0123456789.-+e x".utf8)
        for round in 0..<20_000 {
            let length = round < 10_000 ? Int.random(in: 0...4, using: &random) : Int.random(in: 5...24, using: &random)
            let digitsOnly = round % 2 == 0
            let text = (0..<length).map { _ in
                alphabet[Int.random(in: 0..<(digitsOnly ? 11 : alphabet.count), using: &random)]
            }
            let read = DecimalNumber.value(text.span, 0..<text.count)
            #expect(read == Double(String(decoding: text, as: UTF8.self)))
        }
    }
}
