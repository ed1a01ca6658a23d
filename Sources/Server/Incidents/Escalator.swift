import Events
import Incidents
import Logging
import Notify

/// Runs clocks and escalation: looks at incidents when something happened to them or a time has come, writes down what follows
/// from that, and carries out what is written down.
///
/// Nothing of it is kept in memory alone. After a crash the journal says which pages are waiting, and which were handed to a
/// channel without an answer: those are handed over again under the same key.
actor Escalator {
    static let interval = Duration.milliseconds(200)
    static let maximumInFlight = 8

    private let recorder: Recorder
    private let policies: Policies
    private let channels: Channels
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    /// When to look at an incident although nothing happens to it.
    private var wake: [String: Timestamp] = [:]
    /// Incidents with pages that wait.
    private var sending: Set<String> = []
    private var inFlight: Set<String> = []
    private var nextBeat: Timestamp?

    init(
        recorder: Recorder, policies: Policies, channels: Channels, logger: Logger, now: @escaping @Sendable () -> Timestamp
    ) {
        self.recorder = recorder
        self.policies = policies
        self.channels = channels
        self.logger = logger
        self.now = now
    }

    /// Runs until cancelled.
    func run() async {
        for id in await recorder.incidents().map(\.id) { wake[id] = Timestamp(nanoseconds: .min) }
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    try await look()
                    for batch in try await attempts() { group.addTask { await self.send(batch) } }
                    if let heartbeat = beatIfDue() { group.addTask { await self.beat(heartbeat) } }
                    try await Task.sleep(for: Escalator.interval)
                } catch is CancellationError {
                    break
                } catch {
                    logger.error("clocks and pages cannot be written down: \(error); trying again")
                    try? await Task.sleep(for: .seconds(1))
                }
            }
            group.cancelAll()
        }
    }

    /// Writes down which clocks ran out and which pages are due.
    private func look() async throws {
        let time = now()
        var due = await recorder.takeChanged()
        for (id, wake) in wake where wake <= time { due.insert(id) }
        for id in due.sorted() {
            let policies = policies
            let decide = { @Sendable (ledger: IncidentLedger) -> [IncidentEvent] in
                guard let incident = ledger[id] else { return [] }
                let missed = policies.clocks.missed(of: incident, now: time).map { IncidentEvent.clockMissed($0) }
                return missed + EscalationPlan.events(for: incident, policies, now: time).map { .page($0) }
            }
            // What it comes to may have consequences of its own: it is looked at again with the next round.
            try await recorder.decide(at: time, decide)
            guard let incident = await recorder.incident(id) else { continue }
            // A clock runs out after the moment it is due.
            let clock = policies.clocks.nextDue(of: incident)?.advanced(byNanoseconds: 1)
            wake[id] = [clock, EscalationPlan.nextWake(of: incident, policies, now: time)].compactMap(\.self).min()
            if incident.pages.values.contains(where: { $0.status == .waiting }) { sending.insert(id) } else { sending.remove(id) }
        }
    }

    /// Pages that go out as one message: one page, or a digest of many for one address.
    private struct Batch: Sendable {
        var pages: [PageState]
        var message: Message
    }

    /// What is to be handed over now, each attempt written down before it is made.
    private func attempts() async throws -> [Batch] {
        let time = now()
        var ready: [[PageState]] = []
        var groups: [[String?]: [PageState]] = [:]
        for id in sending.sorted() {
            guard let incident = await recorder.incident(id) else { continue }
            for page in incident.pages.values.sorted(by: { $0.intent.key < $1.intent.key })
            where page.status == .waiting && page.nextAttempt <= time && !inFlight.contains(page.intent.key) {
                // What is to stop is not told in a digest: its key is what counts.
                if page.intent.purpose == .stop {
                    ready.append([page])
                } else {
                    groups[[page.intent.channel, page.intent.address], default: []].append(page)
                }
            }
        }
        for group in groups.values.sorted(by: { ($0.first?.intent.key ?? "") < ($1.first?.intent.key ?? "") }) {
            if group.count > policies.channels.digestAbove { ready.append(group) } else { ready += group.map { [$0] } }
        }
        var batches: [Batch] = []
        for pages in ready where inFlight.count < Escalator.maximumInFlight {
            let keys = Set(pages.map(\.intent.key))
            let events = try await recorder.decide(at: time) { ledger in Escalator.attempts(pages, ledger, at: time) }
            let accepted = Set(events.compactMap { event in if case .page(let page) = event { page.key } else { nil } })
            guard !accepted.isEmpty else { continue }
            inFlight.formUnion(keys)
            let going = pages.filter { accepted.contains($0.intent.key) }
            batches.append(Batch(pages: going, message: await message(for: going)))
        }
        return batches
    }

    /// An acknowledgement that was recorded since stops it here, at the last moment.
    private static func attempts(_ pages: [PageState], _ ledger: IncidentLedger, at time: Timestamp) -> [IncidentEvent] {
        pages.compactMap { page in
            guard let incident = ledger[page.intent.incident], let current = incident.pages[page.intent.key],
                current.status == .waiting, current.attempts == page.attempts,
                page.intent.purpose != .page || !(incident.isAcknowledged || incident.isClosed),
                page.intent.purpose != .page || incident.cycle == page.intent.cycle
            else { return nil }
            return .page(
                PageEvent(
                    incident: incident.id, key: page.intent.key, at: time, what: .attempted(number: current.attempts + 1)))
        }
    }

    private func send(_ batch: Batch) async {
        var failure: DeliveryFailure?
        if batch.pages.contains(where: { $0.intent.isErased }) {
            failure = DeliveryFailure("the person's data was erased", isPermanent: true)
        } else {
            do throws(DeliveryFailure) {
                try await channels.deliver(batch.message, by: batch.pages[0].intent.channel)
            } catch {
                // Whether it got there is not known; the next start finds out by doing it again.
                if Task.isCancelled { return }
                failure = error
            }
        }
        let time = now()
        let events = batch.pages.map { page in
            IncidentEvent.page(
                PageEvent(
                    incident: page.intent.incident, key: page.intent.key, at: time,
                    what: Escalator.outcome(failure, attempt: page.attempts + 1, at: time)))
        }
        do {
            try await recorder.decide(at: time) { _ in events }
        } catch {
            logger.error("what became of \(batch.message.key) cannot be written down: \(error)")
        }
        for page in batch.pages { inFlight.remove(page.intent.key) }
        if let failure {
            logger.warning("\(batch.message.key) was not sent: \(failure.reason)")
        }
    }

    private static func outcome(_ failure: DeliveryFailure?, attempt: Int, at time: Timestamp) -> PageEvent.What {
        guard let failure else { return .sent(number: attempt) }
        let reason = String(failure.reason.prefix(300))
        if failure.isPermanent || attempt >= EscalationPlan.maximumAttempts { return .dead(number: attempt, reason: reason) }
        return .failed(
            number: attempt, reason: reason, retryAt: time.advanced(bySeconds: EscalationPlan.backOff(attempt: attempt)))
    }

    private func message(for pages: [PageState]) async -> Message {
        var messages: [Message] = []
        for page in pages {
            guard let incident = await recorder.incident(page.intent.incident) else { continue }
            messages.append(PageMessage.message(for: page, incident, policies))
        }
        return PageMessage.joined(messages)
    }

    private func beatIfDue() -> ChannelPolicy.Heartbeat? {
        let time = now()
        guard let heartbeat = policies.channels.heartbeat, nextBeat.map({ $0 <= time }) ?? true else { return nil }
        nextBeat = time.advanced(bySeconds: heartbeat.interval)
        return heartbeat
    }

    private func beat(_ heartbeat: ChannelPolicy.Heartbeat) async {
        do {
            try await Heartbeat.beat(heartbeat)
        } catch {
            logger.warning("the heartbeat was not sent: \(error.reason)")
        }
    }
}
