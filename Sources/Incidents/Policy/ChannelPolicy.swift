import Events
import Yams

/// The ways out: where messages can be sent. Secrets stay in files of their own, which this only names.
package struct ChannelPolicy: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case smtp, slack, pagerduty, webhook

        /// What may be said of such a channel, and what has to be.
        var options: (known: [String], needed: [String]) {
            switch self {
            case .smtp: (["url", "from", "user", "password_file", "starttls"], ["url", "from"])
            case .slack: (["url", "url_file", "token_file", "room"], [])
            case .pagerduty: (["key_file", "url"], ["key_file"])
            case .webhook: (["url", "url_file", "secret_file"], ["secret_file"])
            }
        }
    }

    package struct Channel: Sendable, Equatable {
        package var id: String
        package var kind: Kind
        package var options: [String: String]
    }

    package struct Heartbeat: Sendable, Equatable {
        /// A file that holds the address: who knows it can fake the beat.
        package var urlFile: String
        /// Seconds.
        package var interval: Int64
    }

    /// Where people who work on an incident read along.
    package struct WarRoom: Sendable, Equatable {
        package var channels: [String]
        package var severities: Set<Severity>
    }

    package var channels: [String: Channel] = [:]
    package var warRoom: WarRoom?
    package var heartbeat: Heartbeat?
    /// Where people reach the console, for links in messages; without a slash at its end.
    package var consoleAddress: String?
    /// Messages that wait for one address on one channel before they are told as one.
    package var digestAbove = 5

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node else { return }
        for (name, value) in try reader.members(node, known: ["console", "channels", "heartbeat", "digest_above", "war_room"]) {
            switch name {
            case "console":
                let text = try reader.text(value)
                guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
                    throw reader.error(value, "an address that begins with https:// is expected here")
                }
                consoleAddress = text.hasSuffix("/") ? String(text.dropLast()) : text
            case "digest_above": digestAbove = try reader.number(value)
            case "war_room": warRoom = try ChannelPolicy.warRoom(value, reader)
            case "heartbeat":
                let members = try reader.members(value, known: ["url_file", "every"], needed: ["url_file", "every"])
                guard let file = members["url_file"], let every = members["every"] else { continue }
                heartbeat = Heartbeat(urlFile: try reader.text(file), interval: max(10, try reader.duration(every)))
            default:
                for entry in try reader.mapping(value) {
                    channels[entry.name] = try ChannelPolicy.channel(entry.name, entry.value, reader)
                }
            }
        }
        for name in warRoom?.channels ?? [] {
            guard let kind = channels[name]?.kind else {
                throw reader.unknown(node, "channel", name, known: channels.keys.sorted())
            }
            guard kind == .slack || kind == .webhook else {
                throw reader.error(node, "the war room cannot be on '\(name)': a channel of kind slack or webhook is needed")
            }
        }
    }

    private static func warRoom(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> WarRoom {
        let members = try reader.members(node, known: ["channels", "severities"], needed: ["channels"])
        var room = WarRoom(channels: try members["channels"].map(reader.texts) ?? [], severities: [.critical, .high])
        guard Set(room.channels).count == room.channels.count, !room.channels.contains(where: { $0.contains("/") }) else {
            throw reader.error(node, "a channel is there twice, or has a slash in its name")
        }
        if let list = members["severities"] {
            room.severities = []
            for element in try reader.list(list) { room.severities.insert(try reader.severity(element)) }
        }
        return room
    }

    private static func channel(_ id: String, _ node: Node, _ reader: PolicyReader) throws(PolicyError) -> Channel {
        guard let kindNode = node.mapping?["kind"] else { throw reader.error(node, "'kind' is missing") }
        let kind = try reader.choice(kindNode, "kind of channel", Kind.self)
        let members = try reader.members(node, known: ["kind"] + kind.options.known, needed: kind.options.needed)
        var options: [String: String] = [:]
        for (name, value) in members where name != "kind" {
            options[name] = try reader.text(value)
            if name == "url", let text = options[name],
                !(kind == .smtp ? ["smtp://", "smtps://"] : ["https://", "http://"]).contains(where: text.hasPrefix)
            {
                throw reader.error(value, "'\(text)' is no address for \(kind.rawValue)")
            }
        }
        if kind == .slack, options["token_file"] != nil || options["room"] != nil {
            guard options["token_file"] != nil, options["room"] != nil, options["url_file"] == nil else {
                throw reader.error(node, "'token_file' and 'room' belong together, and there is no 'url_file' beside them")
            }
        } else if kind == .slack || kind == .webhook, options["url"] == nil, options["url_file"] == nil {
            throw reader.error(node, "'url_file' is missing")
        }
        return Channel(id: id, kind: kind, options: options)
    }
}
