import Events

/// The day of the line before: lines follow each other in time, so that only the clock has to be read anew.
///
/// Answers `nil` whenever the text is not exactly a date it has seen with a time of day behind it: the full parser then
/// decides. Half a megabyte of log is about a second, so most texts are even the one of the line before.
struct RecentTime: Sendable {
    /// The text's bytes 0–7, 8–15 and 18–25 (combined) or 0–7, 3–10 and 11–18 (ISO 8601).
    private var combinedWords: (UInt64, UInt64, UInt64) = (0, 0, 0)
    private var combinedMidnight: Int64?
    private var isoWords: (UInt64, UInt64) = (0, 0)
    private var isoMidnight: Int64?

    /// `10/Oct/2000:13:55:36 -0700` at `index`. The caller has made sure that 26 bytes stand there.
    @inline(__always)
    func combined(_ bytes: Span<UInt8>, at index: Int) -> Timestamp? {
        guard let midnight = combinedMidnight, bytes.word(uncheckedAt: index) == combinedWords.0,
            (bytes.word(uncheckedAt: index + 8) ^ combinedWords.1) & 0xFFFF_FFFF == 0,
            (bytes.word(uncheckedAt: index + 18) ^ combinedWords.2) >> 16 == 0,
            let clock = RecentTime.nanoseconds(bytes.word(uncheckedAt: index + 12))
        else { return nil }
        return Timestamp(nanoseconds: midnight + clock)
    }

    /// Remembers the day and the zone of a text of 26 bytes that was read as `time`.
    mutating func remember(combined bytes: Span<UInt8>, at index: Int, _ time: Timestamp) {
        guard index + 26 <= bytes.count, let clock = RecentTime.nanoseconds(bytes.word(uncheckedAt: index + 12)) else { return }
        combinedWords = (
            bytes.word(uncheckedAt: index), bytes.word(uncheckedAt: index + 8), bytes.word(uncheckedAt: index + 18)
        )
        combinedMidnight = RecentTime.midnight(time, clock)
    }

    /// `2026-03-01T10:00:00Z`, with or without a fraction of up to nine digits, in `range`.
    @inline(__always)
    func iso8601(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Timestamp? {
        let start = range.lowerBound
        guard range.count >= 20, range.count <= 30, let midnight = isoMidnight, bytes.word(uncheckedAt: start) == isoWords.0,
            bytes.word(uncheckedAt: start + 3) == isoWords.1, bytes[range.upperBound - 1] == UInt8(ascii: "Z"),
            let clock = RecentTime.nanoseconds(bytes.word(uncheckedAt: start + 11))
        else { return nil }
        var fraction: Int64 = 0
        if range.count > 20 {
            guard bytes[start + 19] == UInt8(ascii: "."), range.count > 21 else { return nil }
            var scale: Int64 = 100_000_000
            for index in start + 20..<range.upperBound - 1 {
                let digit = bytes[index] &- 0x30
                guard digit <= 9 else { return nil }
                fraction += Int64(digit) * scale
                scale /= 10
            }
        }
        return Timestamp(nanoseconds: midnight + clock + fraction)
    }

    /// Remembers the day of a text ending in `Z` that was read as `time`.
    mutating func remember(iso8601 bytes: Span<UInt8>, _ range: Range<Int>, _ time: Timestamp) {
        let start = range.lowerBound
        guard range.count >= 20, bytes[range.upperBound - 1] == UInt8(ascii: "Z"),
            let clock = RecentTime.nanoseconds(bytes.word(uncheckedAt: start + 11))
        else { return }
        isoWords = (bytes.word(uncheckedAt: start), bytes.word(uncheckedAt: start + 3))
        isoMidnight = RecentTime.midnight(Timestamp(seconds: time.seconds), clock)
    }

    /// Where the day began, unless it lies so near the ends of time that a clock added to it could leave them.
    private static func midnight(_ time: Timestamp, _ clock: Int64) -> Int64? {
        let midnight = time.nanoseconds.subtractingReportingOverflow(clock)
        return !midnight.overflow && midnight.partialValue.magnitude < UInt64(Int64.max) - 200_000_000_000_000
            ? midnight.partialValue : nil
    }

    /// The time of day that the eight bytes `hh:mm:ss` spell; `nil` when they do not. `:60` is a leap second.
    @inline(__always)
    private static func nanoseconds(_ word: UInt64) -> Int64? {
        // `00:00:00` becomes zero; a digit keeps its value, anything else a high bit or a value over nine.
        let digits = word ^ 0x3030_3A30_303A_3030
        guard digits & 0xF0F0_FFF0_F0FF_F0F0 == 0, (digits &+ 0x0606_0606_0606_0606) & 0xF0F0_F0F0_F0F0_F0F0 == 0 else {
            return nil
        }
        let hour = (digits & 15) * 10 + digits >> 8 & 15
        let minute = (digits >> 24 & 15) * 10 + digits >> 32 & 15
        let second = (digits >> 48 & 15) * 10 + digits >> 56
        guard hour < 24, minute < 60, second <= 60 else { return nil }
        return Int64(hour * 3600 + minute * 60 + second) * 1_000_000_000
    }
}
