import Events
import Testing

@Suite("Civil dates")
struct CivilDateTests {
    /// Walks the calendar day by day, with the rules as one learns them at school.
    @Test("every day from 1600 to 2400 has its number, and the number its day")
    func everyDay() {
        var number = CivilDate(year: 1600, month: 1, day: 1).daysSinceEpoch
        #expect(number == -135_140)
        var wrong = 0
        for year in 1600...2400 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            let months = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            for (index, length) in months.enumerated() {
                for day in 1...length {
                    let date = CivilDate(year: year, month: index + 1, day: day)
                    if date.daysSinceEpoch != number || CivilDate(daysSinceEpoch: number) != date || !date.exists { wrong += 1 }
                    number += 1
                }
                if CivilDate(year: year, month: index + 1, day: length + 1).exists { wrong += 1 }
                if CivilDate(year: year, month: index + 1, day: 0).exists { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test("round trips hold for years far away and before the common era")
    func farAway() {
        var generator = SeededGenerator(state: 1)
        for _ in 0..<5_000 {
            let days = Int.random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator)
            let date = CivilDate(daysSinceEpoch: days)
            #expect(date.exists && date.daysSinceEpoch == days)
        }
        #expect(CivilDate(year: 0, month: 2, day: 29).exists)
        #expect(CivilDate(year: -4, month: 2, day: 29).exists)
        #expect(!CivilDate(year: -100, month: 2, day: 29).exists)
    }

    @Test("hostile dates do not exist, and asking does not trap")
    func hostile() {
        let numbers = [Int.min, Int.min + 1, -1, 0, 1, 12, 13, 29, 31, 32, 400, .max - 1, .max]
        for month in numbers {
            for day in numbers {
                for year in [Int.min, -400, 0, 1970, .max] {
                    let exists = CivilDate(year: year, month: month, day: day).exists
                    if month < 1 || month > 12 || day < 1 || day > 31 { #expect(!exists) }
                }
            }
        }
    }
}
