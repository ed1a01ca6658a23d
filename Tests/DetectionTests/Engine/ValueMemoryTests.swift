import Events
import Testing

@testable import Detection

@Suite struct ValueMemoryTests {
    private static func value(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func pair(_ bytes: [UInt8], _ count: Int, slots: UInt64 = 5) -> Int? {
        ValueMemory.pair(of: bytes.span, 0..<count, slots: slots, source: 1)
    }

    private static func find(
        _ memory: inout ValueMemory, _ bytes: [UInt8], _ count: Int, pair: Int, slots: UInt64 = 5, source: Int = 1
    ) -> Int? {
        memory.find(bytes.span, 0..<count, slots: slots, source: source, pair: pair)
    }

    @Test func aValueIsKnownByAllOfItAndByWhatItWasLookedThroughFor() throws {
        var memory = ValueMemory()
        let known = Self.value("Mozilla/5.0 (X11; Linux x86_64)")
        let pair = try #require(Self.pair(known, known.count))
        #expect(Self.find(&memory, known, known.count, pair: pair) == nil)
        memory.keep(known.span, 0..<known.count, slots: 5, source: 1, pair: pair, [3, -2])
        let place = try #require(Self.find(&memory, known, known.count, pair: pair))
        #expect(memory.outputs(at: place).map { memory[output: $0] } == [3, -2])
        // At the same place, whatever its hash may be: other bytes, other length, other fields, other log source.
        for index in known.indices {
            var other = known
            other[index] ^= 0x20
            #expect(Self.find(&memory, other, other.count, pair: pair) == nil)
        }
        #expect(Self.find(&memory, known, known.count - 1, pair: pair) == nil)
        #expect(Self.find(&memory, known, known.count, pair: pair, slots: 4) == nil)
        #expect(Self.find(&memory, known, known.count, pair: pair, source: 2) == nil)
    }

    @Test("short values, whatever stands behind them and wherever the bytes end", arguments: 0...ValueMemory.maximumBytes)
    func lengths(count: Int) throws {
        var memory = ValueMemory()
        let text = Self.value(String(repeating: "abcdefgh", count: 29))
        let pair = try #require(Self.pair(text, count))
        memory.keep(text.span, 0..<count, slots: 5, source: 1, pair: pair, [1])
        let alone = Array(text[..<count])
        #expect(Self.pair(alone, count) == pair)
        #expect(Self.find(&memory, alone, count, pair: pair) != nil)
        for index in 0..<count {
            var other = alone
            other[index] ^= 0x80
            #expect(Self.find(&memory, other, count, pair: pair) == nil)
        }
    }

    @Test func twoValuesOfOnePairStayAndTheThirdTakesThePlaceOfTheOneNotUsedLast() throws {
        var memory = ValueMemory()
        let (one, two, three) = (Self.value("one"), Self.value("two"), Self.value("three"))
        for value in [one, two] { memory.keep(value.span, value.indices, slots: 5, source: 1, pair: 8, [1]) }
        #expect(Self.find(&memory, two, 3, pair: 8) != nil)
        #expect(Self.find(&memory, one, 3, pair: 8) != nil)
        memory.keep(three.span, three.indices, slots: 5, source: 1, pair: 8, [1])
        #expect(Self.find(&memory, one, 3, pair: 8) != nil)
        #expect(Self.find(&memory, two, 3, pair: 8) == nil)
        #expect(Self.find(&memory, three, 5, pair: 8) != nil)
    }

    @Test func anEmptyValueIsNotKnownBeforeItWasSeen() throws {
        var memory = ValueMemory()
        for slots in UInt64(0)..<64 {
            let pair = try #require(Self.pair([], 0, slots: slots))
            #expect(Self.find(&memory, [], 0, pair: pair, slots: slots) == nil)
        }
    }

    @Test func whatIsTooLongOrFoundTooMuchInIsNotKept() throws {
        var memory = ValueMemory()
        let long = [UInt8](repeating: 0x61, count: ValueMemory.maximumBytes + 1)
        #expect(Self.pair(long, long.count) == nil)
        let pair = try #require(Self.pair(long, 8))
        memory.keep(long.span, 0..<8, slots: 5, source: 1, pair: pair, Array(0...Int32(ValueMemory.maximumOutputs)))
        #expect(Self.find(&memory, long, 8, pair: pair) == nil)
    }
}
