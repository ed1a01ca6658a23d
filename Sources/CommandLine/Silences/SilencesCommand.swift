import ArgumentParser
import Journal
import Server

struct SilencesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "silences", abstract: "Say what findings alarm nobody, until when, and why.",
        discussion: """
            A silence says "we know of it", an exception says "this is no attack".
            What they take stays in the journal, opens no incident, pages nobody,
            and starts nothing by itself. A running server carries it out.
            `vigie silences preview` says what one would have taken within a day.

              vigie silences add --address 192.0.2.7 --for 4h --reason 'our scan'
              vigie silences add --exception --rule ID --account backup --for 180d \\
                --reason 'the backup reads every document'
            """,
        subcommands: [SilencesList.self, SilencesPreview.self, SilencesAdd.self, SilencesEnd.self])
}

/// What every order about silences is given with.
typealias SilenceOptions = ServerOrderOptions<SilenceSpool>

extension SilenceOptions {
    func show(_ silence: JSONValue) {
        Output.line(json ? silence.description : SilenceText.line(silence))
    }
}

struct SilencesList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show silences and exceptions that are in force, the newest first.")

    @Flag(help: "Also those that have ended or expired.")
    var all = false

    @OptionGroup var options: SilenceOptions

    func run() async throws {
        let answer = try await options.ask("list", ["all": .string(all ? "true" : "false")])
        if options.json { return Output.line(answer.description) }
        let silences = answer["silences"]?.arrayValue ?? []
        for silence in silences { Output.line(SilenceText.line(silence)) }
        if silences.isEmpty { Output.note("Nothing is silenced.") }
    }
}

/// What is to be silenced, for `preview` and `add`. All that is given has to match.
struct SilenceArguments: ParsableArguments {
    @Flag(help: "An exception: what it takes is no attack.")
    var exception = false

    @Option(help: "A rule, by its id.")
    var rule: String?

    @Option(help: "An address or a network, of IPv6 a /64 or larger; may be given several times.")
    var address: [String] = []

    @Option(help: "An account, letter by letter.")
    var account: String?

    @Option(help: "A text that stands in every log line of the finding: a path, a user agent.")
    var line: String?

    @Option(help: "The incident that it comes of: SEC-2026-0001.")
    var incident: String?

    func fields(for duration: String, reason: String) -> [String: JSONValue] {
        var fields: [String: JSONValue] = [
            "kind": exception ? "exception" : "silence", "for": .string(duration), "reason": .string(reason),
        ]
        if !address.isEmpty { fields["address"] = .string(address.joined(separator: " ")) }
        for (name, text) in [("rule", rule), ("account", account), ("line", line), ("incident", incident)] {
            fields[name] = text.map { .string($0) }
        }
        return fields
    }
}

struct SilencesPreview: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Show what a silence would have taken within the last day; nothing is done.")

    @OptionGroup var silence: SilenceArguments
    @OptionGroup var options: SilenceOptions

    func run() async throws {
        let answer = try await options.ask("preview", silence.fields(for: "1h", reason: "preview"))
        if options.json { return Output.line(answer.description) }
        for line in SilenceText.preview(answer) { Output.line(line) }
    }
}

struct SilencesAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Put a silence or an exception in force.",
        discussion: "A silence lasts for 90 days at most, an exception for 365: renewed on purpose, or over.")

    @OptionGroup var silence: SilenceArguments

    @Option(name: .customLong("for"), help: "For how long: 30m, 4h, 7d.")
    var duration: String

    @Option(help: "Why.")
    var reason: String

    @OptionGroup var options: SilenceOptions

    func run() async throws { options.show(try await options.ask("add", silence.fields(for: duration, reason: reason))) }
}

struct SilencesEnd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "end", abstract: "End one before its time.")

    @Argument(help: "The silence: S-1.")
    var id: String

    @Option(help: "Why.")
    var reason: String

    @OptionGroup var options: SilenceOptions

    func run() async throws {
        options.show(try await options.ask("end", ["silence": .string(id.uppercased()), "reason": .string(reason)]))
    }
}
