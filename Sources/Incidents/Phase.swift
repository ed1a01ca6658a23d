/// Where an incident stands in its life.
package enum Phase: String, Sendable, CaseIterable, Codable {
    case detection
    case triage
    case containment
    case eradication
    case recovery
    case review
    case closed

    /// Where a change of phase may lead. Forward one step, past what there is nothing to do for, or back to what did not
    /// hold; closing and reopening are acts of their own.
    package var successors: [Phase] {
        switch self {
        case .detection: [.triage]
        case .triage: [.containment, .review]
        case .containment: [.eradication, .recovery, .triage]
        case .eradication: [.recovery, .containment]
        case .recovery: [.review, .eradication, .containment]
        case .review: [.recovery]
        case .closed: []
        }
    }
}
