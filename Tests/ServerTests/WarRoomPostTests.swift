import Events
import Incidents
import Notify
import Testing

@testable import Server

@Suite("Messages of the war room as they are sent", .timeLimit(.minutes(20)))
struct WarRoomPostTests {
    private func office() async throws -> Office {
        let office = try await Office()
        office.inForce.replace(
            by: try Policies(
                files: [
                    "channels.yml": """
                    channels: {other: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}}
                    war_room: {channels: [other]}
                    """
                ], folder: "policies"))
        return office
    }

    private func say(_ text: String, _ id: String, _ office: Office) async throws {
        try await office.desk.carryOut(
            IncidentOrder(incident: id, verb: .say, author: Office.ana, at: office.now(), text: text))
    }

    @Test("in one thread and in order, also when one fails for a while, and across a crash")
    func thread() async throws {
        let office = try await office()
        let id = try await office.open("The wall is down")
        for number in 1...5 { try await say("message \(number)", id, office) }
        office.other.set(.failing)
        office.run()
        try await eventually("the opening has failed once") {
            await office.pages().contains { $0.attempts == 1 && $0.lastFailure != nil }
        }
        #expect(office.other.messages.count == 1, "nothing overtakes the opening")
        office.other.set(.well)
        try await office.restart()
        office.time.value = Office.start.advanced(bySeconds: 60)
        try await eventually("all are sent") { await office.pages().count { $0.status == .sent } == 6 }
        await office.stop()
        let messages = office.other.messages.dropFirst()
        #expect(messages.map { $0.details.first ?? "" }.suffix(5) == (1...5).map { "message \($0)" })
        let root = "\(id)/room/000000/other"
        #expect(messages.first?.key == root && messages.first?.thread == nil)
        #expect(messages.dropFirst().allSatisfy { $0.thread == "thread of \(root)" && $0.subject == "\(id) ana" })
        // The name of the thread is in the journal.
        try await office.restart()
        #expect(await office.recorder.incident(id)?.thread(on: "other") == "thread of \(root)")
        await office.stop()
    }

    @Test("what is written lands on the timeline, once; what was sent of it does not stand there again")
    func timeline() async throws {
        let office = try await office()
        office.run()
        let id = try await office.open()
        try await say("Looking at the proxy", id, office)
        try await eventually("it is sent") { await office.pages().count { $0.status == .sent } == 2 }
        await office.stop()
        let tables = try office.desk.projections
        let timeline = try await tables.incident(id: id, maximumFindings: 1)?.timeline.map(\.text) ?? []
        #expect(timeline.filter { $0.contains("Looking at the proxy") } == ["War room: Looking at the proxy"])
        #expect(!timeline.contains { $0.contains("/room/") }, "\(timeline)")
    }
}
