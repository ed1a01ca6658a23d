import Events
import Foundation
import Journal
import Testing

@testable import Server

@Suite("Hunts of commands in the journal", .timeLimit(.minutes(20)))
struct HuntOfficeTests {
    private let world: World

    init() throws { world = try World() }

    private var hunt: HuntRecord {
        var question = HuntRecord.Question()
        question.filter = "source.ip=203.0.113.9"
        question.rules = ["rules"]
        question.sources = ["/var/log/app.log"]
        return HuntRecord(
            id: "7f", through: .command, person: "ada", question: question, since: nil, until: Timestamp(seconds: 1_772_366_400),
            rulesHash: "abc")
    }

    /// The same, whoever holds the journal.
    private func whole() async throws {
        let before = try world.entries().count { $0.type.hasPrefix("hunt.") }
        let outcome = HuntRecord.Outcome(state: "done", results: 3, lines: 200)
        #expect(try await HuntOffice.record(.started, of: hunt, in: world.data, at: .system) == .recorded)
        #expect(try await HuntOffice.record(.ended, of: hunt, outcome: outcome, in: world.data, at: .system) == .recorded)
        let entries = try world.entries().filter { $0.type.hasPrefix("hunt.") }.dropFirst(before)
        #expect(entries.map(\.type) == ["hunt.started", "hunt.ended"])
        #expect(entries.allSatisfy { $0.sealed["user.name"] != nil && $0.sealed["hunt.question"] != nil })
        #expect(
            entries.allSatisfy { $0.data["through"] == "command" && $0.data["rules_hash"] == "abc" && $0.data["since"] == nil })
        #expect(entries.last?.data["state"] == "done" && entries.last?.data["results"] == .integer(3))
        let text = entries.map { String(decoding: $0.canonicalBytes, as: UTF8.self) }.joined()
        #expect(!text.contains("203.0.113.9") && !text.contains("ada"))
        let left = try FileManager.default.subpathsOfDirectory(atPath: world.data.path)
        #expect(!left.contains { $0.hasSuffix(".answer") || $0.hasSuffix(".order") })
    }

    @Test("without a server, beside one, and without one again")
    func whoeverHoldsIt() async throws {
        // What makes the folder.
        try await withServer(world) { _ in }
        try await whole()
        try await withServer(world) { _ in try await whole() }
        try await whole()
        // The next start reads what was written without one, and its tables are those of the journal.
        try await withServer(world) { _ in }
    }

    @Test("what a command leaves for the server comes back as it was")
    func orders() {
        for outcome in [nil, HuntRecord.Outcome(state: "failed", results: 0, lines: 0)] {
            let order = HuntOrder(.ended, of: hunt, outcome: outcome)
            #expect(HuntOrder(order.document) == order)
        }
        #expect(HuntOrder(["hunt": "7f", "step": "dance"]) == nil)
    }

    @Test("a server that does not answer leaves no order behind")
    func unanswered() async throws {
        let spool = HuntSpool(world.data)
        #expect(try await spool.ask(HuntOrder(.started, of: hunt, outcome: nil), seconds: 1) == .unanswered)
        #expect(try FileManager.default.contentsOfDirectory(atPath: world.data.path + "/orders/hunts").isEmpty)
    }
}
