/// Why somebody who came back from the provider is not let in. What is said of it holds nothing that the provider or the browser wrote.
package enum OpenIDRefusal: Error, Sendable, Hashable {
    /// This browser waits for no such answer: it is too late, was used before, or is another's.
    case notExpected
    case limited(seconds: Int64)
    case provider(OpenIDProblem)
    case noRole
    case disabled
    case secondFactorNeeded

    /// Stable, for the journal and for programs.
    package var code: String {
        switch self {
        case .notExpected: "not_expected"
        case .limited: "limited"
        case .provider(let problem): problem.code.rawValue
        case .noRole: "no_role"
        case .disabled: "disabled"
        case .secondFactorNeeded: "second_factor_needed"
        }
    }

    package var reason: String {
        switch self {
        case .notExpected: "This sign-in is not expected any more"
        case .limited: "There were too many attempts from your address"
        case .provider(let problem) where problem.code == .unreachable: "The provider cannot be asked"
        case .provider(let problem) where problem.code == .busy: "Too many sign-ins are waiting"
        case .provider: "The provider's answer cannot be taken"
        case .noRole: "You have no role here"
        case .disabled: "Your account is disabled"
        case .secondFactorNeeded: "Your role has to have a second factor"
        }
    }

    package var advice: String {
        switch self {
        case .notExpected: "It took too long, was used before, or began in another browser. Sign in again."
        case .limited(let seconds): "Try again in \(seconds) s."
        case .provider(let problem): problem.description.prefix(1).uppercased() + problem.description.dropFirst() + "."
        case .noRole: "The provider knows you, but none of your groups may use this console. Ask an administrator."
        case .disabled: "Ask an administrator."
        case .secondFactorNeeded: "The provider did not say that it asked for one. Set one up there, and sign in again."
        }
    }
}
