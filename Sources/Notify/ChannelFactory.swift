package import Events
import Foundation
package import Incidents

/// The channels that a policy names, ready to be used.
package struct Channels: Sendable {
    private let channels: [String: any Channel]

    /// - Parameter now: the time of attempts; signatures carry it.
    package init(_ policy: ChannelPolicy, now: @escaping @Sendable () -> Timestamp) {
        channels = policy.channels.mapValues { channel -> any Channel in
            let options = channel.options
            let secret = { (name: String) in SecretFile(path: options[name] ?? "") }
            switch channel.kind {
            case .smtp:
                return SMTPChannel(
                    address: options["url"] ?? "", sender: options["from"] ?? "", user: options["user"],
                    password: options["password_file"].map(SecretFile.init), isPlain: options["starttls"] == "never")
            case .slack:
                guard let room = options["room"] else { return SlackChannel(endpoint: Endpoint(options)) }
                return SlackBotChannel(
                    address: options["url"] ?? SlackBotChannel.address, token: secret("token_file"), room: room)
            case .pagerduty:
                return PagerDutyChannel(endpoint: options["url"] ?? PagerDutyChannel.address, key: secret("key_file"))
            case .webhook: return WebhookChannel(endpoint: Endpoint(options), secret: secret("secret_file"), now: now)
            }
        }
    }

    /// Tests put their own in place.
    package init(_ channels: [String: any Channel]) {
        self.channels = channels
    }

    /// - Returns: the other side's name of the thread that it opened, where there is one.
    package func deliver(_ message: Message, by channel: String) async throws(DeliveryFailure) -> String? {
        guard let channel = channels[channel] else {
            throw DeliveryFailure("the policies have no channel '\(channel)' any more", isPermanent: true)
        }
        if message.purpose == .room, message.thread == nil { return try await channel.open(message) }
        try await channel.deliver(message)
        return nil
    }
}

/// One beat of Vigie's heart, to a dead-man's switch elsewhere: when it stops hearing it, that one pages.
package enum Heartbeat {
    package static func beat(_ heartbeat: ChannelPolicy.Heartbeat) async throws(DeliveryFailure) {
        var transfer = Transfer()
        transfer.set("url", try Endpoint(["url_file": heartbeat.urlFile]).resolve())
        let status = try await transfer.run(protocols: "=http,https")
        guard (200..<300).contains(status) else { throw DeliveryFailure("the answer was \(status)") }
    }
}
