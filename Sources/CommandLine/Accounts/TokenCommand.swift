import ArgumentParser
import Events
import Identity
import Journal
import Server

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Tokens for programs: create, list, revoke.",
        discussion: """
            A token acts for an account, within its scopes, until it expires. It is printed once; only its hash is kept.

              curl -H "Authorization: Bearer $(vigie token create deploy --account ci --scope read)" \\
                http://localhost:8630/api/v1/incidents
            """,
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self])
}

struct TokenCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a token, and print it.")

    @Argument(help: "What it is for.")
    var name: String

    @Option(help: "The account that it acts for.")
    var account: String

    @Option(help: "read, respond, admin or ingest; may be given several times.")
    var scope: [String] = ["read"]

    @Option(help: "Days until it expires, 366 at most.")
    var days = 90

    @OptionGroup var options: AccountOptions

    func run() async throws {
        let arguments = ["name": name, "scopes": scope.joined(separator: " "), "days": String(days)]
        guard let token = try await options.carryOut("create_token", account, arguments) else { return }
        options.show(
            token.secret, until: token.expiresAt, note: "The token, shown only now; it expires \(token.expiresAt):",
            key: "token")
    }
}

struct TokenList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All tokens, newest first.")

    @OptionGroup var options: AccountOptions

    func run() async throws {
        let (accounts, tokens) = try await AccountOffice.list(try options.folder)
        for token in tokens {
            let owner = accounts.first { $0.id == token.accountID }?.name ?? token.accountID
            let scopes = token.scopes.map(\.rawValue).sorted()
            if options.json {
                Output.line(
                    FindingJSON.text([
                        "id": .string(token.id), "name": .string(token.name), "account": .string(owner),
                        "scopes": .array(scopes.map { .string($0) }), "created_at": .string(token.createdAt.rfc3339),
                        "expires_at": .string(token.expiresAt.rfc3339),
                        "last_used_at": token.lastUsedAt.map { .string($0.rfc3339) } ?? .null,
                    ]))
            } else {
                let used = token.lastUsedAt.map { "last used \($0.rfc3339)" } ?? "never used"
                Output.line(
                    "\(token.id)  \(owner)  \(scopes.joined(separator: ","))  until \(token.expiresAt.rfc3339)  \(used)  "
                        + token.name)
            }
        }
    }
}

struct TokenRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "End a token, at once.")

    @Argument(help: "Its id, from the list.")
    var id: String

    @OptionGroup var options: AccountOptions

    func run() async throws { _ = try await options.carryOut("revoke_token", "", ["id": id]) }
}
