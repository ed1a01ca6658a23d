import Events
import Foundation
import Identity
import Journal
import Logging
import Storage
import Testing

@testable import Server

@Suite("Orders of commands about accounts")
struct AccountOrderTests {
    private let world: World
    private static let author = AuditAuthor(id: "uid:1000", name: "root", address: "")

    init() throws { world = try World() }

    private func carryOut(_ verb: String, _ account: String, _ arguments: [String: String] = [:]) async throws -> String? {
        let order = AccountOrder(verb: verb, account: account, arguments: arguments, author: Self.author)
        switch try await AccountOffice.carryOut(order, in: world.data) {
        case .done(let secret, _): return secret ?? ""
        case .refused(let refusal): throw refusal
        case nil: return nil
        }
    }

    /// The same, whoever holds the folder.
    private func everyOrder() async throws {
        await #expect(throws: AccountRefusal.self) { try await carryOut("add", "bob", ["role": "viewer"]) }
        let link = try #require(try await carryOut("add", "ana", ["role": "admin"]))
        #expect(link.hasPrefix("/invitation?token="))
        _ = try await carryOut("add", "ci", ["role": "responder"])
        await #expect(throws: AccountRefusal.self) { try await carryOut("add", "ci", ["role": "viewer"]) }
        _ = try await carryOut("role", "ci", ["role": "commander"])
        let token = try #require(
            try await carryOut("create_token", "ci", ["name": "x", "scopes": "read respond", "days": "30"]))
        #expect(token.hasPrefix(APIToken.prefix))
        await #expect(throws: AccountRefusal.self) {
            try await carryOut("create_token", "ci", ["name": "x", "scopes": "all", "days": "30"])
        }
        _ = try await carryOut("disable", "ci")
        await #expect(throws: AccountRefusal.self) { try await carryOut("disable", "nobody") }
        await #expect(throws: AccountRefusal.self) { try await carryOut("dance", "ci") }
        let (accounts, tokens) = try await AccountOffice.list(world.data)
        #expect(accounts.map(\.name) == ["ana", "ci"] && accounts[1].isDisabled && accounts[1].role == .commander)
        #expect(tokens.map(\.scopes) == [[.read, .respond]])
        _ = try await carryOut("revoke_token", "", ["id": tokens.first?.id ?? ""])
        #expect(try await AccountOffice.list(world.data).tokens.isEmpty)

        let entries = try world.entries().filter { $0.type.hasPrefix("account.") }
        #expect(
            entries.map(\.type) == [
                "account.invited", "account.invited", "account.role_changed", "account.token_created", "account.disabled",
                "account.token_revoked",
            ])
        #expect(entries.allSatisfy { $0.actor == "uid:1000" })
        // Neither secrets nor names in the clear.
        let text = entries.map { String(decoding: $0.canonicalBytes, as: UTF8.self) }.joined()
        #expect(!text.contains(token) && !text.contains(link.suffix(40)) && !text.contains("\"ana\""))
        let left = try FileManager.default.subpathsOfDirectory(atPath: world.data.path)
        #expect(!left.contains { $0.hasSuffix(".answer") || $0.hasSuffix(".order") })
    }

    @Test("without a server, in the data folder")
    func alone() async throws {
        // What makes the folder.
        try await withServer(world) { _ in }
        try await everyOrder()
    }

    @Test("beside a server, which carries them out")
    func beside() async throws {
        try await withServer(world) { _ in try await everyOrder() }
    }

    @Test("an order that Vigie itself fails at is tried once and answered, and those behind it are carried out")
    func failing() async throws {
        let attempts = Shared(0)
        let hasher = try PasswordHasher(cost: .init(memoryKiB: 64, passes: 1, lanes: 1))
        let service = AccountService(SignInService(store: InMemoryAccountStore(), hasher: hasher)) { _ in
            attempts.value += 1
            throw CocoaError(.fileWriteOutOfSpace)
        }
        let spool = AccountSpool(world.data)
        let serving = Task {
            while !Task.isCancelled {
                try? await spool.serve(service, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { serving.cancel() }
        let ask = { @Sendable (verb: String) in
            try await spool.ask(AccountOrder(verb: verb, account: "ana", arguments: ["role": "admin"], author: Self.author))
        }
        async let added = ask("add")
        async let disabled = ask("disable")
        guard case .refused(let failure) = try await added, case .refused(let unknown) = try await disabled else {
            Issue.record("an order was carried out, or not answered")
            return
        }
        #expect(failure.reason.hasPrefix("the order cannot be carried out: ") && failure.advice == "the server's log says more")
        #expect(unknown.code == .unknownAccount)
        #expect(attempts.value == 1)
    }

    @Test("an answer that nobody fetched does not lie there with its secret")
    func unfetched() async throws {
        let folder = world.path + "/orders"
        let orders = OrderFolder(folder)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, age) in [("old", 300.0), ("new", 5.0)] {
            let path = "\(folder)/\(name).answer"
            _ = FileManager.default.createFile(atPath: path, contents: Data("{}".utf8))
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -age)], ofItemAtPath: path)
        }
        try await orders.serve(logger: .init(label: "test")) { _, order in order }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["new.answer"])
    }
}
