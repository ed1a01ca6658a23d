import Events
package import Response
import Yams

/// Containment, as the configuration's `response:` has it; see docs/leases.md.
///
///     response:
///       listen: 127.0.0.1:8632
///       enforcers:
///         - nftables
///         - {kind: nginx, file: /etc/nginx/vigie-deny.conf}
///       guard:
///         - {name: notes, key_file: /etc/vigie/notes.key, url: "http://127.0.0.1:8080", read_back_key_file: /etc/vigie/notes-read.key}
///       bouncers:
///         - {name: edge, key_file: /etc/vigie/edge.key}
///       never_block:
///         - {address: 192.0.2.10, owner: the monitor}
///       budget_per_hour: 100
package struct ResponseOptions: Sendable, Equatable {
    /// One thing that enforces leases.
    package enum EnforcerOption: Sendable, Equatable {
        case nftables(table: String, command: [String])
        case denyFile(DenyFile)
        case systemd(units: [String], command: [String])
        case docker(socket: String, containers: [String])
        case webhook(Webhook)
        case `guard`
        case bouncers
    }

    package struct DenyFile: Sendable, Equatable {
        package var server: DenyFileEnforcer.Server
        package var file: String
        package var check: [String]
        package var reload: [String]
        /// Where the server keeps its process id, to see whether it has loaded the file.
        package var pidFile: String?
        /// Where the server can be asked what it has loaded.
        package var admin: String?
    }

    package struct Webhook: Sendable, Equatable {
        package var url: String
        package var secretFile: String
        package var verbs: Set<Lease.Verb>
    }

    /// An application with Guard.
    package struct GuardedApplication: Sendable, Equatable {
        package var name: String
        /// Holds the key that the application shows when it asks for decisions.
        package var keyFile: String
        /// Where the application answers for what it enforces.
        package var url: String
        /// Holds the key that Vigie shows there.
        package var readBackKeyFile: String
        /// How long it may take to answer. Tests, which run beside hundreds of others, give it more.
        package var answerSeconds = 3
    }

    package struct Bouncer: Sendable, Equatable {
        package var name: String
        package var keyFile: String
        /// Sets of nftables that it fills, for reading back: `ip crowdsec crowdsec-blacklists`.
        package var sets: [String] = []
    }

    /// Where applications and bouncers ask; `nil` where there are none.
    package var listen = ListenAddress(host: ServerOptions.defaultHost, port: 8632)
    package var tls: ReceiverTLSOptions?
    package var enforcers: [EnforcerOption] = []
    package var applications: [GuardedApplication] = []
    package var bouncers: [Bouncer] = []
    package var neverBlock: [LeasePolicy.Protected] = []
    package var budgetPerHour = 100
    package var widestV4 = 24
    package var widestV6 = 48
    package var asksFor = LeasePolicy.asksForByDefault
    /// Seconds.
    package var pageAfter: Int64 = 5

    package init() {}

    package var policy: LeasePolicy {
        var policy = LeasePolicy(
            neverBlock: neverBlock, budgetPerHour: budgetPerHour, widestV4: widestV4, widestV6: widestV6, asksFor: asksFor)
        // Bouncers ask every ten seconds, as a rule.
        policy.patience["bouncers"] = 30
        return policy
    }
}

extension ConfigurationReader {
    func response(_ node: Node) throws(ConfigurationError) -> ResponseOptions {
        var options = ResponseOptions()
        let known = [
            "listen", "tls", "enforcers", "guard", "bouncers", "never_block", "budget_per_hour", "widest_ipv4", "widest_ipv6",
            "ask_for",
            "page_after_seconds",
        ]
        for (key, value) in try mapping(node, known: known) {
            switch key {
            case "listen": options.listen = try listenAddress(value)
            case "tls": options.tls = try tls(value)
            case "enforcers": for one in try list(value) { options.enforcers.append(try enforcer(one)) }
            case "guard": for one in try list(value) { options.applications.append(try application(one)) }
            case "bouncers": for one in try list(value) { options.bouncers.append(try bouncer(one)) }
            case "never_block": for one in try list(value) { options.neverBlock += try protected(one) }
            case "budget_per_hour": options.budgetPerHour = try number(value, 0...100_000)
            case "widest_ipv4": options.widestV4 = try number(value, 8...32)
            case "widest_ipv6": options.widestV6 = try number(value, 16...128)
            case "ask_for": options.asksFor = Set(try verbs(value))
            default: options.pageAfter = Int64(try number(value, 0...3_600))
            }
        }
        // What answers questions is an enforcer without being told so.
        if !options.applications.isEmpty, !options.enforcers.contains(.guard) { options.enforcers.append(.guard) }
        if !options.bouncers.isEmpty, !options.enforcers.contains(.bouncers) { options.enforcers.append(.bouncers) }
        let names = options.applications.map(\.name) + options.bouncers.map(\.name)
        guard Set(names).count == names.count else { throw error(node, "two applications or bouncers have the same name") }
        if !options.listen.isLoopback, options.tls == nil, !names.isEmpty {
            throw error(
                node,
                "\(options.listen.text) can be reached from other machines: give it 'tls' with 'certificate' and 'key', "
                    + "or listen on 127.0.0.1")
        }
        return options
    }

    private func list(_ node: Node) throws(ConfigurationError) -> [Node] {
        guard let sequence = node.sequence else { throw error(node, "a list is expected here") }
        return Array(sequence)
    }

    private func number(_ node: Node, _ range: ClosedRange<Int>) throws(ConfigurationError) -> Int {
        guard let number = node.int, range.contains(number) else {
            throw error(node, "a number from \(range.lowerBound) to \(range.upperBound) is expected here")
        }
        return number
    }

    private func verbs(_ node: Node) throws(ConfigurationError) -> [Lease.Verb] {
        var verbs: [Lease.Verb] = []
        for name in try texts(node) {
            guard let verb = Lease.Verb(rawValue: name) else {
                let names = Lease.Verb.allCases.map(\.rawValue)
                let nearest = NearestName.find(name, among: names).map { "; did you mean '\($0)'?" } ?? ""
                throw error(node, "'\(name)' is no verb\(nearest) (known: \(names.joined(separator: ", ")))")
            }
            verbs.append(verb)
        }
        return verbs
    }

    private func enforcer(_ node: Node) throws(ConfigurationError) -> ResponseOptions.EnforcerOption {
        guard node.mapping != nil else {
            switch try text(node) {
            case "nftables": return .nftables(table: "vigie", command: ["nft"])
            case "guard": return .guard
            case "bouncers": return .bouncers
            case let other:
                throw error(
                    node,
                    "'\(other)' alone is no enforcer: nftables, guard and bouncers are; nginx, caddy, systemd, docker and webhook "
                        + "need to be told more: {kind: nginx, file: …}")
            }
        }
        let keys = [
            "kind", "table", "command", "file", "check", "reload", "pid_file", "admin", "units", "socket", "containers", "url",
            "secret_file",
            "verbs",
        ]
        var fields: [String: Node] = [:]
        for (key, value) in try mapping(node, known: keys) { fields[key] = value }
        guard let kindNode = fields["kind"] else { throw error(node, "an enforcer needs a 'kind'") }
        func path(_ key: String) throws(ConfigurationError) -> String {
            guard let value = fields[key] else { throw error(node, "this enforcer needs '\(key)'") }
            return try text(value)
        }
        func words(_ key: String, _ otherwise: [String]) throws(ConfigurationError) -> [String] {
            guard let value = fields[key] else { return otherwise }
            return try texts(value)
        }
        let kind = try text(kindNode)
        switch kind {
        case "nftables":
            let table = if let value = fields["table"] { try text(value) } else { "vigie" }
            guard table.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }) else {
                throw error(node, "a table's name has small letters, digits and _")
            }
            return .nftables(table: table, command: try words("command", ["nft"]))
        case "nginx", "caddy":
            let server: DenyFileEnforcer.Server = kind == "nginx" ? .nginx : .caddy
            return .denyFile(
                .init(
                    server: server, file: try path("file"),
                    check: try words(
                        "check",
                        kind == "nginx" ? ["nginx", "-t", "-q"] : ["caddy", "validate", "--config", "/etc/caddy/Caddyfile"]),
                    reload: try words(
                        "reload",
                        kind == "nginx" ? ["nginx", "-s", "reload"] : ["caddy", "reload", "--config", "/etc/caddy/Caddyfile"]),
                    pidFile: kind == "nginx" ? fields["pid_file"]?.string ?? "/run/nginx.pid" : nil,
                    admin: kind == "caddy" ? fields["admin"]?.string ?? "http://127.0.0.1:2019" : nil))
        case "systemd": return .systemd(units: try words("units", []), command: try words("command", ["systemctl"]))
        case "docker":
            return .docker(
                socket: fields["socket"]?.string ?? "/run/docker.sock", containers: try words("containers", []))
        case "webhook":
            guard let value = fields["verbs"] else { throw error(node, "a webhook needs 'verbs': what it can do") }
            return .webhook(.init(url: try path("url"), secretFile: try path("secret_file"), verbs: Set(try verbs(value))))
        case "guard": return .guard
        case "bouncers": return .bouncers
        default:
            throw error(
                kindNode,
                "'\(kind)' is no enforcer (known: nftables, nginx, caddy, guard, bouncers, systemd, docker, webhook)")
        }
    }

    private func name(_ node: Node) throws(ConfigurationError) -> String {
        let name = try text(node)
        guard name != "platform", name.utf8.count <= 64,
            name.utf8.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F })
        else { throw error(node, "'\(name)' is no name: small letters, digits, - and _, and not 'platform', which means all") }
        return name
    }

    private func application(_ node: Node) throws(ConfigurationError) -> ResponseOptions.GuardedApplication {
        var application = ResponseOptions.GuardedApplication(name: "", keyFile: "", url: "", readBackKeyFile: "")
        for (key, value) in try mapping(node, known: ["name", "key_file", "url", "read_back_key_file"]) {
            switch key {
            case "name": application.name = try name(value)
            case "key_file": application.keyFile = try text(value)
            case "url": application.url = try text(value)
            default: application.readBackKeyFile = try text(value)
            }
        }
        guard !application.name.isEmpty, !application.keyFile.isEmpty, !application.readBackKeyFile.isEmpty,
            ["http://", "https://", "unix:/"].contains(where: { application.url.hasPrefix($0) })
        else {
            throw error(
                node,
                "an application needs 'name', 'key_file', 'url' (http://, https:// or unix:/) and 'read_back_key_file': what "
                    + "cannot be read back is not in force")
        }
        return application
    }

    private func bouncer(_ node: Node) throws(ConfigurationError) -> ResponseOptions.Bouncer {
        var bouncer = ResponseOptions.Bouncer(name: "", keyFile: "")
        for (key, value) in try mapping(node, known: ["name", "key_file", "nft_sets"]) {
            switch key {
            case "name": bouncer.name = try name(value)
            case "key_file": bouncer.keyFile = try text(value)
            default: bouncer.sets = try texts(value)
            }
        }
        guard !bouncer.name.isEmpty, !bouncer.keyFile.isEmpty else { throw error(node, "a bouncer needs 'name' and 'key_file'") }
        for set in bouncer.sets where set.split(separator: " ").count != 3 {
            throw error(node, "'\(set)' is no set of nftables: write family, table and name: ip crowdsec crowdsec-blacklists")
        }
        return bouncer
    }

    private func protected(_ node: Node) throws(ConfigurationError) -> [LeasePolicy.Protected] {
        guard node.mapping != nil else {
            return try addressBlocks(node).map { .init($0, owner: "the never-block list") }
        }
        var (blocks, owner): ([AddressBlock], String) = ([], "the never-block list")
        for (key, value) in try mapping(node, known: ["address", "owner"]) {
            if key == "owner" { owner = try text(value) } else { blocks = try addressBlocks(value) }
        }
        guard !blocks.isEmpty else { throw error(node, "'address' is missing") }
        return blocks.map { .init($0, owner: owner) }
    }
}
