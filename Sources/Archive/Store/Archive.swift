package import Events

/// Writes the archive: takes blocks of lines, and puts them into segment files.
///
/// One actor per data folder. It never throws at its writer: where lines cannot be archived it says so in its status, counts them, and
/// tries again; detection goes on. Positions: a block is part of the archive once `synchronise` has returned a position behind it, and
/// that position is saved together with those of the sources. A start cuts off what stands behind the saved one; the lines come again.
/// Until that has worked, it neither writes nor removes anything: which numbers are free, and what may go, is not known.
package actor Archive {
    /// A segment ends with the hour, so that retention is exact to the hour, or at this size: until it ends its index stands in memory,
    /// some ten MiB at this size where lines are short (128 MiB of them took 50, and the index another 30 while it was written).
    static let segmentSeconds: Int64 = 3_600
    static let segmentBytes = 32 << 20
    /// Below this a finished segment's blocks are put together: on average, in bytes of payload.
    static let packedBlockBytes = ArchiveFeed.blockBytes / 2
    /// A write that failed is tried again after so long.
    static let retryNanoseconds: Int64 = 10_000_000_000

    let folder: String
    private(set) var policy: RetentionPolicy
    let holds: HoldFolder
    let journal: @Sendable (ArchiveEvent) async throws -> Void
    private var fingerprint: UInt64
    private let trustedProxies: [String]
    private let writer: BlockWriter

    private(set) var isRecovered = false
    /// The attempt to recover that is under way: all who need it wait for the same one.
    private var recovery: Task<ArchiveError?, Never>?
    /// Until recovered: from where on lines come from their sources again. `nil` when that is not known, and nothing is cut.
    private var resuming: ArchivePosition?
    private var current: Current?
    private var nextSegment: UInt64 = 1
    private var nextRecord: UInt64 = 0
    /// Segments before this one are finished for good: no start will cut them.
    private(set) var confirmedSegment: UInt64 = 0
    /// Segments before this one need not be looked at any more to be packed.
    var packedSegment: UInt64 = 0
    /// Segments that were to be reduced and cannot be read whole. Known since the start only: they are looked at again after the next.
    var damagedSegments: Set<UInt64> = []
    /// Ends with the last of those who wait to change finished segments.
    private var turn: Task<Void, Never>?
    private var gap: Gap?
    package private(set) var status = ArchiveStatus()

    /// The segment being written.
    private struct Current {
        var file: ArchiveFile
        var header: SegmentHeader
        var length: Int
        var blocks: [Segment.Block]
        /// Written, but not yet known to be on the disk.
        var isDirty = false
    }

    /// Lines that were not archived.
    private struct Gap {
        var since: Timestamp
        var lines: Int
        var reason: ArchiveError
        var lastTry: Timestamp
    }

    /// - Parameters:
    ///   - fingerprint: of the formats that lines are read with.
    ///   - position: what was saved with the positions of the sources; `nil` when none was.
    ///   - journal: writes down what people must be able to look up. When it throws, nothing is deleted.
    package init(
        folder: String, policy: RetentionPolicy = RetentionPolicy(), fingerprint: UInt64 = 0, trustedProxies: [String] = [],
        resumingAt position: ArchivePosition? = nil, level: Int = 3,
        journal: @escaping @Sendable (ArchiveEvent) async throws -> Void = { _ in }
    ) {
        self.folder = folder
        self.policy = policy
        self.fingerprint = fingerprint
        self.trustedProxies = trustedProxies
        self.journal = journal
        holds = HoldFolder(archive: folder)
        writer = BlockWriter(level: level)
        resuming = position
    }

    /// Puts the folder right after whatever ended the last run. Who writes tries again until it works.
    package func recover(at now: Timestamp) async {
        do throws(ArchiveError) { try await finishRecovery() } catch { lose(0, error, at: now) }
    }

    /// - Throws: why the archive can be neither written nor reduced.
    private func finishRecovery() async throws(ArchiveError) {
        guard !isRecovered else { return }
        let attempt = recovery ?? Task { await attemptRecovery() }
        recovery = attempt
        if let error = await attempt.value { throw error }
    }

    private func attemptRecovery() async -> ArchiveError? {
        defer { recovery = nil }
        do throws(ArchiveError) {
            let recovered = try await ArchiveRecovery(folder: folder, holds: holds, journal: journal).run(resumingAt: resuming)
            nextSegment = recovered.nextSegment
            nextRecord = recovered.nextRecord
            for notice in recovered.notices { note(notice) }
            confirmedSegment = resuming?.segment ?? recovered.nextSegment
            // Going on in the same file is only right for lines that are read in the same way.
            if let open = recovered.open, open.header.fingerprint == fingerprint, open.header.trustedProxies == trustedProxies {
                current = Current(file: open.file, header: open.header, length: open.length, blocks: open.blocks)
                nextSegment = open.header.number + 1
            }
            isRecovered = true
        } catch {
            return error
        }
        await endGap()
        return nil
    }

    /// Adds a block; where that is impossible, counts its lines as lost to the archive.
    package func write(_ block: LineBlock) async {
        guard let received = block.runs.last?.received else { return }
        if recovery == nil, let gap, received.nanoseconds(since: gap.lastTry) < Archive.retryNanoseconds, received >= gap.lastTry
        {
            return lose(block.lines.count, gap.reason, at: received)
        }
        do throws(ArchiveError) {
            try await finishRecovery()
            try await makeRoom()
            try roll(received)
            guard let encoded = writer.encode(block, firstRecord: nextRecord) else {
                throw ArchiveError(.memory, "there is no memory to compress a block in", "give Vigie more memory")
            }
            try append(encoded.header, encoded.bytes, keys: block.keys.sorted())
            nextRecord += UInt64(block.lines.count)
            status.lines += block.lines.count
            status.textBytes += block.text.count
        } catch {
            return lose(block.lines.count, error, at: received)
        }
        await endGap()
    }

    /// Notes which lines findings rest on.
    package func cite(_ citations: [Citation], at now: Timestamp) async {
        guard !citations.isEmpty, gap == nil else { return }
        do throws(ArchiveError) {
            try await finishRecovery()
            try roll(now)
            guard let encoded = writer.encode(citations, at: now, firstRecord: nextRecord) else { return }
            try append(encoded.header, encoded.bytes, keys: [])
        } catch {
            lose(0, error, at: now)
        }
    }

    /// Makes durable what was written.
    ///
    /// - Returns: a position behind it, to be saved together with those of the sources; `nil` when nothing may be cut at the next start.
    package func synchronise(at now: Timestamp) -> ArchivePosition? {
        guard isRecovered else { return resuming }
        if let open = current, open.isDirty {
            do throws(ArchiveError) {
                try open.file.synchronise()
                current?.isDirty = false
            } catch {
                // What the disk has of it is unknown: it is left as it is, and writing goes on in another segment.
                lose(0, error, at: now)
                current = nil
            }
        }
        return ArchivePosition(segment: current?.header.number ?? nextSegment, length: current?.length ?? 0)
    }

    /// One after the other: while one waits for the journal, a second would remove the segment that the first is about to replace.
    func inTurn<Value>(_ work: () async throws(ArchiveError) -> Value) async throws(ArchiveError) -> Value {
        let previous = turn
        let (ended, end) = AsyncStream.makeStream(of: Never.self)
        turn = Task { for await _ in ended {} }
        defer { end.finish() }
        await previous?.value
        return try await work()
    }

    /// From now on, another policy holds.
    package func setPolicy(_ policy: RetentionPolicy) { self.policy = policy }

    /// What follows is read with other formats, and goes to another segment.
    func use(fingerprint: UInt64, at now: Timestamp) {
        guard fingerprint != self.fingerprint else { return }
        self.fingerprint = fingerprint
        do throws(ArchiveError) { try finish() } catch { lose(0, error, at: now) }
    }

    /// Says that a position was saved: what stands before it is never cut any more.
    package func confirm(_ position: ArchivePosition) {
        confirmedSegment = max(confirmedSegment, position.segment)
    }

    /// Ends the segment at hand when the hour has passed, though nothing comes.
    func rollIfDue(_ now: Timestamp) {
        guard let current, now.seconds / Archive.segmentSeconds > current.header.created.seconds / Archive.segmentSeconds else {
            return
        }
        do throws(ArchiveError) { try finish() } catch { lose(0, error, at: now) }
    }

    private func append(_ header: BlockHeader, _ bytes: [UInt8], keys: [ValueKey]) throws(ArchiveError) {
        guard let open = current else { return }
        // At `length`, not at the end: what a failed write left there is written over.
        try open.file.write(bytes, at: open.length)
        current?.blocks.append(
            Segment.Block(offset: open.length, header: header, filter: header.isFiltered ? keys : []))
        current?.length += bytes.count
        current?.isDirty = true
        status.bytes += bytes.count
    }

    private func roll(_ now: Timestamp) throws(ArchiveError) {
        if let current {
            let isOver = now.seconds / Archive.segmentSeconds != current.header.created.seconds / Archive.segmentSeconds
            guard isOver || current.length >= Archive.segmentBytes else { return }
            try finish()
        }
        try ArchiveFolder.make(folder)
        try passOverTakenNumbers()
        let header = SegmentHeader(
            number: nextSegment, created: now, fingerprint: fingerprint, trustedProxies: trustedProxies)
        let path = ArchiveFolder.segmentPath(folder, nextSegment)
        let file = try ArchiveFile(path, writing: true, isNew: true)
        try file.write(header.encoded, at: 0)
        try ArchiveFolder.synchronise(folder)
        current = Current(file: file, header: header, length: header.encoded.count, blocks: [], isDirty: true)
        nextSegment += 1
    }

    /// What a failed attempt left behind goes. A segment that holds anything, or cannot be read, stays, whatever this archive believes.
    private func passOverTakenNumbers() throws(ArchiveError) {
        let numbers = try ArchiveFolder.segments(folder)
        guard numbers.contains(nextSegment) else { return }
        if let left = try? Segment(folder: folder, number: nextSegment, isGrowing: true, usesIndex: false), left.holdsNothing {
            return try ArchiveFolder.remove(ArchiveFolder.segmentPath(folder, nextSegment))
        }
        note(
            "segment \(nextSegment) of \(folder) stands where a new one was to begin; it stays, and writing goes on behind the last"
        )
        nextSegment = (numbers.last ?? nextSegment) + 1
    }

    private func finish() throws(ArchiveError) {
        guard let open = current else { return }
        // A failed write may have left something behind the last block.
        try open.file.truncate(to: open.length)
        try open.file.synchronise()
        try SegmentIndex.save(folder, open.header, blocks: open.blocks, byteCount: open.length)
        try ArchiveFolder.synchronise(folder)
        current = nil
    }

    /// The newest few: a disk that fails every minute fills no memory.
    func note(_ notice: String) {
        guard status.notices.last != notice else { return }
        if status.notices.count >= 20 { status.notices.removeFirst() }
        status.notices.append(notice)
    }

    private func lose(_ lines: Int, _ reason: ArchiveError, at now: Timestamp) {
        // What came again was not taken: what stands behind the position may be all there is of it now.
        if lines > 0, !isRecovered { resuming = nil }
        if gap == nil { gap = Gap(since: now, lines: 0, reason: reason, lastTry: now) }
        gap?.lines += lines
        if reason != gap?.reason || now.nanoseconds(since: gap?.lastTry ?? now) >= Archive.retryNanoseconds {
            gap?.lastTry = now
            gap?.reason = reason
        }
        status.lostLines += lines
        status.problem = reason.description
    }

    /// Writing works again: the journal is told what is missing.
    private func endGap() async {
        guard let ended = gap else { return }
        gap = nil
        status.problem = nil
        guard ended.lines > 0 else { return }
        do {
            try await journal(.gap(lines: ended.lines, reason: ended.reason.description, since: ended.since))
        } catch {
            note("the journal does not say that \(ended.lines) lines are missing from the archive: \(error)")
        }
    }

    /// - Throws: `ArchiveError` when the disk is so full that what is left belongs to the journal.
    private func makeRoom() async throws(ArchiveError) {
        while let free = ArchiveFolder.freeBytes(folder), free < policy.minimumFreeBytes {
            if policy.whenFull == .deleteOldest, await deleteOldest() { continue }
            throw ArchiveError(
                .diskFull, "the disk of \(folder) has only \(free >> 20) MiB left",
                "make room, shorten archive.keep_days, or set archive.when_full to delete_oldest; detection goes on meanwhile")
        }
    }
}

/// A place in the archive: everything before it is whole.
package struct ArchivePosition: Codable, Sendable, Hashable {
    package var segment: UInt64
    package var length: Int

    package init(segment: UInt64, length: Int) {
        self.segment = segment
        self.length = length
    }
}

/// How the archive is doing. Counts are since the start.
package struct ArchiveStatus: Sendable, Equatable {
    package var lines = 0
    package var textBytes = 0
    /// Bytes written.
    package var bytes = 0
    /// Lines that could not be archived.
    package var lostLines = 0
    /// Why nothing is archived at the moment, and what to do about it.
    package var problem: String?
    /// What was noticed at the start or since.
    package var notices: [String] = []

    package init() {}
}
