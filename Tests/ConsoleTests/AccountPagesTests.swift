import Events
import Foundation
import HTTPTypes
import Identity
import Testing

@testable import Console

@Suite("Pages and API of accounts")
struct AccountPagesTests {
    @Test("an admin invites; the invited chooses a password, signs in, and changes it")
    func invitation() async throws {
        let world = try World()
        let admin = try await world.signedIn()
        _ = try await admin.get("/accounts")
        let made = try await admin.post("/accounts", ["name": "Bob", "role": "responder"])
        #expect(made.status == 200)
        let path = String(try #require(made.text.firstMatch(of: #/href="(/invitation\?token=[0-9a-f]{40})"/#)).1)
        #expect(!(try await admin.get("/accounts")).text.contains("token="), "shown only once")

        let bob = Browser(world)
        let welcome = try await bob.get(path)
        #expect(welcome.status == 200 && welcome.text.contains("bob"))
        let token = String(path.split(separator: "=")[1])
        let short = try await bob.post("/invitation", ["token": token, "password": "short", "password_again": "short"])
        #expect(short.status == 422 && short.text.contains("at least 12 characters"))
        let done = try await bob.post(
            "/invitation", ["token": token, "password": goodPassword, "password_again": goodPassword])
        #expect(done.status == 200 && bob.cookies["vigie"] == nil, "a link signs nobody in")
        #expect(try await Browser(world).get(path).status == 404)
        #expect(try await bob.post("/sign-in", ["name": "bob", "password": goodPassword]).status == 303)

        let page = try await bob.get("/account")
        #expect(page.text.contains("bob, responder"))
        let new = "something else altogether"
        let changed = try await bob.post(
            "/account/password", ["old": goodPassword, "password": new, "password_again": new])
        #expect(changed.location == "/account?done=password")
        #expect(world.auditKinds.suffix(4) == [.invited, .linkUsed, .signedIn, .passwordChanged])
        let records = world.auditRecords.map { "\($0)" }.joined()
        #expect(!records.contains(token) && !records.contains(goodPassword) && !records.contains(new))
    }

    @Test("a role that is changed holds at once; what is refused says why")
    func changes() async throws {
        let world = try World()
        let admin = try await world.signedIn()
        let member = try await world.member(.viewer)
        _ = try await admin.get("/accounts")
        #expect(try await admin.post("/accounts/\(member.id)", ["verb": "role", "role": "commander"]).status == 303)
        #expect(try await world.accounts.account(id: member.id).role == .commander)
        let ana = try await world.accounts.account(named: "ana")
        let last = try await admin.post("/accounts/\(ana.id)", ["verb": "disable"])
        #expect(last.status == 409 && last.text.contains("last admin"))
        #expect(try await admin.post("/accounts/\(member.id)", ["verb": "role", "role": "<i>"]).status == 422)
        #expect(try await admin.post("/accounts/none", ["verb": "disable"]).status == 404)
        #expect(try await admin.post("/accounts/\(member.id)", ["verb": "disable"]).status == 303)
        #expect(try await admin.get("/accounts").text.contains("disabled"))
    }

    @Test("my other sessions end, this one does not")
    func sessions() async throws {
        let world = try World()
        let here = try await world.signedIn()
        let there = Browser(world)
        _ = try await there.get("/sign-in")
        _ = try await there.post("/sign-in", ["name": "ana", "password": goodPassword])
        _ = try await here.get("/account")
        #expect(try await here.post("/account/sessions", [:]).status == 303)
        #expect(try await here.get("/account").status == 200)
        #expect(try await there.get("/account").status == 303)
    }

    @Test("a token is shown once, works for the API, and not after it was revoked")
    func tokens() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        _ = try await browser.get("/account")
        let made = try await browser.post("/account/tokens", ["name": "<b>ci</b>", "scope": "read", "days": "7"])
        let secret = String(try #require(made.text.firstMatch(of: /vigie_[0-9a-f]{40}/)).0)
        let page = try await browser.get("/account")
        #expect(!page.text.contains(secret) && page.text.contains("&lt;b&gt;ci&lt;/b&gt;"))
        let program = Browser(world)
        let bearer = ["authorization": "Bearer \(secret)"]
        #expect(try await program.get("/api/v1/incidents", headers: bearer).status == 200)
        let list = try await program.get("/api/v1/tokens", headers: bearer)
        #expect(list.text.contains(#""name":"<b>ci</b>""#) && !list.text.contains(secret))
        let token = try #require(try await world.store.tokens(accountID: nil).first)
        _ = try await browser.post("/account/tokens/\(token.id)/revoke", [:])
        let refused = try await program.get("/api/v1/incidents", headers: bearer)
        #expect(refused.status == 401 && refused.header("www-authenticate") == #"Bearer realm="vigie""#)
        #expect(world.auditKinds.suffix(2) == [.tokenCreated, .tokenRevoked])
        #expect(!world.auditRecords.map { "\($0)" }.joined().contains(secret))
    }

    @Test("a cookie does not count beside a bearer token, not even a better one")
    func cookieBesideBearer() async throws {
        let world = try World()
        let admin = try await world.signedIn()
        let weak = try await world.token(as: .viewer, [.read])
        #expect(try await admin.get("/api/v1/accounts").status == 200)
        #expect(try await admin.get("/api/v1/accounts", headers: ["authorization": "Bearer \(weak)"]).status == 403)
        for nonsense in ["Bearer nonsense", "bearer vigie_\(String(repeating: "0", count: 40))"] {
            #expect(try await admin.get("/api/v1/accounts", headers: ["authorization": nonsense]).status == 401)
            // No form token is asked of programs; without the cookie there is nothing to forge.
            let path = "/api/v1/accounts"
            #expect(
                try await admin.send(
                    .post, path, headers: ["authorization": nonsense, "content-type": "application/json"],
                    body: #"{"name":"eve","role":"admin"}"#
                ).status == 401)
            #expect(try await admin.get("/accounts", headers: ["authorization": nonsense]).status == 401)
        }
        // Basic is for a proxy in front; browsers send it by themselves, so it changes nothing.
        let basic = ["authorization": "Basic dXNlcjpwYXNz"]
        #expect(try await admin.get("/accounts", headers: basic).status == 200)
        #expect(try await admin.post("/accounts", ["name": "eve"], token: "00", headers: basic).status == 403)
        #expect(try await world.store.account(named: "eve") == nil)
    }

    @Test("a token that makes tokens makes none that may do more")
    func widening() async throws {
        let world = try World()
        _ = try await world.signedIn()
        let secret = try await world.token(as: .admin, [.respond])
        let headers = ["authorization": "Bearer \(secret)", "content-type": "application/json"]
        let make = { (scope: String) in
            try await Browser(world).send(
                .post, "/api/v1/tokens", headers: headers, body: #"{"name":"x","scope":[\#(scope)],"days":1}"#)
        }
        #expect(try await make(#""read""#).status == 201)
        #expect(try await make(#""read","respond""#).status == 201)
        #expect(try await make(#""admin""#).status == 409)
        #expect(try await make(#""ingest""#).status == 409)
        #expect(try await make(#""everything""#).status == 422)
    }

    @Test(
        "a body that is no flat object is refused, whatever it is",
        arguments: ["", "[]", "{", #"{"name":{"a":1}}"#, #"{"name":[1]}"#, "null", #"{"name":1e400}"#])
    func bodies(body: String) async throws {
        let world = try World()
        _ = try await world.signedIn()
        let secret = try await world.token(as: .admin, [.admin])
        let answer = try await Browser(world).send(
            .post, "/api/v1/accounts", headers: ["authorization": "Bearer \(secret)", "content-type": "application/json"],
            body: body)
        #expect(answer.status == 422 && answer.header("content-type") == "application/problem+json")
    }

    @Test("the API invites and changes accounts; the link is in that answer only")
    func api() async throws {
        let world = try World()
        _ = try await world.signedIn()
        let secret = try await world.token(as: .admin, [.admin])
        let headers = ["authorization": "Bearer \(secret)", "content-type": "application/json"]
        let program = Browser(world)
        let made = try await program.send(
            .post, "/api/v1/accounts", headers: headers, body: #"{"name":"bob","role":"viewer"}"#)
        #expect(made.status == 201 && made.text.contains("/invitation?token="))
        let bob = try await world.accounts.account(named: "bob")
        let read = try await program.get("/api/v1/accounts/\(bob.id)", headers: headers)
        #expect(read.text.contains(#""state":"invited""#) && !read.text.contains("token"))
        let changed = try await program.send(
            .post, "/api/v1/accounts/\(bob.id)", headers: headers, body: #"{"verb":"role","role":"responder"}"#)
        #expect(changed.status == 200 && changed.text.contains(#""role":"responder""#) && !changed.text.contains("link"))
        #expect(world.auditRecords.last?.author?.id.hasPrefix("token:") == true)
    }

    @Test("who may not sign in is not told apart: unknown, invited, disabled, wrong password")
    func enumeration() async throws {
        let world = try World()
        _ = try await world.signedIn()
        _ = try await world.accounts.invite("invited", role: .viewer, by: World.author, at: world.now)
        let disabled = try await world.member(.viewer)
        try await world.accounts.disable(accountID: disabled.id, by: World.author, at: world.now)
        var pages: Set<String> = []
        for (name, password) in [
            ("nobody", goodPassword), ("invited", ""), ("invited", goodPassword), (disabled.name, goodPassword),
            ("ana", "wrong password"),
        ] {
            let browser = Browser(world)
            _ = try await browser.get("/sign-in")
            let answer = try await browser.post("/sign-in", ["name": name, "password": password])
            #expect(answer.status == 403)
            pages.insert(
                answer.text.replacing(name, with: "NAME").replacing(#/value="[0-9a-f]{64}"/#, with: "TOKEN")
                    .replacing(#/data-sequence="\d+"/#, with: ""))
        }
        #expect(pages.count == 1)
    }
}
