import Events
import Incidents
import Storage
import Testing

@testable import Server

@Suite("Recording while the tables cannot be written", .timeLimit(.minutes(20)))
struct RecorderTests {
    @Test("what was recorded is recorded, people are paged, and the tables catch up by themselves")
    func tablesFail() async throws {
        let office = try await Office()
        try office.alterTables("ALTER TABLE timeline RENAME TO broken")
        office.run()
        let first = try await office.open("First")
        let second = try await office.open("Second")
        try await eventually("both are sent") { await office.pages().count { $0.status == .sent } == 2 }
        #expect(office.postbox.messages.count == 2)
        let read = try office.desk.projections
        #expect(try await read.applied() == 0)
        try office.alterTables("ALTER TABLE broken RENAME TO timeline")
        try await eventually("the tables have caught up") { try await read.applied() == 8 }
        for id in [first, second] { #expect(try await read.incident(id: id, maximumFindings: 10) != nil) }
        await office.stop()
    }

    @Test("once stopped it leaves the tables to whoever opens them next")
    func stops() async throws {
        let office = try await Office()
        try office.alterTables("ALTER TABLE timeline RENAME TO broken")
        try await office.recorder.record(PolicyEntry.loaded(office.desk.policies, at: .system), at: .system)
        _ = try await office.open("First")
        try await eventually("it tries again") { await office.recorder.catchUp != nil }
        await office.recorder.stop()
        #expect(await office.recorder.catchUp == nil)
        await #expect(throws: Never.self) { _ = try await office.open("Second") }
        #expect(await office.recorder.catchUp == nil)
    }
}
