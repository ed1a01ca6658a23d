import ArgumentParser
import Events
import Foundation
import Identity
import Journal
import Server

struct CheckProvider: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provider",
        abstract: "Say whether people can sign in to the console through the OpenID Connect provider; exit 1 when not.",
        discussion: """
            Asks the provider for its document and its keys, as a sign-in would, and looks for the client's secret. Whether the provider
            takes the secret and the address to return to, only a sign-in shows.

              vigie check provider --config /etc/vigie/vigie.yml
            """)

    @Option(help: "The configuration file.")
    var config: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let options = try await ServerOptions.resolved(config: config, data: nil, rules: [], logs: [])
        guard let provider = options.provider else {
            throw CommandFailure(.usage, "\(config) names no provider; it stands under console: {openid: …}")
        }
        let check = await ProviderCheck(provider, now: .system)
        if json {
            let steps = check.steps.map { step -> JSONValue in
                var members: [String: JSONValue] = ["name": .string(step.name), "ok": .bool(step.problem == nil)]
                members["found"] = step.found.map { .string($0) }
                members["problem"] = step.problem.map { .string($0.description) }
                return .object(members)
            }
            Output.line(
                FindingJSON.text([
                    "issuer": .string(provider.openID.issuer.text), "ok": .bool(check.isFine), "steps": .array(steps),
                    "return_addresses": .array(options.providerReturnAddresses.map { .string($0) }),
                ]))
        } else {
            for step in check.steps {
                let name = step.name.padding(toLength: 10, withPad: " ", startingAt: 0)
                Output.line(IncidentText.printable(name + (step.found ?? "PROBLEM: \(step.problem?.reason ?? "")")))
            }
            for address in options.providerReturnAddresses { Output.line("returns    \(address)  (allow it at the provider)") }
        }
        let problems = check.steps.compactMap(\.problem)
        guard problems.isEmpty else {
            throw CommandFailure(.failed, IncidentText.printable(problems.map(\.description).joined(separator: "; and ")))
        }
    }
}
