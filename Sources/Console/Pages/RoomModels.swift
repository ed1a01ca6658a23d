import Events
import Identity
import Incidents

/// An incident's war room: what was written last, where it goes, and the place to write.
enum RoomModels {
    /// Messages on the page; the timeline has them all.
    static let maximumShown = 20

    static func model(_ incident: IncidentState, _ policies: Policies, signedIn: SignedIn?, now: Timestamp) -> PageModel {
        let sent = Set(
            incident.pages.values.filter { $0.intent.purpose == .room && $0.status == .dead }.compactMap(\.intent.roomNumber))
        let channels = EscalationPlan.roomChannels(of: incident, policies)
        var model: PageModel = [
            "messages": incident.room.suffix(maximumShown).map { message -> PageModel in
                var row: PageModel = [
                    "key": "room-\(message.number)", "author": message.author.label, "isUpdate": message.isUpdate,
                    "at": TimeText.model(message.at, now: now), "isLost": sent.contains(message.number),
                ]
                row["text"] = message.text ?? "(erased)"
                return row
            },
            "hasMessages": !incident.room.isEmpty, "channels": channels, "hasChannels": !channels.isEmpty,
            "isRestricted": incident.isRestricted,
        ]
        if let signedIn, signedIn.role >= OrderForms.role(for: "say"), !incident.isClosed, incident.mergedInto == nil {
            model["canWrite"] = true
            model["path"] = "/incidents/\(FormFields.encode(incident.id))/orders"
            model["csrf"] = signedIn.token?.proof(of: ForgeryProtection.purpose) ?? ""
        }
        return model
    }
}
