package import ArgumentParser

/// `vigie`: what every subcommand hangs from.
package struct VigieCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "vigie",
        abstract: "The watch and the incident response for web platforms that people host themselves.",
        discussion: """
            Exit codes: 0 fine (also when `detect` found something), 1 the thing checked failed,
            2 usage or configuration error, 3 not reachable.
            """,
        version: VigieVersion.text,
        subcommands: [
            ServeCommand.self, DetectCommand.self, RulesCommand.self, IncidentsCommand.self, LeaseCommand.self,
            SilencesCommand.self,
            EscalationCommand.self,
            EvidenceCommand.self, JournalCommand.self, ArchiveCommand.self, UserCommand.self, TokenCommand.self,
            ConfigCommand.self, CheckCommand.self,
            RespondCommand.self, IntakeCommand.self,
        ]
    )

    package init() {}
}

/// The one place that knows the version.
package enum VigieVersion {
    package static let text = "0.1.0"
}
