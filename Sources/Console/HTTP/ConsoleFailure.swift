import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

/// A request that is not answered with what it asked for.
struct ConsoleFailure: Error, Equatable {
    var status: HTTPResponse.Status
    /// Stable, for programs: the last part of the problem type.
    var code: String
    /// What happened, in a few words.
    var title: String
    /// What to do about it.
    var advice: String
    /// Seconds, for `Retry-After`.
    var retryAfter: Int64?

    static let notFound = ConsoleFailure(
        status: .notFound, code: "not_found", title: "There is nothing here",
        advice: "Check the address, or go back to the incidents.")

    static func noIncident(_ id: String) -> ConsoleFailure {
        ConsoleFailure(
            status: .notFound, code: "no_such_incident", title: "There is no incident \(id.prefix(40))",
            advice: "Look for it in the list; ids have the form SEC-2026-0001.")
    }

    /// What an incident, a run, a lease or an account does not allow, in the words of the refusal: they say what to do about it.
    init(_ refusal: any OrderRefusing) {
        let status: HTTPResponse.Status =
            switch refusal.code.kind {
            case .unknown: .notFound
            case .conflict: .conflict
            case .invalid: .unprocessableContent
            case .forbidden: .forbidden
            case .limited: .tooManyRequests
            case .unavailable: .serviceUnavailable
            }
        self.init(
            status: status, code: refusal.code.rawValue, title: refusal.reason, advice: refusal.advice,
            retryAfter: refusal.retryAfter)
    }

    static func roleNeeded(_ role: Role) -> ConsoleFailure {
        ConsoleFailure(
            status: .forbidden, code: "role_needed", title: "That is for the role \(role.rawValue) and above",
            advice: "Ask somebody who has it, or an administrator to give it to you.")
    }

    static func notATime(_ what: String) -> ConsoleFailure {
        ConsoleFailure(
            status: .badRequest, code: "not_a_time", title: "That is no time: \(what)",
            advice: "Write a day as 2026-03-01, or a moment as 2026-03-01T09:00:00Z.")
    }

    static let signInNeeded = ConsoleFailure(
        status: .unauthorized, code: "sign_in_needed", title: "Sign in first",
        advice: "Sign in with a browser, or send an API token that is valid: Authorization: Bearer vigie_…")

    static let secondFactorNeeded = ConsoleFailure(
        status: .forbidden, code: "second_factor_needed", title: "Your role has to have a second factor",
        advice: "Set one up on the page of your account.")

    static let tokenOnPage = ConsoleFailure(
        status: .forbidden, code: "token_on_page", title: "API tokens are for the API",
        advice: "Ask below /api/v1, or sign in with a browser.")

    static func scopeNeeded(_ scope: TokenScope) -> ConsoleFailure {
        ConsoleFailure(
            status: .forbidden, code: "scope_needed", title: "That needs a token with the scope \(scope.rawValue)",
            advice: "Make one on your account's page, or with `vigie token create`.")
    }

    static let foreignHost = ConsoleFailure(
        status: .misdirectedRequest, code: "foreign_host", title: "The console does not answer under this host name",
        advice: "Use localhost, or add the name to the configured hosts.")

    static let forged = ConsoleFailure(
        status: .forbidden, code: "forged_request", title: "This form did not come from the console",
        advice: "It may simply have expired: go back, reload the page and send it again.")

    static let tooLarge = ConsoleFailure(
        status: .contentTooLarge, code: "too_large", title: "The request is too large",
        advice: "Send at most \(ConsoleContext.maximumBody / 1024) KiB.")

    static let notAForm = ConsoleFailure(
        status: .unsupportedMediaType, code: "not_a_form", title: "The body is not a form",
        advice: "Send application/x-www-form-urlencoded; with an API token also application/json.")

    static let busy = ConsoleFailure(
        status: .serviceUnavailable, code: "busy", title: "Too many sign-ins are waiting", advice: "Try again in a few seconds.",
        retryAfter: 5)

    static let internalError = ConsoleFailure(
        status: .internalServerError, code: "internal", title: "Something went wrong on the server",
        advice: "The server's log says what, under this request's id.")

    /// What an error thrown anywhere below becomes for the client. Never carries the error's own text: that goes to the log.
    init(_ error: any Error) {
        if let failure = error as? ConsoleFailure {
            self = failure
        } else if let refusal = error as? any OrderRefusing {
            self.init(refusal)
        } else if let error = error as? any HTTPResponseError {
            switch error.status {
            case .notFound: self = .notFound
            case .contentTooLarge: self = .tooLarge
            default:
                self.init(
                    status: error.status, code: "http_\(error.status.code)", title: error.status.reasonPhrase, advice: "")
            }
        } else {
            self = .internalError
        }
    }

    init(status: HTTPResponse.Status, code: String, title: String, advice: String, retryAfter: Int64? = nil) {
        self.status = status
        self.code = code
        self.title = title
        self.advice = advice
        self.retryAfter = retryAfter
    }
}

extension OrderRefusing {
    /// As pages show it, above the form that was sent.
    var sentence: String { "\(reason): \(advice)." }
}
