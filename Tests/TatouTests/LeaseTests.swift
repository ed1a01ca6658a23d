import Events
import Foundation
import HTTPTypes
import Testing

@testable import Guard
@testable import Tatou

/// Everything that a lease can ask, asked of the platform.
@Suite struct LeaseTests {
    private func decide(_ world: World, _ record: DecisionMessage.Record) {
        let decisions = world.platform.protection.decisions
        decisions.add(Decision(record), sequence: decisions.read { $0.table.sequence } + 1)
    }

    private func lease(_ verb: String, _ change: (inout DecisionMessage.Record) -> Void) -> DecisionMessage.Record {
        var record = DecisionMessage.Record(id: "lease-\(verb)", verb: verb)
        change(&record)
        return record
    }

    private func status(_ world: World, _ token: String) async throws -> Int {
        try await world.ask(.get, "/api/list-documents", token: token).status
    }

    @Test func oneTokenIsRevoked() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let other = try await world.signIn(alice.email, alice.password)
        // The identifier is what the log named.
        let id = try #require(try await world.events("login").first?["token.id"])
        decide(world, lease("revoke") { $0.token = id })
        #expect(try await status(world, alice.token) == 401)
        #expect(try await world.ask(.post, "/api/refresh-token", token: alice.token).status == 401)
        #expect(try await status(world, other) == 200)
    }

    @Test func allTokensOfAnAccountAreRevokedAndNewOnesWork() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let bob = try await world.person("bob")
        decide(
            world,
            lease("revoke") {
                $0.user = String(alice.id)
                $0.before = world.hands.now.rfc3339
            })
        #expect(try await status(world, alice.token) == 401)
        #expect(try await status(world, bob.token) == 200)
        world.hands.advance(seconds: 2)
        #expect(try await status(world, try await world.signIn(alice.email, alice.password)) == 200)
    }

    @Test func everybodysTokensAreRevoked() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let bob = try await world.person("bob")
        decide(
            world,
            lease("revoke") {
                $0.everyone = true
                $0.before = world.hands.now.rfc3339
            })
        for person in [alice, bob] { #expect(try await status(world, person.token) == 401) }
    }

    @Test func anAccountIsDisabled() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        decide(world, lease("disable") { $0.user = String(alice.id) })
        #expect(try await status(world, alice.token) == 403)
        let answer = try await world.post("/api/login", ["email": alice.email, "password": alice.password])
        #expect(answer.status == 401)
        #expect(answer.error == "invalid credentials")
        #expect(try await world.events("login").last?["event.reason"] == "account_disabled")
        world.platform.protection.decisions.remove(id: "lease-disable", sequence: 2)
        #expect(try await status(world, alice.token) == 200)
    }

    @Test func aRouteIsTakenDownAndTheOthersAreServed() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        decide(
            world,
            lease("maintenance") {
                $0.route = "/api/upload-document"
                $0.retry_after = 60
            })
        let answer = try await world.upload(token: alice.token)
        #expect(answer.status == 503)
        #expect(answer.headers[.retryAfter] == "60")
        #expect(answer.error?.isEmpty == false)
        #expect(try await status(world, alice.token) == 200)
    }

    @Test func aDocumentIsQuarantinedWithItsVersions() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let link = try await world.version(of: id, token: alice.token).text("link") ?? ""
        decide(world, lease("quarantine") { $0.object = .init(type: "document", id: String(id)) })
        #expect(try await world.ask(.get, "/api/get-document/\(id)", token: alice.token).status == 404)
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 404)
        #expect(try await world.ask(.get, "/api/list-versions/\(id)", token: alice.token).status == 404)
        let order = ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k"]
        #expect(try await world.post("/api/create-watermark/\(id)", order, token: alice.token).status == 404)
        // Evidence: it cannot be deleted either.
        #expect(try await world.ask(.delete, "/api/delete-document/\(id)", token: alice.token).status == 404)
        #expect(world.folder.files("documents").count == 1)
        world.platform.protection.decisions.remove(id: "lease-quarantine", sequence: 2)
        #expect(try await world.ask(.get, "/api/get-version/\(link)").status == 200)
    }

    @Test func aVersionAloneIsQuarantined() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let id = try await world.document(alice.token)
        let first = try await world.version(of: id, token: alice.token)
        let second = try await world.version(of: id, token: alice.token)
        decide(world, lease("quarantine") { $0.object = .init(type: "version", id: String(first.number("id") ?? 0)) })
        #expect(try await world.ask(.get, "/api/get-version/\(first.text("link") ?? "")").status == 404)
        #expect(try await world.ask(.get, "/api/get-version/\(second.text("link") ?? "")").status == 200)
    }

    @Test func anAddressIsBlocked() async throws {
        let world = try await World()
        decide(world, lease("block") { $0.address = "203.0.113.0/24" })
        #expect(try await world.ask(.get, "/healthz").status == 403)
        #expect(try await world.ask(.get, "/healthz", from: "198.51.100.1").status == 200)
    }
}
