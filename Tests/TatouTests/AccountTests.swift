import Foundation
import HTTPTypes
import Identity
import Synchronization
import Testing

@testable import Tatou

@Suite struct AccountTests {
    @Test func registrationTrimsAndAnswersWhatWasMade() async throws {
        let world = try await World()
        let answer = try await world.post(
            "/api/create-user", ["login": " alice ", "email": " Alice@Example.ORG ", "password": "correct horse battery"])
        #expect(answer.status == 201)
        #expect(answer.text("email") == "alice@example.org")
        #expect(answer.text("login") == "alice")
        #expect(answer.number("id") == 1)
        #expect(answer.headers[.contentType] == "application/json")
    }

    @Test(arguments: [
        ["email": "a@example.org", "password": "correct horse battery"], ["login": "a", "password": "correct horse battery"],
        ["login": "abc", "email": "a@example.org"], [:], ["login": "", "email": "a@example.org", "password": "x"],
    ])
    func registrationSaysWhatIsMissing(form: [String: String]) async throws {
        let answer = try await World().post("/api/create-user", form)
        #expect(answer.status == 400)
        #expect(answer.error == "email, login, and password are required")
    }

    @Test(arguments: [
        ("al", "a@example.org", "correct horse battery"), ("a b c", "a@example.org", "correct horse battery"),
        ("alice", "nobody", "correct horse battery"), ("alice", "a@b@example.org", "correct horse battery"),
        ("alice", "a@example", "correct horse battery"), ("alice", "a@example.org", "too short"),
        ("alice", "a@example.org", "aaaaaaaaaaaa"), ("alice", "alice@example.org", "alice@example.org"),
        ("../../etc", "a@example.org", "correct horse battery"),
    ])
    func registrationRefusesWhatNobodyShouldBeCalled(login: String, email: String, password: String) async throws {
        let world = try await World()
        let answer = try await world.post("/api/create-user", ["login": login, "email": email, "password": password])
        #expect(answer.status == 400)
        #expect(answer.error?.isEmpty == false)
        #expect(try await world.platform.accounts.accounts().isEmpty)
    }

    @Test(arguments: [
        #"[]"#, #""text""#, "null", "{", "", "{\"email\": 7, \"password\": \"x\"}", "{\"email\": true, \"password\": \"x\"}",
        "{\"email\": {\"$ne\": null}, \"password\": \"x\"}", "{\"email\": [\"a\"], \"password\": \"x\"}",
    ])
    func bodiesMustBeObjectsAndTypesWhatTheyAre(body: String) async throws {
        let world = try await World()
        for path in ["/api/create-user", "/api/login"] {
            let answer = try await world.ask(.post, path, body: Array(body.utf8))
            #expect(answer.status == 400)
            #expect(answer.error?.isEmpty == false)
        }
    }

    @Test func bodiesAreBounded() async throws {
        let body = Array("{\"email\": \"\(String(repeating: "a", count: 70_000))\"}".utf8)
        let answer = try await World().ask(.post, "/api/login", body: body)
        #expect(answer.status == 413)
    }

    @Test func anAccountIsMadeOnce() async throws {
        let world = try await World()
        _ = try await world.person("alice")
        for (login, email) in [("alice", "other@example.org"), ("ALICE", "other@example.org"), ("other", "Alice@example.org")] {
            let answer = try await world.post(
                "/api/create-user", ["login": login, "email": email, "password": "correct horse battery"])
            #expect(answer.status == 409)
            #expect(answer.error == "email or login already exists")
        }
        let events = try await world.events("register").filter { $0["event.outcome"] == "failure" }
        #expect(events.count == 3)
        #expect(events.allSatisfy { $0["event.reason"] == "account_exists" && $0["source.ip"] == "203.0.113.9" })
    }

    @Test func signInGivesATokenThatWorks() async throws {
        let world = try await World()
        _ = try await world.person("alice")
        let answer = try await world.post("/api/login", ["email": "ALICE@example.org ", "password": "a fine password of alice"])
        #expect(answer.status == 200)
        #expect(answer.text("token_type") == "bearer")
        #expect(answer.number("expires_in") == 86_400)
        let token = try #require(answer.text("token"))
        #expect(token.count == 64)
        #expect(try await world.ask(.get, "/api/list-documents", token: token).status == 200)
    }

    /// One answer for a wrong password and for no account; the log tells them apart for whoever has to find an enumeration.
    @Test func signInSaysNothingAboutWhoExists() async throws {
        let world = try await World()
        _ = try await world.person("alice")
        let wrong = try await world.post("/api/login", ["email": "alice@example.org", "password": "wrong"])
        let nobody = try await world.post("/api/login", ["email": "nobody@example.org", "password": "wrong"])
        #expect(wrong.status == 401)
        #expect(nobody.status == 401)
        #expect(wrong.error == "invalid credentials")
        #expect(nobody.error == "invalid credentials")
        let failures = try await world.events("login").filter { $0["event.outcome"] == "failure" }
        #expect(failures.map { $0["event.reason"] } == ["bad_credentials", "invalid_user"])
        #expect(failures.map { $0["user.name"] } == ["alice@example.org", "nobody@example.org"])
        #expect(try await world.metrics().contains("tatou_login_failures_total{reason=\"invalid_credentials\"} 2"))
        #expect(try await world.metrics().contains("tatou_login_successes_total 1"))
    }

    /// Counted, not timed: the hash is what takes long.
    @Test func signInComputesOneHashForEverybody() async throws {
        let costs = Mutex<[PasswordHash.Cost]>([])
        let world = try await World(computing: { cost in costs.withLock { $0.append(cost) } })
        _ = try await world.person("alice")
        for (email, password) in [
            ("alice@example.org", "a fine password of alice"), ("alice@example.org", "wrong"), ("nobody@example.org", "wrong"),
            ("nobody@example.org", "a fine password of alice"), ("nothing like an address", ""), ("alice@example.org", ""),
        ] {
            costs.withLock { $0 = [] }
            let status = try await world.post("/api/login", ["email": email, "password": password]).status
            // What is missing is told before anybody is looked for.
            let expected = password.isEmpty ? [] : [PasswordHash.Cost(memoryKiB: 64, passes: 1, lanes: 1)]
            #expect(costs.withLock { $0 } == expected, "\(email): \(status)")
        }
    }

    @Test func guessingIsSlowedDown() async throws {
        let world = try await World()
        _ = try await world.person("alice")
        var last: Answer?
        for _ in 0..<7 { last = try await world.post("/api/login", ["email": "alice@example.org", "password": "guess"]) }
        let answer = try #require(last)
        #expect(answer.status == 429)
        #expect(answer.headers[.retryAfter] != nil)
        // Its owner, elsewhere, is not locked out.
        let owner = try await world.post(
            "/api/login", ["email": "alice@example.org", "password": "a fine password of alice"], from: "198.51.100.7")
        #expect(owner.status == 200)
    }

    @Test(arguments: [
        (nil, "Missing or invalid Authorization header"), ("Basic YTpi", "Missing or invalid Authorization header"),
        ("Bearer ", "Missing or invalid Authorization header"), ("Bearer nonsense", "Invalid token"),
        ("Bearer eyJhbGciOiJub25lIn0.e30.", "Invalid token"), ("Bearer ' OR 1=1 --", "Invalid token"),
    ])
    func requestsWithoutAProperTokenAreRefused(header: String?, message: String) async throws {
        var headers = HTTPFields()
        headers[.authorization] = header
        let answer = try await World().ask(.get, "/api/list-documents", headers: headers)
        #expect(answer.status == 401)
        #expect(answer.error == message)
    }

    @Test func tokensEnd() async throws {
        let world = try await World { $0.tokenLifetime = 60 }
        let alice = try await world.person("alice")
        world.hands.advance(seconds: 59)
        #expect(try await world.ask(.get, "/api/list-documents", token: alice.token).status == 200)
        world.hands.advance(seconds: 1)
        let answer = try await world.ask(.get, "/api/list-documents", token: alice.token)
        #expect(answer.status == 401)
        #expect(answer.error == "Token expired")
    }

    @Test func signingOutEndsOneSessionOrAll() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let second = try await world.signIn(alice.email, alice.password)
        let third = try await world.signIn(alice.email, alice.password)
        #expect(try await world.ask(.post, "/api/logout", token: second).status == 200)
        #expect(try await world.ask(.get, "/api/list-documents", token: second).error == "Invalid token")
        #expect(try await world.ask(.get, "/api/list-documents", token: third).status == 200)
        let all = try await world.ask(.post, "/api/logout-all", token: third)
        #expect(all.number("sessions") == 2)
        for token in [alice.token, third] {
            #expect(try await world.ask(.get, "/api/list-documents", token: token).status == 401)
        }
    }

    @Test func aTokenIsExchangedOnce() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        let next = try await world.ask(.post, "/api/refresh-token", token: alice.token)
        #expect(next.status == 200)
        let token = try #require(next.text("token"))
        #expect(try await world.ask(.get, "/api/list-documents", token: token).status == 200)
        #expect(try await world.ask(.get, "/api/list-documents", token: alice.token).status == 401)
        // Somebody has the old one still: the whole session ends.
        #expect(try await world.ask(.post, "/api/refresh-token", token: alice.token).status == 401)
        #expect(try await world.ask(.get, "/api/list-documents", token: token).status == 401)
        #expect(try await world.events("token_refresh").map { $0["event.reason"] ?? "" } == ["", "replayed"])
    }

    @Test func aDisabledAccountIsOutAtOnce() async throws {
        let world = try await World()
        let alice = try await world.person("alice")
        try await world.platform.accounts.setDisabled(true, account: Int64(alice.id))
        #expect(try await world.ask(.get, "/api/list-documents", token: alice.token).status == 401)
        let answer = try await world.post("/api/login", ["email": alice.email, "password": alice.password])
        #expect(answer.status == 401)
        #expect(answer.error == "invalid credentials")
        try await world.platform.accounts.setDisabled(false, account: Int64(alice.id))
        #expect(try await world.post("/api/login", ["email": alice.email, "password": alice.password]).status == 200)
    }

    @Test func theHealthIsToldUnderBothNames() async throws {
        let world = try await World()
        for path in ["/healthz", "/api/healthz"] {
            let answer = try await world.ask(.get, path)
            #expect(answer.status == 200)
            #expect(answer.text("message") == "The server is up and running.")
            #expect(answer.object["db_connected"] as? Bool == true)
        }
    }

    @Test func whatThereIsNotIsAnErrorInTheSameForm() async throws {
        let answer = try await World().ask(.get, "/api/nothing")
        #expect(answer.status == 404)
        #expect(answer.error?.isEmpty == false)
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
    }
}
