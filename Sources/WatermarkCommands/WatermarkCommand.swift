package import ArgumentParser
import Foundation
import Watermark

/// `tatou-wm`: what every subcommand hangs from.
package struct WatermarkCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "tatou-wm",
        abstract: "Marks copies of PDF documents, and traces leaks to the copy they come from.",
        discussion: "Exit codes: 0 fine, 2 bad input or usage, 3 nothing found, 4 wrong key, 5 anything else.",
        subcommands: [
            MethodsCommand.self, ExploreCommand.self, EmbedCommand.self, ExtractCommand.self, TraceCommand.self,
        ]
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
        } catch let error as WatermarkError {
            Output.note("tatou-wm: \(error)")
            Foundation.exit(error.code.rawValue)
        } catch {
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            Output.write(text.isEmpty ? "" : text + "\n", to: code == .success ? .standardOutput : .standardError)
            Foundation.exit(code == .success ? 0 : 2)
        }
    }
}
