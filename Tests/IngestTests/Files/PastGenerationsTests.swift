import Testing

@testable import Ingest

@Suite("Generations of paths that have no file")
struct PastGenerationsTests {
    @Test("what was noted is given back once")
    func taken() {
        var past = PastGenerations()
        past.note("a", 3)
        past.note("a", 4)
        #expect(past["a"] == 4 && past["b"] == nil)
        let taken = past.take("a")
        let takenAgain = past.take("a")
        #expect(taken == 4 && takenAgain == nil)
        #expect(past.positions.isEmpty)
    }

    @Test("there are never more than the limit, and the oldest go first, also when they were written down meanwhile")
    func bounded() {
        var past = PastGenerations()
        for number in 0..<PastGenerations.maximum { past.note("\(number)", number) }
        #expect(past.positions.count == PastGenerations.maximum)
        var restored = PastGenerations()
        for position in past.positions { restored.note(position.path, position.generation) }
        restored.note("0", 7)
        restored.note("one more", 0)
        #expect(restored.positions.count == PastGenerations.maximum + 1 - PastGenerations.share)
        #expect(restored["1"] == nil && restored["0"] == 7 && restored["one more"] == 0)
        #expect(restored["\(PastGenerations.maximum - 1)"] == PastGenerations.maximum - 1)
    }
}
