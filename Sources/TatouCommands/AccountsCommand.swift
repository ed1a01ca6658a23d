import ArgumentParser
import Events
import Foundation
import Tatou

struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Lists accounts, disables and enables them, ends their sessions, resets passwords.",
        discussion: "Works beside a running server, at once.",
        subcommands: [List.self, Disable.self, Enable.self, SignOut.self, Password.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists all accounts.")

        @OptionGroup var folder: DataOptions
        @Flag(help: "Print JSON.") var json = false

        private struct Row: Encodable {
            var id: Int64
            var email: String
            var login: String
            var created: String
            var disabled: String?
        }

        func run() async throws {
            let rows = try await folder.accounts().accounts().map {
                Row(
                    id: $0.id, email: $0.email, login: $0.login, created: $0.createdAt.rfc3339, disabled: $0.disabledAt?.rfc3339)
            }
            guard !json else {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
                return Output.line(String(decoding: try encoder.encode(rows), as: UTF8.self))
            }
            for row in rows {
                Output.line("\(row.id)  \(row.email)  \(row.login)  \(row.disabled.map { "disabled since \($0)" } ?? "enabled")")
            }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: "Refuses an account's sign-ins, and ends its sessions.")

        @OptionGroup var folder: DataOptions
        @Argument(help: "The account's e-mail address.") var email: String

        func run() async throws {
            let accounts = try folder.accounts()
            try await accounts.setDisabled(true, account: try await found(email, accounts).id)
            Output.line("\(email) is disabled, and its sessions have ended")
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "enable", abstract: "Lets an account sign in again.")

        @OptionGroup var folder: DataOptions
        @Argument(help: "The account's e-mail address.") var email: String

        func run() async throws {
            let accounts = try folder.accounts()
            try await accounts.setDisabled(false, account: try await found(email, accounts).id)
            Output.line("\(email) is enabled")
        }
    }

    struct SignOut: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sign-out", abstract: "Ends all sessions of one account, or of everybody.")

        @OptionGroup var folder: DataOptions
        @Argument(help: "The account's e-mail address.") var email: String?
        @Flag(help: "Everybody's sessions.") var everyone = false

        func validate() throws {
            guard (email == nil) == everyone else { throw ValidationError("Give one e-mail address, or --everyone.") }
        }

        func run() async throws {
            let accounts = try folder.accounts()
            let count =
                if let email { try await accounts.signOutEverywhere(account: try await found(email, accounts).id) } else {
                    try await accounts.signOutEveryone()
                }
            Output.line("\(count) sessions ended")
        }
    }

    struct Password: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "password", abstract: "Gives an account another password, read from standard input.")

        @OptionGroup var folder: DataOptions
        @Argument(help: "The account's e-mail address.") var email: String

        func run() async throws {
            let accounts = try folder.accounts()
            let account = try await found(email, accounts)
            guard let password = readLine(strippingNewline: true) else {
                throw CommandFailure(description: "no password came on standard input")
            }
            do {
                try await accounts.setPassword(password, of: account)
            } catch AccountRefusal.invalid(let message) {
                throw CommandFailure(description: message)
            }
            Output.line("\(email) has a new password, and its sessions have ended")
        }
    }
}

private func found(_ email: String, _ accounts: PlatformAccounts) async throws -> PlatformAccount {
    guard let account = try await accounts.account(email: email) else {
        throw CommandFailure(description: "there is no account of \(email); `tatou accounts list` shows all", code: 1)
    }
    return account
}
