import Foundation

/// A bot that posts with `chat.postMessage` of Slack's Web API, or of what speaks the same. It can open threads, which an incoming
/// webhook cannot.
struct SlackBotChannel: Channel {
    static let address = "https://slack.com/api/chat.postMessage"

    let address: String
    let token: SecretFile
    /// The id of a channel, such as C0123456789.
    let room: String

    func deliver(_ message: Message) async throws(DeliveryFailure) { _ = try await open(message) }

    func open(_ message: Message) async throws(DeliveryFailure) -> String? {
        let answer = try await Transfer.exchange(
            SlackBotChannel.body(message, room: room), with: address, headers: ["Authorization: Bearer \(try token.read())"])
        return try SlackBotChannel.thread(in: answer)
    }

    static func body(_ message: Message, room: String) -> String {
        struct Body: Encodable {
            var channel: String
            var text: String
            var thread_ts: String?
        }
        return JSONText.encode(Body(channel: room, text: SlackChannel.text(message), thread_ts: message.thread))
    }

    /// An answer is 200 also where nothing was posted; `ok` says which.
    static func thread(in answer: String) throws(DeliveryFailure) -> String? {
        struct Answer: Decodable {
            var ok: Bool
            var ts: String?
            var error: String?
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(answer.utf8)) else {
            throw DeliveryFailure("the answer is none of Slack's")
        }
        if answer.ok {
            // What goes into the journal and back to them is a short name or nothing.
            return answer.ts.flatMap { $0.utf8.count <= 64 && $0.utf8.allSatisfy { (0x21..<0x7f).contains($0) } ? $0 : nil }
        }
        let word = String((answer.error ?? "").filter { $0.isASCII && ($0.isLetter || $0 == "_") }.prefix(60))
        switch word {
        case "ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout":
            throw DeliveryFailure("the answer was \(word)")
        default:
            // A token, a channel or a right that a person has to mend.
            throw DeliveryFailure("the answer was \(word)", maximumAttempts: 4)
        }
    }
}
