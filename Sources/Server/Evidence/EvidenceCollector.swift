import Dispatch
import Events
import Evidence
import Foundation
import Journal
import Logging

/// Collects evidence of every incident that opens, beside detection and never in its way.
///
/// Bounded twice, since whoever attacks decides how many incidents there are: so many wait, and so many are collected for within an
/// hour. What is not collected is a journal entry, `evidence.capture_failed`, and stands on the incident's timeline.
///
/// A request is in the journal before it is here (``EvidenceRequest``), and so is that it is done: what a killed process left undone is
/// taken up by the next. Such items say by their time that they were collected later.
actor EvidenceCollector {
    /// Incidents that wait while one is being collected for.
    static let maximumWaiting = 64
    static let maximumPerHour = 120
    /// Of each log.
    static let tailBytes = 1 << 20

    static let failureType = "evidence.capture_failed"

    /// What else is to be sealed of an incident, as it is now.
    typealias Context = @Sendable (_ incident: String) async -> [EvidenceCapture.Source]

    private let capture: EvidenceCapture
    private let record: @Sendable (EntryDraft) async throws -> Void
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let requests: AsyncStream<EvidenceRequest>
    private let continuation: AsyncStream<EvidenceRequest>.Continuation
    private var context: Context = { _ in [] }
    /// Incidents that found no room; their entries are written by the collector, too.
    private var refused: [EvidenceRequest] = []
    private var begun: [Timestamp] = []
    private let queue = DispatchQueue(label: "evidence", qos: .utility)

    /// - Parameter record: writes an entry down durably.
    init(
        capture: EvidenceCapture, logger: Logger, now: @escaping @Sendable () -> Timestamp,
        record: @escaping @Sendable (EntryDraft) async throws -> Void
    ) {
        self.capture = capture
        self.record = record
        self.now = now
        self.logger = logger
        (requests, continuation) = AsyncStream.makeStream(
            of: EvidenceRequest.self, bufferingPolicy: .bufferingOldest(EvidenceCollector.maximumWaiting))
    }

    /// Says what else belongs to an incident's evidence: what other parts of the server know.
    func use(_ context: @escaping Context) { self.context = context }

    /// Has evidence collected; returns at once. The request is in the journal already.
    func take(_ request: EvidenceRequest) {
        if case .dropped = continuation.yield(request) { refused.append(request) }
    }

    /// Runs until cancelled.
    func run() async {
        // The context holds those who hold this collector.
        defer { context = { _ in [] } }
        for await request in requests {
            await collect(request)
            let late = refused
            refused.removeAll()
            for request in late { await giveUp(request, "\(EvidenceCollector.maximumWaiting) incidents were waiting") }
            if Task.isCancelled { return }
        }
    }

    private func collect(_ request: EvidenceRequest) async {
        let time = now()
        begun.removeAll { time.nanoseconds(since: $0) > 3_600_000_000_000 }
        guard begun.count < EvidenceCollector.maximumPerHour else {
            return await giveUp(
                request, "evidence of \(EvidenceCollector.maximumPerHour) incidents was collected within an hour")
        }
        begun.append(time)
        var sources: [EvidenceCapture.Source] = [.processes, .sockets]
        sources += request.logs.map { .tail(path: $0, byteCount: EvidenceCollector.tailBytes) }
        // A log of the system may be one that the finding rests on.
        for source in await context(request.incident) where !sources.contains(source) { sources.append(source) }
        if let part = request.part { sources = sources.filter { part.contains($0) } }
        let outcome = await captured(request, sources.filter { !request.sealed.contains(capture.origin(of: $0)) })
        do {
            for item in outcome.items { try await record(item.draft(actor: "system")) }
            for failure in outcome.failures { try await fail(request, failure.source.name, failure.reason) }
            try await record(request.done(items: outcome.items.count, failures: outcome.failures.count, at: now()))
        } catch {
            logger.error("evidence of \(request.incident) could not be written down; the next start takes it up again: \(error)")
        }
    }

    /// Reading blocks: on a thread of its own.
    private func captured(
        _ request: EvidenceRequest, _ sources: [EvidenceCapture.Source]
    ) async -> EvidenceCapture.Outcome {
        let (capture, now) = (capture, now)
        return await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: capture.capture(
                        sources, incident: request.incident, occurredAt: request.occurredAt, now: now))
            }
        }
    }

    private func giveUp(_ request: EvidenceRequest, _ reason: String) async {
        do {
            try await fail(request, "everything", reason)
            try await record(request.done(items: 0, failures: 1, at: now()))
        } catch {
            logger.error("that evidence of \(request.incident) was not collected could not be written down: \(error)")
        }
    }

    private func fail(_ request: EvidenceRequest, _ name: String, _ reason: String) async throws {
        logger.error("evidence of \(request.incident) was not collected: \(name): \(reason)")
        try await record(
            EntryDraft(
                type: EvidenceCollector.failureType, occurredAt: request.occurredAt, actor: "system",
                data: [
                    "incident": .string(request.incident), "name": .string(EvidenceItem.plainName(name)),
                    "reason": .string(String(reason.prefix(500))),
                ]))
    }
}

extension EvidenceRequest.Part {
    /// What a part is made of; files that attackers left belong to none, since they were sealed when the incident opened.
    fileprivate func contains(_ source: EvidenceCapture.Source) -> Bool {
        switch (self, source) {
        case (.logs, .tail): true
        case (.logs, .bytes(let name, _, _, _)): name.hasPrefix("events")
        case (.metrics, .processes), (.metrics, .sockets): true
        case (.metrics, .bytes(let name, _, _, _)): !name.hasPrefix("events")
        default: false
        }
    }
}
