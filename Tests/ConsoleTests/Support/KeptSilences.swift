import Console
import Events
import Incidents

/// Silences without a journal: what was recorded within the last day is what a test says.
final class KeptSilences: SilenceKeeping {
    private let book = Shared(SilenceBook())
    let recent: [(finding: FindingView, incidentTitle: String?)]
    let tally: SilenceTally

    init(recent: [(finding: FindingView, incidentTitle: String?)] = [], tally: SilenceTally = SilenceTally()) {
        self.recent = recent
        self.tally = tally
    }

    func silences() async -> [Silence] { book.withLock { $0.silences.reversed() } }

    func tallies(for reader: IncidentReader?) async throws -> [String: SilenceTally] {
        book.withLock { $0.silences.reduce(into: [:]) { $0[$1.id] = tally } }
    }

    func findings(takenBy silence: String, limit: Int, for reader: IncidentReader?) async throws -> [FindingView] {
        recent.map(\.finding)
    }

    func preview(_ order: SilenceOrder, for reader: IncidentReader?) async throws -> SilencePreview {
        _ = try decided(order, isDone: false)
        guard case .create(let draft) = order.action else { throw SilenceRefusal(.invalid, "nothing", "") }
        var preview = SilencePreview(draft.matcher, isCommander: order.isCommander)
        for (finding, title) in recent { preview.add(finding, incidentTitle: title) { finding } }
        return preview
    }

    func carryOut(_ order: SilenceOrder) async throws -> Silence {
        let id = try decided(order, isDone: true)
        guard let silence = book.withLock({ $0[id] }) else { throw SilenceRefusal(.unknown, "nothing", "") }
        return silence
    }

    private func decided(_ order: SilenceOrder, isDone: Bool) throws -> String {
        try book.withLock { book -> Result<String, SilenceRefusal> in
            do throws(SilenceRefusal) {
                guard let event = try book.decide(order, now: noon) else { return .success("") }
                if isDone { book.apply(event) }
                return .success(event.silence)
            } catch {
                return .failure(error)
            }
        }.get()
    }
}
