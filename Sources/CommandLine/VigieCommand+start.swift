import ArgumentParser
import Evidence
import Foundation
import Incidents
import Journal
import Server
import Storage

extension VigieCommand {
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
            Output.note("vigie: \(failure.message)")
            Foundation.exit(failure.code.rawValue)
        } catch let error as any Explained {
            Output.note("vigie: \(error)")
            Foundation.exit(error.exitCode.rawValue)
        } catch {
            let code = exitCode(for: error)
            // ArgumentParser's own code for a usage error is 64; ours is 2 for every such mistake.
            let text = fullMessage(for: error)
            Output.write(text.isEmpty ? "" : text + "\n", to: code == .success ? .standardOutput : .standardError)
            Foundation.exit(code == .success ? 0 : 2)
        }
    }
}

/// Errors that say in their own words what happened, to what, and what to do.
private protocol Explained: Error, CustomStringConvertible {
    var exitCode: CommandFailure.Code { get }
}

extension ServerError: Explained {
    var exitCode: CommandFailure.Code { [.address, .dataFolder, .sources].contains(code) ? .usage : .failed }
}

extension ConfigurationError: Explained {
    var exitCode: CommandFailure.Code { .usage }
}

extension PolicyError: Explained {
    var exitCode: CommandFailure.Code { .usage }
}

extension StorageError: Explained {
    var exitCode: CommandFailure.Code { .failed }
}

extension EvidenceError: Explained {
    var exitCode: CommandFailure.Code { .failed }
}

extension NoteError: Explained {
    var exitCode: CommandFailure.Code { .failed }
}

extension JournalError: Explained {
    var exitCode: CommandFailure.Code { .failed }
}
