package import Events
import Yams

/// Who can be told, how, and whose turn it is.
package struct OnCallPolicy: Sendable, Equatable {
    package struct Contact: Sendable, Equatable {
        package var channel: String
        package var address: String?
    }

    package struct Person: Sendable, Equatable {
        package var id: String
        /// One for each channel.
        package var contacts: [Contact]
    }

    package struct Override: Sendable, Equatable {
        package var person: String
        package var from: Timestamp
        package var until: Timestamp

        package init(person: String, from: Timestamp, until: Timestamp) {
            self.person = person
            self.from = from
            self.until = until
        }
    }

    /// People who take turns. Turns change when the wall clock of the zone shows the hour at which the rotation began.
    package struct Rotation: Sendable, Equatable {
        package var zone: LocalZone
        /// The wall clock's time of the first hand-over, in nanoseconds since 1970-01-01 there.
        package var start: Int64
        /// Days of a turn.
        package var days: Int64
        package var people: [String]
        package var overrides: [Override]

        /// Whose turn it is: whoever stepped in last, or the next in the order.
        package func person(at time: Timestamp) -> String? {
            if let override = overrides.last(where: { $0.from <= time && time < $0.until }) { return override.person }
            guard !people.isEmpty else { return nil }
            let passed = zone.wallClock(at: time) - start
            let length = days * 86_400_000_000_000
            let turn = passed >= 0 ? passed / length : (passed - length + 1) / length
            let count = Int64(people.count)
            return people[Int((turn % count + count) % count)]
        }
    }

    package var people: [String: Person] = [:]
    package var rotations: [String: Rotation] = [:]

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader, channels: ChannelPolicy) throws(PolicyError) {
        guard let node else { return }
        let members = try reader.members(node, known: ["people", "rotations"])
        if let list = members["people"] {
            for entry in try reader.mapping(list) {
                let contacts = try reader.members(entry.value, known: ["contacts"], needed: ["contacts"])["contacts"]
                people[entry.name] = Person(
                    id: entry.name,
                    contacts: try contacts.map { node throws(PolicyError) in
                        try OnCallPolicy.contacts(node, reader, channels)
                    } ?? [])
            }
        }
        if let list = members["rotations"] {
            for entry in try reader.mapping(list) { rotations[entry.name] = try rotation(entry.value, reader) }
        }
    }

    private static func contacts(_ node: Node, _ reader: PolicyReader, _ channels: ChannelPolicy) throws(PolicyError) -> [Contact]
    {
        var contacts: [Contact] = []
        for element in try reader.list(node) {
            let members = try reader.members(element, known: ["channel", "address"], needed: ["channel"])
            guard let node = members["channel"] else { continue }
            let name = try reader.text(node)
            guard let channel = channels.channels[name] else {
                throw reader.unknown(node, "channel", name, known: channels.channels.keys.sorted())
            }
            let address = try members["address"].map(reader.text)
            if channel.kind == .smtp, address?.contains("@") != true || address?.contains(where: \.isWhitespace) == true {
                throw reader.error(element, "a mail address is needed for '\(name)'")
            }
            guard !contacts.contains(where: { $0.channel == name }) else {
                throw reader.error(element, "channel '\(name)' is there twice")
            }
            contacts.append(Contact(channel: name, address: address))
        }
        return contacts
    }

    private func rotation(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> Rotation {
        let members = try reader.members(
            node, known: ["zone", "starts", "days", "people", "overrides"], needed: ["zone", "starts", "people"])
        guard let zone = members["zone"], let starts = members["starts"], let list = members["people"] else {
            throw reader.error(node, "'zone', 'starts' and 'people' are needed")
        }
        guard let start = Timestamp(rfc3339: "\(try reader.text(starts)):00Z") else {
            throw reader.error(starts, "the first hand-over by the wall clock is expected here: 2026-01-05T09:00")
        }
        guard (0...7_258_118_400).contains(start.seconds) else {
            throw reader.error(starts, "a hand-over between 1970 and 2200 is expected here")
        }
        let days = Int64(try members["days"].map(reader.number) ?? 7)
        guard days <= PolicyReader.maximumDays else {
            throw reader.error(node, "a turn has \(PolicyReader.maximumDays) days at most")
        }
        var rotation = Rotation(
            zone: try reader.zone(zone), start: start.nanoseconds, days: days, people: try reader.texts(list), overrides: [])
        for element in try members["overrides"].map(reader.list) ?? [] {
            let members = try reader.members(element, known: ["person", "from", "until"], needed: ["person", "from", "until"])
            guard let person = members["person"], let from = members["from"], let until = members["until"] else { continue }
            guard let start = Timestamp(rfc3339: try reader.text(from)), let end = Timestamp(rfc3339: try reader.text(until)),
                start < end
            else { throw reader.error(element, "times with their zone are expected here: 2026-01-05T09:00:00+01:00") }
            rotation.overrides.append(Override(person: try reader.text(person), from: start, until: end))
        }
        for person in rotation.people + rotation.overrides.map(\.person) where people[person] == nil {
            throw reader.unknown(node, "person", person, known: people.keys.sorted())
        }
        return rotation
    }
}
