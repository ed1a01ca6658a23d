package import Events
package import Identity
import Ingest
import Yams

/// The configuration file as it was written: every key optional, unknown keys refused.
///
///     listen: 127.0.0.1:8630
///     data: /var/lib/vigie
///     rules: [/usr/share/vigie/rules, /etc/vigie/rules]
///     policies: /etc/vigie/policies
///     playbooks: [/usr/share/vigie/playbooks, /etc/vigie/playbooks]
///     playbooks_from_outside: [/etc/vigie/playbooks-of-others]
///     sources:
///       - {path: /var/log/nginx/access.log, format: combined}
///       - {path: /srv/*/logs/*.access.log, backlog: false}
///       - /var/log/auth.log
///     trusted_proxies: [10.0.0.0/8, "2001:db8::/32"]
///     evidence: {system_logs: [/var/log/syslog], upload_folders: [/srv/www/uploads]}
///     archive: {keep_days: 90, security_days: 365, when_full: stop}
///     response: {enforcers: [nftables], budget_per_hour: 100}
///     receivers:
///       http: {listen: 127.0.0.1:8631}
///       syslog: {listen: 127.0.0.1:5514, transport: udp}
///     console: {hosts: [vigie.example.org], behind_tls: true, behind_proxy: true, second_factor: [admin, commander]}
package struct Configuration: Sendable, Equatable {
    package var listen: ListenAddress?
    package var data: String?
    package var rules: [String]?
    package var policies: String?
    package var playbooks: [String]?
    package var outsidePlaybooks: [String]?
    package var sources: [SourceOption]?
    package var trustedProxies: [AddressBlock]?
    package var archive: ArchiveOptions?
    package var receivers: ReceiverOptions?
    package var response: ResponseOptions?
    package var hosts: Set<String>?
    package var isBehindTLS: Bool?
    package var secondFactorRoles: Set<Role>?
    package var isBehindProxy: Bool?
    package var provider: ProviderOptions?
    package var systemLogs: [String]?
    package var uploadFolders: [String]?

    package init() {}

    /// - Parameter file: named in errors.
    /// - Throws: `ConfigurationError` with the line and what to do.
    package init(parsing text: String, file: String) throws(ConfigurationError) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationReader.describe(error, file)
        }
        // An empty file is a configuration, too.
        guard let node, node.null == nil else { return }
        let reader = ConfigurationReader(file: file)
        let known = [
            "listen", "data", "rules", "policies", "playbooks", "playbooks_from_outside", "sources", "trusted_proxies",
            "receivers",
            "response", "evidence", "archive", "console",
        ]
        var archiveNode: Node?
        for (key, value) in try reader.mapping(node, known: known) {
            switch key {
            case "listen": listen = try reader.listenAddress(value)
            case "data": data = try reader.text(value)
            case "rules": rules = try reader.texts(value)
            case "policies": policies = try reader.text(value)
            case "playbooks": playbooks = try reader.texts(value)
            case "playbooks_from_outside": outsidePlaybooks = try reader.texts(value)
            case "sources": sources = try reader.sources(value)
            case "receivers": receivers = try reader.receivers(value)
            case "response": response = try reader.response(value)
            case "trusted_proxies": trustedProxies = try reader.addressBlocks(value)
            case "evidence":
                for (key, value) in try reader.mapping(value, known: ["system_logs", "upload_folders"]) {
                    if key == "system_logs" {
                        systemLogs = try reader.texts(value)
                    } else {
                        uploadFolders = try reader.texts(value)
                    }
                }
            case "archive":
                archive = try reader.archive(value)
                archiveNode = value
            default:
                let known = ["hosts", "behind_tls", "behind_proxy", "second_factor", "openid"]
                for (key, value) in try reader.mapping(value, known: known) {
                    switch key {
                    case "openid": provider = try reader.provider(value)
                    case "hosts": hosts = Set(try reader.texts(value))
                    case "second_factor": secondFactorRoles = try reader.roles(value)
                    case "behind_tls": isBehindTLS = try reader.flag(value)
                    default: isBehindProxy = try reader.flag(value)
                    }
                }
                if provider != nil, let hosts, !hosts.isEmpty, isBehindTLS != true {
                    // What the provider sends back with the browser would be readable on the way.
                    throw reader.error(value, "sign-in through a provider under \(hosts.sorted()[0]) needs 'behind_tls: true'")
                }
            }
        }
        // Without a list of sources they are those of the command line, or of the machine.
        if let archiveNode, let sources {
            try reader.checkSecuritySources(archiveNode, sources, receivers ?? ReceiverOptions())
        }
    }
}

/// `host:port`, `[::1]:port`, or a port alone.
package struct ListenAddress: Sendable, Equatable {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init?(_ text: String) {
        let colon = text.lastIndex(of: ":")
        guard let port = UInt16(colon.map { text[text.index(after: $0)...] } ?? text[...]) else { return nil }
        var host = colon.map { String(text[..<$0]) } ?? ServerOptions.defaultHost
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            // An IPv6 address without brackets: where it ends and the port begins is anybody's guess.
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.host = host
        self.port = Int(port)
    }
}

/// What is wrong with a configuration, where, and what to do about it.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    package var file: String
    package var line: Int
    package var reason: String

    package var description: String { line > 0 ? "\(file):\(line): \(reason)" : "\(file): \(reason)" }
}

/// Reads YAML nodes strictly.
struct ConfigurationReader {
    let file: String

    /// What the YAML parser objects to, with its line where it says one.
    static func describe(_ error: any Error, _ file: String) -> ConfigurationError {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            // The context is where what is broken begins; the mark may be the end of the file.
            ConfigurationError(
                file: file, line: context?.mark.line ?? mark.line,
                reason: "it is not YAML: \(context.map { "\($0.text) " } ?? "")\(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            ConfigurationError(
                file: file, line: context.mark.line, reason: "'\(duplicates.joined(separator: "', '"))' is there twice")
        default: ConfigurationError(file: file, line: 0, reason: "it is not YAML: \(error)")
        }
    }

    func error(_ node: Node, _ reason: String) -> ConfigurationError {
        ConfigurationError(file: file, line: node.mark?.line ?? 0, reason: reason)
    }

    func mapping(_ node: Node, known: [String]) throws(ConfigurationError) -> [(String, Node)] {
        guard let mapping = node.mapping else { throw error(node, "a mapping of keys to values is expected here") }
        var pairs: [(String, Node)] = []
        for (key, value) in mapping {
            let name = key.string ?? ""
            guard known.contains(name) else {
                let nearest = NearestName.find(name, among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw error(key, "'\(name)' is not a known key\(nearest) (known: \(known.joined(separator: ", ")))")
            }
            pairs.append((name, value))
        }
        return pairs
    }

    func text(_ node: Node) throws(ConfigurationError) -> String {
        guard let text = node.string, !text.isEmpty, node.null == nil else { throw error(node, "a text is expected here") }
        return text
    }

    func texts(_ node: Node) throws(ConfigurationError) -> [String] {
        guard let sequence = node.sequence else { return [try text(node)] }
        var texts: [String] = []
        for element in sequence { texts.append(try text(element)) }
        return texts
    }

    func addressBlocks(_ node: Node) throws(ConfigurationError) -> [AddressBlock] {
        var blocks: [AddressBlock] = []
        for text in try texts(node) {
            guard let block = AddressBlock(text) else {
                throw error(node, "'\(text)' is no address and no network like 10.0.0.0/8")
            }
            blocks.append(block)
        }
        return blocks
    }

    func roles(_ node: Node) throws(ConfigurationError) -> Set<Role> {
        var roles: Set<Role> = []
        for text in try texts(node) {
            guard let role = Role(rawValue: text) else {
                throw error(node, "'\(text)' is no role (known: \(Role.allCases.map(\.rawValue).joined(separator: ", ")))")
            }
            roles.insert(role)
        }
        return roles
    }

    func flag(_ node: Node) throws(ConfigurationError) -> Bool {
        guard let flag = node.bool else { throw error(node, "true or false is expected here") }
        return flag
    }

    func listenAddress(_ node: Node) throws(ConfigurationError) -> ListenAddress {
        guard let address = ListenAddress(try text(node)) else {
            throw error(node, "an address like 127.0.0.1:8630 is expected here")
        }
        return address
    }

    func format(_ node: Node) throws(ConfigurationError) -> LogFormat {
        let text = try text(node)
        if let format = LogFormat(rawValue: text) { return format }
        let names = LogFormat.allCases.map(\.rawValue)
        let nearest = NearestName.find(text, among: names).map { "; did you mean '\($0)'?" } ?? ""
        throw error(node, "format '\(text)' is not known\(nearest) (known: \(names.joined(separator: ", ")))")
    }

    func sources(_ node: Node) throws(ConfigurationError) -> [SourceOption] {
        guard let sequence = node.sequence else { throw error(node, "'sources' is a list") }
        var sources: [SourceOption] = []
        for element in sequence {
            guard element.mapping != nil else {
                sources.append(SourceOption(path: try text(element)))
                continue
            }
            var source = SourceOption(path: "")
            for (key, value) in try mapping(element, known: ["path", "format", "backlog"]) {
                if key == "backlog" {
                    source.readsBacklog = try flag(value)
                    continue
                }
                let text = try text(value)
                if key == "path" { source.path = text } else { source.format = try format(value) }
            }
            guard !source.path.isEmpty else { throw error(element, "a source needs a 'path'") }
            sources.append(source)
        }
        return sources
    }
}
