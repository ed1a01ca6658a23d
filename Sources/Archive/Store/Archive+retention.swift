package import Events

/// What policy has done to finished segments: packed, reduced to security events, removed.
extension Archive {
    /// To be called about once a minute. Each call does a bounded part of what there is to do.
    package func maintain(at now: Timestamp) async {
        await recover(at: now)
        guard isRecovered else { return }
        rollIfDue(now)
        do throws(ArchiveError) {
            try await inTurn { () async throws(ArchiveError) in
                try await settleHolds()
                try await applyRetention(now)
            }
        } catch {
            note("the archive's retention waits: \(error)")
        }
        do throws(ArchiveError) {
            try packOne()
        } catch {
            note("a segment could not be packed: \(error)")
        }
    }

    /// New holds are journalled here, and released ones go, after the journal says so. Whatever is in the folder is in force.
    private func settleHolds() async throws(ArchiveError) {
        // A release that came between the reading and the writing would be lost.
        let lock = try holds.lock()
        defer { lock.release() }
        for var hold in try holds.holds() {
            do {
                if !hold.isJournalled {
                    try await journal(.holdPlaced(hold))
                    hold.isJournalled = true
                    try holds.save(hold)
                }
                if hold.released != nil {
                    try await journal(.holdReleased(hold))
                    try holds.remove(hold)
                }
            } catch {
                note("the legal hold \(hold.name) is in force, but not journalled yet: \(error)")
            }
        }
    }

    private func applyRetention(_ now: Timestamp) async throws(ArchiveError) {
        let all = try ArchiveFolder.segments(folder)
        for number in all where number < confirmedSegment {
            let segment = try Segment(folder: folder, number: number, isGrowing: false)
            let summary = SegmentSummary(segment)
            let received = summary.received?.upperBound ?? segment.header.created
            // Segments are in the order of their receipt: behind the first young one there is none to remove.
            guard RetentionPolicy.isOlder(received, than: min(policy.keepDays, policy.securityDays), now: now) else { return }
            // Until the segment is as it shall be, no hold is placed: one that comes later finds out what is left.
            let lock = try holds.lock()
            defer { lock.release() }
            if try isHeld(summary) { continue }
            if RetentionPolicy.isOlder(received, than: max(policy.keepDays, policy.securityDays), now: now) {
                try await delete(summary, .retention)
            } else if !summary.isReduced, policy.keepDays < policy.securityDays, !damagedSegments.contains(number) {
                try await reduce(segment, summary, all)
            }
        }
    }

    /// To be asked while the holds are locked.
    private func isHeld(_ summary: SegmentSummary) throws(ArchiveError) -> Bool {
        try holds.holds().contains { $0.covers(summary) }
    }

    /// The journal says it first: a crash between leaves a segment that is said to be gone, and goes at the next call.
    private func delete(_ summary: SegmentSummary, _ reason: ArchiveEvent.DeletionReason) async throws(ArchiveError) {
        do {
            try await journal(.deleted(summary, reason: reason))
        } catch {
            throw ArchiveError(.file, "segment \(summary.number) stays, since the journal cannot say that it goes: \(error)", "")
        }
        try ArchiveFolder.remove(ArchiveFolder.segmentPath(folder, summary.number))
        try ArchiveFolder.remove(ArchiveFolder.indexPath(folder, summary.number))
        try ArchiveFolder.synchronise(folder)
    }

    /// Leaves of a segment its security events: lines of security sources, and lines that findings rest on.
    private func reduce(_ segment: Segment, _ summary: SegmentSummary, _ all: [UInt64]) async throws(ArchiveError) {
        guard segment.damages.isEmpty else { return keepDamaged(summary) }
        let cited = try citations(from: segment.header.number, all)
        var header = segment.header
        header.isReduced = true
        var rewriting = try SegmentRewriting(folder, segment, as: header)
        try rewriting.keep { run, line in
            line.isSecurity || cited.contains(Citation(origin: run.origin, offset: line.offset))
        }
        guard !rewriting.hasDamage else { return keepDamaged(summary) }
        guard rewriting.lines > 0 else { return try await delete(summary, .retention) }
        do {
            try await journal(.reduced(summary, keptLines: rewriting.lines))
        } catch {
            throw ArchiveError(
                .file, "segment \(summary.number) stays whole, since the journal cannot say otherwise: \(error)", "")
        }
        try rewriting.replace()
    }

    /// What cannot be read may be mended yet, from a backup or by an expert, and may hold what has to be kept: it stays, as it is.
    private func keepDamaged(_ summary: SegmentSummary) {
        damagedSegments.insert(summary.number)
        note(
            "segment \(summary.number) is damaged and not reduced to its security events: it stays whole until all of it may go; "
                + "`vigie archive verify` says where it is damaged")
    }

    /// What findings rest on: a finding comes after its lines.
    private func citations(from number: UInt64, _ all: [UInt64]) throws(ArchiveError) -> Set<Citation> {
        var cited: Set<Citation> = []
        for later in all where later >= number {
            let segment = try Segment(folder: folder, number: later, isGrowing: later == all.last)
            for block in segment.blocks where block.header.kind == .citations {
                if case .success(.citations(let some)) = try segment.read(block) { cited.formUnion(some) }
            }
        }
        return cited
    }

    /// Puts the small blocks of a quiet time together: one finished segment per call.
    private func packOne() throws(ArchiveError) {
        for number in try ArchiveFolder.segments(folder) where number < confirmedSegment && number >= packedSegment {
            packedSegment = number + 1
            let segment = try Segment(folder: folder, number: number, isGrowing: false)
            let payload = segment.blocks.reduce(0) { $0 + $1.header.payloadBytes }
            guard !segment.header.isPacked, segment.blocks.count > 1, segment.damages.isEmpty,
                payload / segment.blocks.count < Archive.packedBlockBytes
            else { continue }
            var header = segment.header
            header.isPacked = true
            var rewriting = try SegmentRewriting(folder, segment, as: header)
            try rewriting.keep { _, _ in true }
            // A block that cannot be read is left where it is, with all others.
            guard !rewriting.hasDamage else { continue }
            return try rewriting.replace()
        }
    }

    /// - Returns: whether there was one that may go.
    func deleteOldest() async -> Bool {
        do throws(ArchiveError) {
            return try await inTurn { () async throws(ArchiveError) in
                try await settleHolds()
                for number in try ArchiveFolder.segments(folder) where number < confirmedSegment {
                    let summary = SegmentSummary(try Segment(folder: folder, number: number, isGrowing: false))
                    let lock = try holds.lock()
                    defer { lock.release() }
                    if try isHeld(summary) { continue }
                    try await delete(summary, .diskFull)
                    return true
                }
                return false
            }
        } catch {
            note("no segment could be removed to make room: \(error)")
        }
        return false
    }
}
