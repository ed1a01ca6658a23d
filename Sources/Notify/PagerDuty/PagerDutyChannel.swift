import Events

/// PagerDuty's Events API v2, or what speaks the same. It goes on paging by itself until it is told that somebody has come.
struct PagerDutyChannel: Channel {
    static let address = "https://events.pagerduty.com/v2/enqueue"

    let endpoint: String
    let key: SecretFile

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        try await Transfer.post(PagerDutyChannel.body(message, routingKey: key.read()), to: endpoint)
    }

    static func body(_ message: Message, routingKey: String) -> String {
        struct Payload: Encodable {
            var summary: String
            var source: String
            var severity: String
            var timestamp: String
            var custom_details: [String: String]
        }
        struct Link: Encodable {
            var href: String
            var text: String
        }
        struct Event: Encodable {
            var routing_key: String
            var event_action: String
            var dedup_key: String
            var payload: Payload?
            var links: [Link]?
        }
        if message.purpose == .stop {
            // The key of the page that is to stop; the limit of a dedup_key is 255 characters.
            let page = message.key.hasSuffix("/stop") ? String(message.key.dropLast(5)) : message.key
            return JSONText.encode(
                Event(routing_key: routingKey, event_action: "acknowledge", dedup_key: String(page.suffix(255))))
        }
        let severities = ["P0": "critical", "P1": "error", "P2": "warning"]
        return JSONText.encode(
            Event(
                routing_key: routingKey, event_action: "trigger", dedup_key: String(message.key.suffix(255)),
                payload: Payload(
                    summary: String(message.line.prefix(1024)), source: message.incident,
                    severity: severities[message.severity] ?? "info", timestamp: message.time.rfc3339,
                    custom_details: ["details": message.details.joined(separator: "\n")]),
                links: message.link.map { [Link(href: $0, text: "Open \(message.incident)")] }))
    }
}
