/// A moment in an incident's life that clocks start and stop at.
package enum Milestone: String, Sendable, CaseIterable {
    case opened
    case acknowledged
    /// Triage came to a decision: to contain, to review, or to close.
    case triaged
    case containing
    case contained
    /// What was attacked is repaired: recovery began, or was not needed.
    case fixed
    case updateSent = "update_sent"
    case usersNotified = "users_notified"
    case closed
    case reviewed

    /// Those that people state; the others follow from what they do.
    package static let stated: [Milestone] = [.usersNotified, .reviewed]
}
