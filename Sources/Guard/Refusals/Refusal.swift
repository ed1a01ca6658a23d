public import HTTPTypes
public import Hummingbird
import NIOCore

/// Why a request was refused, and the answer that says so.
///
/// Thrown by Guard; an application may throw it, too, to refuse in the same form.
public struct Refusal: HTTPResponseError, Equatable {
    /// A short name in lower case with underscores: the problem's type, the label of `guard_refused_requests_total`, and the
    /// event's reason.
    public var reason: String
    /// The status of the answer.
    public var status: HTTPResponse.Status
    /// One sentence for whoever reads the answer. Says nothing about why somebody was blocked, nor by which rule.
    public var message: String
    /// Seconds after which asking again makes sense.
    public var retryAfter: Int?
    /// Whether what is left of the request is not worth reading: the connection is closed after the answer.
    public var closesConnection: Bool

    /// A refusal of the application's own.
    public init(
        _ reason: String, status: HTTPResponse.Status, message: String, retryAfter: Int? = nil, closesConnection: Bool = false
    ) {
        self.reason = reason
        self.status = status
        self.message = message
        self.retryAfter = retryAfter
        self.closesConnection = closesConnection
    }

    /// The answer as RFC 9457 problem, for routers that Guard's middleware does not surround.
    public func response(from request: Request, context: some RequestContext) -> Response {
        response(form: .problem, id: nil)
    }

    func response(form: ErrorForm, id: String?) -> Response {
        var json = JSONText()
        switch form {
        case .problem:
            json.member("type", "urn:guard:problem:\(reason)")
            json.member("title", status.reasonPhrase)
            json.member("status", status.code)
            json.member("detail", message)
        case .message:
            json.member("error", message)
        }
        if let id { json.member(form == .problem ? "requestId" : "request_id", id) }
        var headers = HTTPFields()
        headers[.contentType] = form == .problem ? "application/problem+json" : "application/json"
        headers[.cacheControl] = "no-store"
        if let retryAfter { headers[.retryAfter] = String(retryAfter) }
        if closesConnection { headers[.connection] = "close" }
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.finished())))
    }
}

/// The form of refusals and failures in answers.
public enum ErrorForm: Sendable {
    /// `application/problem+json` (RFC 9457).
    case problem
    /// `{"error": "…"}`.
    case message
}

extension Refusal {
    static let blocked = Refusal("blocked", status: .forbidden, message: "Requests from this address are not served.")
    static let revoked = Refusal("token_revoked", status: .unauthorized, message: "Sign in again.")
    static let disabled = Refusal("account_disabled", status: .forbidden, message: "This account is disabled.")
    static let quarantined = Refusal("quarantined", status: .notFound, message: "There is no such object.")
    static let undecided = Refusal(
        "decisions_unknown", status: .serviceUnavailable, message: "Sign-ins cannot be checked yet. Try again shortly.",
        retryAfter: 5)
    static let tooLarge = Refusal(
        "too_large", status: .contentTooLarge, message: "The request is larger than is accepted here.", closesConnection: true)
    static let tooSlow = Refusal(
        "timed_out", status: .requestTimeout, message: "The request took too long.", closesConnection: true)
    static let failed = Refusal(
        "failed", status: .internalServerError, message: "The request failed. The error is logged under the request's identifier."
    )

    static func maintenance(retryAfter: Int?) -> Refusal {
        Refusal(
            "maintenance", status: .serviceUnavailable, message: "This part is down for maintenance.",
            retryAfter: retryAfter ?? 300)
    }

    static func rateLimited(retryAfter: Int) -> Refusal {
        Refusal("rate_limited", status: .tooManyRequests, message: "Too many requests.", retryAfter: retryAfter)
    }
}
