import Events

/// Which files a log has been, and where they are now.
extension FileTail {
    /// Finds the files again that were being read, and those that were rotated meanwhile.
    func resume(_ positions: [FilePosition], now: Timestamp) {
        nextGeneration = max(nextGeneration, (positions.last?.generation ?? -1) + 1)
        let positions = positions.filter { $0.isPast != true }
        let standing = FileState(path)?.identity
        var newest: LogFile?
        for position in positions {
            if position.isUnread, standing != position.identity {
                waiting.append(WaitingFile(position: position, size: 0))
            } else if let file = locate(position, besides: positions) {
                let following = FollowedFile(file, at: position, framing: parser.format.framing, now: now)
                let isInPlace = standing == file.identity
                if isInPlace { current = following } else { retiring.append(following) }
                if position == positions.last { newest = file }
            } else {
                remember(position)
                if position == positions.last { awaitMissed(sinceLossOf: position, hasSuccessor: standing != nil) }
            }
        }
        if current == nil, let newest { awaitMissed(since: newest) }
    }

    func openCurrent(now: Timestamp) -> Bool {
        do {
            let file = try LogFile(path: path)
            problem = nil
            if nextGeneration > 0 { countRotation() }
            current = begin(file, now: now)
            return true
        } catch {
            problem = error
            return false
        }
    }

    /// Rotation by renaming: the file that now stands under the path becomes the current one.
    func followRename(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard let standing = FileState(path)?.identity, var left = current,
            standing != left.file.identity
        else { return false }
        left.lastActivity = now
        current = nil
        // Back to a file that is still being read, as when a symbolic link is switched there and back.
        if let index = retiring.firstIndex(where: { $0.file.identity == standing }) {
            current = retiring.remove(at: index)
            retiring.append(left)
        } else {
            retiring.append(left)
            awaitMissed(since: left.file)
        }
        var flushed = false
        if retiring.count > FileTail.maximumRetiring { flushed = letGo(0, into: &batch, now: now) }
        // Those between the old one and the new one come first.
        if !waiting.isEmpty { return flushed || poll(into: &batch, now: now) }
        return current != nil || openCurrent(now: now) || flushed
    }

    /// Lets go of an old file, with the line that it has not ended.
    func letGo(_ index: Int, into batch: inout EventBatch, now: Timestamp) -> Bool {
        var old = retiring.remove(at: index)
        if old.file.isCutShort, !old.isBroken {
            countDamaged("a rotated file of \(path) ends in the middle of its compression: what stood behind that is lost")
        }
        let hasGiven = flush(&old, into: &batch, now: now)
        remember(old.position(path: path))
        return hasGiven
    }

    private func remember(_ position: FilePosition) {
        if finished.count == FileTail.maximumFinished { finished.removeFirst() }
        finished.append(position)
    }

    /// Begins with the next old file; false when there is none.
    func openWaiting(into batch: inout EventBatch, now: Timestamp) -> Bool {
        guard !waiting.isEmpty else { return false }
        let next = waiting.removeFirst()
        countRotation()
        guard let file = locate(next.position, besides: waiting.map(\.position)) else {
            noteGap("a rotated file of \(path) went away before it was read")
            return true
        }
        retiring.append(FollowedFile(file, at: next.position, framing: parser.format.framing, now: now))
        return true
    }

    /// Where a file cut in place was copied before, the rest of it is read from there.
    func readOn(fromCopyOf old: FollowedFile, now: Timestamp) -> Bool {
        guard old.head.count > 0 else { return false }
        var position = old.position(path: path)
        // No longer the file that stands there: up to its last byte, the copy has to be the same.
        position.inode = 0
        position.given = old.assembler.readOffset
        for candidate in RotatedFiles.list(path).reversed() where !isOpen(candidate) {
            guard let copy = try? LogFile(path: candidate.path), position.goesOn(in: copy) else { continue }
            if !copy.isCompressed, copy.size < old.largestSize {
                noteGap("the copy of \(path) lacks \(old.largestSize - copy.size) bytes that were in it before it was cut")
            }
            var following = old
            following.file = copy
            following.lastActivity = now
            retiring.append(following)
            return true
        }
        return false
    }

    /// The file that a position is about: under the path itself, under another name, or as a copy, compressed or not.
    ///
    /// - Parameter others: what those are about is not taken.
    private func locate(_ position: FilePosition, besides others: [FilePosition]) -> LogFile? {
        let isInPlace = FileState(path)?.identity == position.identity
        let found = isInPlace ? path : LogFile.renamed(from: path, position.identity)
        if let found, let file = try? LogFile(path: found), position.goesOn(in: file) { return file }
        // Without a beginning, any file would do.
        guard position.head.count > 0 else { return nil }
        let taken = Set(others.map(\.identity))
        for candidate in likelyCopies(of: position) where !isOpen(candidate) && !taken.contains(candidate.state.identity) {
            if let file = try? LogFile(path: candidate.path), position.goesOn(in: file) { return file }
        }
        return nil
    }

    /// Of several files that begin as the one that is meant, it is the first of those that are not older: what was rotated before it
    /// was written to before it.
    private func likelyCopies(of position: FilePosition) -> [RotatedFiles.File] {
        let files = RotatedFiles.list(path)
        guard let modified = position.modified else { return files.reversed() }
        // A second less: some that compress keep no more than the second.
        return files.filter { $0.state.modified >= modified &- 1_000_000_000 }
    }

    private func isOpen(_ file: RotatedFiles.File) -> Bool {
        (retiring + (current.map { [$0] } ?? [])).contains { $0.file.identity == file.state.identity }
    }

    /// Several rotations between two looks: files that were written after `last` and are not known yet.
    ///
    /// The file before the last one was written to before it, and so is older. Its compressed copy has its time and its beginning.
    private func awaitMissed(since last: LogFile) {
        let time = last.modified
        putInLine(RotatedFiles.list(path).filter { $0.state.modified >= time })
    }

    /// The newest file is gone, as after more rotations than files are kept: of those that were put aside after it, some may be left.
    private func awaitMissed(sinceLossOf lost: FilePosition, hasSuccessor: Bool) {
        let inLine = waiting.count
        // Without a time there is no telling which of them were read long ago.
        if let time = lost.modified { putInLine(RotatedFiles.list(path).filter { $0.state.modified >= time }) }
        guard hasSuccessor || waiting.count > inLine else { return }
        noteGap("\(path) was rotated while nothing ran, and what was still unread of it is nowhere to be found")
    }

    /// Several cuts between two looks: what was written between them stands in copies of its own, made since the last look.
    ///
    /// A copy of what stands in the file now, which may be under way, is none of them: it is read where it stands.
    func awaitMissed(sinceCutOf old: FollowedFile) {
        // A second less: the file system's clock goes in steps.
        let time = old.lastActivity.nanoseconds - 1_000_000_000
        let cut = old.position(path: path)
        var missed: [RotatedFiles.File] = []
        for candidate in RotatedFiles.list(path) where candidate.state.modified >= time {
            // The copy first: what stands in the log grows meanwhile.
            guard let copy = try? LogFile(path: candidate.path), let head = copy.head(path: path) else { continue }
            if old.file.head(head.count, path: path) != head {
                if cut.isCopied(in: copy) { remember(position(of: candidate, copy, head)) } else { missed.append(candidate) }
            } else if head.count == FileHead.maximumBytes, let end = copy.end(path: path), !old.file.has(end, path: path) {
                missed.append(candidate)
            }
        }
        putInLine(missed)
    }

    /// Of a file of which nothing has been read under that name.
    private func position(of file: RotatedFiles.File, _ opened: LogFile, _ head: FileHead) -> FilePosition {
        let identity = file.state.identity
        return FilePosition(
            path: path, device: identity.device, inode: identity.inode, generation: nextGeneration, offset: 0, line: 1,
            isSkipping: false,
            head: head, end: opened.end(path: file.path), modified: file.state.modified)
    }

    /// Puts old files in line, but for those that are being read or have been.
    func putInLine(_ files: [RotatedFiles.File]) {
        let standing = FileState(path)?.identity
        var known = following.map { $0.position(path: path) } + finished + waiting.map(\.position)
        for file in files {
            if isOpen(file) || standing == file.state.identity { continue }
            // What cannot be opened now is left out: nothing has been read of it, and the reason is the same later.
            guard let opened = try? LogFile(path: file.path), let head = opened.head(path: file.path), head.count > 0 else {
                continue
            }
            if isBeingMade(opened, file.path, head) || known.contains(where: { $0.covers(opened) }) { continue }
            let position = position(of: file, opened, head)
            waiting.append(WaitingFile(position: position, size: file.state.size))
            known.append(position)
            nextGeneration += 1
        }
    }

    /// Compression removes what it began with once it is done: until then, that is what is read.
    private func isBeingMade(_ file: LogFile, _ name: String, _ head: FileHead) -> Bool {
        guard file.isCompressed, name.hasSuffix(".gz"), let whole = try? LogFile(path: String(name.dropLast(3))) else {
            return false
        }
        return !whole.isCompressed && whole.head(head.count, path: name) == head
    }
}

extension FilePosition {
    /// An old file of which nothing has been read.
    fileprivate var isUnread: Bool { offset == 0 && line == 1 && given == nil && head.count > 0 }
}
