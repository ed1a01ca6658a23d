package import Events
import Foundation
import Glibc

/// Keeps part of the archive from being removed, whatever the policy says, until somebody releases it.
package struct LegalHold: Sendable, Hashable, Codable {
    package var name: String
    package var reason: String
    package var author: String
    /// Event times that it covers, in nanoseconds; `nil` without that end.
    package var since: Int64?
    package var until: Int64?
    package var placed: Int64
    package var released: Release?
    /// Set once the journal says so; a release takes effect only then.
    package var isJournalled = false

    package struct Release: Sendable, Hashable, Codable {
        package var reason: String
        package var author: String
        /// Nanoseconds since 1970.
        package var time: Int64

        package init(reason: String, author: String, time: Int64) {
            self.reason = reason
            self.author = author
            self.time = time
        }
    }

    package init(name: String, reason: String, author: String, since: Timestamp?, until: Timestamp?, placed: Timestamp) {
        self.name = name
        self.reason = reason
        self.author = author
        self.since = since?.nanoseconds
        self.until = until?.nanoseconds
        self.placed = placed.nanoseconds
    }

    /// A segment is kept when any of its lines may be meant, by event time or by time of receipt.
    func covers(_ segment: SegmentSummary) -> Bool {
        // What cannot be read may be what is meant.
        guard !segment.isDamaged, let times = segment.times, let received = segment.received else { return true }
        return covers(times) || covers(received)
    }

    private func covers(_ range: ClosedRange<Timestamp>) -> Bool {
        range.upperBound.nanoseconds >= since ?? .min && range.lowerBound.nanoseconds < until ?? .max
    }

    /// A name that is a file name on every system.
    package static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 &- 0x61 < 26 || $0 &- 0x30 <= 9 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
    }
}

/// The holds of an archive: a file each, below `holds/`. Written by commands and read by the server before anything is removed, so that
/// a hold is in force from the moment its command returns.
package struct HoldFolder: Sendable {
    private let folder: String

    /// - Parameter folder: `archive/` of a data folder.
    package init(archive folder: String) {
        self.folder = folder + "/holds"
    }

    /// Keeps others from changing holds, and from removing what a new one would keep.
    ///
    /// - Parameter waiting: until whoever has it lets go: a few segments' time at most.
    /// - Throws: `ArchiveError`; also when somebody else has it, and it is not waited for.
    package func lock(waiting: Bool = false) throws(ArchiveError) -> HoldLock {
        try ArchiveFolder.make(folder)
        return try HoldLock(folder, waiting: waiting)
    }

    /// Every hold there is.
    ///
    /// - Throws: `ArchiveError` when one cannot be read: nothing may be removed then.
    package func holds() throws(ArchiveError) -> [LegalHold] {
        let names: [String]
        do {
            names = try ArchiveFolder.names(folder)
        } catch {
            if error.code == .missing { return [] }
            throw error
        }
        var holds: [LegalHold] = []
        for name in names where name.hasSuffix(".json") {
            let file = try ArchiveFile("\(folder)/\(name)")
            let bytes = try file.read(min(try file.size(), 1 << 20), at: 0)
            guard let hold = try? JSONDecoder().decode(LegalHold.self, from: Data(bytes)) else {
                throw ArchiveError(
                    .damage, "the legal hold \(folder)/\(name) cannot be read",
                    "put it right, or place the hold again under another name and remove the file; nothing is deleted meanwhile")
            }
            holds.append(hold)
        }
        return holds
    }

    package func save(_ hold: LegalHold) throws(ArchiveError) {
        try ArchiveFolder.make(folder)
        guard let data = try? JSONEncoder().encode(hold) else {
            throw ArchiveError(.damage, "the hold \(hold.name) cannot be written as JSON", "use plain text in its reason")
        }
        try ArchiveFolder.replace(path(hold), with: Array(data))
        try ArchiveFolder.synchronise(folder)
    }

    func remove(_ hold: LegalHold) throws(ArchiveError) {
        try ArchiveFolder.remove(path(hold))
        try ArchiveFolder.synchronise(folder)
    }

    private func path(_ hold: LegalHold) -> String { "\(folder)/\(hold.name).json" }
}

/// An advisory lock (flock) on the folder of holds; gone with the process that has it. Owned by one task.
package final class HoldLock {
    private var descriptor: Int32

    fileprivate init(_ folder: String, waiting: Bool) throws(ArchiveError) {
        descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ArchiveError("opening", folder, errno: errno) }
        while flock(descriptor, waiting ? LOCK_EX : LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            if code == EINTR { continue }
            release()
            guard code == EWOULDBLOCK else { throw ArchiveError("locking", folder, errno: code) }
            throw ArchiveError(.file, "the legal holds in \(folder) are being changed", "it is tried again in a moment")
        }
    }

    deinit { release() }

    package func release() {
        guard descriptor >= 0 else { return }
        // A process that is being started just now holds a copy of the descriptor until it executes, and the lock with it.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
        descriptor = -1
    }
}
