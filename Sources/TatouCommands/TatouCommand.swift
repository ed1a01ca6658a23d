package import ArgumentParser
import Foundation

/// `tatou`: what every subcommand hangs from.
package struct TatouCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tatou",
        abstract: "Keeps PDF documents, and makes copies of them that name whom they were made for.",
        discussion: "Exit codes: 0 fine, 1 what was checked failed, 2 bad usage or configuration.",
        subcommands: [ServeCommand.self, AccountsCommand.self, CanaryCommand.self]
    )

    package init() {}

    /// Parses the arguments, runs the command, and turns whatever went wrong into one message and an exit code.
    package static func start(_ arguments: [String]? = nil) async {
        do {
            var command = try parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Output.note("tatou: \(failure.description)")
            Foundation.exit(failure.code)
        } catch {
            let code = exitCode(for: error)
            let isUsage = error is CleanExit || code != .failure
            let text = isUsage ? fullMessage(for: error) : "tatou: \(error)"
            if code == .success { Output.line(text) } else { Output.note(text) }
            Foundation.exit(code == .success ? 0 : 2)
        }
    }
}

/// What a command could not do.
struct CommandFailure: Error, CustomStringConvertible {
    var description: String
    var code: Int32 = 2
}

enum Output {
    static func line(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
    static func note(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
