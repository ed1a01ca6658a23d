import Events
import Foundation
import Ingest

/// A log file in a folder of its own, and what a tail has given of it. Time is what the test says it is.
final class FollowedLog {
    /// A line as it came out.
    struct Line: Hashable, CustomStringConvertible {
        var generation: Int
        var offset: Int64
        var number: Int64
        var text: String

        var description: String { "\(generation):\(offset):\(number) \(text)" }
    }

    let folder: TemporaryFolder
    let path: String
    private(set) var tail: FileTail
    private(set) var lines: [Line] = []
    var now = Reading.reference
    private var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))

    init(_ name: String = "app.log", containing text: String? = nil) throws {
        folder = try TemporaryFolder()
        path = folder.file(name)
        if let text { try Data(text.utf8).write(to: URL(fileURLWithPath: path)) }
        tail = FollowedLog.tail(path, [], now)
    }

    var texts: [String] { lines.map(\.text) }
    var counters: SourceCounters { tail.parser.counters }

    /// Everything that is there to be read now.
    func drain() {
        while tail.poll(into: &batch, now: now) { take() }
    }

    /// Reads one chunk at most.
    func pollOnce() -> Bool {
        guard tail.poll(into: &batch, now: now) else { return false }
        take()
        return true
    }

    func finish() {
        drain()
        while tail.finish(into: &batch, now: now) { take() }
    }

    /// Time passes, until a silent renamed file is given up.
    func retire() {
        now = now.advanced(bySeconds: FileTail.retirement + 1)
        drain()
    }

    /// Forgets what was read.
    func beginAnew(readingBacklog: Bool) {
        lines.removeAll()
        tail = FileTail(
            path: path, parser: BatchParser(format: .combined, plan: JSONFieldPlan(FieldTable())), readsBacklog: readingBacklog,
            now: now)
    }

    /// Stops and starts again from the positions, which go through JSON as the snapshot does.
    func restart(at positions: [FilePosition]? = nil) throws {
        let saved = try JSONEncoder().encode(positions ?? tail.positions)
        tail = FollowedLog.tail(path, try JSONDecoder().decode([FilePosition].self, from: saved), now)
    }

    private func take() {
        for event in batch.copied(FieldTable()) {
            lines.append(Line(generation: batch.origin.generation, offset: event.offset, number: event.number, text: event.text))
        }
    }

    private static func tail(_ path: String, _ positions: [FilePosition], _ now: Timestamp) -> FileTail {
        FileTail(
            path: path, parser: BatchParser(format: .combined, plan: JSONFieldPlan(FieldTable())), resumingAt: positions, now: now
        )
    }
}

/// A writer that keeps its file open, as servers do until they are told otherwise.
final class LogWriter {
    private let handle: FileHandle

    init(_ path: String) throws {
        if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(fileURLWithPath: path)) }
        handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
    }

    deinit { try? handle.close() }

    func write(_ text: String) throws {
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(text.utf8))
    }

    /// What `copytruncate` does after the copy.
    func truncate() throws { try handle.truncate(atOffset: 0) }
}

/// Rotation by renaming, as far as the file itself goes.
func rotate(_ log: FollowedLog, to suffix: String = ".1") throws {
    try FileManager.default.moveItem(atPath: log.path, toPath: log.path + suffix)
}
