import Events

/// The war room: what people write goes to the channels that policy names, in one thread for each incident.
///
/// The first message of an incident on a channel opens its thread; the others follow it in their order.
extension EscalationPlan {
    /// Seconds after which a message is not sent any more that was not sent by then: the room would be told of what is long over.
    package static let roomWindow: Int64 = 3_600

    /// Where the incident has its room, if anywhere.
    package static func roomChannels(of incident: IncidentState, _ policies: Policies) -> [String] {
        guard let room = policies.channels.warRoom, room.severities.contains(incident.severity) else { return [] }
        return hasRoom(incident) ? room.channels : []
    }

    /// Of a restricted incident nothing is told where others read along.
    private static func hasRoom(_ incident: IncidentState) -> Bool {
        (incident.kind == .real || incident.kind == .drill) && !incident.isRestricted && incident.mergedInto == nil
    }

    /// Message 0 opens the thread.
    private static func intent(_ number: Int, _ channel: String, _ incident: IncidentState) -> PageIntent {
        // So many digits that keys are in the order of messages.
        let digits = String(number)
        let place = String(repeating: "0", count: max(0, 6 - digits.count)) + digits
        return PageIntent(
            key: "\(incident.id)/room/\(place)/\(channel)", incident: incident.id, cycle: incident.cycle, purpose: .room,
            step: number == 0 ? "war room" : "message \(number)", target: "channel:\(channel)", channel: channel, person: nil,
            address: nil)
    }

    /// What is to be written down now for the room.
    static func roomEvents(for incident: IncidentState, _ policies: Policies, now: Timestamp) -> [PageEvent] {
        guard let room = policies.channels.warRoom, hasRoom(incident) else { return [] }
        let isFresh = { (time: Timestamp) in now < time.advanced(bySeconds: roomWindow) }
        var events: [PageEvent] = []
        for channel in room.channels {
            let root = intent(0, channel, incident)
            let isOpen = incident.pages[root.key] != nil
            // One that was begun goes on, whatever has become of the severity.
            guard isOpen || room.severities.contains(incident.severity) else { continue }
            let messages = incident.room.filter { isFresh($0.at) }.map { intent($0.number, channel, incident) }
                .filter { incident.pages[$0.key] == nil }
            let begins = !isOpen && (!messages.isEmpty || !incident.isClosed && isFresh(incident.cycleStart))
            events += ((begins ? [root] : []) + (isOpen || begins ? messages : [])).map {
                PageEvent(incident: incident.id, key: $0.key, at: now, what: .intended($0))
            }
        }
        return events
    }

    static func reasonNotToPost(_ page: PageIntent, _ incident: IncidentState, _ policies: Policies) -> String? {
        if incident.isRestricted { return "the incident is restricted" }
        if incident.mergedInto != nil { return "the incident was merged" }
        guard policies.channels.warRoom?.channels.contains(page.channel) == true else { return "the policies foresee it no more" }
        guard let number = page.roomNumber, number > 0 else { return nil }
        guard let message = incident.room.first(where: { $0.number == number }) else { return "many were written since" }
        return message.text == nil ? "the person's data was erased" : nil
    }
}

extension PageIntent {
    /// Of a message of the war room: its number; 0 opens the thread.
    package var roomNumber: Int? {
        guard purpose == .room else { return nil }
        return key.split(separator: "/").dropFirst(2).first.flatMap { Int($0) }
    }
}

extension IncidentState {
    /// The other side's name of the incident's thread on a channel, once it is known.
    package func thread(on channel: String) -> String? {
        pages.values.first { $0.intent.roomNumber == 0 && $0.intent.channel == channel }?.thread
    }

    /// The message of the war room that a page carries.
    package func roomMessage(of page: PageIntent) -> RoomMessage? {
        page.roomNumber.flatMap { number in room.first { $0.number == number } }
    }
}
