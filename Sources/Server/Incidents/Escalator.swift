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
    /// Messages that one channel is handed at once. Each channel has places of its own: one that hangs holds up no other.
    static let maximumPerChannel = 8

    private let recorder: Recorder
    private let inForce: PoliciesInForce
    private let makeChannels: @Sendable (ChannelPolicy) -> Channels
    private let links: AcknowledgeLinks?
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    /// When to look at an incident although nothing happens to it.
    private var wake: [String: Timestamp] = [:]
    /// Incidents with pages that wait.
    private var sending: Set<String> = []
    /// Keys of pages that are with a channel now.
    private var inFlight: Set<String> = []
    /// Messages that are with each channel now.
    private var busy: [String: Int] = [:]
    private var nextBeat: Timestamp?
    /// Made of the policies of that generation.
    private var channels: Channels
    private var generation: Int

    init(
        recorder: Recorder, policies: PoliciesInForce, links: AcknowledgeLinks? = nil, logger: Logger,
        now: @escaping @Sendable () -> Timestamp, channels: @escaping @Sendable (ChannelPolicy) -> Channels
    ) {
        self.recorder = recorder
        inForce = policies
        makeChannels = channels
        self.links = links
        generation = policies.generation
        self.channels = channels(policies.current.channels)
        self.logger = logger
        self.now = now
    }

    /// Runs until cancelled.
    func run() async {
        for id in await recorder.incidents().map(\.id) { wake[id] = Timestamp(nanoseconds: .min) }
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                do {
                    await followPolicies()
                    try await look()
                    try await handOver(in: &group)
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

    private var policies: Policies { inForce.current }

    /// After a change of policies every incident is looked at again: what was not due may be, and what waits may not be wanted.
    private func followPolicies() async {
        let newest = inForce.generation
        guard newest != generation else { return }
        generation = newest
        channels = makeChannels(policies.channels)
        nextBeat = nil
        for id in await recorder.incidents().map(\.id) { wake[id] = Timestamp(nanoseconds: .min) }
    }

    /// Writes down which clocks ran out and which pages are due.
    private func look() async throws {
        let time = now()
        var due = await recorder.takeChanged()
        for (id, wake) in wake where wake <= time { due.insert(id) }
        // Until each was looked at: a write that fails half-way leaves the rest to the next round.
        for id in due { wake[id] = Timestamp(nanoseconds: .min) }
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
        /// Of the worst incident among them.
        var severity: Severity
        /// The key of a digest; a page alone goes under its own.
        var digest: String?

        var channel: String { pages[0].intent.channel }

        /// People who have to come before reminders, those before stops; then the worst, then the oldest.
        func isBefore(_ other: Batch) -> Bool {
            let (left, right) = (urgency, other.urgency)
            if left != right { return left < right }
            if severity != other.severity { return severity > other.severity }
            return (pages[0].intendedAt, pages[0].intent.key) < (other.pages[0].intendedAt, other.pages[0].intent.key)
        }

        mutating func add(_ other: Batch) {
            pages += other.pages
            severity = max(severity, other.severity)
        }

        private var urgency: Int {
            pages.map { PageIntent.Purpose.allCases.firstIndex(of: $0.intent.purpose) ?? 0 }.min() ?? 0
        }
    }

    /// Hands over what is due, each attempt written down before it is made. A batch sets out as soon as its attempt is durable:
    /// what happens to the next one does not hold it back.
    private func handOver(in group: inout DiscardingTaskGroup) async throws {
        let time = now()
        for batch in await ready(at: time) where busy[batch.channel, default: 0] < Escalator.maximumPerChannel {
            let policies = policies
            let events = try await recorder.decide(at: time) { ledger in
                Escalator.attempts(batch, ledger, policies, at: time).map { .page($0) }
            }
            let accepted = Set(
                events.compactMap { event in
                    if case .page(let page) = event, case .attempted = page.what { page.key } else { nil }
                })
            var going = batch
            going.pages.removeAll { !accepted.contains($0.intent.key) }
            guard !going.pages.isEmpty else { continue }
            inFlight.formUnion(accepted)
            busy[going.channel, default: 0] += 1
            let (pages, message) = (going.pages, await message(for: going))
            group.addTask { await self.send(pages, as: message) }
        }
    }

    /// It is with a channel now; or it stops what is, and must not get there first.
    private func isHeldBack(_ intent: PageIntent, of incident: IncidentState) -> Bool {
        if inFlight.contains(intent.key) || intent.stops.map(inFlight.contains) ?? false { return true }
        guard let number = intent.roomNumber else { return false }
        // Messages of the war room get there in their order: each waits for those before it.
        return incident.pages.values.contains { other in
            other.status == .waiting && other.intent.channel == intent.channel
                && other.intent.roomNumber.map { $0 < number } ?? false
        }
    }

    /// What waits and is due, the most urgent first.
    private func ready(at time: Timestamp) async -> [Batch] {
        var ready: [Batch] = []
        var fresh: [[String?]: [Batch]] = [:]
        var digests: [String: Batch] = [:]
        for incident in await recorder.incidents(sending) {
            for page in incident.pages.values.sorted(by: { $0.intent.key < $1.intent.key })
            where page.status == .waiting && page.nextAttempt <= time && !isHeldBack(page.intent, of: incident) {
                let alone = Batch(pages: [page], severity: incident.severity)
                if let digest = page.digest {
                    digests[digest, default: Batch(pages: [], severity: .low, digest: digest)].add(alone)
                } else if page.attempts > 0 || page.intent.purpose == .stop || page.intent.purpose == .room
                    || policies.channels.channels[page.intent.channel]?.kind == .pagerduty
                {
                    // What pages by itself is told to stop by the key of the page: there is no digest of that, nor of what tells it.
                    ready.append(alone)
                } else {
                    fresh[[page.intent.channel, page.intent.address], default: []].append(alone)
                }
            }
        }
        for pages in fresh.values {
            guard pages.count > policies.channels.digestAbove, let first = pages.flatMap(\.pages).map(\.intent.key).min() else {
                ready += pages
                continue
            }
            ready.append(pages.reduce(into: Batch(pages: [], severity: .low, digest: "digest/\(first)")) { $0.add($1) })
        }
        return (ready + digests.values).sorted { $0.isBefore($1) }
    }

    /// An acknowledgement, or whatever else makes a page needless, that was recorded since stops it here, at the last moment.
    private static func attempts(
        _ batch: Batch, _ ledger: IncidentLedger, _ policies: Policies, at time: Timestamp
    ) -> [PageEvent] {
        batch.pages.compactMap { page in
            guard let incident = ledger[page.intent.incident], let current = incident.pages[page.intent.key],
                current.status == .waiting, current.attempts == page.attempts
            else { return nil }
            var event = PageEvent(
                incident: incident.id, key: page.intent.key, at: time,
                what: .attempted(number: current.attempts + 1, digest: batch.digest))
            if let reason = EscalationPlan.reasonToCancel(page.intent, incident, policies) {
                event.what = .cancelled(reason: reason)
            }
            return event
        }
    }

    private func send(_ pages: [PageState], as message: Message) async {
        let channel = pages[0].intent.channel
        var failure: DeliveryFailure?
        var thread: String?
        if pages.contains(where: { $0.intent.isErased }) {
            failure = DeliveryFailure("the person's data was erased", isPermanent: true)
        } else {
            do throws(DeliveryFailure) {
                thread = try await channels.deliver(message, by: channel)
            } catch {
                // Whether it got there is not known; the next start finds out by doing it again. Until then it counts as on its way:
                // the round that may still run must not hand it over once more.
                if Task.isCancelled { return }
                failure = error
            }
        }
        defer {
            inFlight.subtract(pages.map(\.intent.key))
            busy[channel, default: 1] -= 1
        }
        let time = now()
        do {
            try await recorder.decide(at: time) { [failure, thread] ledger in
                pages.map { page in
                    let current = ledger[page.intent.incident]?.pages[page.intent.key]
                    let what = Escalator.outcome(
                        failure, thread, attempt: page.attempts + 1, isWanted: current?.status == .waiting, at: time)
                    return .page(PageEvent(incident: page.intent.incident, key: page.intent.key, at: time, what: what))
                }
            }
        } catch {
            logger.error("what became of \(message.key) cannot be written down: \(error)")
        }
        if let failure {
            logger.warning("\(message.key) was not sent: \(failure.reason)")
        }
    }

    /// - Parameter isWanted: still, now that the channel has answered: an acknowledgement may have come in between.
    private static func outcome(
        _ failure: DeliveryFailure?, _ thread: String?, attempt: Int, isWanted: Bool, at time: Timestamp
    ) -> PageEvent.What {
        guard let failure else { return .sent(number: attempt, thread: thread) }
        let reason = String(failure.reason.prefix(300))
        guard isWanted else { return .failed(number: attempt, reason: reason, retryAt: nil) }
        let maximum = min(failure.maximumAttempts ?? .max, EscalationPlan.maximumAttempts)
        if failure.isPermanent || attempt >= maximum { return .dead(number: attempt, reason: reason) }
        return .failed(
            number: attempt, reason: reason, retryAt: time.advanced(bySeconds: EscalationPlan.backOff(attempt: attempt)))
    }

    private func message(for batch: Batch) async -> Message {
        var messages: [Message] = []
        for page in batch.pages {
            guard let incident = await recorder.incident(page.intent.incident) else { continue }
            messages.append(PageMessage.message(for: page, incident, policies, links: links))
        }
        return PageMessage.joined(messages, as: batch.digest)
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
