package import Ingest

/// Everything a running server needs to know, resolved: defaults filled in, paths final.
package struct ServerOptions: Sendable, Equatable {
    package var dataFolder: String
    package var rules: [String]
    package var sources: [SourceOption]
    /// Loopback unless somebody decides otherwise.
    package var host: String
    /// 0 takes any free port.
    package var port: Int
    /// Further names under which browsers reach the console.
    package var hosts: Set<String>
    package var isBehindTLS: Bool

    package static let defaultHost = "127.0.0.1"
    package static let defaultPort = 8630

    package init(
        dataFolder: String = "data", rules: [String] = ["rules"], sources: [SourceOption] = [], host: String = ServerOptions.defaultHost,
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

/// A log to watch.
package struct SourceOption: Sendable, Equatable, Hashable {
    package var path: String
    package var format: LogFormat

    package init(path: String, format: LogFormat = .auto) {
        self.path = path
        self.format = format
    }
}
