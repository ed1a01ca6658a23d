import Events
import Testing

@testable import Server

@Suite("When a snapshot is due")
struct SnapshotScheduleTests {
    private static let start = Timestamp(seconds: 1_772_323_200)

    /// Milliseconds until one is due after one that took `cost` milliseconds, when so much is read.
    private func pause(cost: Int64, bytes: Int) -> Int64? {
        var schedule = SnapshotSchedule(now: Self.start)
        let end = Self.start.advanced(byNanoseconds: cost * 1_000_000)
        schedule.wrote(from: Self.start, to: end)
        return (0...60_000).first { schedule.isDue(now: end.advanced(byNanoseconds: $0 * 1_000_000), bytes: bytes) }
    }

    @Test(
        "at most a tenth of the time goes into snapshots, and one is never older than half a minute",
        arguments: [(0, 1_000), (5, 1_000), (100, 1_000), (500, 5_000), (2_900, 29_000), (3_000, 30_000), (60_000, 30_000)])
    func scales(cost: Int64, expected: Int64) {
        #expect(pause(cost: cost, bytes: 0) == expected)
    }

    @Test("much that was read makes one due earlier, but not for more of the time", arguments: [(0, 0), (5, 50), (500, 5_000)])
    func volume(cost: Int64, expected: Int64) {
        #expect(pause(cost: cost, bytes: SnapshotSchedule.bytes) == expected)
    }

    @Test("a clock that is set back does not put it off")
    func clock() {
        let schedule = SnapshotSchedule(now: Self.start)
        #expect(schedule.isDue(now: Self.start.advanced(bySeconds: -3_600), bytes: 0))
        #expect(!schedule.isDue(now: Self.start, bytes: 0))
    }
}
