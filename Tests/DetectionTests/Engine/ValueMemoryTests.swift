import Events
import Testing

@testable import Detection

@Suite struct ValueMemoryTests {
    private static func value(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static func place(_ bytes: [UInt8], _ count: Int, slots: UInt64 = 5) -> Int? {
        ValueMemory.place(of: bytes.span, 0..<count, slots: slots, source: 1)
    }

    private static func holds(
        _ memory: ValueMemory, _ bytes: [UInt8], _ count: Int, at place: Int, slots: UInt64 = 5, source: Int = 1
    ) -> Bool {
        memory.holds(bytes.span, 0..<count, slots: slots, source: source, at: place)
    }

    @Test func aValueIsKnownByAllOfItAndByWhatItWasLookedThroughFor() throws {
        var memory = ValueMemory()
        let known = Self.value("Mozilla/5.0 (X11; Linux x86_64)")
        let place = try #require(Self.place(known, known.count))
        #expect(!Self.holds(memory, known, known.count, at: place))
        memory.keep(known.span, 0..<known.count, slots: 5, source: 1, at: place, [3, -2])
        #expect(Self.holds(memory, known, known.count, at: place))
        #expect(memory.outputs(at: place).map { memory[output: $0] } == [3, -2])
        // At the same place, whatever its hash may be: other bytes, other length, other fields, other log source.
        for index in known.indices {
            var other = known
            other[index] ^= 0x20
            #expect(!Self.holds(memory, other, other.count, at: place))
        }
        #expect(!Self.holds(memory, known, known.count - 1, at: place))
        #expect(!Self.holds(memory, known, known.count, at: place, slots: 4))
        #expect(!Self.holds(memory, known, known.count, at: place, source: 2))
    }

    @Test func anEmptyValueIsNotKnownBeforeItWasSeen() throws {
        let memory = ValueMemory()
        for slots in UInt64(0)..<64 {
            let place = try #require(Self.place([], 0, slots: slots))
            #expect(!Self.holds(memory, [], 0, at: place, slots: slots))
        }
    }

    @Test func whatIsTooLongOrFoundTooMuchInIsNotKept() throws {
        var memory = ValueMemory()
        let long = [UInt8](repeating: 0x61, count: ValueMemory.maximumBytes + 1)
        #expect(Self.place(long, long.count) == nil)
        let place = try #require(Self.place(long, 8))
        memory.keep(long.span, 0..<8, slots: 5, source: 1, at: place, Array(0...Int32(ValueMemory.maximumOutputs)))
        #expect(!Self.holds(memory, long, 8, at: place))
    }
}
