import Events
import Incidents
import Notify

/// What people are told by a page. Of a restricted incident nothing but that it is there: chats and mailboxes have other readers.
enum PageMessage {
    /// - Parameter links: `nil` where no link is sent by which somebody acknowledges; without the console's address none is either.
    static func message(
        for page: PageState, _ incident: IncidentState, _ policies: Policies, links: AcknowledgeLinks?
    ) -> Message {
        let intent = page.intent
        let title = incident.isRestricted ? "restricted incident" : incident.title
        let why =
            switch intent.purpose {
            case .page: "\(intent.step): nobody has acknowledged it yet"
            case .clock: "\(intent.step) is overdue"
            case .containment: incident.isRestricted ? "containment is not in force" : intent.step
            case .stop: "acknowledged"
            case .room: "War room: what people write about this incident in Vigie follows here."
            }
        if let room = incident.roomMessage(of: intent) { return message(room, page, incident, policies) }
        var details = [why]
        if !incident.isRestricted {
            details.append(
                "Phase \(incident.phase.rawValue), \(incident.findingCount) findings, opened \(incident.openedAt.rfc3339)")
            if let light = incident.trafficLight { details.append(light.rawValue) }
        }
        var message = Message(
            key: intent.key, purpose: Message.Purpose(rawValue: intent.purpose.rawValue) ?? .page, incident: incident.id,
            severity: incident.severity.code, subject: "\(incident.id) \(incident.severity.code) \(title)", details: details,
            link: policies.channels.consoleAddress.map { "\($0)/incidents/\(incident.id)" }, isDrill: incident.kind == .drill,
            time: page.intendedAt, address: intent.address)
        if intent.purpose == .clock || intent.purpose == .room { message.thread = incident.thread(on: intent.channel) }
        if intent.purpose == .page, let console = policies.channels.consoleAddress, let links {
            let token = links.token(incident: incident.id, page: intent.key, intendedAt: page.intendedAt)
            message.acknowledge = "\(console)/acknowledge?token=\(token)"
        }
        return message
    }

    /// What somebody wrote, in the thread of the incident.
    private static func message(
        _ room: RoomMessage, _ page: PageState, _ incident: IncidentState, _ policies: Policies
    ) -> Message {
        var message = Message(
            key: page.intent.key, purpose: .room, incident: incident.id, severity: incident.severity.code,
            subject: "\(incident.id) \(room.author.label)\(room.isUpdate ? ", status update" : "")", details: [room.text ?? ""],
            link: nil, isDrill: incident.kind == .drill, time: room.at, address: nil)
        message.thread = incident.thread(on: page.intent.channel)
        return message
    }

    /// Incidents that a digest names; of the others it tells the number.
    private static let maximumNamed = 20

    /// In a storm, one message instead of many.
    ///
    /// - Parameter key: of the digest; `nil` for a page alone.
    static func joined(_ messages: [Message], as key: String?) -> Message {
        // The worst first, then the oldest; ids of one year are of one length up to the 9,999th.
        let messages = messages.sorted {
            ($0.severity, $0.incident.utf8.count, $0.incident) < ($1.severity, $1.incident.utf8.count, $1.incident)
        }
        guard let key, var digest = messages.first else {
            return messages.first
                ?? Message(
                    key: "", purpose: .page, incident: "", severity: "", subject: "", details: [], link: nil, isDrill: false,
                    time: Timestamp(seconds: 0), address: nil)
        }
        digest.purpose = .digest
        digest.holdsAlarm = messages.contains(where: \.isAlarm)
        digest.key = key
        // A link acknowledges one incident.
        digest.acknowledge = nil
        digest.isDrill = messages.allSatisfy(\.isDrill)
        digest.details = messages.prefix(maximumNamed).map { message in
            (message.isDrill ? "[DRILL] " : "") + message.subject + (message.details.first.map { " (\($0))" } ?? "")
        }
        if messages.count > maximumNamed { digest.details.append("and \(messages.count - maximumNamed) more") }
        digest.subject = "\(messages.count) page\(messages.count == 1 ? "" : "s") at once, the worst: \(digest.subject)"
        return digest
    }
}
