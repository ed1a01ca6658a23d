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
            case .slack: (["url", "url_file"], [])
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

    package var channels: [String: Channel] = [:]
    package var heartbeat: Heartbeat?
    /// Where people reach the console, for links in messages; without a slash at its end.
    package var consoleAddress: String?
    /// Messages that wait for one address on one channel before they are told as one.
    package var digestAbove = 5

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node else { return }
        for (name, value) in try reader.members(node, known: ["console", "channels", "heartbeat", "digest_above"]) {
            switch name {
            case "console":
                let text = try reader.text(value)
                guard text.hasPrefix("https://") || text.hasPrefix("http://") else {
                    throw reader.error(value, "an address that begins with https:// is expected here")
                }
                consoleAddress = text.hasSuffix("/") ? String(text.dropLast()) : text
            case "digest_above": digestAbove = try reader.number(value)
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
        if kind == .slack || kind == .webhook, options["url"] == nil, options["url_file"] == nil {
            throw reader.error(node, "'url_file' is missing")
        }
        return Channel(id: id, kind: kind, options: options)
    }
}
