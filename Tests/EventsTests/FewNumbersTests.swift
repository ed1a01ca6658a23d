import Events
import Testing

@Suite("Sorting a few numbers")
struct FewNumbersTests {
    @Test("as sorting does, from none to many") func asSortingDoes() {
        var generator = SeededGenerator(state: 5)
        for count in 0...80 {
            var numbers = (0..<count).map { _ in Int32.random(in: -20...20, using: &generator) }
            let sorted = numbers.sorted()
            numbers.sortFew()
            #expect(numbers == sorted)
        }
    }
}
