import ArgumentParser
import Journal
import Server

struct LeaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lease", abstract: "Contain somebody or something, for a time, and see that it holds.",
        discussion: """
            A running server carries it out: what nobody would lift is not applied.
            `vigie lease preview` says whom a lease would have met within the last day.

              vigie lease apply block_address 203.0.113.9 --for 1h --incident SEC-2026-0001 --reason 'guesses passwords'
            """,
        subcommands: [
            LeaseList.self, LeasePreviewCommand.self, LeaseApply.self, LeaseApprove.self, LeaseUndo.self, LeaseProof.self,
            LeaseProbed.self,
        ])
}

/// What every order about leases is given with.
typealias LeaseOptions = ServerOrderOptions<LeaseOrders>

extension LeaseOptions {
    /// One lease, as it stands now.
    func show(_ lease: JSONValue) {
        Output.line(json ? lease.description : LeaseText.line(lease))
    }
}

struct LeaseList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Show leases, the newest first.")

    @Option(help: "Only those of this incident.")
    var incident: String?

    @Flag(help: "Also those that are refused, or lifted.")
    var all = false

    @OptionGroup var options: LeaseOptions

    func run() async throws {
        let answer = try await options.ask(
            "list", ["incident": .string(incident?.uppercased() ?? ""), "all": .string(all ? "true" : "false")])
        if options.json { return Output.line(answer.description) }
        let leases = answer["leases"]?.arrayValue ?? []
        for lease in leases { Output.line(LeaseText.line(lease)) }
        if leases.isEmpty { Output.note("Nothing is contained.") }
    }
}

/// What is ordered, for `preview` and `apply`.
struct LeaseArguments: ParsableArguments {
    @Argument(help: "What to do: block_address, disable_account, revoke_token, maintenance, …")
    var verb: String

    @Argument(help: "An address or a network, an account, a token, a path, an object; nothing for revoke_everyone.")
    var target: String = ""

    @Option(help: "platform, or the name of one application.")
    var scope = "platform"

    @Option(help: "Which enforcer; by default the first one configured that can do it.")
    var enforcer = ""

    @Option(help: "What the verb needs besides: requests=10, seconds=60, method=POST, retry_after=600, before=TIME.")
    var with: [String] = []

    func fields() throws -> [String: JSONValue] {
        var parameters: [String: JSONValue] = [:]
        for text in with {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw CommandFailure(.usage, "'\(text)' is not NAME=VALUE") }
            parameters[parts[0]] = .string(parts[1])
        }
        return [
            "verb": .string(verb), "target": .string(target), "scope": .string(scope), "enforcer": .string(enforcer),
            "parameters": .object(parameters),
        ]
    }
}

struct LeasePreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: "Show whom a lease would have met within the last day; nothing is done.")

    @OptionGroup var order: LeaseArguments
    @OptionGroup var options: LeaseOptions

    func run() async throws {
        var fields = try order.fields()
        fields["duration"] = "1h"
        let answer = try await options.ask("preview", fields)
        if options.json { return Output.line(answer.description) }
        for line in LeaseText.preview(answer) { Output.line(line) }
    }
}

struct LeaseApply: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Order a lease, and wait until it stands still.")

    @OptionGroup var order: LeaseArguments

    @Option(name: .customLong("for"), help: "For how long: 30m, 1h, 7d.")
    var duration: String

    @Option(help: "The incident it belongs to: SEC-2026-0001.")
    var incident: String

    @Option(help: "Why.")
    var reason: String

    @OptionGroup var options: LeaseOptions

    func run() async throws {
        var fields = try order.fields()
        fields["duration"] = .string(duration)
        fields["incident"] = .string(incident.uppercased())
        fields["reason"] = .string(reason)
        let lease = try await options.ask("apply", fields)
        options.show(lease)
        if lease["phase"]?.stringValue == "not_in_force" { throw ExitCode(CommandFailure.Code.failed.rawValue) }
    }
}

struct LeaseApprove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "Consent to a lease that waits for a person.")

    @Argument(help: "The lease.")
    var id: String

    @OptionGroup var options: LeaseOptions

    func run() async throws { options.show(try await options.ask("approve", ["lease": .string(id)])) }
}

struct LeaseUndo: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "undo", abstract: "End a lease before its time.")

    @Argument(help: "The lease.")
    var id: String

    @Option(help: "Why.")
    var reason = ""

    @OptionGroup var options: LeaseOptions

    func run() async throws {
        options.show(try await options.ask("undo", ["lease": .string(id), "reason": .string(reason)]))
    }
}

struct LeaseProof: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proof", abstract: "Read a lease back now, and show what is proven: nothing stronger than was achieved.")

    @Argument(help: "The lease.")
    var id: String

    @OptionGroup var options: LeaseOptions

    func run() async throws {
        let lease = try await options.ask("proof", ["lease": .string(id)])
        options.show(lease)
        let phase = lease["phase"]?.stringValue
        let isProven = phase == "in_force" || phase == "lifted" && lease["lift_proven"]?.boolValue == true
        if !isProven { throw ExitCode(CommandFailure.Code.failed.rawValue) }
    }
}

struct LeaseProbed: AsyncParsableCommand {
    enum Outcome: String, ExpressibleByArgument, CaseIterable {
        case refused, served
    }

    static let configuration = CommandConfiguration(
        commandName: "probed",
        abstract: "Tell what came of trying from that very address, or as that very account: in tests and drills only.",
        discussion: "A probe that was served means that the lease is not in force, whatever its enforcer says.")

    @Argument(help: "The lease.")
    var id: String

    @Argument(help: "refused or served.")
    var outcome: Outcome

    @OptionGroup var options: LeaseOptions

    func run() async throws {
        options.show(try await options.ask("probed", ["lease": .string(id), "outcome": .string(outcome.rawValue)]))
    }
}
