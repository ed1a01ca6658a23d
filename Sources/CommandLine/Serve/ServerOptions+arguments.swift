import Foundation
import Server

extension ServerOptions {
    /// Command line over configuration file over defaults; without any log, those that this machine usually has.
    ///
    /// Never inlined: the optimiser of Swift 6.3.1 crashes when it splits a command's `run` with this inside.
    @inline(never)
    static func resolved(config: String?, data: String?, rules: [String], logs: [String]) async throws -> ServerOptions {
        var options = ServerOptions()
        if let config {
            guard let text = try? String(contentsOfFile: config, encoding: .utf8) else {
                throw CommandFailure(.usage, "the configuration \(config) cannot be read; check its path and permissions")
            }
            options.apply(try Configuration(parsing: text, file: config))
        }
        if let data { options.dataFolder = data }
        if !rules.isEmpty { options.rules = rules }
        if !logs.isEmpty { options.sources = try logs.map(SourceArgument.parse) }
        if options.sources.isEmpty {
            options.sources = HostLogs.readable()
            // Where sshd logs to a file as well, journald would say everything twice.
            if !HostLogs.hasAuthenticationLog { options.followsJournald = await JournaldSpool.isReadable() }
        }
        return options
    }
}
