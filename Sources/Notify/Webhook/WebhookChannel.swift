import Crypto
import Events
import Foundation

/// A signed POST of JSON, as Standard Webhooks has it (<https://www.standardwebhooks.com>): a forum, another team, anything.
struct WebhookChannel: Channel {
    let endpoint: Endpoint
    let secret: SecretFile
    let now: @Sendable () -> Timestamp

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        let body = WebhookBody(message).text
        // The time of the attempt, so that receivers can refuse what is old; the id stays.
        let time = now().seconds
        let signature = try WebhookSignature(secret: secret.read()).sign(id: message.key, time: time, body: body)
        try await Transfer.post(
            body, to: endpoint.resolve(),
            headers: ["webhook-id: \(message.key)", "webhook-timestamp: \(time)", "webhook-signature: \(signature)"])
    }
}

/// HMAC-SHA256 over `id.timestamp.body`.
struct WebhookSignature {
    private let key: SymmetricKey

    /// - Parameter secret: `whsec_` and base64, or any text.
    init(secret: String) {
        let coded = secret.hasPrefix("whsec_") ? Data(base64Encoded: String(secret.dropFirst(6))) : nil
        key = SymmetricKey(data: coded ?? Data(secret.utf8))
    }

    func sign(id: String, time: Int64, body: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(for: Data("\(id).\(time).\(body)".utf8), using: key)
        return "v1," + Data(code).base64EncodedString()
    }
}

/// `{"type": "incident.page", "timestamp": …, "data": {…}}`
struct WebhookBody {
    let text: String

    init(_ message: Message) {
        struct Content: Encodable {
            var incident: String
            var severity: String
            var text: String
            var details: [String]
            var link: String?
            var acknowledge: String?
            var drill: Bool
            var thread: String
        }
        struct Body: Encodable {
            var type: String
            var timestamp: String
            var data: Content
        }
        text = JSONText.encode(
            Body(
                type: "incident.\(message.purpose.rawValue)", timestamp: message.time.rfc3339,
                data: Content(
                    incident: message.incident, severity: message.severity, text: message.line, details: message.details,
                    link: message.link, acknowledge: message.acknowledge, drill: message.isDrill, thread: message.incident)))
    }
}

enum JSONText {
    /// Keys in order, so that the same message is the same bytes. Strings and flags always encode.
    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}
