package import Incidents

/// Where silences and exceptions are kept.
package protocol SilenceKeeping: Sendable {
    /// Newest first.
    func silences() async -> [Silence]
    /// By silence; findings that the reader may not know of are not counted.
    func tallies(for reader: IncidentReader?) async throws -> [String: SilenceTally]
    /// Newest first.
    func findings(takenBy silence: String, limit: Int, for reader: IncidentReader?) async throws -> [FindingView]
    /// What it would have taken; nothing is done.
    ///
    /// - Throws: `SilenceRefusal` where the order would be refused.
    func preview(_ order: SilenceOrder, for reader: IncidentReader?) async throws -> SilencePreview
    /// - Returns: the silence as it is now.
    /// - Throws: `SilenceRefusal`; nothing was done then.
    func carryOut(_ order: SilenceOrder) async throws -> Silence
}

/// A silence as somebody may see it.
package struct SilenceView: Sendable {
    package var silence: Silence
    package var tally: SilenceTally
    /// It came of an incident that this person may not know of: that it is there is told, and who answers for it until when.
    package var isWithheld: Bool

    package init(_ silence: Silence, tally: SilenceTally, isWithheld: Bool = false) {
        self.silence = silence
        self.tally = isWithheld ? SilenceTally() : tally
        self.isWithheld = isWithheld
        guard isWithheld else { return }
        self.silence.matcher = SilenceMatcher()
        self.silence.reason = nil
        self.silence.incident = nil
        if case .ended(let author, let time, _) = silence.end { self.silence.end = .ended(by: author, at: time, reason: nil) }
    }
}
