package import Events
package import Journal

/// A CACAO 2.0 playbook (§3) that was read without errors.
///
/// ``document`` is the whole of it, unknown extensions included; the other properties are read from it once. Nothing is
/// ever written back from them, so a playbook that is passed on is passed on unchanged.
package struct Playbook: Hashable, Sendable {
    package let document: JSONValue
    /// SHA-256 of the canonical text without signatures: what people trust when they trust a playbook from outside, and what a
    /// run is bound to.
    package let contentHash: String
    package let id: Identifier
    package let name: String
    package let about: String?
    package let types: [String]
    package let activities: [String]
    package let createdBy: Identifier
    /// Text as it is written, since it is the version's name.
    package let version: String
    package let created: Timestamp
    package let modified: Timestamp
    package let isRevoked: Bool
    package let validFrom: Timestamp?
    package let validUntil: Timestamp?
    /// 0 to 100; `nil` where it is not given.
    package let impact: Int64?
    package let priority: Int64?
    package let severity: Int64?
    package let labels: [String]
    package let variables: [String: Variable]
    package let start: Identifier
    package let exceptionHandler: Identifier?
    package let steps: [Identifier: WorkflowStep]
    package let agents: [Identifier: AgentTarget]
    package let targets: [Identifier: AgentTarget]
    package let authentications: [Identifier: AuthenticationInfo]
    package let markings: [DataMarking]
    package let signatures: [JSONValue]

    /// Whether it may be executed at a time (§3.1: `revoked` wins over both times).
    package func validity(at now: Timestamp) -> Validity {
        if isRevoked { return .revoked }
        if let validFrom, now < validFrom { return .notYetValid(validFrom) }
        if let validUntil, now >= validUntil { return .expired(validUntil) }
        return .valid
    }

    package enum Validity: Hashable, Sendable {
        case valid
        case revoked
        case notYetValid(Timestamp)
        case expired(Timestamp)
    }

    /// §3.1: versions of one playbook have its id and its creation; only `modified` tells them apart.
    package func isVersion(of other: Playbook) -> Bool {
        id == other.id && created == other.created && createdBy == other.createdBy
    }

    /// Every step, in the order of the identifiers: the same in each run.
    package var orderedSteps: [WorkflowStep] { steps.values.sorted { $0.id < $1.id } }
}
