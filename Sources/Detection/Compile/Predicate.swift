import Events

/// What a compiled condition is made of. Evaluated only for rules that the literal index has made candidates.
indirect enum Expression: Sendable {
    case predicate(Predicate)
    case all([Expression])
    case any([Expression])
    case not(Expression)
    case constant(Bool)
}

/// One test of one field. A field with several values passes when one of them does.
struct Predicate: Sendable {
    /// What is tested.
    enum Subject: Sendable, Hashable {
        case field(FieldID)
        /// The raw line: Sigma's keywords are sought in the whole event.
        case line
        /// The event's own time, however the line says it: it can be there, and has parts.
        case time
    }

    enum Test: Sendable {
        case text(TextPattern)
        /// An index into the engine's matchers.
        case regex(Int)
        case block(AddressBlock)
        case compare(Comparison, Double)
        /// Present or absent.
        case exists(Bool)
        /// Absent.
        case isNull
        /// Equal to, beginning with, ending with or containing another field's value.
        case field(FieldID, TextPattern.Anchor, isCased: Bool)
        /// A part of the date that the field holds.
        case timePart(TimePart, Comparison, Int)
    }

    var subject: Subject
    var test: Test
}

/// The parts of a date that Sigma's time modifiers compare.
enum TimePart: String, Sendable, CaseIterable, BitwiseCopyable {
    case minute, hour, day, week, month, year

    func value(of time: Timestamp) -> Int {
        let date = time.date
        let secondOfDay = Int(time.seconds) - date.daysSinceEpoch * 86_400
        switch self {
        case .minute: return secondOfDay / 60 % 60
        case .hour: return secondOfDay / 3600
        case .day: return date.day
        case .month: return date.month
        case .year: return date.year
        case .week:
            // ISO 8601: the week of the year in which this week's Thursday lies.
            let weekday = (date.daysSinceEpoch % 7 + 10) % 7
            let thursday = CivilDate(daysSinceEpoch: date.daysSinceEpoch - weekday + 3)
            let newYear = CivilDate(year: thursday.year, month: 1, day: 1).daysSinceEpoch
            return (thursday.daysSinceEpoch - newYear) / 7 + 1
        }
    }
}
