import Events
import Ingest
import Synchronization

/// Where everything of one protocol goes in: its spool, its limits, its counts.
actor Intake {
    nonisolated let name: String
    nonisolated let spool: Spool
    nonisolated let counters = ReceiverCounters()
    nonisolated private let now: @Sendable () -> Timestamp
    nonisolated private let rate: Mutex<RateLimit>
    private var memory: SpoolMemory
    /// Batches that are being written, so that what is sent again meanwhile waits for how that ends.
    private var underway: [BatchIdentity: Task<Void, Never>] = [:]
    /// Whoever needs the memory has it alone, from the decoding until the lines are durable.
    private var turn: Task<Void, Never>?

    init(name: String, spool: Spool, memory: SpoolMemory, eventsPerSecond: Int, now: @escaping @Sendable () -> Timestamp) {
        self.name = name
        self.spool = spool
        self.memory = memory
        self.now = now
        rate = Mutex(RateLimit(perSecond: eventsPerSecond, now: now()))
    }

    /// What a sender is told instead of being read; `nil` when it may send.
    nonisolated func refusal() -> IntakeRefusal? {
        if spool.isFull { return IntakeRefusal(.full, SpoolError(full: spool.path, bytes: spool.backlog).reason, retryAfter: 5) }
        let wait = rate.withLock { $0.wait(now: now()) }
        return wait > 0 ? IntakeRefusal(.rate, "more events than this receiver takes; try again later", retryAfter: wait) : nil
    }

    nonisolated func lines(_ format: LogFormat) -> ReceivedLines { ReceivedLines(received: now(), format: format) }

    /// Makes the lines durable, and counts them.
    ///
    /// - Parameter mark: of what they are a part, where the spool remembers that.
    nonisolated func commit(_ lines: inout ReceivedLines, behind mark: BatchMark? = nil) async throws(IntakeRefusal) {
        let counted = lines.counters
        var (bytes, count) = lines.take()
        if spool.remembers == .batches, count > 0 { bytes = (mark ?? .none(count)).line + bytes }
        do {
            try await spool.append(bytes)
        } catch let error as SpoolError {
            throw IntakeRefusal(error)
        } catch {
            throw IntakeRefusal(.failed, "\(error)", retryAfter: 30)
        }
        rate.withLock { $0.spend(count) }
        counters.accept(events: count, counted)
        lines.resetCounters()
    }

    /// Makes the lines of one request durable, those that are not yet.
    ///
    /// - Parameter batch: `nil` where nobody could tell whether the same again is meant to be the same.
    func commit(_ lines: inout ReceivedLines, as batch: BatchIdentity?) async throws(IntakeRefusal) {
        let count = lines.count
        guard let batch, count > 0 else { return try await commit(&lines) }
        while let earlier = underway[batch] { await earlier.value }
        let (ended, end) = AsyncStream.makeStream(of: Never.self)
        underway[batch] = Task { for await _ in ended {} }
        defer {
            underway[batch] = nil
            end.finish()
        }
        let taken = memory.batches.taken(batch, of: count)
        lines.skipRepeated(first: taken)
        try await commit(&lines, behind: BatchMark(batch, first: taken, count: count))
        memory.batches.note(batch, count: count)
    }

    /// Decodes the next piece of an upload with what is known of entries, of other uploads, too; what is learnt holds only once the lines
    /// are durable.
    ///
    /// - Returns: the upload as it stands behind the piece.
    func commit(_ format: LogFormat, _ piece: [UInt8], of export: JournalExport, isLast: Bool) async throws -> JournalExport {
        try await inTurn {
            var export = export
            // Times are held against the moment of reception.
            var lines = lines(format)
            export.learn(memory.cursors)
            try export.push(piece.span, into: &lines)
            if isLast { try export.end(into: &lines) }
            try await commit(&lines)
            memory.cursors = export.cursors
            return export
        }
    }

    /// Decodes with what is known of alerts; what is learnt holds only once the lines are durable.
    func commit<Answer: Sendable>(
        _ format: LogFormat, _ decode: @Sendable (inout AlertStates, inout ReceivedLines) throws(ReceiverRefusal) -> Answer
    ) async throws -> (answer: Answer, counters: ReceivedCounters) {
        try await inTurn {
            var states = memory.alerts
            var lines = lines(format)
            let answer = try decode(&states, &lines)
            let counted = lines.counters
            try await commit(&lines)
            memory.alerts = states
            return (answer, counted)
        }
    }

    private func inTurn<Value: Sendable>(_ work: () async throws -> Value) async throws -> Value {
        let previous = turn
        let (ended, end) = AsyncStream.makeStream(of: Never.self)
        turn = Task { for await _ in ended {} }
        defer { end.finish() }
        await previous?.value
        return try await work()
    }
}

/// Why nothing was taken, and when to try again.
struct IntakeRefusal: Error, CustomStringConvertible {
    enum Code: String, Sendable {
        case full, rate
        /// The disk takes nothing at the moment.
        case disk
        /// Nothing is taken until the next start.
        case failed
    }

    var code: Code
    var reason: String
    var retryAfter: Int

    init(_ code: Code, _ reason: String, retryAfter: Int) {
        self.code = code
        self.reason = reason
        self.retryAfter = retryAfter
    }

    init(_ error: SpoolError) {
        switch error.code {
        case .full: self.init(.full, error.reason, retryAfter: 5)
        case .disk: self.init(.disk, error.reason, retryAfter: 30)
        case .failed: self.init(.failed, error.reason, retryAfter: 30)
        }
    }

    var description: String { reason }
}
