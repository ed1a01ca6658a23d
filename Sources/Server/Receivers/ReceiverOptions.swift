package import Events
package import Ingest
import Journal

/// What listens for logs, as the configuration's `receivers` says; nothing by default.
package struct ReceiverOptions: Sendable, Equatable {
    package var http: [HTTPReceiverOptions] = []
    package var syslog: [SyslogReceiverOptions] = []

    package init() {}

    var isEmpty: Bool { http.isEmpty && syslog.isEmpty }

    /// What the journal says about them; of tokens only how many there are.
    var record: JSONValue {
        [
            "http": .array(
                http.map { http in
                    [
                        "listen": .string(http.listen.text), "tls": http.tls?.record ?? .null,
                        "tokens": .integer(Int64(http.tokens.count)), "account_tokens": .bool(http.takesAccountTokens),
                        "format": .string(http.format.rawValue), "proxy_protocol": record(http.proxies),
                        "limits": http.limits.record,
                    ]
                }),
            "syslog": .array(
                syslog.map { syslog in
                    [
                        "listen": .string(syslog.listen.text), "transport": .string(syslog.transport.rawValue),
                        "tls": syslog.tls?.record ?? .null, "format": .string(syslog.format.rawValue),
                        "proxy_protocol": record(syslog.proxies), "limits": syslog.limits.record,
                    ]
                }),
        ]
    }

    private func record(_ proxies: [AddressBlock]) -> JSONValue { .array(proxies.map { .string("\($0)") }) }
}

extension ReceiverTLSOptions {
    fileprivate var record: JSONValue {
        [
            "certificate": .string(certificate), "key": .string(key),
            "client_authority": clientAuthority.map { .string($0) } ?? .null,
        ]
    }
}

extension ReceiverLimits {
    fileprivate var record: JSONValue {
        [
            "events_per_second": .integer(Int64(eventsPerSecond)), "connections": .integer(Int64(connections)),
            "connections_per_address": .integer(Int64(connectionShare)),
            "backlog_bytes": .integer(Int64(backlogBytes)), "body_bytes": .integer(Int64(bodyBytes)),
            "decompressed_bytes": .integer(Int64(decompressedBytes)),
        ]
    }
}

/// One port that speaks HTTP: Loki, OpenTelemetry, NDJSON, Alertmanager, PagerDuty and journald's upload, each under its own path.
package struct HTTPReceiverOptions: Sendable, Equatable {
    package var listen: ListenAddress
    package var tls: ReceiverTLSOptions?
    /// Proxies of connections, which say in a PROXY header whose connection it is.
    package var proxies: [AddressBlock] = []
    /// SHA-256 of each token that opens it, in hexadecimal.
    package var tokens: [String] = []
    /// API tokens of accounts with the scope `ingest` open it, too.
    package var takesAccountTokens = false
    /// Of lines whose sender names no format.
    package var format = LogFormat.auto
    package var limits = ReceiverLimits()
    var patience = ReceiverPatience()

    package init(listen: ListenAddress) { self.listen = listen }

    /// Whether nobody gets in without one.
    var asksForToken: Bool { !tokens.isEmpty || takesAccountTokens }
}

package struct SyslogReceiverOptions: Sendable, Equatable {
    package enum Transport: String, Sendable, CaseIterable {
        case udp, tcp, tls
    }

    package var listen: ListenAddress
    package var transport: Transport
    package var tls: ReceiverTLSOptions?
    /// Proxies of connections, which say in a PROXY header whose connection it is.
    package var proxies: [AddressBlock] = []
    package var format = LogFormat.auto
    package var limits = ReceiverLimits()
    var patience = ReceiverPatience()

    package init(listen: ListenAddress, transport: Transport) {
        self.listen = listen
        self.transport = transport
    }
}

/// PEM files.
package struct ReceiverTLSOptions: Sendable, Equatable {
    package var certificate: String
    package var key: String
    /// Whose client certificates are let in; then nobody is let in without one.
    package var clientAuthority: String?

    package init(certificate: String, key: String, clientAuthority: String? = nil) {
        self.certificate = certificate
        self.key = key
        self.clientAuthority = clientAuthority
    }
}

/// What one receiver takes at most.
package struct ReceiverLimits: Sendable, Equatable {
    /// Events a second, over a few seconds.
    package var eventsPerSecond = 50_000
    package var connections = 256
    /// Connections of one address; `nil` for half of all.
    package var connectionsPerAddress: Int?
    /// Bytes that detection has not read yet, of one protocol. Beyond them senders are told to wait.
    package var backlogBytes = 256 << 20
    /// Of one body as it is sent.
    package var bodyBytes = 8 << 20
    /// Of one body when it is decompressed.
    package var decompressedBytes = 16 << 20

    package init() {}

    /// Connections that one address may have.
    var connectionShare: Int { connectionsPerAddress ?? (connections + 1) / 2 }
}

/// How long a connection may hold its place without getting on. What users set are limits of amounts: these are no choice of theirs, and
/// variable for tests only.
struct ReceiverPatience: Sendable, Equatable {
    /// From a connection's beginning until its TLS handshake has finished.
    var handshake = Duration.seconds(15)
    /// From a connection's beginning, or the first byte of a further request, until its headers are whole.
    var headers = Duration.seconds(15)
    /// From an answer that did not wait for a body until that body has ended.
    var rest = Duration.seconds(5)
    /// Without anything between requests, or while one arrives.
    var idle = Duration.seconds(60)
    /// From a connection's beginning until its PROXY header is whole, where one has to come: a proxy sends it at once.
    var proxyHeader = Duration.seconds(10)
    /// From the beginning of a message of syslog until its end.
    var message = Duration.seconds(60)
    var entry = EntryPace()
}

extension ListenAddress {
    /// Whether nothing outside this machine can reach it. A name that only begins like such an address may be anybody's.
    package var isLoopback: Bool { host == "localhost" || IPAddress(host)?.isLoopback == true }

    package var text: String { (host.contains(":") ? "[\(host)]" : host) + ":\(port)" }
}
