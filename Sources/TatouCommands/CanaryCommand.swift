import ArgumentParser
import Tatou

struct CanaryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "canary", abstract: "Checks the canary file, or makes a new one.",
        discussion: "A file that nobody has a reason to open. Its content is never shown.",
        subcommands: [Check.self, Regenerate.self])

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: "Compares the file with its digest. A running server logs this as an access.")

        @OptionGroup var folder: DataOptions
        @Option(help: "Where the file stands.") var canary: String?
        @Flag(help: "Permissions wider than the owner's fail, too.") var strict = false

        func run() throws {
            let canary = Canary(options: folder.canary(path: canary, isStrict: strict))
            guard canary.exists else {
                throw CommandFailure(description: "there is no canary yet; `tatou canary regenerate` makes one")
            }
            switch try canary.state() {
            case .intact: Output.line("intact")
            case .changed, .replaced: throw CommandFailure(description: "the canary is not what it was", code: 1)
            case .missing: throw CommandFailure(description: "the canary is missing", code: 1)
            case .exposed: throw CommandFailure(description: "others than its owner may read the canary", code: 1)
            }
        }
    }

    struct Regenerate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "regenerate", abstract: "Writes a new canary; a running server logs that the old one is gone.")

        @OptionGroup var folder: DataOptions
        @Option(help: "Where the file stands.") var canary: String?

        func run() throws {
            try Canary(options: folder.canary(path: canary, isStrict: false)).regenerate()
            Output.line("a new canary was written")
        }
    }
}
