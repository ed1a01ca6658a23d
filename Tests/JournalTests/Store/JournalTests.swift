import Events
import Foundation
import Journal
import Testing

@Suite("Appending and reading")
struct JournalTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(segmentLimit: Int = 64 << 20) throws -> Journal {
        try Journal.open(directory: folder.path, keys: InMemorySubjectKeys(), segmentLimit: segmentLimit)
    }

    private func numbers(_ entries: [Entry]) -> [Int64] {
        entries.compactMap { $0.data["number"]?.integerValue }
    }

    @Test("what was appended is there after a reopen, in order, with the same root")
    func reopen() async throws {
        let first = try open()
        _ = try await first.append([Sample.draft(0), Sample.draft(1)], at: Sample.start)
        _ = try await first.append([Sample.draft(2)], at: Sample.start)
        let root = first.frontier.root
        await first.close()
        await #expect(throws: JournalError.self) { try await first.append([Sample.draft(9)], at: Sample.start) }

        let second = try open()
        #expect(second.count == 3)
        #expect(second.frontier.root == root)
        #expect(second.cutTail == nil)
        let added = try await second.append([Sample.draft(3)], at: Sample.start)
        #expect(added.map(\.sequence) == [3])
        #expect(numbers(try second.reader().next()) == [0, 1, 2, 3])
        #expect(try JournalVerifier.verify(directory: folder.path).root == second.frontier.root)
    }

    @Test("segments roll at the limit, are named by their first entry, and read as one")
    func segments() async throws {
        let journal = try open(segmentLimit: 1_000)
        for number in 0..<20 { _ = try await journal.append([Sample.draft(number)], at: Sample.start) }
        let names = try Files.names(in: folder.path).filter { $0.hasSuffix(".log") }
        #expect(names.count > 5)
        #expect(names.first == "00000000000000000000.log")
        for name in names { #expect(try Files.read(folder.file(name)).count <= 1_000) }
        for start in 0...20 {
            let read = numbers(try JournalReader(directory: folder.path, from: UInt64(start)).next())
            #expect(read == Array(Int64(start)..<20))
        }
        let report = try JournalVerifier.verify(directory: folder.path)
        #expect(report.count == 20)
        #expect(report.root == journal.frontier.root)
        #expect(report.segmentCount == names.count)
        await journal.close()
        #expect(try open(segmentLimit: 1_000).frontier == journal.frontier)
    }

    @Test("a reader works in batches, waits at the end, and goes on with what comes, also across segments")
    func following() async throws {
        let journal = try open(segmentLimit: 1_000)
        let outside = try JournalReader(directory: folder.path)
        let inside = try journal.reader()
        var seen: [Int64] = []
        var next = 0
        for count in [0, 1, 7, 0, 12] {
            let drafts = (next..<next + count).map { Sample.draft($0) }
            next += count
            for draft in drafts { _ = try await journal.append([draft], at: Sample.start) }
            while true {
                let batch = try outside.next(limit: 3)
                #expect(batch.count <= 3)
                if batch.isEmpty { break }
                seen += numbers(batch)
            }
            #expect(seen == (0..<Int64(next)).map { $0 })
            #expect(try inside.next().count == count)
        }
    }

    @Test("concurrent appends stay whole and in each caller's order, and share commits")
    func concurrent() async throws {
        let journal = try open()
        let callers = 32
        let rounds = 8
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var last: UInt64?
                    for round in 0..<rounds {
                        let number = caller * 1_000 + round * 10
                        let entries = try await journal.append(
                            (0..<3).map { Sample.draft(number + $0) }, at: Sample.start)
                        let first = try #require(entries.first?.sequence)
                        #expect(entries.map(\.sequence) == [first, first + 1, first + 2])
                        if let last { #expect(first > last) }
                        last = first
                    }
                }
            }
            try await group.waitForAll()
        }
        let appends = callers * rounds
        #expect(journal.count == UInt64(appends * 3))
        #expect(journal.commitCount < appends)
        let all = numbers(try journal.reader().next(limit: .max))
        for start in stride(from: 0, to: all.count, by: 3) {
            #expect(all[start + 1] == all[start] + 1 && all[start + 2] == all[start] + 2)
        }
        for caller in 0..<callers {
            let own = all.filter { Int($0) / 1_000 == caller }
            #expect(own == own.sorted())
        }
        #expect(try JournalVerifier.verify(directory: folder.path).root == journal.frontier.root)
    }

    @Test("a journal that was closed can be opened at once, whatever is being started meanwhile")
    func reopenedBesideSpawns() async throws {
        let path = folder.path
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                // Each child holds a copy of every descriptor between its beginning and the program it becomes.
                while !Task.isCancelled {
                    let process = Process()
                    process.executableURL = URL(fileURLWithPath: "/bin/true")
                    try process.run()
                    process.waitUntilExit()
                }
            }
            defer { group.cancelAll() }
            for _ in 0..<300 {
                let journal = try Journal.open(directory: path, keys: InMemorySubjectKeys())
                await journal.close()
            }
        }
    }

    @Test("a second open is refused and told who has the journal; after close it is let in")
    func locked() async throws {
        let first = try open()
        let error = #expect(throws: JournalError.self) { try open() }
        guard case .locked(_, holder: ProcessInfo.processInfo.processIdentifier) = error else {
            Issue.record("\(String(describing: error)) should name this process")
            return
        }
        await first.close()
        _ = try open()
    }

    @Test("an empty append is no entry, an empty journal has the empty root")
    func empty() async throws {
        let journal = try open()
        #expect(try await journal.append([], at: Sample.start).isEmpty)
        let report = try JournalVerifier.verify(directory: folder.path)
        #expect(report.count == 0)
        #expect(report.root == .empty)
        #expect(try journal.reader(from: 5).next().isEmpty)
    }

    @Test("a folder that cannot be is one clear error")
    func noFolder() {
        let error = #expect(throws: JournalError.self) {
            try Journal.open(directory: "/proc/no/such/folder", keys: InMemorySubjectKeys())
        }
        #expect(error?.code == "journal-file")
        #expect(throws: JournalError.self) { try JournalVerifier.verify(directory: folder.file("none")) }
    }
}
