import ArgumentParser
import Foundation
import Incidents
import Server

/// Where a command finds the policies: the same ones as the server, if it is told of the same configuration.
struct PolicyOptions: ParsableArguments {
    @Option(help: "The folder of policies. Default: what --config says, else policies.")
    var policies: String?

    @Option(help: "The server's configuration file, for the folder of policies that it names.")
    var config: String?

    func load() throws -> Policies {
        if let policies { return try PolicyFolder.load(policies) }
        guard let config else { return try PolicyFolder.load(nil) }
        guard let text = try? String(contentsOfFile: config, encoding: .utf8) else {
            throw CommandFailure(.usage, "the configuration \(config) cannot be read; check its path and permissions")
        }
        return try PolicyFolder.load(try Configuration(parsing: text, file: config).policies)
    }
}
