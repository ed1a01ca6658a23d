import Archive
import Console
import Events
import Foundation
import Journal
import Storage
import Testing

@testable import Server

/// A data folder with an archive of many small blocks, and a desk over it.
private final class Library {
    static let start = Timestamp(seconds: 1_772_359_200)

    let path = NSTemporaryDirectory() + "vigie-hunts-\(UUID().uuidString)"
    let desk: HuntDesk
    private let journal: Journal

    init() async throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let folder = DataFolder(path: path)
        var policy = RetentionPolicy()
        policy.minimumFreeBytes = 0
        let archive = Archive(folder: folder.archive, policy: policy)
        for number in 0..<200 {
            var block = LineBlock()
            let line = Array(
                #"{"time":"\#(Self.time(number).rfc3339)","source.ip":"203.0.113.\#(number % 2)","message":"m\#(number)"}"#.utf8)
            block.add(
                line.span, offset: Int64(number * 200), number: Int64(number + 1), time: Self.time(number), hasOwnTime: true,
                isSecurity: false, origin: BatchOrigin(source: "/var/log/app.log", generation: 0), format: "json",
                received: Self.time(number))
            await archive.write(block)
        }
        _ = await archive.synchronise(at: Self.time(200))
        let keys = try PrivateDatabase(path: path + "/private.db")
        journal = try Journal.open(directory: folder.journal, keys: keys)
        let projections = try Projections(path: path + "/projections.db")
        let ledger = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: keys, projections: projections)
        let recorder = Recorder(journal: journal, projections: projections, ledger: ledger) { _, _ in }
        desk = HuntDesk(folder: folder, rulePaths: [], recorder: recorder) { Library.time(300) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    private static func time(_ seconds: Int) -> Timestamp { start.advanced(bySeconds: Int64(seconds)) }

    static func question(_ filter: String) -> HuntQuestion {
        HuntQuestion(rule: "", filter: filter, countBy: "", since: start, until: time(1_000))
    }

    func ended(_ id: String) async throws -> HuntView {
        try await eventually("the hunt ends and that is written down") {
            let isWritten = try types().contains("hunt.ended")
            return await desk.hunt(id)?.state != .running && isWritten
        }
        return try #require(await desk.hunt(id))
    }

    func entries() throws -> [Entry] {
        let reader = try JournalReader(directory: journal.directory)
        var entries: [Entry] = []
        while case let some = try reader.next(), !some.isEmpty { entries += some }
        return entries
    }

    func types() throws -> [String] { try entries().map(\.type) }
}

@Suite("The console's hunts", .timeLimit(.minutes(20)))
struct HuntDeskTests {
    @Test("a hunt finds what it asks for, and the journal says who began it and how it ended")
    func whole() async throws {
        let library = try await Library()
        let id = try await library.desk.start(Library.question("source.ip=203.0.113.1"), by: "ada")
        let view = try await library.ended(id)
        #expect(view.state == .done && view.results == 100 && view.account == "ada" && view.problems.isEmpty)
        #expect(view.rows.count == 100 && view.rows.allSatisfy { $0.text.contains("203.0.113.1") })
        let entries = try library.entries()
        #expect(entries.map(\.type) == ["hunt.started", "hunt.ended"])
        #expect(entries.allSatisfy { $0.sealed["user.name"] != nil && $0.sealed["hunt.question"] != nil })
        #expect(entries.last?.data["results"] == .integer(100))
        #expect(entries.allSatisfy { $0.data["through"] == "console" && $0.data["since"] != nil })
    }

    @Test("one at a time; what cannot be asked is refused, and the place is free again")
    func refused() async throws {
        let library = try await Library()
        for filter in ["", "no such condition"] {
            await #expect(throws: HuntRefusal.self) { try await library.desk.start(Library.question(filter), by: "ada") }
        }
        let id = try await library.desk.start(Library.question("source.ip=203.0.113.1"), by: "ada")
        await #expect(throws: HuntRefusal.self) { try await library.desk.start(Library.question("user.name=x"), by: "bob") }
        _ = try await library.ended(id)
        #expect(await library.desk.hunts().map(\.id) == [id])
    }

    @Test("a hunt that is cancelled ends so, the journal says who cancelled it, and the place is free again")
    func cancelled() async throws {
        let library = try await Library()
        let id = try await library.desk.startAndCancel(Library.question("source.ip=203.0.113.1"), by: "ada", cancelledBy: "bob")
        let view = try await library.ended(id)
        #expect(view.state == .cancelled && view.account == "ada" && view.results == 0)
        let entries = try library.entries()
        #expect(entries.map(\.type) == ["hunt.started", "hunt.cancelled", "hunt.ended"])
        #expect(entries.last?.data["state"] == .string("cancelled"))
        // Once more, and by an id that never was: nothing happens.
        try await library.desk.cancel(id, by: "bob")
        try await library.desk.cancel("none", by: "bob")
        #expect(try library.types().count == 3)
        let next = try await library.desk.start(Library.question("source.ip=203.0.113.1"), by: "bob")
        #expect(try await library.ended(next).state == .done)
    }
}

extension HuntDesk {
    /// Without giving up the actor in between: the hunt has not looked at a single block when it is cancelled.
    fileprivate func startAndCancel(
        _ question: HuntQuestion, by account: String, cancelledBy other: String
    ) async throws -> String {
        let id = try await start(question, by: account)
        try await cancel(id, by: other)
        return id
    }
}
