import Events
import Foundation
import Testing

@testable import Archive

/// A folder under a segment's name cannot be read as one, whoever runs the tests; a file without the right to read it would do for all
/// but root.
@Suite("The archive when it cannot be put right at the start")
struct FailedRecoveryTests {
    /// Two hours of lines in segments 1 and 2, and a position behind them.
    private func twoHours(_ store: TemporaryArchive) async -> ArchivePosition? {
        let archive = await store.open()
        await archive.write(Trial.block(["a", "b"]))
        await archive.write(Trial.block(["c", "d"], received: hour(1)))
        return await archive.synchronise(at: hour(1))
    }

    private func hour(_ count: Int64, _ seconds: Int64 = 0) -> Timestamp {
        Trial.start.advanced(bySeconds: count * 3_600 + seconds)
    }

    private func obstacle(_ store: TemporaryArchive, _ number: UInt64) -> String {
        ArchiveFolder.segmentPath(store.folder, number)
    }

    @Test("nothing is removed, in this run or at the next start, and the position saved is the one that was given")
    func nothingIsRemoved() async throws {
        let store = TemporaryArchive()
        let given = await twoHours(store)
        let whole = [try store.segmentBytes(1), try store.segmentBytes(2)]
        try FileManager.default.createDirectory(atPath: obstacle(store, 3), withIntermediateDirectories: false)

        var archive = await store.open(at: hour(2), resumingAt: given)
        #expect(await archive.status.problem != nil)
        let saved: ArchivePosition? = await archive.synchronise(at: hour(2))
        #expect(saved == given)
        // Past the time after which writing is tried again, and past the ends of hours.
        for later in 3...6 { await archive.write(Trial.block(["lost"], received: hour(Int64(later), 20))) }
        await archive.maintain(at: hour(400 * 24))
        #expect(try [store.segmentBytes(1), store.segmentBytes(2)] == whole)
        let afterLoss: ArchivePosition? = await archive.synchronise(at: hour(8))

        try FileManager.default.removeItem(atPath: obstacle(store, 3))
        archive = await store.open(at: hour(9), resumingAt: afterLoss)
        #expect(try store.contents().lines == ["a", "b", "c", "d"])
        await archive.write(Trial.block(["e"], received: hour(9)))
        _ = await archive.synchronise(at: hour(9))
        #expect(try store.contents().lines == ["a", "b", "c", "d", "e"])
    }

    @Test("it goes on by itself once it can, and the journal says what is missing")
    func goesOn() async throws {
        let store = TemporaryArchive()
        let given = await twoHours(store)
        try FileManager.default.createDirectory(atPath: obstacle(store, 3), withIntermediateDirectories: false)
        let archive = await store.open(at: hour(2), resumingAt: given)
        await archive.write(Trial.block(["lost"], received: hour(2, 1)))
        try FileManager.default.removeItem(atPath: obstacle(store, 3))
        await archive.write(Trial.block(["e"], received: hour(2, 30)))
        _ = await archive.synchronise(at: hour(2, 30))
        #expect(try store.contents().lines == ["a", "b", "c", "d", "e"])
        #expect(await archive.status.problem == nil)
        guard case .gap(let lines, _, _) = store.events.first else { throw ArchiveError(.missing, "no entry", "") }
        #expect(lines == 1)
    }

    @Test("what came again while nothing could be written is not cut off afterwards: it is there only once")
    func cameAgain() async throws {
        let store = TemporaryArchive()
        var archive = await store.open()
        await archive.write(Trial.block(["a"]))
        let given = await archive.synchronise(at: Trial.start)
        await archive.write(Trial.block(["b"]))
        _ = await archive.synchronise(at: Trial.start)
        try FileManager.default.createDirectory(atPath: obstacle(store, 2), withIntermediateDirectories: false)
        archive = await store.open(resumingAt: given)
        await archive.write(Trial.block(["b"], received: hour(0, 1)))
        try FileManager.default.removeItem(atPath: obstacle(store, 2))
        await archive.write(Trial.block(["c"], received: hour(0, 30)))
        _ = await archive.synchronise(at: hour(0, 30))
        #expect(try store.contents().lines == ["a", "b", "c"])
    }

    @Test("a new segment never takes the place of one that holds lines")
    func takenNumber() async throws {
        let store = TemporaryArchive()
        let archive = await store.open()
        await archive.write(Trial.block(["a"]))
        _ = await archive.synchronise(at: Trial.start)
        // Put back from somewhere by somebody, while the archive is open.
        let other = TemporaryArchive()
        let second = await other.open()
        for hour in 0...1 { await second.write(Trial.block(["there"], received: self.hour(Int64(hour)))) }
        _ = await second.synchronise(at: hour(1))
        try store.setSegmentBytes(try other.segmentBytes(2), of: 2)
        await archive.write(Trial.block(["b"], received: hour(1)))
        _ = await archive.synchronise(at: hour(1))
        #expect(try store.contents().lines == ["a", "there", "b"])
        #expect(await archive.status.notices.count == 1)
    }

    @Test("a start journals each whole segment it removes, and removes none while the journal refuses")
    func journalled() async throws {
        let store = TemporaryArchive()
        var archive = await store.open()
        await archive.write(Trial.block(["a"]))
        let position = await archive.synchronise(at: Trial.start)
        await archive.write(Trial.block(["b", "c"], received: hour(1)))
        _ = await archive.synchronise(at: hour(1))
        store.refuseJournal(true)
        archive = await store.open(at: hour(2), resumingAt: position)
        #expect(await archive.status.problem?.contains("journal") == true)
        #expect(try store.contents().lines == ["a", "b", "c"])
        store.refuseJournal(false)
        await archive.maintain(at: hour(2))
        #expect(try store.contents().lines == ["a"])
        #expect(
            store.events.contains {
                if case .deleted(let summary, let reason) = $0 {
                    summary.number == 2 && summary.lines == 2 && reason.rawValue == "recovery"
                } else {
                    false
                }
            })
        await archive.write(Trial.block(["b", "c"], received: hour(2)))
        _ = await archive.synchronise(at: hour(2))
        #expect(try store.contents().lines == ["a", "b", "c"])
    }

    @Test("a segment that a hold covers is set aside by a start, not removed")
    func held() async throws {
        let store = TemporaryArchive()
        var archive = await store.open()
        await archive.write(Trial.block(["a"]))
        let position = await archive.synchronise(at: Trial.start)
        await archive.write(Trial.block(["held"], received: hour(1)))
        await archive.write(Trial.block(["free"], received: hour(2)))
        _ = await archive.synchronise(at: hour(2))
        try HoldFolder(archive: store.folder).save(
            LegalHold(
                name: "case-7", reason: "r", author: "ada", since: hour(1), until: hour(1, 1_800), placed: hour(2)))
        archive = await store.open(at: hour(3), resumingAt: position)
        #expect(try store.contents().lines == ["a"])
        #expect(await archive.status.notices.contains { $0.contains("legal hold") && $0.contains("set-aside/1") })
        let aside = ArchiveReader(folder: store.folder + "/set-aside/1")
        #expect(try aside.segments() == [2])
        #expect(try aside.verify().lines == 1)
    }
}
