import Events
import Foundation
import Journal
import Testing

@Suite("A disk that takes no more")
struct FullDiskTests {
    /// The kernel itself refuses the write here (`RLIMIT_FSIZE`), in a process of its own, since the limit counts for all its files.
    @Test("a failed write is told, nothing unacknowledged stays, and appends are refused until a reopen")
    func fullDisk() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let keys = InMemorySubjectKeys()
            let journal = try Journal.open(directory: path, keys: keys)
            _ = try await journal.append([Sample.draft(0), Sample.draft(1)], at: Sample.start)

            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let unlimited = limit
            limit.rlim_cur = 4_096
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)

            var codes: [String] = []
            for number in 2..<6 {
                do {
                    _ = try await journal.append([Sample.draft(number, size: 5_000)], at: Sample.start)
                } catch let error as JournalError {
                    codes.append(error.code)
                }
            }
            limit = unlimited
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            precondition(codes == ["journal-file", "journal-poisoned", "journal-poisoned", "journal-poisoned"])
            precondition(journal.count == 2)

            // Space alone does not bring it back: nobody has looked at the disk yet.
            var refused = false
            do {
                _ = try await journal.append([Sample.draft(6)], at: Sample.start)
            } catch let error as JournalError {
                refused = error.code == "journal-poisoned" && error.description.contains("File too large")
            }
            precondition(refused)
            await journal.close()

            let reopened = try Journal.open(directory: path, keys: keys)
            precondition(reopened.count == 2 && reopened.cutTail == nil)
            let added = try await reopened.append([Sample.draft(7, size: 5_000)], at: Sample.start)
            precondition(added.first?.sequence == 2)
        }
        let report = try JournalVerifier.verify(directory: path)
        #expect(report.count == 3)
        #expect(report.tail == nil)
    }
}
