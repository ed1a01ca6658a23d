import Events
import Testing

@testable import Server

@Suite struct LeaseScheduleTests {
    /// Against a plain table: whatever is set, moved and taken out, what is due comes in order, and once.
    @Test(arguments: 0..<20) func whatIsDueComesInOrder(seed: Int) {
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func random(_ limit: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(limit))
        }
        var schedule = LeaseSchedule()
        var table: [String: Timestamp] = [:]
        for _ in 0..<400 {
            let id = "\(random(30))"
            switch random(4) {
            case 0:
                schedule.set(id, nil)
                table[id] = nil
            case 1:
                let now = Timestamp(seconds: Int64(random(100)))
                let due = schedule.take(now, limit: 5)
                let expected = table.filter { $0.value <= now }.sorted { $0.value < $1.value }
                #expect(due.count == min(expected.count, 5))
                #expect(due.compactMap { table[$0] } == expected.prefix(due.count).map(\.value))
                for id in due { table[id] = nil }
            default:
                let time = Timestamp(seconds: Int64(random(100)))
                schedule.set(id, time)
                table[id] = time
            }
            #expect(schedule.next == table.values.min())
        }
    }
}
