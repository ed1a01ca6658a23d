import Events
import FoundationEssentials
import Glibc
import NIOCore
import Synchronization

/// What was in force, on the disk: read before the first request is answered, so that neither a restart of the application nor
/// Vigie's absence lets anybody back in.
///
/// Lines of JSON: first the version, epoch, sequence and number of decisions, then the decisions, then changes as they came. A
/// change is appended and forced to the disk; now and then all is written anew beside the file, which is then replaced.
final class DecisionCache: Sendable {
    /// What was found.
    enum Found {
        case nothing
        /// Everything that was written can be read; at most a last line is cut off, which was never confirmed.
        case whole(DecisionTable)
        /// Something in the middle cannot be read. What can be is in force; whether that is all nobody knows.
        case damaged(DecisionTable)
    }

    private struct Head: Codable {
        var version: Int
        var epoch: String
        var sequence: Int
        var count: Int
    }

    private struct State {
        var descriptor: CInt = -1
        var appended = 0
    }

    let path: String
    private let state = Mutex(State())

    init(path: String) {
        self.path = path
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { _ = close($0.descriptor) } }
    }

    /// Reads the file.
    func load() -> Found {
        guard let data = FileManager.default.contents(atPath: path) else {
            return access(path, F_OK) == 0 ? .damaged(DecisionTable()) : .nothing
        }
        let lines = data.split(separator: UInt8(ascii: "\n"))
        let decoder = JSONDecoder()
        guard let first = lines.first, let head = try? decoder.decode(Head.self, from: Data(first)),
            head.version == DecisionMessage.version
        else { return .damaged(DecisionTable()) }
        var table = DecisionTable(epoch: head.epoch, sequence: head.sequence, decisions: [])
        // A number that was damaged may be negative, or the largest there is.
        var isWhole = (0..<lines.count).contains(head.count)
        let count = isWhole ? head.count : lines.count - 1
        for line in lines.dropFirst().prefix(count) {
            if let record = try? decoder.decode(DecisionMessage.Record.self, from: Data(line)) {
                table.add(Decision(record))
            } else {
                isWhole = false
            }
        }
        let changes = lines.dropFirst(1 + count)
        for (index, line) in zip(changes.indices, changes) {
            guard let change = try? decoder.decode(DecisionMessage.Change.self, from: Data(line)) else {
                // The power went while it was written.
                isWhole = isWhole && index == changes.indices.last && data.last != UInt8(ascii: "\n")
                continue
            }
            if change.sequence != table.sequence + 1 { isWhole = false }
            // Beyond something unreadable only restrictions are believed: what a lift refers to may have come back since.
            if let record = change.decision {
                table.add(Decision(record))
            } else if let id = change.id, isWhole {
                table.remove(id: id)
            }
            table.sequence = change.sequence
        }
        return isWhole ? .whole(table) : .damaged(table)
    }

    /// Writes everything anew, and waits for the disk.
    func replace(with table: DecisionTable) throws {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        if !folder.isEmpty { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        let beside = path + ".new"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "create \(beside)") }
        var isDone = false
        defer { if !isDone { _ = close(descriptor) } }
        let head = Head(
            version: DecisionMessage.version, epoch: table.epoch, sequence: table.sequence, count: table.decisions.count)
        var bytes = Array(try JSONEncoder().encode(head))
        bytes.append(UInt8(ascii: "\n"))
        for decision in table.decisions.values {
            bytes.append(contentsOf: decision.json)
            bytes.append(UInt8(ascii: "\n"))
            if bytes.count > 1 << 20 {
                try Self.write(bytes, to: descriptor, path: beside)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        try Self.write(bytes, to: descriptor, path: beside)
        guard fsync(descriptor) == 0 else { throw IOError(errnoCode: errno, reason: "sync \(beside)") }
        guard rename(beside, path) == 0 else { throw IOError(errnoCode: errno, reason: "rename \(beside) to \(path)") }
        // The new name has to survive, too.
        let directory = open(folder.isEmpty ? (path.hasPrefix("/") ? "/" : ".") : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            _ = fsync(directory)
            _ = close(directory)
        }
        isDone = true
        state.withLock { state in
            if state.descriptor >= 0 { _ = close(state.descriptor) }
            state = State(descriptor: descriptor)
        }
    }

    /// Appends changes, and waits for the disk. Where that fails the next write is ``replace(with:)``: a gap would be a way back in.
    func append(_ changes: [DecisionMessage.Change]) throws {
        var bytes: [UInt8] = []
        for change in changes { bytes += try JSONEncoder().encode(change) + [UInt8(ascii: "\n")] }
        try state.withLock { state in
            do {
                guard state.descriptor >= 0 else { throw IOError(errnoCode: EBADF, reason: "append to \(path)") }
                try Self.write(bytes, to: state.descriptor, path: path)
                guard fdatasync(state.descriptor) == 0 else { throw IOError(errnoCode: errno, reason: "sync \(path)") }
                state.appended += changes.count
            } catch {
                if state.descriptor >= 0 { _ = close(state.descriptor) }
                state = State()
                throw error
            }
        }
    }

    /// Whether so many changes were appended that writing everything anew is worth it.
    func wantsReplacement(holding count: Int) -> Bool {
        state.withLock { $0.descriptor < 0 || $0.appended > max(1000, count) }
    }

    private static func write(_ bytes: [UInt8], to descriptor: CInt, path: String) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw IOError(errnoCode: errno, reason: "write \(path)")
            }
            written += count
        }
    }
}
