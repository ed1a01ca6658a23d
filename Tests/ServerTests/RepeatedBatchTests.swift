import Events
import Foundation
import Glibc
import Ingest
import Testing

@testable import Server

@Suite("Requests that are sent again", .timeLimit(.minutes(20)))
struct RepeatedBatchTests {
    private static func push(_ names: [String], digits: String = "000000001") -> [UInt8] {
        let values = names.map { #"["\#(Timestamp.system.nanoseconds / 1_000_000_000)\#(digits)","\#($0)"]"# }
        return Array(#"{"streams":[{"stream":{"host":"web"},"values":[\#(values.joined(separator: ","))]}]}"#.utf8)
    }

    private static func messages(_ server: VigieServer, _ spool: String) throws -> [String] {
        let text = try String(contentsOfFile: server.folder.spool(spool), encoding: .utf8)
        return text.components(separatedBy: "\"message\":\"").dropFirst().map { String($0.prefix { $0 != "\"" }) }
    }

    @Test("the same push again, also after a restart, is acknowledged and not taken; another is")
    func pushes() async throws {
        let world = try World()
        let body = Self.push(["one", "two"])
        for start in 0..<2 {
            try await world.withReceivers { server, ports in
                let port = try #require(ports["http"])
                for _ in 0..<2 { #expect(try await Sender.send(port, "/loki/api/v1/push", body).status == 204) }
                #expect(
                    try await Sender.send(port, "/loki/api/v1/push", body, headers: ["X-Scope-OrgID": "b\(start)"]).status == 204)
                let counts = try #require(server.receivers.intakes.first { $0.name == "loki" }).counters.snapshot
                #expect(counts.received.repeated == (start == 0 ? 2 : 4))
                #expect(try Self.messages(server, "loki").count == (start == 0 ? 4 : 6))
            }
        }
    }

    @Test(
        "events that do not say when they happened, or only to the second, are more of the same, unless their sender has a key for them"
    )
    func unknown() async throws {
        let world = try World()
        let whole = Self.push(["one"], digits: "000000000")
        try await world.withReceivers { server, ports in
            let port = try #require(ports["http"])
            for _ in 0..<3 {
                #expect(try await Sender.send(port, "/loki/api/v1/push", whole).status == 204)
                #expect(try await Sender.send(port, "/api/v1/events", Array("{\"message\":\"a\"}\n".utf8)).status == 200)
                let keyed = try await Sender.send(
                    port, "/api/v1/events", Array("{\"message\":\"b\"}\n".utf8), headers: ["Idempotency-Key": "7"])
                #expect(keyed.status == 200 && keyed.text.contains("\"accepted\":1"))
            }
            #expect(try Self.messages(server, "loki").count == 3)
            let counts = try #require(server.receivers.intakes.first { $0.name == "events" }).counters.snapshot
            #expect(counts.events == 4 && counts.received.repeated == 2)
            let long = try await Sender.send(
                port, "/api/v1/events", Array("{}\n".utf8), headers: ["Idempotency-Key": String(repeating: "k", count: 256)])
            #expect(long.status == 400)
        }
    }

    private static func intake(_ folder: String) throws -> Intake {
        var memory = SpoolMemory()
        let spool = try Spool(
            path: folder + "/test.jsonl", limit: 1 << 20, remembers: .batches, positions: [], memory: &memory)
        return Intake(name: "test", spool: spool, memory: memory, eventsPerSecond: 1_000_000) {
            Timestamp(seconds: 1_772_366_400)
        }
    }

    private static func lines(_ intake: Intake, _ names: [String]) throws -> ReceivedLines {
        var lines = intake.lines(.auto)
        for name in names {
            var record = ReceivedRecord()
            record.setMessage(name)
            record.time = Timestamp(nanoseconds: 1_772_366_399_000_000_001)
            try lines.append(line: record)
        }
        return lines
    }

    /// As SIGKILL leaves the file in the middle of a write, and as it leaves it between the write and the answer.
    @Test("a spool that was cut at any byte has every event once, after the sender has sent the batch again")
    func killed() async throws {
        let world = try World()
        let folder = world.data.path + "/spool"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let batch = BatchIdentity(high: 1, low: 2)
        let names = ["one", "two", "three"]
        do {
            let intake = try Self.intake(folder)
            var lines = try Self.lines(intake, names)
            try await intake.commit(&lines, as: batch)
        }
        let spool = folder + "/test.jsonl"
        let whole = try Data(contentsOf: URL(fileURLWithPath: spool))
        for cut in SpoolFile.headerBytes...whole.count {
            try whole.prefix(cut).write(to: URL(fileURLWithPath: spool))
            for attempt in 0..<2 {
                let intake = try Self.intake(folder)
                var lines = try Self.lines(intake, names)
                try await intake.commit(&lines, as: batch)
                var others = try Self.lines(intake, ["other"])
                try await intake.commit(&others, as: attempt == 0 ? BatchIdentity(high: 3, low: 4) : nil)
            }
            let text = try String(contentsOfFile: spool, encoding: .utf8)
            for name in names { #expect(text.split(separator: "\"\(name)\"").count == 2, "\(name) after a cut at \(cut)") }
            #expect(text.split(separator: "\"other\"").count == 3)
        }
    }

    @Test("what is sent again while the first is under way is taken once")
    func overlapping() async throws {
        let world = try World()
        let folder = world.data.path + "/spool"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let intake = try Self.intake(folder)
        let all = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 0..<64 {
                group.addTask {
                    var lines = try Self.lines(intake, ["one", "two"])
                    try await intake.commit(&lines, as: BatchIdentity(high: 1, low: UInt64(number % 4)))
                    return 1
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(all == 64)
        let counts = intake.counters.snapshot
        #expect(counts.events == 8 && counts.received.repeated == 120 && counts.requests == 64)
    }
}
