import ArgumentParser
import Events
import Foundation
import Identity
import Journal
import Server

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Accounts: add, list, change the role, disable, reset.",
        discussion: """
            Works beside a running server, and without one. Every change is an entry of the journal.

              vigie user add ana --role responder
              vigie user reset ana
            """,
        subcommands: [
            UserAdd.self, UserList.self, UserRole.self, UserDisable.self, UserEnable.self, UserReset.self,
        ])
}

/// What every order about accounts is given with.
struct AccountOptions: ParsableArguments {
    @Option(help: "The data folder.")
    var data = "data"

    @Flag(help: "Print one JSON object.")
    var json = false

    var folder: DataFolder {
        get throws {
            let folder = DataFolder(path: data)
            guard FileManager.default.fileExists(atPath: folder.journal) else {
                throw CommandFailure(
                    .unreachable, "there is no journal in \(data); name the data folder of a server with --data")
            }
            return folder
        }
    }

    /// Carries it out, by the server that runs on the folder or without one.
    ///
    /// - Returns: what is shown once, where there is something.
    func carryOut(
        _ verb: String, _ account: String, _ arguments: [String: String] = [:]
    ) async throws -> (secret: String, expiresAt: String)? {
        let order = AccountOrder(
            verb: verb, account: account, arguments: arguments,
            author: AuditAuthor(id: "uid:\(getuid())", name: NSUserName(), address: ""))
        switch try await AccountOffice.carryOut(order, in: try folder) {
        case .refused(let refusal): throw CommandFailure(.failed, refusal.description)
        case .done(let secret, let expiresAt): return secret.map { ($0, expiresAt ?? "") }
        case nil:
            throw CommandFailure(
                .unreachable,
                "another process holds \(data) and does not answer; see whether the server is well, and give the order again")
        }
    }

    /// Prints a secret alone on standard output, and what is to be known about it beside it.
    func show(_ secret: String, until expiresAt: String, note: String, key: String) {
        if json {
            Output.line(FindingJSON.text([key: .string(secret), "expires_at": .string(expiresAt)]))
        } else {
            Output.note(note)
            Output.line(secret)
        }
    }
}

/// Where the console is, for links.
struct ConsoleAddress: ParsableArguments {
    @Option(help: "Where browsers reach the console; links begin with it.")
    var console = "http://localhost:\(ServerOptions.defaultPort)"

    func link(_ path: String) -> String { (console.hasSuffix("/") ? String(console.dropLast()) : console) + path }
}

struct UserAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add an account, and print the link that lets its owner choose a password.")

    @Argument(help: "Its name.")
    var name: String

    @Option(help: "viewer, responder, commander or admin.")
    var role = "responder"

    @OptionGroup var console: ConsoleAddress
    @OptionGroup var options: AccountOptions

    func run() async throws {
        guard let link = try await options.carryOut("add", name, ["role": role]) else { return }
        options.show(
            console.link(link.secret), until: link.expiresAt,
            note: "The password is chosen behind this link, which works once, until \(link.expiresAt):", key: "link")
    }
}

struct UserReset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Print a link that lets the owner of an account choose a new password.")

    @Argument(help: "The account.")
    var name: String

    @Flag(help: "Turn off a lost second factor instead; the password stays.")
    var secondFactor = false

    @OptionGroup var console: ConsoleAddress
    @OptionGroup var options: AccountOptions

    func run() async throws {
        if secondFactor {
            _ = try await options.carryOut("reset_second_factor", name)
            return
        }
        guard let link = try await options.carryOut("reset", name) else { return }
        options.show(
            console.link(link.secret), until: link.expiresAt,
            note: "A new password is chosen behind this link, which works once, until \(link.expiresAt):", key: "link")
    }
}

struct UserRole: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "role", abstract: "Give an account another role.")

    @Argument(help: "The account.")
    var name: String

    @Argument(help: "viewer, responder, commander or admin.")
    var role: String

    @OptionGroup var options: AccountOptions

    func run() async throws { _ = try await options.carryOut("role", name, ["role": role]) }
}

struct UserDisable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Nobody can sign in with it any more; its sessions end, its tokens stop to work.")

    @Argument(help: "The account.")
    var name: String

    @OptionGroup var options: AccountOptions

    func run() async throws { _ = try await options.carryOut("disable", name) }
}

struct UserEnable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Give a disabled account its use back.")

    @Argument(help: "The account.")
    var name: String

    @OptionGroup var options: AccountOptions

    func run() async throws { _ = try await options.carryOut("enable", name) }
}

struct UserList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All accounts, by name.")

    @OptionGroup var options: AccountOptions

    func run() async throws {
        for account in try await AccountOffice.list(try options.folder).accounts {
            let state = account.state.rawValue
            if options.json {
                Output.line(
                    FindingJSON.text([
                        "id": .string(account.id), "name": .string(account.name), "role": .string(account.role.rawValue),
                        "state": .string(state), "created_at": .string(account.createdAt.rfc3339),
                    ]))
            } else {
                Output.line("\(account.name)  \(account.role.rawValue)  \(state)")
            }
        }
    }
}
