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

    /// How many renamed files are kept open at most: as many rotations may fall into one `retirement`.
    static let maximumRetiring = 16

    private var current: Following?
    /// Renamed files that may still be written to, oldest first.
    private var retiring: [Following] = []
    private var nextGeneration = 0
    private var lines: [RawLine] = []

    /// A file being read.
    private struct Following {
        let file: LogFile
        let generation: Int
        var assembler: LineAssembler
        var head: FileHead
        var lastActivity: Timestamp
    }

    /// - Parameter positions: what `positions` returned when the source was last snapshotted; empty to begin at the start.
    package init(path: String, parser: BatchParser, resumingAt positions: [FilePosition] = [], now: Timestamp) {
        self.path = path
        self.parser = parser
        resume(positions.filter(\.isPlausible).sorted { $0.generation < $1.generation }, now: now)
    }

    /// Reads the next chunk, if there is one, into `batch`.
    ///
    /// - Returns: whether anything was read: if so, ask again at once.
    package func poll(into batch: inout EventBatch, now: Timestamp) -> Bool {
        for index in retiring.indices {
            if read(&retiring[index], into: &batch, now: now) { return true }
        }
        if let index = retiring.firstIndex(where: { isRetired($0, now: now) }) {
            var old = retiring.remove(at: index)
            if flush(&old, into: &batch, now: now) { return true }
        }
        if current == nil, !openCurrent(now: now) { return false }
        guard var following = current.take() else { return false }
        if isCut(following) {
            let flushed = flush(&following, into: &batch, now: now)
            parser.countRotation()
            following = begin(following.file, now: now)
            if flushed {
                current = following
                return true
            }
        }
        let hasRead = read(&following, into: &batch, now: now)
        current = following
        return hasRead || followRename(into: &batch, now: now)
    }

    /// Gives a line that has not ended yet as a partial one: for a source that is not followed any further, once `poll`
    /// returns false. To be asked until it returns false itself.
    package func finish(into batch: inout EventBatch, now: Timestamp) -> Bool {
        for index in retiring.indices {
            if flush(&retiring[index], into: &batch, now: now) { return true }
        }
        guard var following = current.take() else { return false }
        let flushed = flush(&following, into: &batch, now: now)
        current = following
        return flushed
    }

    /// Where to resume: the unfinished old files first, if there are any.
    package var positions: [FilePosition] {
        following.map { following in
            FilePosition(
                path: path, device: following.file.device, inode: following.file.inode, generation: following.generation,
                offset: following.assembler.offset, line: following.assembler.nextLine,
                isSkipping: following.assembler.isSkipping, head: following.head)
        }
    }

    /// From the next line on, fields are those of another rule set. A line that has not ended yet is still to be parsed: it is
    /// read whole, with the new one.
    package func use(_ formats: FormatSet) { parser.use(formats) }

    private var following: [Following] { retiring + (current.map { [$0] } ?? []) }

    /// The line that begins at `offset`, read again; `nil` when that generation of the file is no longer open.
    package func line(generation: Int, offset: Int64) -> String? {
        guard let following = following.first(where: { $0.generation == generation }) else { return nil }
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
        let lag = following.reduce(0) { $0 + max(0, Int($1.file.size - $1.assembler.offset)) }
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
                assembler: LineAssembler(
                    offset: position.offset, nextLine: position.line, isSkipping: position.isSkipping,
                    framing: parser.format.framing),
                head: position.head, lastActivity: now)
            if isInPlace { current = following } else { retiring.append(following) }
        }
    }

    private func openCurrent(now: Timestamp) -> Bool {
        do {
            let file = try LogFile(path: path)
            problem = nil
            if nextGeneration > 0 { parser.countRotation() }
            current = begin(file, now: now)
            return true
        } catch {
            problem = error
            return false
        }
    }

    /// The file from its beginning, as the next generation.
    private func begin(_ file: LogFile, now: Timestamp) -> Following {
        defer { nextGeneration += 1 }
        return Following(
            file: file, generation: nextGeneration, assembler: LineAssembler(framing: parser.format.framing), head: FileHead(),
            lastActivity: now)
    }

    private func read(_ following: inout Following, into batch: inout EventBatch, now: Timestamp) -> Bool {
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
        following.head.extend(with: batch.bytes[before...], at: offset)
        if got > 0 { following.lastActivity = now }
        parse(&following, &batch, isFinal: false, now: now)
        return got > 0
    }

    /// Gives the unfinished line as a partial one. Reads nothing: the file may be another one by now.
    private func flush(_ following: inout Following, into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard following.assembler.pendingBytes > 0 else { return false }
        batch.origin = BatchOrigin(source: path, generation: following.generation)
        following.assembler.begin(&batch)
        parse(&following, &batch, isFinal: true, now: now)
        return true
    }

    private func parse(_ following: inout Following, _ batch: inout EventBatch, isFinal: Bool, now: Timestamp) {
        let from = following.assembler.offset
        following.assembler.finish(batch, isFinal: isFinal, into: &lines)
        parser.parse(lines, of: &batch, consumed: following.assembler.offset - from, reference: now)
    }

    private func isRetired(_ following: Following, now: Timestamp) -> Bool {
        now.nanoseconds(since: following.lastActivity) > FileTail.retirement * 1_000_000_000
    }

    /// Copy and truncate: the file has shrunk, or its beginning has changed.
    ///
    /// The beginning is read every time: neither the size nor the time of change tells a file that was written anew to
    /// the same size within one tick of the file system's clock.
    private func isCut(_ following: Following) -> Bool {
        if following.file.size < following.assembler.readOffset { return true }
        guard let head = following.file.head(following.head.count, path: path) else { return false }
        return head != following.head
    }

    /// Rotation by renaming: the file that now stands under the path becomes the current one.
    private func followRename(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard let standing = LogFile.identity(of: path), var left = current,
            standing != (left.file.device, left.file.inode)
        else { return false }
        left.lastActivity = now
        current = nil
        // Back to a file that is still being read, as when a symbolic link is switched there and back.
        if let index = retiring.firstIndex(where: { standing == ($0.file.device, $0.file.inode) }) {
            current = retiring.remove(at: index)
        }
        retiring.append(left)
        var flushed = false
        if retiring.count > FileTail.maximumRetiring {
            var oldest = retiring.removeFirst()
            flushed = flush(&oldest, into: &batch, now: now)
        }
        return current != nil || openCurrent(now: now) || flushed
    }
}
