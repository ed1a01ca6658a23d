import Archive
import Detection
import Events
import Foundation
import Hunting
import Incidents
import Ingest
import Logging

/// Follows the sources, runs the rules, records findings: the loop at the heart of `vigie serve`.
///
/// Sources are read in turn, a chunk at a time, so that a large backlog in one does not hold up another. A snapshot of
/// positions and windows follows what has been recorded, never precedes it.
actor Watch {
    /// A source that has nothing new is asked again after this long; well under the second that a finding may take.
    static let pollInterval = Duration.milliseconds(100)
    /// While lines come in: an attacker has this much longer, and a chunk of so many lines costs little more for each of them.
    static let livelyPollInterval = Duration.milliseconds(20)
    static let livelySeconds: Int64 = 1
    /// How far the clock runs ahead of what absences go by, where nothing is left to read: a line is read this soon.
    static let absenceGraceSeconds: Int64 = 2
    /// Findings that go into one journal append at most: with entries of 64 KiB at most, half of what an append may hold.
    static let findingsPerAppend = 64

    private let folder: DataFolder
    private let recorder: Recorder
    private let policies: PoliciesInForce
    private let collector: EvidenceCollector
    /// `nil` where nothing is archived.
    private let feed: ArchiveFeed?
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    /// Told how far everything is read once that is durable: what receivers took before it may be let go of.
    private let positionsSaved: @Sendable ([FilePosition]) -> Void
    /// What never became a line since this start, by the path of the source: only its receiver knows. What was lost before is part of the
    /// counts that a source begins with.
    private let losses: @Sendable () -> [String: SourceCounters]
    private var savedLosses: [String: SourceCounters] = [:]

    private var engine: Engine
    private var formats: FormatSet
    private var tails: [FileSource] = []
    private var silence = SilenceWatch()
    /// Of sources that are not watched now: given again, one is read on from there, and not a second time.
    private let resting: [DetectionSnapshot.Source]
    private var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
    private var findings: [Finding] = []

    private var bytesSinceSnapshot = 0
    private var schedule: SnapshotSchedule
    private var isDirty = false
    private var heardAt: Timestamp?
    /// A rule set that waits for the end of the batch at hand, and who waits for it.
    private var pending: [(ruleSet: RuleSet, formats: FormatSet, applied: CheckedContinuation<RuleSetChange, any Error>)] = []
    private var hasEnded = false

    init(
        folder: DataFolder, ruleSet: RuleSet, formats: FormatSet, options: ServerOptions, snapshot: DetectionSnapshot?,
        recorder: Recorder, collector: EvidenceCollector, policies: PoliciesInForce = PoliciesInForce(Policies()),
        feed: sending ArchiveFeed? = nil, logger: Logger,
        positionsSaved: @escaping @Sendable ([FilePosition]) -> Void = { _ in },
        losses: @escaping @Sendable () -> [String: SourceCounters] = { [:] }, now: @escaping @Sendable () -> Timestamp
    ) {
        let sources = options.sources
        self.folder = folder
        self.recorder = recorder
        self.collector = collector
        self.policies = policies
        self.feed = feed
        self.formats = formats
        self.logger = logger
        self.positionsSaved = positionsSaved
        self.losses = losses
        self.now = now
        schedule = SnapshotSchedule(now: now())
        resting = (snapshot?.states ?? []).filter { state in !sources.contains { $0.path == state.path } }
        engine = Engine(ruleSet, hashKey: HashKey(low: .random(in: .min ... .max), high: .random(in: .min ... .max)))
        if let snapshot {
            for rule in engine.restore(snapshot.engine) {
                logger.notice("correlation \(rule) has changed: what it had counted so far is let go")
            }
        }
        for source in sources {
            let state = snapshot?.states.first { $0.path == source.path }
            let parser = BatchParser(
                format: source.format, plan: formats.plan, formats: formats, proxies: TrustedProxies(options.trustedProxies),
                counters: state?.counters ?? SourceCounters(),
                lastTime: state?.lastTime.map(Timestamp.init(nanoseconds:)))
            tails.append(
                FileSource(
                    path: source.path, parser: parser, resumingAt: state?.positions, readsBacklog: source.readsBacklog, now: now()
                ))
            silence.add(source.path, rhythm: state?.rhythm, isSpool: folder.isSpool(source.path), now: now())
        }
    }

    var statuses: [SourceStatus] {
        let losses = losses()
        return tails.map { tail in
            var status = tail.status.explained(by: formats, now: now())
            if let lost = losses[tail.path] { status.counters.add(lost) }
            return status
        }
    }

    var detection: DetectionStatus { DetectionStatus(engine) }

    /// Runs until cancelled; then makes a last snapshot.
    ///
    /// - Throws: when a finding cannot be recorded. Going on would lose it.
    func run() async throws {
        defer {
            hasEnded = true
            for waiting in pending { waiting.applied.resume(throwing: CancellationError()) }
            pending.removeAll()
        }
        do {
            while !Task.isCancelled {
                try await applyPending()
                var isBusy = false
                for index in tails.indices where try await readChunk(of: index) { isBusy = true }
                if !isBusy { try await findAbsences() }
                if !isBusy { try await findSilence() }
                try await snapshotIfDue()
                if isBusy { await Task.yield() } else { try await Task.sleep(for: pause) }
            }
        } catch is CancellationError {
            // The end of the wait above.
        }
        try await snapshot()
    }

    private var pause: Duration {
        let isLively =
            heardAt.map { now().nanoseconds(since: $0).magnitude < UInt64(Watch.livelySeconds) * 1_000_000_000 } ?? false
        return isLively ? Watch.livelyPollInterval : Watch.pollInterval
    }

    /// Puts another rule set in force between two batches, and returns once that is recorded.
    ///
    /// Windows of correlations that are the same under both sets go on.
    ///
    /// - Throws: when it cannot be recorded, or the watch ends before.
    func use(_ ruleSet: RuleSet, _ formats: FormatSet) async throws -> RuleSetChange {
        try await withCheckedThrowingContinuation { continuation in
            guard !hasEnded else { return continuation.resume(throwing: CancellationError()) }
            pending.append((ruleSet, formats, continuation))
        }
    }

    /// Between batches, and by the loop itself: were it done while findings wait to be recorded, the snapshot would be ahead
    /// of the journal, and a crash would lose them.
    private func applyPending() async throws {
        while !pending.isEmpty {
            let next = pending.removeFirst()
            do {
                next.applied.resume(returning: try await apply(next.ruleSet, next.formats))
            } catch {
                next.applied.resume(throwing: error)
                throw error
            }
        }
    }

    private func apply(_ ruleSet: RuleSet, _ formats: FormatSet) async throws -> RuleSetChange {
        // Everything up to here was seen by the old rules, and nothing behind it: a start from this snapshot meets no line that
        // the old rules have already judged.
        isDirty = true
        try await snapshot()
        let windows = engine.snapshot()
        var renewed = Engine(ruleSet)
        let letGo = renewed.restore(windows)
        let change = RuleSetChange(from: engine.ruleSet, to: ruleSet)
        try await recorder.record(
            RuleEntries.loaded(ruleSet, change: change, refused: ruleSet.problems.count, letGo: letGo, at: now()), at: now())
        engine = renewed
        self.formats = formats
        for tail in tails { tail.use(formats) }
        await feed?.use(
            ruleSet.logSources, fingerprint: ArchiveReading.fingerprint(formats, pipelines: ruleSet.pipelinesHash), at: now())
        isDirty = true
        try await snapshot()
        return change
    }

    /// Reads and evaluates the next chunk of one source; false when it had none.
    private func readChunk(of index: Int) async throws -> Bool {
        let received = now()
        guard tails[index].poll(into: &batch, now: received) else { return false }
        isDirty = true
        heardAt = received
        silence.hear(tails[index].path, batch, now: received)
        bytesSinceSnapshot += batch.bytes.count
        engine.consume(batch, into: &findings)
        if !findings.isEmpty { try await recordFindings() }
        // Behind what they led to: the archive may let one wait until a block of lines is compressed and written.
        let tail = tails[index]
        await feed?.add(batch, source: tail.path, format: tail.parser.format.rawValue, received: received)
        return true
    }

    /// Finds what should have happened by now and did not, though no event says that time has passed.
    private func findAbsences() async throws {
        let horizon = now().advanced(bySeconds: -Watch.absenceGraceSeconds)
        guard let deadline = engine.nextDeadline, deadline < horizon else { return }
        engine.advance(to: horizon, into: &findings)
        isDirty = true
        if !findings.isEmpty { try await recordFindings() }
    }

    /// Finds sources that used to speak and do not any more.
    private func findSilence() async throws {
        findings += silence.findings(now: now())
        guard !findings.isEmpty else { return }
        isDirty = true
        try await recordFindings()
    }

    private func recordFindings() async throws {
        let pending = findings
        findings.removeAll(keepingCapacity: true)
        let grouping = Grouping(risk: policies.current.risk)
        // Of known ones, too: after a crash the archive has forgotten what came behind the snapshot.
        for finding in pending {
            for event in finding.evidence { feed?.cite(Citation(origin: event.origin, offset: event.offset)) }
        }
        for start in stride(from: 0, to: pending.count, by: Watch.findingsPerAppend) {
            let part = pending[start..<min(start + Watch.findingsPerAppend, pending.count)]
            // With the incident itself: whatever happens to this process, its evidence is asked for.
            let events = try await recorder.record(
                part.map { ($0, excerpt($0)) }, by: grouping, at: now(), with: { Watch.evidence($0).map { $0.draft() } })
            for request in Watch.evidence(events) { await collector.take(request) }
        }
    }

    /// The evidence to ask for when incidents open.
    private static func evidence(_ events: [IncidentEvent]) -> [EvidenceRequest] {
        events.enumerated().compactMap { index, event in
            guard case .opened(let opened) = event else { return nil }
            var logs: [String] = []
            // The finding that opened it stands next.
            if index + 1 < events.count, case .findingRecorded(let finding) = events[index + 1] {
                logs = finding.evidence.reversed().map(\.file)
            }
            return EvidenceRequest(incident: opened.incident, logs: logs, occurredAt: opened.firstSeen)
        }
    }

    /// The lines behind a finding, read again from where they stand: the newest few.
    private func excerpt(_ finding: Finding) -> [String?] {
        finding.evidence.suffix(Finding.maximumExcerptLines).map { reference in
            tails.lazy.compactMap { $0.line(reference.origin, offset: reference.offset) }.first
        }
    }

    private func snapshotIfDue() async throws {
        guard isDirty || losses() != savedLosses, schedule.isDue(now: now(), bytes: bytesSinceSnapshot) else { return }
        try await snapshot()
    }

    private func snapshot() async throws {
        let losses = losses()
        guard isDirty || losses != savedLosses else { return }
        let began = now()
        let states = tails.map { tail in
            var counters = tail.counters
            if let lost = losses[tail.path] { counters.add(lost) }
            return DetectionSnapshot.Source(
                path: tail.path, positions: tail.positions, counters: counters,
                lastTime: tail.lastEvent?.nanoseconds, rhythm: silence.rhythms[tail.path])
        }
        // The archive is durable up to where the sources have been read before the snapshot says so.
        let position = await feed?.flush(at: began)
        let windows = engine.snapshot()
        var snapshot = DetectionSnapshot(
            journalSequence: await recorder.count, states: states + resting, rules: engine.ruleSet.hash,
            engine: windows)
        snapshot.archive = position
        do {
            try snapshot.save(folder)
        } catch {
            throw ServerError(
                .snapshot, "the position of the sources cannot be saved to \(folder.snapshot): \(error.localizedDescription)",
                "see whether the disk is full; nothing is lost, sources are read on from the last saved position at the next start"
            )
        }
        if let position { await feed?.confirm(position) }
        positionsSaved(states.flatMap(\.positions))
        isDirty = false
        savedLosses = losses
        bytesSinceSnapshot = 0
        schedule.wrote(from: began, to: now())
    }
}
