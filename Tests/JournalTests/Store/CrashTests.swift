import Events
import Foundation
import Journal
import Testing

@Suite("After a crash")
struct CrashTests {
    private let segment = "00000000000000000000.log"

    /// A journal's files after `acknowledged` commits, and the bytes of one more append that nobody was told about.
    private struct Crash {
        var whole: [UInt8]
        var unacknowledged: [UInt8]
        var mark: [UInt8]
        var frontier: MerkleFrontier
    }

    /// - Parameter size: bytes of text in each of the last append's two entries.
    private func crash(size: Int) async throws -> Crash {
        let folder = try TemporaryFolder()
        let journal = try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
        _ = try await journal.append([Sample.draft(0), Sample.draft(1)], at: Sample.start)
        _ = try await journal.append([Sample.draft(2)], at: Sample.start)
        let before = try Files.read(folder.file(segment))
        let mark = try Files.read(folder.file("acknowledged"))
        let frontier = journal.frontier
        _ = try await journal.append([Sample.draft(3, size: size), Sample.draft(4, size: size)], at: Sample.start)
        let after = try Files.read(folder.file(segment))
        return Crash(whole: before, unacknowledged: Array(after[before.count...]), mark: mark, frontier: frontier)
    }

    private func folder(segment bytes: [UInt8], mark: [UInt8]?) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        try Files.write(bytes, to: folder.file(segment))
        if let mark { try Files.write(mark, to: folder.file("acknowledged")) }
        return folder
    }

    @Test("torn at every byte: what was acknowledged is all there, the tail is reported and cut off", arguments: [true, false])
    func tornTail(withMark: Bool) async throws {
        let crash = try await crash(size: 0)
        for length in 1..<crash.unacknowledged.count {
            let folder = try folder(
                segment: crash.whole + crash.unacknowledged[..<length], mark: withMark ? crash.mark : nil)
            let tail = CutTail(file: folder.file(segment), offset: crash.whole.count, byteCount: length)
            #expect(try JournalVerifier.verify(directory: folder.path).tail == tail)
            #expect(try JournalReader(directory: folder.path).next().count == 3)

            let journal = try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
            #expect(journal.cutTail == tail)
            #expect(journal.frontier == crash.frontier)
            #expect(try Files.read(folder.file(segment)) == crash.whole)
        }
    }

    @Test("an append that was whole on disk but not acknowledged is taken, all of it")
    func wholeTail() async throws {
        let crash = try await crash(size: 0)
        let folder = try folder(segment: crash.whole + crash.unacknowledged, mark: crash.mark)
        let journal = try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
        #expect(journal.count == 5)
        #expect(journal.cutTail == nil)
        #expect(try await journal.append([Sample.draft(5)], at: Sample.start).first?.sequence == 5)
        #expect(try JournalVerifier.verify(directory: folder.path).count == 6)
    }

    @Test("blocks that were never written read as zeros and are cut off, whichever they are")
    func unwrittenBlocks() async throws {
        // Larger than a disk's sector, so that a part can be missing in the middle.
        let crash = try await crash(size: 900)
        let end = crash.whole.count + crash.unacknowledged.count
        for block in stride(from: crash.whole.count / 512 * 512, to: end, by: 512) {
            var bytes = crash.whole + crash.unacknowledged
            for position in max(block, crash.whole.count)..<min(block + 512, end) { bytes[position] = 0 }
            let folder = try folder(segment: bytes, mark: crash.mark)
            let journal = try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
            #expect(journal.frontier == crash.frontier)
            #expect(journal.cutTail?.byteCount == crash.unacknowledged.count)
        }
    }

    @Test("acknowledged bytes that are gone are damage, and nothing is touched")
    func acknowledgedGone() async throws {
        let crash = try await crash(size: 0)
        for missing in [1, 100, crash.whole.count] {
            let bytes = Array(crash.whole.dropLast(missing))
            let folder = try folder(segment: bytes, mark: crash.mark)
            let error = #expect(throws: JournalError.self) {
                try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
            }
            #expect(error?.code == "journal-damaged")
            #expect(throws: JournalError.self) { try JournalVerifier.verify(directory: folder.path) }
            #expect(try Files.read(folder.file(segment)) == bytes)
            #expect(try Files.read(folder.file("acknowledged")) == crash.mark)
        }
    }

    @Test("a segment begun just before the crash may be empty")
    func emptySegment() async throws {
        let crash = try await crash(size: 0)
        let folder = try folder(segment: crash.whole, mark: crash.mark)
        try Files.write([], to: folder.file("00000000000000000003.log"))
        let journal = try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
        #expect(journal.frontier == crash.frontier)
        _ = try await journal.append([Sample.draft(3)], at: Sample.start)
        #expect(try !Files.read(folder.file("00000000000000000003.log")).isEmpty)
        #expect(try JournalVerifier.verify(directory: folder.path).count == 4)
    }

    @Test("killed while many append: every acknowledged entry is there, every append whole")
    func killed() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        let result = try await #require(processExitsWith: .failure) { [path = path as String] in
            let journal = try Journal.open(directory: path, keys: InMemorySubjectKeys(), segmentLimit: 20_000)
            // The receipt is another file: what stands in it was acknowledged before the kill.
            try Files.write([], to: path + "/receipt")
            let file = try #require(FileHandle(forWritingAtPath: path + "/receipt"))
            await withTaskGroup(of: Void.self) { group in
                for caller in 0..<8 {
                    group.addTask {
                        for round in 0..<1_000_000 {
                            let drafts = (0..<3).map { Sample.draft(caller * 10_000_000 + round * 10 + $0, size: 200) }
                            guard let last = try? await journal.append(drafts, at: Sample.start).last else { return }
                            try? file.write(contentsOf: Data("\(last.sequence)\n".utf8))
                            if last.sequence > 1_500 { kill(getpid(), SIGKILL) }
                        }
                    }
                }
            }
        }
        #expect(result.exitStatus == .signal(SIGKILL))
        let receipts = try String(contentsOfFile: folder.file("receipt"), encoding: .utf8)
            .split(separator: "\n").compactMap { UInt64($0) }
        let acknowledged = try #require(receipts.max()) + 1
        let journal = try Journal.open(directory: path, keys: InMemorySubjectKeys(), segmentLimit: 20_000)
        #expect(journal.count >= acknowledged)
        #expect(journal.count % 3 == 0)
        #expect(try JournalVerifier.verify(directory: path).root == journal.frontier.root)
    }
}
