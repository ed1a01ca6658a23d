package import Archive
import Detection
import Events

extension Hunt {
    /// Reads the archive through.
    ///
    /// Blocks are read and parsed by `workers` tasks, a few at a time, and evaluated one after the other in the order in which their lines
    /// came: correlations count as they did live. Memory is bounded by the blocks in flight.
    ///
    /// - Parameters:
    ///   - report: called for every result, in order.
    ///   - progress: called after each block.
    /// - Throws: `ArchiveError`, `CancellationError`, or what the callbacks throw.
    package func run(
        _ reader: ArchiveReader, workers: Int,
        report: (HuntResult) async throws -> Void, progress: (HuntProgress) async throws -> Void
    ) async throws -> HuntProgress {
        var state = Evaluation(self)
        let all = try reader.segments()
        for number in all { state.progress.bytesTotal += reader.byteCount(of: number) }
        var idle = (0..<max(workers, 1)).map { _ in BlockReplay(formats) }
        for number in all {
            try Task.checkCancellation()
            guard let segment = try reader.open(number, of: all) else { continue }
            state.progress.damages += segment.damages
            let wanted = segment.blocks.filter { $0.header.kind == .lines && query.wants($0, of: segment.header) }
            state.progress.blocksSkipped += segment.blocks.count { $0.header.kind == .lines } - wanted.count
            let proxies = segment.header.trustedProxies
            let before = state.progress.bytesDone
            try await withThrowingTaskGroup(of: (Int, Parsed, BlockReplay).self) { group in
                var ready: [Int: Parsed] = [:]
                var next = 0
                for index in wanted.indices {
                    // At most so many blocks are in memory: one per worker, and those that wait for an earlier one.
                    while idle.isEmpty || index - next >= 2 * workers {
                        guard let (done, parsed, replay) = try await group.next() else { break }
                        idle.append(replay)
                        ready[done] = parsed
                        while let parsed = ready.removeValue(forKey: next) {
                            try await take(parsed, wanted[next], segment, &state, report)
                            try await progress(state.progress)
                            next += 1
                        }
                    }
                    let body = try segment.body(wanted[index])
                    let header = wanted[index].header
                    guard let replay = idle.popLast() else { break }
                    group.addTask { [self] in
                        var replay = replay
                        let parsed = parse(header, body, proxies, &replay)
                        return (index, parsed, replay)
                    }
                }
                while let (done, parsed, replay) = try await group.next() {
                    idle.append(replay)
                    ready[done] = parsed
                    while let parsed = ready.removeValue(forKey: next) {
                        try await take(parsed, wanted[next], segment, &state, report)
                        try await progress(state.progress)
                        next += 1
                    }
                }
            }
            state.progress.bytesDone = before + segment.byteCount
            try await progress(state.progress)
        }
        return state.progress
    }

    /// What a worker made of a block.
    private enum Parsed: Sendable {
        case batches([EventBatch], lines: Int, sources: Set<String>, fields: Set<FieldID>)
        case damage(DamageReason)
    }

    private struct Evaluation {
        var engine: Engine?
        var findings: [Finding] = []
        var progress = HuntProgress()

        init(_ hunt: Hunt) {
            engine = hunt.hasRules ? Engine(hunt.ruleSet) : nil
        }
    }

    private func parse(
        _ header: BlockHeader, _ body: [UInt8], _ proxies: [String], _ replay: inout BlockReplay
    ) -> Parsed {
        switch BlockReader().read(header, body: body[...]) {
        case .failure(let reason): return .damage(reason)
        case .success(.citations): return .batches([], lines: 0, sources: [], fields: [])
        case .success(.lines(let block)):
            var batches: [EventBatch] = []
            var lines = 0
            var sources: Set<String> = []
            var unseen = namedFields
            var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
            replay.replay(block, trustedProxies: proxies, query: query, batch: &batch) { batch in
                lines += batch.events.count
                if query.sources != nil { sources.insert(batch.origin.source) }
                if !unseen.isEmpty { unseen.removeAll { field in batch.fields.contains { $0.field == field } } }
                if !filter.isEmpty {
                    let kept = batch.events.filter { filter.matches($0, batch) }
                    batch.events = kept
                }
                guard !batch.events.isEmpty else { return }
                batches.append(batch)
                batch = EventBatch(origin: batch.origin)
            }
            return .batches(batches, lines: lines, sources: sources, fields: Set(namedFields).subtracting(unseen))
        }
    }

    private func take(
        _ parsed: Parsed, _ block: Segment.Block, _ segment: Segment, _ state: inout Evaluation,
        _ report: (HuntResult) async throws -> Void
    ) async throws {
        state.progress.bytesDone += block.header.blockBytes
        state.progress.blocksRead += 1
        switch parsed {
        case .damage(let reason):
            state.progress.damages.append(
                ArchiveDamage(segment: segment.header.number, offset: block.offset, reason: reason))
        case .batches(let batches, let lines, let sources, let fields):
            state.progress.lines += lines
            state.progress.sources.formUnion(sources)
            state.progress.fields.formUnion(fields)
            for batch in batches {
                if hasRules {
                    state.engine?.consume(batch, into: &state.findings)
                    for finding in state.findings { try await add(finding, batch, &state.progress, report) }
                    state.findings.removeAll(keepingCapacity: true)
                } else {
                    for event in batch.events { try await add(event, batch, nil, &state.progress, report) }
                }
            }
        }
    }

    private func add(
        _ finding: Finding, _ batch: EventBatch, _ progress: inout HuntProgress, _ report: (HuntResult) async throws -> Void
    ) async throws {
        // The event that completed it is of this batch, but for absences.
        if let last = finding.evidence.last, last.origin == batch.origin, let event = batch.event(at: last.offset) {
            return try await add(event, batch, finding, &progress, report)
        }
        progress.results += 1
        if countField != nil { progress.uncounted += 1 }
        let last = finding.evidence.last
        try await report(
            HuntResult(
                finding: finding, origin: last?.origin ?? batch.origin, offset: last?.offset ?? 0, line: last?.line ?? 0,
                time: finding.time, text: ""))
    }

    private func add(
        _ event: EventRecord, _ batch: EventBatch, _ finding: Finding?, _ progress: inout HuntProgress,
        _ report: (HuntResult) async throws -> Void
    ) async throws {
        progress.results += 1
        if let countField {
            let value = batch.range(of: countField, in: event).map(batch.text)
            if let value, progress.counts[value] != nil || progress.counts.count < HuntProgress.maximumCounts {
                progress.counts[value, default: 0] += 1
            } else {
                progress.uncounted += 1
            }
        }
        try await report(
            HuntResult(
                finding: finding, origin: batch.origin, offset: event.offset, line: event.lineNumber, time: event.time,
                text: batch.text(event.line)))
    }
}

extension EventBatch {
    /// The event whose line begins there; lines stand in the order of their offsets.
    fileprivate func event(at offset: Int64) -> EventRecord? {
        var low = 0
        var high = events.count
        while low < high {
            let middle = (low + high) / 2
            if events[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low < events.count && events[low].offset == offset ? events[low] : nil
    }
}
