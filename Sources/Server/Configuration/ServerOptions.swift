package import Events
import Foundation
package import Identity
package import Ingest
import Journal

/// Everything a running server needs to know, resolved: defaults filled in, paths final.
package struct ServerOptions: Sendable, Equatable {
    package var dataFolder: String
    package var rules: [String]
    package var sources: [SourceOption]
    /// Rule files are looked at every second. Tests that reload by themselves switch it off.
    package var followsFiles = true
    /// The folder of policy files; `nil` takes the standard one, if it is there. Without any, there are no clocks and no escalation.
    package var policies: String?
    /// Folders of playbooks: those that come with Vigie or were written here, and those that others wrote.
    package var playbooks = ["playbooks"]
    package var outsidePlaybooks: [String] = []
    /// Follow what journald keeps about sign-ins, too.
    package var followsJournald = false
    /// Loopback unless somebody decides otherwise.
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    /// Further names under which browsers reach the console.
    package var hosts: Set<String>
    package var isBehindTLS: Bool
    /// Who has to have a second factor.
    package var secondFactorRoles: Set<Role> = []
    /// A reverse proxy on this machine says in `X-Forwarded-For` who asks the console.
    package var isBehindProxy = false
    /// Whom people sign in through, besides accounts with a password.
    package var provider: ProviderOptions?
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: [AddressBlock] = []
    package var archive = ArchiveOptions()
    /// What listens for logs.
    package var receivers = ReceiverOptions()
    /// What contains, and how much of it without asking.
    package var response = ResponseOptions()

    /// Logs of the system whose ends are sealed with every incident, where they are there and can be read.
    package var systemLogs = [
        "/var/log/syslog", "/var/log/messages", "/var/log/auth.log", "/var/log/secure", "/var/log/kern.log",
    ]
    /// Folders where attackers may put files: those that changed lately are sealed with every incident, as suspicious.
    package var uploadFolders: [String] = []

    package static let defaultHost = "127.0.0.1"
    package static let defaultPort = 8630

    package init(
        dataFolder: String = "data", rules: [String] = ["rules"], sources: [SourceOption] = [],
        host: String = ServerOptions.defaultHost,
        port: Int = ServerOptions.defaultPort, hosts: Set<String> = [], isBehindTLS: Bool = false
    ) {
        self.dataFolder = dataFolder
        self.rules = rules
        self.sources = sources
        self.host = host
        self.port = port
        self.hosts = hosts
        self.isBehindTLS = isBehindTLS
    }
}

extension ServerOptions {
    /// What the journal and sealed evidence say about the options; paths and names, no secrets.
    var record: JSONValue {
        [
            "data": .string(dataFolder), "rules": .array(rules.map { .string($0) }),
            "policies": .string(policies ?? PolicyFolder.standard), "playbooks": .array(playbooks.map { .string($0) }),
            "playbooks_from_outside": .array(outsidePlaybooks.map { .string($0) }),
            "sources": .array(
                sources.map {
                    ["path": .string($0.path), "format": .string($0.format.rawValue), "backlog": .bool($0.readsBacklog)]
                }),
            "journald": .bool(followsJournald), "host": .string(host), "port": .integer(Int64(port)),
            "hosts": .array(hosts.sorted().map { .string($0) }), "behind_tls": .bool(isBehindTLS),
            "second_factor": .array(secondFactorRoles.map(\.rawValue).sorted().map { .string($0) }),
            "behind_proxy": .bool(isBehindProxy), "openid": provider?.record ?? .null, "archive": archive.record,
            "receivers": receivers.record,
            "trusted_proxies": .array(trustedProxies.map { .string("\($0)") }),
            "system_logs": .array(systemLogs.map { .string($0) }), "upload_folders": .array(uploadFolders.map { .string($0) }),
        ]
    }
}

extension ServerOptions {
    /// What the provider has to allow as the address to return to.
    package var providerReturnAddresses: [String] {
        let path = "/sign-in/provider/return"
        guard isBehindTLS else { return ["localhost", "127.0.0.1"].map { "http://\($0):\(port)\(path)" } }
        return hosts.sorted().map { "https://\($0)\(path)" }
    }
}

extension ProviderOptions {
    /// Without the secret, or where it is.
    fileprivate var record: JSONValue {
        [
            "issuer": .string(openID.issuer.text), "client_id": .string(openID.clientID),
            "scopes": .array(openID.scopes.map { .string($0) }), "name_claim": .string(openID.nameClaim),
            "roles_claim": .string(openID.rolesClaim), "roles": .object(openID.roles.mapValues { .string($0.rawValue) }),
            "second_factor_acr": .array(openID.strongContexts.sorted().map { .string($0) }),
        ]
    }
}

/// A log to watch.
package struct SourceOption: Sendable, Equatable, Hashable {
    package var path: String
    package var format: LogFormat
    /// At the first start, what rotation has left of it is read, too, before it.
    package var readsBacklog: Bool

    package init(path: String, format: LogFormat = .auto, readsBacklog: Bool = true) {
        self.path = path
        self.format = format
        self.readsBacklog = readsBacklog
    }

    /// Positions are kept by path: it must be the same from whatever folder the server is started.
    static func followedPath(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    /// Each log once, whatever way its path is written: read twice, every line of it would count twice.
    static func each(_ sources: [SourceOption]) -> [SourceOption] {
        var seen: Set<String> = []
        return sources.compactMap { source in
            let path = followedPath(source.path)
            return seen.insert(path).inserted
                ? SourceOption(path: path, format: source.format, readsBacklog: source.readsBacklog) : nil
        }
    }
}
