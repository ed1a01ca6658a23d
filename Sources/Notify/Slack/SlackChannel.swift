/// An incoming webhook of Slack, or of what speaks the same: Mattermost, Rocket.Chat, Discord's `/slack`.
struct SlackChannel: Channel {
    let endpoint: Endpoint

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        try await Transfer.post(SlackChannel.body(message), to: endpoint.resolve())
    }

    static func body(_ message: Message) -> String {
        struct Body: Encodable { var text: String }
        var lines = ["*\(escape(message.line))*"] + message.details.map(escape)
        if let link = message.link { lines.append("<\(escape(link))|Acknowledge \(message.incident)>") }
        if message.isAlarm { lines[0] = "<!channel> " + lines[0] }
        return JSONText.encode(Body(text: lines.joined(separator: "\n")))
    }

    /// The three characters that Slack reads as markup.
    private static func escape(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
