import Testing

@testable import Watermark

@Suite("What is made once") struct MadeOnceTests {
    @Test("is asked for once, whether it can be made or not") func once() {
        var kept = MadeOnce<String>()
        var asked: [Int] = []
        for number in [1, 2, 1, 2, 3, 2] {
            let value = kept.value(of: number) {
                asked.append($0)
                return $0 == 2 ? nil : "\($0)"
            }
            #expect(value == (number == 2 ? nil : "\(number)"))
        }
        #expect(asked == [1, 2, 3])
        #expect(kept.made == [1: "1", 3: "3"])
    }
}
