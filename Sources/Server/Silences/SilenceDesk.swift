import Console
import Detection
import Events
import Incidents
import Logging
import ServiceLifecycle
import Storage

/// Where people's orders about silences are carried out: from the console, the API, and commands.
struct SilenceDesk: SilenceKeeping {
    let recorder: Recorder
    let projections: Projections
    /// The ids of the rules that are in force.
    let rules: @Sendable () async -> [String]
    let now: @Sendable () -> Timestamp

    func silences() async -> [Silence] { await recorder.silences.silences.reversed() }

    func tallies(for reader: IncidentReader?) async throws -> [String: SilenceTally] {
        try await projections.silenceTallies(for: reader)
    }

    func findings(takenBy silence: String, limit: Int, for reader: IncidentReader?) async throws -> [FindingView] {
        try await projections.findings(takenBy: silence, limit: limit, for: reader)
    }

    func preview(_ order: SilenceOrder, for reader: IncidentReader?) async throws -> SilencePreview {
        try await check(order)
        let time = now()
        _ = try await recorder.silences.decide(order, now: time)
        guard case .create(let draft) = order.action else {
            throw SilenceRefusal(.invalid, "there is nothing to look at", "name what is to be silenced")
        }
        return try await projections.preview(draft.matcher, isCommander: order.isCommander, for: reader, now: time)
    }

    func carryOut(_ order: SilenceOrder) async throws -> Silence {
        try await check(order)
        let time = now()
        let events = try await recorder.decideSilences(at: time) { book in
            try book.decide(order, now: time).map { [$0] } ?? []
        }
        let book = await recorder.silences
        let made = events.first.flatMap { book[$0.silence] } ?? order.request.flatMap(book.silence(ofRequest:))
        guard let made else {
            throw SilenceRefusal(.unknown, "the order came to nothing", "look into the server's log")
        }
        return made
    }

    /// A rule that is not there is a mistyped one: a silence of it would take nothing, and somebody would rely on it.
    private func check(_ order: SilenceOrder) async throws {
        guard case .create(let draft) = order.action, let rule = draft.matcher.rule, rule != Finding.silenceRuleID,
            await !rules().contains(rule)
        else { return }
        throw SilenceRefusal(
            .invalid, "there is no rule '\(rule.prefix(60))'", "name a rule by its id, as the page of rules has it")
    }

    /// Writes down whose time is over. They took nothing any more from that instant on, whether this runs or not.
    func expire() async throws {
        let time = now()
        // Most of the time there are none: the turn of others is not taken then.
        guard await !recorder.silences.overdue(at: time).isEmpty else { return }
        try await recorder.decideSilences(at: time) { $0.overdue(at: time) }
    }
}

/// Says so when silences expire.
struct SilenceService: Service {
    let desk: SilenceDesk
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                do {
                    try await desk.expire()
                } catch {
                    logger.error("that a silence has expired is not written down yet: \(error)")
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
