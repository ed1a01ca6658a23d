import Events
import Ingest
import Yams

/// The section `receivers` of the configuration.
extension ConfigurationReader {
    func receivers(_ node: Node) throws(ConfigurationError) -> ReceiverOptions {
        var options = ReceiverOptions()
        for (key, value) in try mapping(node, known: ["http", "syslog"]) {
            for one in value.sequence.map(Array.init) ?? [value] {
                if key == "http" { options.http.append(try http(one)) } else { options.syslog.append(try syslog(one)) }
            }
        }
        return options
    }

    private func http(_ node: Node) throws(ConfigurationError) -> HTTPReceiverOptions {
        var options = HTTPReceiverOptions(listen: ListenAddress(host: ServerOptions.defaultHost, port: 8631))
        for (key, value) in try mapping(node, known: ["listen", "tls", "proxy_protocol", "tokens", "format", "limits"]) {
            switch key {
            case "listen": options.listen = try listenAddress(value)
            case "tls": options.tls = try tls(value)
            case "proxy_protocol": options.proxies = try addressBlocks(value)
            case "tokens": (options.tokens, options.takesAccountTokens) = try tokens(value)
            case "format": options.format = try format(value)
            default: options.limits = try limits(value)
            }
        }
        let isAuthenticated = options.asksForToken || options.tls?.clientAuthority != nil
        if !options.listen.isLoopback, options.tls == nil || !isAuthenticated {
            throw error(
                node,
                "\(options.listen.text) can be reached from other machines: give it 'tls' with 'certificate' and 'key', and 'tokens' or "
                    + "'client_authority'; or listen on 127.0.0.1")
        }
        return options
    }

    private func syslog(_ node: Node) throws(ConfigurationError) -> SyslogReceiverOptions {
        var listen = ListenAddress(host: ServerOptions.defaultHost, port: 5514)
        var transport: SyslogReceiverOptions.Transport?
        var tlsOptions: ReceiverTLSOptions?
        var options = SyslogReceiverOptions(listen: listen, transport: .udp)
        for (key, value) in try mapping(node, known: ["listen", "transport", "tls", "proxy_protocol", "format", "limits"]) {
            switch key {
            case "listen": listen = try listenAddress(value)
            case "transport":
                let name = try text(value)
                transport = SyslogReceiverOptions.Transport(rawValue: name)
                if transport == nil { throw error(value, "'\(name)' is no transport of syslog: udp, tcp and tls are") }
            case "tls": tlsOptions = try tls(value)
            case "proxy_protocol": options.proxies = try addressBlocks(value)
            case "format": options.format = try format(value)
            default: options.limits = try limits(value)
            }
        }
        options.listen = listen
        options.tls = tlsOptions
        options.transport = transport ?? (tlsOptions == nil ? .udp : .tls)
        guard (options.transport == .tls) == (tlsOptions != nil) else {
            throw error(node, "the transport 'tls' goes with 'tls: {certificate: …, key: …}', and no other does")
        }
        guard options.transport != .udp || options.proxies.isEmpty else {
            throw error(node, "datagrams have no PROXY header; 'proxy_protocol' goes with the transports tcp and tls")
        }
        if !listen.isLoopback, tlsOptions?.clientAuthority == nil {
            throw error(
                node,
                "\(listen.text) can be reached from other machines: syslog knows no tokens, so it takes 'tls' with 'client_authority' "
                    + "there; or listen on 127.0.0.1")
        }
        return options
    }

    func tls(_ node: Node) throws(ConfigurationError) -> ReceiverTLSOptions {
        var options = ReceiverTLSOptions(certificate: "", key: "")
        for (key, value) in try mapping(node, known: ["certificate", "key", "client_authority"]) {
            switch key {
            case "certificate": options.certificate = try text(value)
            case "key": options.key = try text(value)
            default: options.clientAuthority = try text(value)
            }
        }
        guard !options.certificate.isEmpty, !options.key.isEmpty else {
            throw error(node, "'tls' needs 'certificate' and 'key', PEM files both")
        }
        return options
    }

    /// Digests, not tokens: whoever reads the file cannot send. `accounts` stands for the API tokens that may hand in logs.
    private func tokens(_ node: Node) throws(ConfigurationError) -> (digests: [String], accounts: Bool) {
        var tokens: [String] = []
        var accounts = false
        for text in try texts(node) {
            if text == "accounts" {
                accounts = true
                continue
            }
            let digest = text.hasPrefix("sha256:") ? text.dropFirst(7).lowercased() : ""
            guard digest.utf8.count == 64, digest.utf8.allSatisfy({ $0 &- 0x30 <= 9 || $0 &- 0x61 <= 5 }) else {
                throw error(
                    node,
                    "a token is written as 'sha256:' and its digest: printf %s TOKEN | sha256sum; 'accounts' takes those of accounts"
                )
            }
            tokens.append(digest)
        }
        return (tokens, accounts)
    }

    private func limits(_ node: Node) throws(ConfigurationError) -> ReceiverLimits {
        var limits = ReceiverLimits()
        let keys = ["events_per_second", "connections", "connections_per_address", "backlog_mib", "body_mib", "decompressed_mib"]
        for (key, value) in try mapping(node, known: keys) {
            guard let number = value.int, (1...1_000_000).contains(number) else {
                throw error(value, "'\(key)' is a whole number from 1 to 1000000")
            }
            switch key {
            case "events_per_second": limits.eventsPerSecond = number
            case "connections": limits.connections = number
            case "connections_per_address": limits.connectionsPerAddress = number
            case "backlog_mib": limits.backlogBytes = min(number, 1 << 20) << 20
            case "body_mib": limits.bodyBytes = min(number, 1024) << 20
            default: limits.decompressedBytes = min(number, 1024) << 20
            }
        }
        return limits
    }
}
