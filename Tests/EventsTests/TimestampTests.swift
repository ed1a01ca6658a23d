import Events
import Testing

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "RFC 3339 and the forms logs use",
        arguments: [
            ("1970-01-01T00:00:00Z", 0),
            ("1985-04-12T23:20:50.52Z", 482_196_050_520_000_000),  // RFC 3339 §5.8
            ("1996-12-19T16:39:57-08:00", 851_042_397_000_000_000),
            ("1990-12-31T23:59:60Z", 662_688_000_000_000_000),
            ("1990-12-31T15:59:60-08:00", 662_688_000_000_000_000),
            ("1937-01-01T12:00:27.87+00:20", -1_041_337_172_130_000_000),
            ("2026-03-01t10:00:00z", 1_772_359_200_000_000_000),
            ("2026-03-01 10:00:00,5+0200", 1_772_352_000_500_000_000),
            ("2026-03-01 10:00:00 +02", 1_772_352_000_000_000_000),
            ("2026/03/01 10:00:00 Z", 1_772_359_200_000_000_000),
            ("2026-03-01T10:00:00.1234567899999Z", 1_772_359_200_123_456_789),
            ("2024-02-29T00:00:00-00:00", 1_709_164_800_000_000_000),
            ("1969-12-31T23:59:59.999999999Z", -1),
        ] as [(String, Int64)])
    func read(_ text: String, nanoseconds: Int64) throws {
        let time = try #require(Timestamp(rfc3339: text))
        #expect(time.nanoseconds == nanoseconds)
        #expect(Timestamp(rfc3339: time.rfc3339) == time)
    }

    @Test(
        "what is no moment is refused",
        arguments: [
            "", "2026", "2026-03-01", "2026-03-01T10:00", "2026-03-01T10:00:00", "2026-03-01 10:00:00 ",
            "2025-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-04-31T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T00:60:00Z", "2026-03-01T00:00:61Z",
            "2026-03-01T10:00:00.Z",
            "2026-03-01T10:00:00Zx", "2026-03-01T10:00:00+24:00", "2026-03-01T10:00:00+02:60", "2026-03-01T10:00:00+2",
            "2026-03-01T10:00:00+02:", "2026-03-01T10:00:00+", "2026-03-01T10:00:00  Z", "+026-03-01T10:00:00Z",
            " 2026-03-01T10:00:00Z",
            "２026-03-01T10:00:00Z", "0000-01-01T00:00:00Z", "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z",
            "9999-12-31T23:59:59Z",
        ])
    func refused(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test("a text without an offset takes the one that is assumed")
    func assumedOffset() {
        let bytes = Array("2026-03-01 10:00:00".utf8)
        #expect(Timestamp(iso8601: bytes.span, assumedOffsetSeconds: 3600)?.rfc3339 == "2026-03-01T09:00:00Z")
        #expect(Timestamp(iso8601: bytes.span, assumedOffsetSeconds: nil) == nil)
        #expect(Timestamp(iso8601: bytes.span, assumedOffsetSeconds: .min) == nil)
        #expect(Timestamp(iso8601: Array("2026-03-01 10:00:00 ".utf8).span, assumedOffsetSeconds: 0) == nil)
    }

    @Test("every moment, to the ends of the range, can be written and read again")
    func roundTrip() {
        var generator = SeededGenerator(state: 2)
        var moments: [Int64] = [.min, .min + 1, -1_000_000_000, -999_999_999, -1, 0, 1, 999, 1_000, 1_000_000, .max - 1, .max]
        for _ in 0..<5_000 { moments.append(.random(in: .min ... .max, using: &generator)) }
        for scale in [1_000 as Int64, 1_000_000, 1_000_000_000] {
            for _ in 0..<500 { moments.append(.random(in: .min ... .max, using: &generator) / scale * scale) }
        }
        for nanoseconds in moments {
            let time = Timestamp(nanoseconds: nanoseconds)
            #expect(Timestamp(rfc3339: time.rfc3339) == time, "\(time.rfc3339)")
            #expect(time.seconds == Int64((Double(nanoseconds) / 1e9).rounded(.down)) || abs(nanoseconds) > 1 << 50)
        }
        #expect(Timestamp(nanoseconds: .min).rfc3339 == "1677-09-21T00:12:43.145224192Z")
        #expect(Timestamp(nanoseconds: .max).rfc3339 == "2262-04-11T23:47:16.854775807Z")
    }

    @Test("moments have as many fractional digits as they need, and sort as their text does")
    func text() {
        #expect(Timestamp(nanoseconds: 1_000_000).rfc3339 == "1970-01-01T00:00:00.001Z")
        #expect(Timestamp(nanoseconds: 1_000).rfc3339 == "1970-01-01T00:00:00.000001Z")
        #expect(Timestamp(nanoseconds: 1).rfc3339 == "1970-01-01T00:00:00.000000001Z")
        #expect(Timestamp(seconds: -1).rfc3339 == "1969-12-31T23:59:59Z")
        #expect(Timestamp(seconds: -1) < Timestamp(nanoseconds: -1))
    }

    @Test("arithmetic is held at the ends of the range")
    func saturation() {
        let (first, last) = (Timestamp(nanoseconds: .min), Timestamp(nanoseconds: .max))
        #expect(last.advanced(byNanoseconds: 1) == last)
        #expect(first.advanced(byNanoseconds: -1) == first)
        #expect(last.advanced(bySeconds: .max) == last)
        #expect(Timestamp(seconds: 0).advanced(bySeconds: .min) == first)
        #expect(Timestamp(seconds: .max) == last)
        #expect(Timestamp(seconds: .min) == first)
        #expect(last.nanoseconds(since: first) == .max)
        #expect(first.nanoseconds(since: last) == .min)
        #expect(Timestamp(seconds: 3).nanoseconds(since: Timestamp(seconds: 1)) == 2_000_000_000)
    }

    @Test("hostile parts are refused, none traps")
    func hostileParts() {
        let numbers = [Int.min, -1, 0, 1, 12, 59, 60, 1677, 2262, .max]
        for year in numbers {
            for part in numbers {
                let date = CivilDate(year: year, month: 1, day: 1)
                _ = Timestamp(date, hour: part, minute: 0, second: 0)
                _ = Timestamp(date, hour: 0, minute: part, second: 0)
                _ = Timestamp(date, hour: 0, minute: 0, second: part)
                _ = Timestamp(date, hour: 0, minute: 0, second: 0, nanosecond: part)
                _ = Timestamp(date, hour: 0, minute: 0, second: 0, offsetSeconds: part)
                _ = Timestamp(CivilDate(year: year, month: part, day: part), hour: 0, minute: 0, second: 0)
            }
        }
        #expect(Timestamp(CivilDate(year: .max, month: 2, day: 28), hour: 0, minute: 0, second: 0) == nil)
    }

    @Test("mutated texts never trap, and what is taken has a stable form")
    func mutations() {
        var generator = SeededGenerator(state: 3)
        let alphabet = Array("0123456789-:T.,+Z /é\u{0}".utf8)
        for _ in 0..<20_000 {
            var bytes = Array("2026-02-28T23:59:59.123456789+01:30".utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &generator)))
            guard let time = Timestamp(iso8601: bytes.span, assumedOffsetSeconds: 0) else { continue }
            #expect(Timestamp(rfc3339: time.rfc3339) == time)
        }
    }
}
