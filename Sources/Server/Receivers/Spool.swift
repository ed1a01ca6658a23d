import Dispatch
import Events
import Foundation
import Ingest
import Synchronization

/// The durable queue between one receiver and detection: what is appended is on the disk before it is acknowledged, and is read by
/// the same follower of files as any log. So what came over a network has a generation and an offset like everything else, which is
/// what makes findings exactly once.
///
/// Two files at most: the one being written, and one before it that is still being read. The older one is deleted once the durable
/// position of detection has passed it. Safe to use from any task: writes are in one queue, in groups.
final class Spool: Sendable {
    /// A file that has grown past this is put aside, once the one before it has been read.
    static let segmentBytes = 64 << 20
    /// Bytes that wait to be written at most.
    static let maximumPendingBytes = 64 << 20

    let path: String
    private let limit: Int
    private let segmentBytes: Int
    /// Where the spool is also the memory of what has been taken, the older file is kept until the next takes its place.
    let remembers: SpoolMemory.Kind
    private let rename: @Sendable (_ old: String, _ new: String) throws -> Void
    private let queue: DispatchQueue
    private let state: Mutex<State>

    private struct State: Sendable {
        var pending: [UInt8] = []
        var waiting: [CheckedContinuation<Void, any Error>] = []
        var isWriting = false
        var hasFailed = false
        /// Bytes of the file that is written, and how many of them are read, durably.
        var size: Int
        var read: Int
        /// The same of the older file.
        var previous: Previous?
        var inode: UInt64
    }

    private struct Previous: Sendable, Equatable {
        var inode: UInt64
        var size: Int
        var read: Int
    }

    /// Used by `queue` only, one block at a time.
    private final class Writer {
        var file: SpoolFile
        init(_ file: SpoolFile) { self.file = file }
    }

    private let writer: Mutex<Writer>

    /// - Parameters:
    ///   - positions: how far the spool is read, durably.
    ///   - memory: learns what the spool says of what has been taken before.
    ///   - rename: tests have one that fails.
    init(
        path: String, limit: Int, segmentBytes: Int = Spool.segmentBytes, remembers: SpoolMemory.Kind = .nothing,
        positions: [FilePosition],
        memory: inout SpoolMemory, rename: @escaping @Sendable (_ old: String, _ new: String) throws -> Void = Spool.rename
    ) throws {
        self.path = path
        self.limit = limit
        self.segmentBytes = segmentBytes
        self.remembers = remembers
        self.rename = rename
        queue = DispatchQueue(label: "spool")
        let own = positions.filter { $0.path == path }
        let standing = SpoolFile.status(path)
        let read = own.last { $0.inode == standing?.inode }.map { Int($0.offset) } ?? 0
        let file = try SpoolFile(path: path, readUpTo: read)
        var previous: Previous?
        if let older = SpoolFile.status(path + ".1") {
            if let position = own.first(where: { $0.inode == older.inode }) {
                previous = Previous(inode: older.inode, size: older.size, read: Int(position.offset))
            } else if own.isEmpty {
                previous = Previous(inode: older.inode, size: older.size, read: 0)
            }
            try Spool.learn(path + ".1", remembers, &memory)
        }
        try Spool.learn(path, remembers, &memory)
        state = Mutex(State(size: file.size, read: read, previous: previous, inode: file.inode))
        writer = Mutex(Writer(file))
        advance(positions)
    }

    /// Bytes that detection has not read durably.
    var backlog: Int { state.withLock { Spool.backlog($0) } }

    var isFull: Bool { backlog >= limit }

    private static func backlog(_ state: State) -> Int {
        state.size - state.read + state.pending.count + (state.previous.map { $0.size - $0.read } ?? 0)
    }

    /// Whole lines; returns when they are durable.
    ///
    /// - Throws: `SpoolError`; then nothing of it is to be acknowledged.
    func append(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let refusal: SpoolError? = state.withLock { state in
                if state.hasFailed { return SpoolError(failed: path) }
                let backlog = Spool.backlog(state)
                guard backlog < limit, state.pending.count < Spool.maximumPendingBytes else {
                    return SpoolError(full: path, bytes: backlog)
                }
                state.pending.append(contentsOf: bytes)
                state.waiting.append(continuation)
                if !state.isWriting {
                    state.isWriting = true
                    queue.async { self.write() }
                }
                return nil
            }
            if let refusal { continuation.resume(throwing: refusal) }
        }
    }

    /// Writes whatever waits, as one group after the other, until nothing does.
    private func write() {
        while true {
            let group = state.withLock { state -> (bytes: [UInt8], waiting: [CheckedContinuation<Void, any Error>])? in
                guard !state.waiting.isEmpty else {
                    state.isWriting = false
                    return nil
                }
                defer {
                    state.pending = []
                    state.waiting = []
                }
                return (state.pending, state.waiting)
            }
            guard let group else { return }
            let result = writer.withLock { writer -> (Result<Void, SpoolError>, size: Int) in
                do throws(SpoolError) {
                    try writer.file.append(group.bytes)
                    return (.success(()), writer.file.size)
                } catch {
                    return (.failure(error), writer.file.size)
                }
            }
            state.withLock { state in
                state.size = result.size
                if case .failure(let error) = result.0, error.code == .failed { state.hasFailed = true }
            }
            // Before anybody is answered: who appends finds the files as they are going to stay.
            rotateIfDue()
            for continuation in group.waiting {
                switch result.0 {
                case .success: continuation.resume()
                case .failure(let error): continuation.resume(throwing: error)
                }
            }
        }
    }

    /// How far everything is read, durably: a file that has been read to its end is deleted.
    func advance(_ positions: [FilePosition]) {
        let own = positions.filter { $0.path == path }
        let finished = state.withLock { state -> Bool in
            if let position = own.first(where: { $0.inode == state.inode }) {
                state.read = min(max(state.read, Int(position.offset)), state.size)
                // Whoever reads the new file has finished the old one, unless it stands there, too.
                if let previous = state.previous, !own.contains(where: { $0.inode == previous.inode }) {
                    state.previous?.read = previous.size
                }
            }
            guard let previous = state.previous else { return false }
            if let position = own.first(where: { $0.inode == previous.inode }) {
                state.previous?.read = max(previous.read, Int(position.offset))
            }
            guard let now = state.previous, now.read >= now.size else { return false }
            state.previous = nil
            return true
        }
        // A follower that still has it open reads it all the same.
        if finished, remembers == .nothing { unlink(path + ".1") }
    }

    /// Only when the file before it has been read: its follower knows the one it reads, and the one that stands under the name.
    private func rotateIfDue() {
        let isDue = state.withLock { $0.size >= segmentBytes && $0.previous == nil }
        guard isDue else { return }
        writer.withLock { writer in
            do {
                let old = writer.file
                let next = try SpoolFile(beside: path)
                // An attempt that failed between the two has put the file aside already: what stands there is not to be written over.
                if SpoolFile.status(path + ".1")?.inode != old.inode { try rename(path, path + ".1") }
                try rename(path + ".new", path)
                writer.file = next
                state.withLock { state in
                    state.previous = Previous(inode: old.inode, size: old.size, read: state.read)
                    state.inode = writer.file.inode
                    state.size = writer.file.size
                    state.read = 0
                }
            } catch {
                // The old file goes on growing, up to the limit of the backlog; the next write tries again.
            }
        }
    }

    private static func rename(_ old: String, _ new: String) throws {
        try DurableName.rename(old, to: new, in: (new as NSString).deletingLastPathComponent)
    }

    /// By pieces: a spool may be as long as its limit.
    private static func learn(_ path: String, _ kind: SpoolMemory.Kind, _ memory: inout SpoolMemory) throws {
        guard kind != .nothing else { return }
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? file.close() }
        var bytes: [UInt8] = []
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            bytes.append(contentsOf: piece)
            bytes.removeFirst(memory.learn(bytes.span, kind))
        }
        memory.endFile()
    }
}
