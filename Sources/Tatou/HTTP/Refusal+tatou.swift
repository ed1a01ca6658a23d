import Guard
import HTTPTypes

extension Refusal {
    /// What the client sent makes no sense; `message` says what.
    static func invalid(
        _ message: String, status: HTTPResponse.Status = .badRequest, closesConnection: Bool = false
    ) -> Refusal {
        Refusal("invalid", status: status, message: message, closesConnection: closesConnection)
    }

    static let missing = Refusal("not_found", status: .notFound, message: "document not found")
    static let gone = Refusal("gone", status: .gone, message: "file missing on disk")
    static let unavailable = Refusal(
        "unavailable", status: .serviceUnavailable, message: "database unavailable", retryAfter: 5)

    static func unauthorized(_ message: String) -> Refusal {
        Refusal("unauthorized", status: .unauthorized, message: message)
    }
}
