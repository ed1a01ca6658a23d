/// Where an incident stands in its life.
package enum Phase: String, Sendable, CaseIterable, Codable {
    case detection
    case triage
    case containment
    case eradication
    case recovery
    case review
    case closed
}
