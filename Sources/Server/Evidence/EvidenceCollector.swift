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
/// What was about to be collected when the server ended is not collected at the next start: it would be of another time.
actor EvidenceCollector {
    /// Incidents that wait while one is being collected for.
    static let maximumWaiting = 64
    static let maximumPerHour = 120
    /// Of each log that the incident's first finding rests on.
    static let tailBytes = 1 << 20
    static let maximumTails = 4

    static let failureType = "evidence.capture_failed"

    private struct Request: Sendable {
        var incident: String
        var logs: [String]
        var occurredAt: Timestamp
    }

    private let capture: EvidenceCapture
    private let record: @Sendable (EntryDraft) async throws -> Void
    private let now: @Sendable () -> Timestamp
    private let logger: Logger
    private let requests: AsyncStream<Request>
    private let continuation: AsyncStream<Request>.Continuation
    /// Incidents that found no room; their entries are written by the collector, too.
    private var refused: [Request] = []
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
            of: Request.self, bufferingPolicy: .bufferingOldest(EvidenceCollector.maximumWaiting))
    }

    /// Has evidence collected; returns at once.
    ///
    /// - Parameter logs: the files that the incident's first finding rests on.
    func opened(_ incident: String, logs: [String], occurredAt: Timestamp) {
        var unique: [String] = []
        for log in logs where !unique.contains(log) { unique.append(log) }
        let request = Request(
            incident: incident, logs: Array(unique.prefix(EvidenceCollector.maximumTails)), occurredAt: occurredAt)
        if case .dropped = continuation.yield(request) { refused.append(request) }
    }

    /// Runs until cancelled.
    func run() async {
        for await request in requests {
            await collect(request)
            let late = refused
            refused.removeAll()
            for request in late {
                await fail(request, "everything", "\(EvidenceCollector.maximumWaiting) incidents were waiting")
            }
            if Task.isCancelled { return }
        }
    }

    private func collect(_ request: Request) async {
        let time = now()
        begun.removeAll { time.nanoseconds(since: $0) > 3_600_000_000_000 }
        guard begun.count < EvidenceCollector.maximumPerHour else {
            return await fail(
                request, "everything", "evidence of \(EvidenceCollector.maximumPerHour) incidents was collected within an hour")
        }
        begun.append(time)
        let outcome = await captured(request)
        for item in outcome.items {
            do {
                try await record(item.draft(actor: "system"))
            } catch {
                logger.error("evidence \(item.name) of \(request.incident) is sealed and could not be written down: \(error)")
            }
        }
        for failure in outcome.failures { await fail(request, failure.source.name, failure.reason) }
    }

    /// Reading blocks: on a thread of its own.
    private func captured(_ request: Request) async -> EvidenceCapture.Outcome {
        let (capture, now) = (capture, now)
        let sources: [EvidenceCapture.Source] =
            [.processes, .sockets] + request.logs.map { .tail(path: $0, byteCount: EvidenceCollector.tailBytes) }
        return await withCheckedContinuation { continuation in
            queue.async {
                continuation.resume(
                    returning: capture.capture(
                        sources, incident: request.incident, occurredAt: request.occurredAt, now: now))
            }
        }
    }

    private func fail(_ request: Request, _ name: String, _ reason: String) async {
        logger.error("evidence of \(request.incident) was not collected: \(name): \(reason)")
        do {
            try await record(
                EntryDraft(
                    type: EvidenceCollector.failureType, occurredAt: request.occurredAt, actor: "system",
                    data: [
                        "incident": .string(request.incident), "name": .string(EvidenceItem.plainName(name)),
                        "reason": .string(String(reason.prefix(500))),
                    ]))
        } catch {
            logger.error("that evidence of \(request.incident) was not collected could not be written down: \(error)")
        }
    }
}
