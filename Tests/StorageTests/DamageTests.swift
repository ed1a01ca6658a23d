import Foundation
import GRDB
import Testing

@testable import Storage

/// A database that cannot be trusted is named, with what can be done, and left exactly as it is.
@Suite("Damaged databases")
struct DamageTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case projections, personal
        var testDescription: String { rawValue }
        var advice: String { self == .projections ? "vigie journal rebuild" : "restore it from a backup" }
    }

    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open(_ kind: Kind) throws {
        switch kind {
        case .projections: _ = try Projections(path: folder.file("x.db"))
        case .personal: _ = try PrivateDatabase(path: folder.file("x.db"))
        }
    }

    /// A file with enough in it to have pages of every kind.
    private func make(_ kind: Kind) async throws -> Data {
        let path = folder.file("x.db")
        let filling =
            kind == .projections
            ? "INSERT INTO timeline WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i, 'SEC', i, i, 'vigie', 'finding', hex(randomblob(40)) FROM n"
            : "INSERT INTO subject_key WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT hex(randomblob(16)), 'ip', i, randomblob(32) FROM n"
        let pool = kind == .projections ? try Projections(path: path).pool : try PrivateDatabase(path: path).pool
        try await pool.write { try $0.execute(sql: filling) }
        try await pool.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try pool.close()
        return try Files.read(path)
    }

    private func expectRefusal(_ kind: Kind, _ what: String, code: StorageError.Code = .damaged) throws {
        let path = folder.file("x.db")
        let before = try Files.read(path)
        let error = #expect(throws: StorageError.self, "\(what)") { try open(kind) }
        #expect(error?.code == code, "\(what)")
        #expect(error?.path == path)
        #expect(error?.description.hasPrefix(path) == true)
        if code == .damaged { #expect(error?.advice.contains(kind.advice) == true) }
        #expect(try Files.read(path) == before, "\(what): not a byte may change")
    }

    @Test("cut short, at a page and within one", arguments: Kind.allCases)
    func truncated(kind: Kind) async throws {
        let whole = try await make(kind)
        for length in [4_096, 4_096 * 3, whole.count / 2 + 77, whole.count - 4_096, whole.count - 1] {
            try Files.write(whole.prefix(length), to: folder.file("x.db"))
            try expectRefusal(kind, "\(length) of \(whole.count) bytes")
        }
    }

    @Test("another file in its place", arguments: Kind.allCases)
    func notADatabase(kind: Kind) async throws {
        var bytes = try await make(kind)
        bytes.replaceSubrange(0..<16, with: Data(repeating: 0, count: 16))
        try Files.write(bytes, to: folder.file("x.db"))
        try expectRefusal(kind, "header overwritten")
        try Files.write(Data(repeating: 0x78, count: 10_000), to: folder.file("x.db"))
        try expectRefusal(kind, "not a database")
    }

    @Test("any page overwritten with noise", arguments: Kind.allCases)
    func flippedPages(kind: Kind) async throws {
        let whole = try await make(kind)
        var random = SeededGenerator(state: 7)
        for page in 1..<min(whole.count / 4_096, 40) {
            var bytes = whole
            bytes.replaceSubrange(
                page * 4_096..<(page + 1) * 4_096, with: Data((0..<4_096).map { _ in UInt8.random(in: 0...255, using: &random) }))
            try Files.write(bytes, to: folder.file("x.db"))
            try expectRefusal(kind, "page \(page)")
        }
    }

    /// After a kill the log beside the file still holds commits; a look at the file must not begin to move them into it.
    @Test("a write-ahead log that was left over is not moved into a damaged file", arguments: Kind.allCases)
    func leftOverLog(kind: Kind) async throws {
        _ = try await make(kind)
        let path = folder.file("x.db")
        let pool = kind == .projections ? try Projections(path: path).pool : try PrivateDatabase(path: path).pool
        let change =
            kind == .projections
            ? "UPDATE timeline SET text = 'x' WHERE sequence < 20" : "DELETE FROM subject_key WHERE rowid < 20"
        try await pool.write { try $0.execute(sql: change) }
        let left = Files.database(path)
        try pool.close()
        #expect(left["-wal"]?.isEmpty == false)
        for (suffix, bytes) in left where suffix != "-shm" { try Files.write(bytes, to: path + suffix) }
        var bytes = try #require(left[""])
        let inLog = pages(inLog: try #require(left["-wal"]))
        let damaged = try #require((2...bytes.count / 4_096).last { !inLog.contains($0) })
        bytes.replaceSubrange((damaged - 1) * 4_096..<damaged * 4_096, with: Data(repeating: 0xA5, count: 4_096))
        try Files.write(bytes, to: path)
        try expectRefusal(kind, "with a log")
        #expect(try Files.read(path + "-wal") == left["-wal"])
    }

    /// The pages that a write-ahead log holds: SQLite reads these from the log, so damage to them in the file is none. Which
    /// ones a change touches is chance where keys are random. (SQLite, "Database File Format", 4.1: a heading of 32 bytes, then
    /// frames of 24 bytes, which begin with the page's number, and the page.)
    private func pages(inLog log: Data) -> Set<Int> {
        let frames = stride(from: 32, to: log.count, by: 24 + 4_096)
        return Set(frames.map { frame in log[frame..<frame + 4].reduce(0) { $0 << 8 | Int($1) } })
    }

    @Test("written by a newer Vigie", arguments: Kind.allCases)
    func newer(kind: Kind) async throws {
        _ = try await make(kind)
        let queue = try DatabaseQueue(path: folder.file("x.db"))
        try await queue.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99: from the future')") }
        try queue.close()
        try expectRefusal(kind, "newer", code: .newer)
    }

    @Test("a folder in its place, or no folder at all", arguments: Kind.allCases)
    func unavailable(kind: Kind) throws {
        try FileManager.default.createDirectory(atPath: folder.file("x.db"), withIntermediateDirectories: true)
        let error = #expect(throws: StorageError.self) { try open(kind) }
        #expect(error?.code == .unavailable)
        let missing = #expect(throws: StorageError.self) { _ = try Projections(path: folder.file("nowhere/x.db")) }
        #expect(missing?.code == .unavailable)
        #expect(missing?.description.contains("nowhere/x.db") == true)
    }
}
