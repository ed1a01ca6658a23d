import ArgumentParser

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check parts of a deployment.",
        subcommands: [CheckSources.self, CheckPolicies.self, CheckProvider.self])
}
