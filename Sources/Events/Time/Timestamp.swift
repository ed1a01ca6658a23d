/// A moment in UTC, in nanoseconds since 1970-01-01T00:00:00Z; reaches from 1677 to 2262.
///
/// An integer rather than Foundation's `Date`: exact, comparable, hashable, and cheap enough to keep one per log line.
public struct Timestamp: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Held at the ends of the range, as `advanced(bySeconds:)` is.
    public init(seconds: Int64) {
        self = Timestamp(nanoseconds: 0).advanced(bySeconds: seconds)
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Whole seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let quotient = nanoseconds / 1_000_000_000
        return nanoseconds % 1_000_000_000 < 0 ? quotient - 1 : quotient
    }

    /// The moment `interval` nanoseconds later, held at the ends of the range instead of trapping: log lines can carry any date.
    public func advanced(byNanoseconds interval: Int64) -> Timestamp {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(interval)
        if overflow { return Timestamp(nanoseconds: interval < 0 ? .min : .max) }
        return Timestamp(nanoseconds: sum)
    }

    public func advanced(bySeconds interval: Int64) -> Timestamp {
        let (product, overflow) = interval.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return Timestamp(nanoseconds: interval < 0 ? .min : .max) }
        return advanced(byNanoseconds: product)
    }

    /// Nanoseconds from `earlier` to this moment, held at the ends of the range.
    public func nanoseconds(since earlier: Timestamp) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(earlier.nanoseconds)
        if overflow { return nanoseconds < earlier.nanoseconds ? .min : .max }
        return difference
    }
}
