import Incidents
import Testing

@Suite("Shares and medians with their intervals")
struct StatisticsTests {
    @Test("Wilson's interval of a textbook value, and at the ends")
    func wilson() throws {
        let interval = try #require(Share(part: 8, whole: 10).interval)
        #expect(abs(interval.lowerBound - 0.4902) < 0.0001 && abs(interval.upperBound - 0.9433) < 0.0001)
        #expect(try #require(Share(part: 12, whole: 12).interval).lowerBound > 0.735)
        #expect(Share(part: 0, whole: 5).interval?.lowerBound == 0)
        #expect(Share(part: 0, whole: 0).interval == nil && Share(part: 0, whole: 0).value == nil)
    }

    /// Ranks of the table in Conover's book: with 95 %, the median of ten values lies from the second to the ninth.
    @Test(
        "the median's interval goes by ranks",
        arguments: [(6, 1, 6), (8, 1, 8), (9, 2, 8), (10, 2, 9), (20, 6, 15), (25, 8, 18), (100, 40, 61)])
    func ranks(count: Int, low: Int64, high: Int64) throws {
        let distribution = try #require(TimeDistribution((1...Int64(count)).shuffled()))
        #expect(distribution.interval == low...high)
    }

    @Test("too few values have a median and no interval")
    func few() throws {
        #expect(TimeDistribution([]) == nil)
        for count in 1...5 {
            let distribution = try #require(TimeDistribution((1...Int64(count)).map { $0 * 10 }))
            #expect(distribution.interval == nil && distribution.count == count)
        }
        #expect(TimeDistribution([10, 20])?.median == 15)
        #expect(TimeDistribution([30, 10, 20])?.median == 20)
    }

    @Test("thousands of values have an interval of the width that a normal distribution gives")
    func many() throws {
        let interval = try #require(TimeDistribution((1...5_000).map { $0 })?.interval)
        // n/2 ± 1.96 √n/2.
        #expect(abs(interval.lowerBound - 2_431) <= 1 && abs(interval.upperBound - 2_570) <= 1)
    }

    @Test("the 95th percentile is a value that was measured")
    func percentile() throws {
        #expect(TimeDistribution((1...100).map { $0 })?.p95 == 95)
        #expect(TimeDistribution((1...20).map { $0 })?.p95 == 19)
        #expect(TimeDistribution([7])?.p95 == 7)
    }
}
