package import Events

/// Follows one log file: what is in it, what is written to it, through rotation by renaming and by copy and truncate.
///
/// It is asked (`poll`), it never waits: no watcher that can die, and it works on every file system. Owned by one task.
/// Rotation by renaming: the old file goes on being read, since writers keep it open until they are told, and is let go
/// once it has been quiet for `retirement`. Copy and truncate: a file that shrank, or whose beginning is another than
/// the one remembered, is read anew as the next generation, and the rest of the old one from its copy.
package final class FileTail {
    /// How much is read at a time.
    package static let chunkBytes = 1 << 20
    /// How long a renamed file may be silent before it is taken for finished.
    package static let retirement: Int64 = 10

    package let path: String
    package private(set) var parser: BatchParser
    package internal(set) var problem: SourceError?

    /// How many renamed files are kept open at most: as many rotations may fall into one `retirement`.
    static let maximumRetiring = 16
    /// How many finished files are remembered, not to be taken for new ones.
    static let maximumFinished = 32

    var current: FollowedFile?
    /// Renamed files that may still be written to, oldest first.
    var retiring: [FollowedFile] = []
    /// Old files of which nothing has been read, oldest first: what rotation left before the first start, or while nobody looked.
    var waiting: [WaitingFile] = []
    /// Files that are done with, as far as they were read.
    var finished: [FilePosition] = []
    var nextGeneration = 0
    /// What could not be read, newest last.
    var losses: [String] = []
    private var lines: [RawLine] = []

    struct WaitingFile {
        var position: FilePosition
        var size: Int64
    }

    /// - Parameters:
    ///   - positions: what `positions` returned when the source was last snapshotted; empty to begin at the start.
    ///   - readsBacklog: begin with what rotation has left beside it.
    package init(
        path: String, parser: BatchParser, resumingAt positions: [FilePosition] = [], readsBacklog: Bool = false, now: Timestamp
    ) {
        self.path = path
        self.parser = parser
        if positions.isEmpty, readsBacklog { putInLine(RotatedFiles.list(path)) }
        resume(positions.filter(\.isPlausible).sorted { $0.generation < $1.generation }, now: now)
    }

    /// Reads the next chunk, if there is one, into `batch`.
    ///
    /// - Returns: whether anything was read: if so, ask again at once.
    package func poll(into batch: inout EventBatch, now: Timestamp) -> Bool {
        // Each turn without a return ends one old file, or begins one.
        while true {
            for index in retiring.indices {
                if read(&retiring[index], into: &batch, now: now) { return true }
            }
            if let index = retiring.firstIndex(where: { $0.isRetired(now) }) {
                if letGo(index, into: &batch, now: now) { return true }
                continue
            }
            // None of them has anything to read now: the oldest makes room for the next.
            if !waiting.isEmpty, retiring.count == FileTail.maximumRetiring, letGo(0, into: &batch, now: now) { return true }
            if openWaiting(into: &batch, now: now) { continue }
            if current == nil, !openCurrent(now: now) { return false }
            guard var following = current.take() else { return false }
            guard following.isCut(path) else {
                let hasRead = read(&following, into: &batch, now: now)
                current = following
                return hasRead || followRename(into: &batch, now: now)
            }
            parser.countRotation()
            parser.countTruncation()
            current = begin(following.file, now: now)
            let isFound = readOn(fromCopyOf: following, now: now)
            awaitMissed(sinceCutOf: following)
            if isFound { continue }
            noteGap("\(path) was cut in place, and no copy of it holds what was still unread")
            if flush(&following, into: &batch, now: now) { return true }
        }
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
        let open = following.map { $0.position(path: path) }
        let positions = waiting.isEmpty ? open : (open + waiting.map(\.position)).sorted { $0.generation < $1.generation }
        // The next file is numbered on, also where none is open now, or only an older one.
        guard let last = lastGeneration, positions.allSatisfy({ $0.generation < last }) else { return positions }
        return [FilePosition(past: path, generation: last)] + positions
    }

    /// `nil` where no file has been read under that path.
    var lastGeneration: Int? { nextGeneration > 0 ? nextGeneration - 1 : nil }

    /// From the next line on, fields are those of another rule set. A line that has not ended yet is still to be parsed: it is
    /// read whole, with the new one.
    package func use(_ formats: FormatSet) { parser.use(formats) }

    var following: [FollowedFile] { retiring + (current.map { [$0] } ?? []) }

    /// The line that begins at `offset`, read again; `nil` when that generation of the file is no longer open.
    package func line(generation: Int, offset: Int64) -> String? {
        guard let following = following.first(where: { $0.generation == generation }), !following.file.isCompressed else {
            return nil
        }
        var bytes: [UInt8] = []
        // Lines are short: a second, larger read is for the few that are not.
        for count in [2048, parser.format.framing.maximumBytes] {
            bytes.removeAll(keepingCapacity: true)
            guard let got = try? following.file.read(count, at: offset, into: &bytes, path: path), got > 0 else { return nil }
            if let end = parser.format.framing.end(of: bytes.span) {
                let isWindowsEnd = end > 0 && bytes[end - 1] == 0x0D
                return String(decoding: bytes[..<(isWindowsEnd ? end - 1 : end)], as: UTF8.self)
            }
            if got < count { break }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Bytes written but not read: of compressed files those on the disk.
    package var lagBytes: Int {
        let open = following.reduce(0) { $0 + $1.file.lag(behind: $1.assembler.offset) }
        return Int(waiting.reduce(open) { $0 + $1.size })
    }

    package var status: SourceStatus {
        let state = current != nil || problem == nil ? "following" : problem?.code == .missing ? "waiting" : "unreadable"
        var status = SourceStatus(
            name: path, format: parser.recognised?.rawValue ?? parser.format.rawValue,
            state: state, problem: problem?.description ?? "", counters: parser.counters, lagBytes: lagBytes,
            lastEvent: parser.lastTime,
            unparsedSamples: parser.unparsedSamples)
        status.plainSamples = parser.plainSamples
        status.warnings = losses
        if let warning = parser.counters.privateAddressWarning(path) { status.warnings.append(warning) }
        return status
    }

    /// Everything that is there has been read.
    var isAtEnd: Bool {
        guard let current, retiring.isEmpty, waiting.isEmpty else { return false }
        return current.file.size == current.assembler.readOffset
    }

    /// Nothing stands under the path any more, and nothing has come of the file that stood there for `retirement`.
    func isGone(_ now: Timestamp) -> Bool {
        guard let current, retiring.isEmpty, waiting.isEmpty, current.isRetired(now) else { return false }
        return FileState(path) == nil
    }

    /// No file is open, and none is in line.
    var hasNothing: Bool { current == nil && retiring.isEmpty && waiting.isEmpty }

    /// The file from its beginning, as the next generation.
    func begin(_ file: LogFile, now: Timestamp) -> FollowedFile {
        defer { nextGeneration += 1 }
        return FollowedFile(file, generation: nextGeneration, framing: parser.format.framing, now: now)
    }

    func countRotation() { parser.countRotation() }

    func noteGap(_ reason: String) {
        parser.countGap()
        noteLoss(reason)
    }

    func countDamaged(_ reason: String) {
        parser.countDamaged()
        noteLoss(reason)
    }

    private func noteLoss(_ reason: String) {
        if losses.count == BatchParser.maximumSamples { losses.removeFirst() }
        losses.append(reason)
    }

    private func read(_ following: inout FollowedFile, into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard !following.isBroken else { return false }
        batch.origin = BatchOrigin(source: path, generation: following.generation)
        let offset = following.assembler.readOffset
        following.assembler.begin(&batch)
        let before = batch.bytes.count
        do {
            _ = try following.file.read(FileTail.chunkBytes, at: offset, into: &batch.bytes, path: path)
            problem = nil
        } catch {
            problem = error
            if error.code == .damaged {
                following.isBroken = true
                countDamaged(error.description)
            }
        }
        // Cut while it was being read: what came may be of the new content. It is read again, from where it belongs.
        if batch.bytes.count > before, following.isCut(path) { batch.bytes.removeLast(batch.bytes.count - before) }
        let got = batch.bytes.count - before
        following.head.extend(with: batch.bytes[before...], at: offset)
        following.largestSize = max(following.largestSize, following.assembler.readOffset + Int64(got))
        if got > 0 {
            following.lastActivity = now
            // With the unfinished line, which stands in front of what came: a few bytes alone would prove little.
            following.end = FileEnd(batch.bytes[EventWord.bytes.count...], before: offset + Int64(got))
        }
        parse(&following, &batch, isFinal: false, now: now)
        return got > 0
    }

    /// Gives the unfinished line as a partial one. Reads nothing: the file may be another one by now.
    func flush(_ following: inout FollowedFile, into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard following.isUnfinished else { return false }
        batch.origin = BatchOrigin(source: path, generation: following.generation)
        following.assembler.begin(&batch)
        parse(&following, &batch, isFinal: true, now: now)
        return true
    }

    private func parse(_ following: inout FollowedFile, _ batch: inout EventBatch, isFinal: Bool, now: Timestamp) {
        let from = following.assembler.offset
        following.assembler.finish(batch, isFinal: isFinal, into: &lines)
        following.parts.join(&lines, of: &batch, isFinal: isFinal)
        parser.parse(lines, of: &batch, consumed: following.assembler.offset - from, reference: now)
    }
}
