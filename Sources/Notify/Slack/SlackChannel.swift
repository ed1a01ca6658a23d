/// An incoming webhook of Slack, or of what speaks the same: Mattermost, Rocket.Chat, Discord's `/slack`.
struct SlackChannel: Channel {
    let endpoint: Endpoint

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        try await Transfer.post(SlackChannel.body(message), to: endpoint.resolve())
    }

    static func body(_ message: Message) -> String {
        struct Body: Encodable { var text: String }
        return JSONText.encode(Body(text: text(message)))
    }

    /// In Slack's markup.
    static func text(_ message: Message) -> String {
        var lines = ["*\(escape(message.line))*"] + message.details.map(escape)
        if let link = message.acknowledge { lines.append("<\(escape(link))|Acknowledge \(message.incident)>") }
        if let link = message.link { lines.append("<\(escape(link))|Open \(message.incident)>") }
        if message.isAlarm { lines[0] = "<!channel> " + lines[0] }
        return lines.joined(separator: "\n")
    }

    /// The three characters that Slack reads as markup.
    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
