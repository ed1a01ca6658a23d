import Events

/// Reads an archive, also while a server writes it: opens nothing for writing, and waits for nobody.
package struct ArchiveReader: Sendable {
    package let folder: String

    /// - Parameter folder: `archive/` of a data folder.
    package init(folder: String) {
        self.folder = folder
    }

    /// Numbers of the segments there are, oldest first.
    ///
    /// - Throws: `ArchiveError` when the folder cannot be listed.
    package func segments() throws(ArchiveError) -> [UInt64] { try ArchiveFolder.segments(folder) }

    /// The size of one; 0 when it is gone.
    package func byteCount(of number: UInt64) -> Int {
        (try? ArchiveFile(ArchiveFolder.segmentPath(folder, number)).size()) ?? 0
    }

    /// Opens one; `nil` when it was removed meanwhile, as retention does.
    package func open(_ number: UInt64, of all: [UInt64], usesIndex: Bool = true) throws(ArchiveError) -> Segment? {
        do {
            return try Segment(folder: folder, number: number, isGrowing: number == all.last, usesIndex: usesIndex)
        } catch {
            if error.code == .missing { return nil }
            throw error
        }
    }

    /// Reads every block in full, believing no index.
    ///
    /// - Parameter progress: called after each segment with its number of lines.
    package func verify(progress: (UInt64, Int) -> Void = { _, _ in }) throws(ArchiveError) -> ArchiveVerification {
        var result = ArchiveVerification()
        let all = try segments()
        var next: UInt64?
        for number in all {
            guard let segment = try open(number, of: all, usesIndex: false) else { continue }
            result.segments += 1
            result.bytes += segment.byteCount
            result.damages += segment.damages
            let before = result.lines
            for block in segment.blocks {
                result.blocks += 1
                switch try segment.read(block) {
                case .failure(let damage): result.damages.append(damage)
                case .success(.citations(let citations)): result.citations += citations.count
                case .success(.lines(let lines)):
                    result.lines += lines.lines.count
                    result.textBytes += lines.text.count
                    // Numbers of lines only grow; a reduced segment has holes, and no segment repeats one.
                    if let next, block.header.firstRecord < next {
                        result.repeated.append(ArchiveDamage(segment: number, offset: block.offset, reason: .payload))
                    }
                    next = block.header.firstRecord + UInt64(lines.lines.count)
                }
            }
            progress(number, result.lines - before)
        }
        return result
    }
}

/// What a check of a whole archive found.
package struct ArchiveVerification: Sendable {
    package var segments = 0
    package var blocks = 0
    package var lines = 0
    package var citations = 0
    /// Bytes on disk, and of the lines in them.
    package var bytes = 0
    package var textBytes = 0
    package var damages: [ArchiveDamage] = []
    /// Blocks whose lines stand in an earlier one, too.
    package var repeated: [ArchiveDamage] = []
}
