import Events
import Foundation
import Testing

@testable import Guard

@Suite(.timeLimit(.minutes(20))) struct EnforcementTests {
    private func bearer(_ text: String) -> [String] { ["Authorization: Bearer \(text)"] }

    @Test func `a blocked network is refused on every route, and served again when the lease is over`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            #expect(try await ask(port, "/").status == 200)
            world.decide(
                .make("lease-1", "block") {
                    $0.address = "127.0.0.0/8"
                    $0.expires = "2026-03-02T17:00:00Z"
                })
            for path in ["/", "/nowhere", "/fail"] { #expect(try await ask(port, path).status == 403) }
            world.hands.advance(seconds: 237)
            #expect(try await ask(port, "/").status == 200)
        }
        let event = try #require(await world.events().first { $0["event.reason"] as? String == "blocked" })
        #expect(event["vigie.decision.id"] as? String == "lease-1")
        #expect(event["source.ip"] as? String == "127.0.0.1")
    }

    @Test func `two leases on one network: lifting one leaves the other`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(.make("a", "block") { $0.address = "127.0.0.1" }, .make("b", "block") { $0.address = "127.0.0.1" })
            world.protection.decisions.remove(id: "a", sequence: 3)
            #expect(try await ask(port, "/").status == 403)
            world.protection.decisions.remove(id: "b", sequence: 4)
            #expect(try await ask(port, "/").status == 200)
        }
    }

    @Test func `a client behind a proxy is blocked, not the proxy`() async throws {
        let world = try World { $0.trustedProxies = ["127.0.0.1"] }
        try await withApplication(world.router()) { port async throws in
            world.decide(.make("a", "block") { $0.address = "203.0.113.9" })
            #expect(try await ask(port, "/", headers: ["X-Forwarded-For: 203.0.113.9"]).status == 403)
            #expect(try await ask(port, "/", headers: ["X-Forwarded-For: 198.51.100.1, 203.0.113.9"]).status == 403)
            #expect(try await ask(port, "/", headers: ["X-Forwarded-For: 203.0.113.10"]).status == 200)
        }
    }

    @Test func `a revoked token, session, user, and everyone`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            func status(_ subject: String) async throws -> Int {
                try await ask(port, "/mine", headers: bearer(subject)).status
            }
            #expect(try await status("u-1/t-1/s-1/2026-03-01T00:00:00Z") == 200)
            world.decide(.make("a", "revoke") { $0.token = "t-1" })
            #expect(try await status("u-1/t-1/s-1/2026-03-01T00:00:00Z") == 401)
            #expect(try await status("u-1/t-2/s-1/2026-03-01T00:00:00Z") == 200)
            world.decide(.make("b", "revoke") { $0.session = "s-1" })
            #expect(try await status("u-1/t-2/s-1/2026-03-01T00:00:00Z") == 401)
            #expect(try await status("u-1/t-2/s-2/2026-03-01T00:00:00Z") == 200)
            world.decide(
                .make("c", "revoke") {
                    $0.user = "u-1"
                    $0.before = "2026-03-02T00:00:00Z"
                })
            #expect(try await status("u-1/t-2/s-2/2026-03-01T00:00:00Z") == 401)
            #expect(try await status("u-1/t-3/s-3/2026-03-02T00:00:01Z") == 200)
            // Leaving the time out must not be a way around it.
            #expect(try await status("u-1/t-3/s-3") == 401)
            #expect(try await status("u-2/t-4/s-4/2026-03-01T00:00:00Z") == 200)
            world.decide(
                .make("d", "revoke") {
                    $0.everyone = true
                    $0.before = "2026-03-02T00:00:00Z"
                })
            #expect(try await status("u-2/t-4/s-4/2026-03-01T00:00:00Z") == 401)
            #expect(try await status("u-2/t-4/s-4/2026-03-02T01:00:00Z") == 200)
        }
        let event = try #require(await world.events().first { $0["event.action"] as? String == "token_validate" })
        #expect(event["event.reason"] as? String == "token_revoked")
        #expect(event["event.category"] as? String == "session")
        #expect(event["token.id"] as? String == "t-1")
        #expect(event["user.id"] as? String == "u-1")
    }

    @Test(arguments: ["not a time", ""]) func `a revocation whose moment cannot be read revokes everything`(_ moment: String)
        async throws
    {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(
                .make("a", "revoke") {
                    $0.user = "u-1"
                    $0.before = moment
                    $0.expires = "nor this"
                })
            #expect(try await ask(port, "/mine", headers: bearer("u-1/t/s/2026-03-02T16:56:00Z")).status == 401)
        }
    }

    @Test func `a password that has to be set anew`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(
                .make("a", "reset_password") {
                    $0.user = "u-1"
                    $0.before = "2026-03-02T00:00:00Z"
                })
            let (old, new) = (Date(timeIntervalSince1970: 1_772_000_000), Date(timeIntervalSince1970: 1_772_500_000))
            #expect(world.protection.mustResetPassword(user: "u-1", changed: old))
            #expect(world.protection.mustResetPassword(user: "u-1", changed: nil), "not knowing is no way around it")
            #expect(!world.protection.mustResetPassword(user: "u-1", changed: new))
            #expect(!world.protection.mustResetPassword(user: "u-2", changed: old))
            // Who is signed in with the old one is signed out.
            #expect(try await ask(port, "/mine", headers: bearer("u-1/t/s/2026-03-01T00:00:00Z")).status == 401)
            #expect(try await ask(port, "/mine", headers: bearer("u-1/t/s/2026-03-02T00:00:01Z")).status == 200)
            world.protection.decisions.remove(id: "a", sequence: 2)
            #expect(!world.protection.mustResetPassword(user: "u-1", changed: old))
            #expect(try await ask(port, "/mine", headers: bearer("u-1/t/s/2026-03-01T00:00:00Z")).status == 200)
        }
    }

    @Test func `a disabled account`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(.make("a", "disable") { $0.user = "u-1" })
            #expect(try await ask(port, "/mine", headers: bearer("u-1/t/s")).status == 403)
            #expect(try await ask(port, "/mine", headers: bearer("u-2/t/s")).status == 200)
            #expect(world.protection.isDisabled(user: "u-1"))
            #expect(!world.protection.isDisabled(user: "u-2"))
        }
    }

    @Test(arguments: [
        ("GET", "/documents/7", 503), ("GET", "//documents///7", 503), ("GET", "/%64ocuments/7", 503),
        ("GET", "/DOCUMENTS/7", 503),
        ("GET", "/documents/./7", 503), ("HEAD", "/documents/7", 503), ("POST", "/documents/7", 404), ("GET", "/documentsx", 404),
        ("GET", "/", 200),
    ])
    func `a maintenance stops its route in every spelling, and no other`(_ method: String, _ path: String, _ status: Int)
        async throws
    {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(
                .make("a", "maintenance") {
                    $0.route = "/documents"
                    $0.method = "GET"
                    $0.retry_after = 120
                })
            let answer = try await ask(port, path, method: method)
            #expect(answer.status == status)
            if status == 503 { #expect(answer.header("retry-after") == "120") }
        }
    }

    @Test func `a maintenance of everything leaves Vigie its answer`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(.make("a", "maintenance") { $0.route = "/" })
            #expect(try await ask(port, "/").status == 503)
            let answer = try await ask(port, "/guard/v1/decisions?id=a", headers: bearer("read-back-token-for-tests"))
            #expect(answer.status == 200)
            #expect(answer.body.contains(#""decision":{"id":"a","in_force":true,"refusals":1}"#))
        }
    }

    @Test func `a throttled address and a throttled user`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(
                .make("a", "throttle") {
                    $0.user = "u-1"
                    $0.requests = 1
                    $0.seconds = 60
                })
            #expect(try await ask(port, "/mine", headers: bearer("u-1/t/s")).status == 200)
            let refused = try await ask(port, "/mine", headers: bearer("u-1/t/s"))
            #expect(refused.status == 429)
            #expect(refused.header("retry-after") == "60")
            #expect(try await ask(port, "/mine", headers: bearer("u-2/t/s")).status == 200)
            world.decide(
                .make("b", "throttle") {
                    $0.address = "127.0.0.0/24"
                    $0.requests = 2
                    $0.seconds = 60
                })
            #expect(try await ask(port, "/").status == 200)
            #expect(try await ask(port, "/").status == 200)
            #expect(try await ask(port, "/").status == 429)
        }
    }

    @Test func `an object in quarantine is not there`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(.make("a", "quarantine") { $0.object = .init(type: "document", id: "d-8") })
            #expect(try await ask(port, "/documents/d-8").status == 404)
            #expect(try await ask(port, "/documents/d-9").status == 200)
        }
    }

    @Test func `read-back answers from the tables, to whoever has the token`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(
                .make("lease-1", "block") { $0.address = "203.0.113.0/24" }, .make("lease-2", "rotate-key"),
                .make("lease-3", "block") { $0.address = "not an address" })
            for headers in [[], bearer("wrong"), ["Authorization: read-back-token-for-tests"]] {
                #expect(try await ask(port, "/guard/v1/decisions", headers: headers).status == 404)
            }
            let answer = try await ask(
                port, "/guard/v1/decisions?id=lease-1&address=203.0.113.9", headers: bearer("read-back-token-for-tests"))
            let read = try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
            #expect(read["sequence"] as? Int == 3)
            #expect(read["version"] as? Int == 1)
            #expect((read["in_force"] as? [String: Int])?["block"] == 1)
            #expect(read["not_enforced"] as? [String] == ["lease-2", "lease-3"])
            #expect((read["address"] as? [String: Any])?["blocked_by"] as? [String] == ["lease-1"])
            #expect((read["decision"] as? [String: Any])?["in_force"] as? Bool == true)
            let unknown = try await ask(port, "/guard/v1/decisions?id=lease-2", headers: bearer("read-back-token-for-tests"))
            #expect(unknown.body.contains(#""id":"lease-2","in_force":false"#))
        }
    }

    @Test func `refusals by the thousand are counted, and a few are written`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            world.decide(.make("a", "block") { $0.address = "127.0.0.1" })
            for _ in 0..<50 { _ = try await ask(port, "/") }
            let metrics = try await ask(port, "/metrics", headers: ["X-Metrics-Token: metrics-token-for-tests"])
            #expect(metrics.body.contains(#"guard_refused_requests_total{reason="blocked"} 50"#))
        }
        #expect(await world.events().count { $0["event.reason"] as? String == "blocked" } == 5)
    }

    @Test func `a sweep takes out what is over, and nothing else`() {
        let hands = Hands()
        var table = DecisionTable()
        for number in 0..<1000 {
            table.add(
                Decision(
                    .make("l-\(number)", "block") {
                        $0.address = "10.0.\(number / 250).\(number % 250)"
                        $0.expires = number % 2 == 0 ? "2026-03-02T16:55:59Z" : "2026-03-02T16:57:00Z"
                    }))
        }
        var swept = 0
        while true {
            let count = table.sweep(now: hands.clocks.wall(), limit: 100)
            swept += count
            if count == 0 { break }
        }
        #expect(swept == 500)
        #expect(table.decisions.count == 500)
        #expect(table.blocks.count == 500)
    }

    @Test(arguments: [
        "http://192.0.2.1:8484", "ftp://x", "https://vigie.example", "http://", "http://127.0.0.1:99999", "unix:relative",
        "http://user@127.0.0.1",
    ])
    func `an address of Vigie that cannot work is refused at the start`(_ url: String) {
        #expect(throws: ConfigurationFailure.self) { try VigieEndpoint(Vigie(url: url, token: "t")) }
    }

    @Test func `an address of Vigie that can`() throws {
        #expect(try VigieEndpoint(Vigie(url: "http://[::1]:84/base/", token: "t")).place == .host("::1", port: 84))
        #expect(try VigieEndpoint(Vigie(url: "http://[::1]:84/base/", token: "t")).base == "/base")
        #expect(
            try VigieEndpoint(Vigie(url: "http://vigie:8484", token: "t", allowsPlaintext: true)).place
                == .host("vigie", port: 8484))
        #expect(throws: ConfigurationFailure.self) { try VigieEndpoint(Vigie(url: "http://127.0.0.1", token: "a\r\nb")) }
    }
}
