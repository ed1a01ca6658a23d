package import Incidents

/// Acknowledging by a link that came with a page, without a sign-in.
package protocol AcknowledgeByLink: Sendable {
    /// What the link would do. Changes nothing, however often it is asked for: mail and chat programs open links by themselves.
    func offer(_ token: String) async throws(LinkRefusal) -> AcknowledgeOffer
    /// - Throws: `LinkRefusal`, or an `IncidentRefusal` where something came in between; nothing is changed then.
    func acknowledge(_ token: String) async throws -> AcknowledgeOffer
}

/// What whoever holds a link is told before it is used.
package struct AcknowledgeOffer: Sendable, Equatable {
    package var incident: String
    package var severity: Severity
    /// `nil` of a restricted incident: links are opened where others look on.
    package var title: String?
    /// Whom the link was sent to.
    package var person: String
    package var isDrill: Bool

    package init(incident: String, severity: Severity, title: String?, person: String, isDrill: Bool) {
        self.incident = incident
        self.severity = severity
        self.title = title
        self.person = person
        self.isDrill = isDrill
    }
}

/// Why a link does nothing.
package enum LinkRefusal: Error, Sendable, Equatable {
    /// Not made by this Vigie, or changed on its way.
    case unknown
    case expired
    case used
    case acknowledged(String)
    case closed(String)
}
