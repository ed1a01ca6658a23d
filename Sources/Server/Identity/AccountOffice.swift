import Events
package import Identity
import Incidents
import Journal
import Logging
import Storage

/// What commands need of the accounts in a data folder, whether a server runs on it or not.
package enum AccountOffice {
    /// Carries out an order: by the server that runs on the folder, or here when there is none.
    ///
    /// - Returns: `nil` when a server holds the folder and gives no answer.
    package static func carryOut(_ order: AccountOrder, in folder: DataFolder) async throws -> AccountOrder.Answer? {
        let opened: (Journal, PrivateDatabase)
        do {
            opened = try JournalRebuilder.open(folder)
        } catch JournalError.locked {
            return try await AccountSpool(folder).ask(order)
        }
        let (journal, database) = opened
        let tree = try JournalTree.open(journal: journal, keyPath: folder.checkpointKey)
        // The tables show nothing of accounts; the next start reads the entries all the same.
        let service = AccountService(SignInService(store: database, hasher: try PasswordHasher())) { record in
            _ = try await journal.append([record.draft], at: .system)
        }
        let answer = try await order.carryOut(on: service, at: .system)
        try await tree.publish()
        await journal.close()
        return answer
    }

    /// Accounts by name, and all tokens; beside a running server, too.
    package static func list(_ folder: DataFolder) async throws -> (accounts: [Account], tokens: [APIToken]) {
        try folder.checkPrivateDatabase()
        let database = try PrivateDatabase(path: folder.privateDatabase)
        return (try await database.accounts(), try await database.tokens(accountID: nil))
    }
}

/// Orders about accounts, of commands that run beside a server.
struct AccountSpool {
    private let folder: OrderFolder

    init(_ data: DataFolder) { folder = OrderFolder(data.path + "/orders/accounts") }

    func ask(_ order: AccountOrder) async throws -> AccountOrder.Answer? {
        try await folder.ask(order.document, id: order.id, seconds: 20).map(AccountOrder.Answer.init)
    }

    func serve(_ service: AccountService, logger: Logger) async throws {
        try await folder.serve(logger: logger) { id, document in
            guard let order = AccountOrder(document, id: id) else {
                throw AccountRefusal(.invalid, "the order cannot be read", "use the `vigie` of the same version")
            }
            return try await order.carryOut(on: service, at: .system).document
        }
    }
}
