package import Events

/// Follows one log file: what is in it, what is written to it, through rotation by renaming and by copy and truncate.
///
/// It is asked (`poll`), it never waits: no watcher that can die, and it works on every file system. Owned by one task.
/// Rotation by renaming: the old file goes on being read, since writers keep it open until they are told, and is let go
/// once it has been quiet for `retirement`. Copy and truncate: a file that shrank, or whose beginning is another than
/// the one remembered, is read anew as the next generation.
package final class FileTail {
    /// How much is read at a time.
    package static let chunkBytes = 1 << 20
    /// How long a renamed file may be silent before it is taken for finished.
    package static let retirement: Int64 = 10

    package let path: String
    package private(set) var parser: BatchParser
    package private(set) var problem: SourceError?

    private var current: Following?
    private var retiring: Following?
    private var nextGeneration = 0
    private var lines: [RawLine] = []

    /// A file being read.
    private struct Following {
        let file: LogFile
        let generation: Int
        var assembler: LineAssembler
        var head: FileHead
        var sizeAtLastCheck: Int64 = -1
        var lastActivity: Timestamp
    }

    /// - Parameter positions: what `positions` returned when the source was last snapshotted; empty to begin at the start.
    package init(path: String, parser: BatchParser, resumingAt positions: [FilePosition] = [], now: Timestamp) {
        self.path = path
        self.parser = parser
        resume(positions.sorted { $0.generation < $1.generation }, now: now)
    }

    /// Reads the next chunk, if there is one, into `batch`.
    ///
    /// - Returns: whether anything was read: if so, ask again at once.
    package func poll(into batch: inout EventBatch, now: Timestamp) -> Bool {
        if retiring != nil, read(\.retiring, into: &batch, now: now, isFinal: false) { return true }
        if let old = retiring, now.nanoseconds(since: old.lastActivity) > FileTail.retirement * 1_000_000_000 {
            let flushed = flush(\.retiring, into: &batch, now: now)
            retiring = nil
            if flushed { return true }
        }
        if current == nil, !openCurrent(now: now) { return false }
        if restartIfCut(into: &batch, now: now) { return true }
        if read(\.current, into: &batch, now: now, isFinal: false) { return true }
        return followRename(into: &batch, now: now)
    }

    /// Gives the line that has not ended yet as a partial one: for a source that is not followed any further.
    package func finish(into batch: inout EventBatch, now: Timestamp) -> Bool {
        flush(\.current, into: &batch, now: now)
    }

    /// Where to resume: the unfinished old file first, if there is one.
    package var positions: [FilePosition] {
        [retiring, current].compactMap { $0 }.map { following in
            FilePosition(
                path: path, device: following.file.device, inode: following.file.inode, generation: following.generation,
                offset: following.assembler.offset, line: following.assembler.nextLine,
                isSkipping: following.assembler.isSkipping, head: following.head)
        }
    }

    /// The line that begins at `offset`, read again; `nil` when that generation of the file is no longer open.
    package func line(generation: Int, offset: Int64) -> String? {
        guard let following = [current, retiring].compactMap({ $0 }).first(where: { $0.generation == generation }) else { return nil }
        var bytes: [UInt8] = []
        // Lines are short: a second, larger read is for the few that are not.
        for count in [2048, LineAssembler.maximumLineBytes] {
            bytes.removeAll(keepingCapacity: true)
            guard let got = try? following.file.read(count, at: offset, into: &bytes, path: path), got > 0 else { return nil }
            if let end = bytes.firstIndex(of: 0x0A) {
                let isWindowsEnd = end > 0 && bytes[end - 1] == 0x0D
                return String(decoding: bytes[..<(isWindowsEnd ? end - 1 : end)], as: UTF8.self)
            }
            if got < count { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    package var status: SourceStatus {
        let lag = [retiring, current].compactMap { $0 }.reduce(0) { $0 + max(0, Int($1.file.size - $1.assembler.offset)) }
        let state = current != nil ? "following" : problem?.code == .missing ? "waiting" : "unreadable"
        return SourceStatus(
            name: path, format: parser.recognised?.rawValue ?? parser.format.rawValue, state: state,
            problem: problem?.description ?? "", counters: parser.counters, lagBytes: lag, lastEvent: parser.lastTime,
            unparsedSamples: parser.unparsedSamples)
    }

    private func resume(_ positions: [FilePosition], now: Timestamp) {
        nextGeneration = (positions.last?.generation ?? -1) + 1
        for position in positions {
            let standing = LogFile.identity(of: path)
            let isInPlace = standing.map { $0 == (position.device, position.inode) } ?? false
            let found = isInPlace ? path : LogFile.renamed(from: path, device: position.device, inode: position.inode)
            guard let found, let file = try? LogFile(path: found),
                file.head(position.head.count, path: found) == position.head, file.size >= position.offset
            else {
                // Cut while nobody looked: what stands there now is the next generation, opened by the first poll.
                continue
            }
            let following = Following(
                file: file, generation: position.generation,
                assembler: LineAssembler(offset: position.offset, nextLine: position.line, isSkipping: position.isSkipping),
                head: position.head, lastActivity: now)
            if isInPlace { current = following } else { retiring = following }
        }
    }

    private func openCurrent(now: Timestamp) -> Bool {
        do {
            let file = try LogFile(path: path)
            problem = nil
            if nextGeneration > 0 { parser.countRotation() }
            current = Following(
                file: file, generation: nextGeneration, assembler: LineAssembler(), head: FileHead(), lastActivity: now)
            nextGeneration += 1
            return true
        } catch {
            problem = error
            return false
        }
    }

    private func read(
        _ which: ReferenceWritableKeyPath<FileTail, Following?>, into batch: inout EventBatch, now: Timestamp, isFinal: Bool
    ) -> Bool {
        guard var following = self[keyPath: which] else { return false }
        batch.origin = BatchOrigin(source: path, generation: following.generation)
        let offset = following.assembler.readOffset
        following.assembler.begin(&batch)
        let before = batch.bytes.count
        do {
            _ = try following.file.read(FileTail.chunkBytes, at: offset, into: &batch.bytes, path: path)
            problem = nil
        } catch {
            problem = error
        }
        let got = batch.bytes.count - before
        if following.head.count < FileHead.maximumBytes, got > 0 {
            following.head = following.file.head(Int(min(offset + Int64(got), Int64(FileHead.maximumBytes))), path: path)
        }
        following.assembler.finish(batch, isFinal: isFinal, into: &lines)
        if got > 0 { following.lastActivity = now }
        self[keyPath: which] = following
        parser.parse(lines, of: &batch, reference: now)
        return got > 0 || !lines.isEmpty
    }

    private func flush(
        _ which: ReferenceWritableKeyPath<FileTail, Following?>, into batch: inout EventBatch, now: Timestamp
    ) -> Bool {
        guard let following = self[keyPath: which], following.assembler.pendingBytes > 0 else { return false }
        return read(which, into: &batch, now: now, isFinal: true)
    }

    /// Copy and truncate: begins the file anew when it has shrunk or its beginning has changed.
    private func restartIfCut(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard var following = current else { return false }
        let size = following.file.size
        guard size != following.sizeAtLastCheck else { return false }
        following.sizeAtLastCheck = size
        current = following
        let isCut =
            size < following.assembler.readOffset
            || (following.head.count > 0 && following.file.head(following.head.count, path: path) != following.head)
        guard isCut else { return false }
        let flushed = flush(\.current, into: &batch, now: now)
        parser.countRotation()
        current = Following(
            file: following.file, generation: nextGeneration, assembler: LineAssembler(), head: FileHead(), lastActivity: now)
        nextGeneration += 1
        return flushed
    }

    /// Rotation by renaming: the file that now stands under the path becomes the current one.
    private func followRename(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard let following = current, let standing = LogFile.identity(of: path),
            standing != (following.file.device, following.file.inode)
        else { return false }
        var flushed = false
        if retiring != nil { flushed = flush(\.retiring, into: &batch, now: now) }
        retiring = following
        retiring?.lastActivity = now
        current = nil
        return openCurrent(now: now) || flushed
    }
}
