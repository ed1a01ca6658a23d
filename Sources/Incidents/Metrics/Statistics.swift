#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A share with its 95 % interval: Wilson's score interval (1927), which stays within 0 and 1 and says something at small n.
package struct Share: Sendable, Equatable {
    package var part: Int
    package var whole: Int

    package init(part: Int, whole: Int) {
        self.part = part
        self.whole = whole
    }

    /// `nil` of nothing.
    package var value: Double? { whole == 0 ? nil : Double(part) / Double(whole) }

    package var interval: ClosedRange<Double>? {
        guard whole > 0 else { return nil }
        let (n, share, z) = (Double(whole), Double(part) / Double(whole), 1.959964)
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        // At the ends it is exact; rounding would make it nearly so.
        return (part == 0 ? 0 : max(0, middle - reach))...(part == whole ? 1 : min(1, middle + reach))
    }
}

/// Median and 95th percentile of times, in nanoseconds.
package struct TimeDistribution: Sendable, Equatable {
    package var count: Int
    package var median: Int64
    /// By nearest rank: a value that was measured, not one between two.
    package var p95: Int64
    /// Of the median, at least 95 %, by order statistics: no assumption about the distribution. `nil` for fewer than six values, of
    /// which no interval is that sure.
    package var interval: ClosedRange<Int64>?

    /// `nil` of nothing.
    package init?(_ times: [Int64]) {
        let sorted = times.sorted()
        guard let last = sorted.last else { return nil }
        count = sorted.count
        let middle = count / 2
        median = count % 2 == 1 ? sorted[middle] : sorted[middle - 1] + (sorted[middle] - sorted[middle - 1]) / 2
        p95 = count < 2 ? last : sorted[min(count - 1, (count * 95 + 99) / 100 - 1)]
        interval = TimeDistribution.medianRank(count).map { sorted[$0]...sorted[count - 1 - $0] }
    }

    /// How many values may be cut off at each end so that the median still lies between with 95 %: the largest k for which a binomial
    /// variable of n trials at one half is below k with at most 2.5 %. Conover, Practical Nonparametric Statistics, section 3.2.
    static func medianRank(_ count: Int) -> Int? {
        // In logarithms: one half to the power of n is too small for a number from n = 1,075 on.
        var logarithm = -Double(count) * log(2)
        var sum = 0.0
        var rank: Int?
        for k in 0..<max(count / 2, 0) {
            sum += exp(logarithm)
            if sum > 0.025 { break }
            rank = k
            logarithm += log(Double(count - k)) - log(Double(k + 1))
        }
        return rank
    }
}
