import Console
import Events
import HTTPTypes
import Identity
import Testing

struct RequestDefenceTests {
    @Test(arguments: ["/", "/incidents", "/nothing", "/sign-in", "/healthz", "/api/v1/incidents", "/assets/nothing.css"])
    func everyAnswerCarriesTheSecurityHeaders(path: String) async throws {
        let world = try World()
        for browser in [Browser(world), try await world.signedIn()] {
            let answer = try await browser.get(path)
            let policy = try #require(answer.header("content-security-policy"))
            for part in [
                "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "form-action 'self'",
                "frame-ancestors 'none'", "base-uri 'none'",
            ] {
                #expect(policy.contains(part))
            }
            #expect(!policy.contains("unsafe"))
            #expect(answer.header("x-content-type-options") == "nosniff")
            #expect(answer.header("referrer-policy") == "same-origin")
            #expect(answer.header("cross-origin-opener-policy") == "same-origin")
            #expect(answer.header("cross-origin-resource-policy") == "same-origin")
            #expect(answer.header("cache-control") == "no-store")
            #expect(answer.header("x-request-id")?.isEmpty == false)
        }
    }

    @Test func requestIDsDiffer() async throws {
        let browser = Browser(try World())
        let first = try await browser.get("/healthz").header("x-request-id")
        #expect(try await browser.get("/healthz").header("x-request-id") != first)
    }

    @Test(arguments: [
        "localhost", "localhost:8630", "LOCALHOST:1", "127.0.0.1:9", "[::1]:8630", "vigie.example.org", "localhost.:8630",
    ])
    func answersToItsOwnNames(host: String) async throws {
        let browser = Browser(try World(options: .init(hosts: ["vigie.example.org"])))
        browser.host = host
        #expect(try await browser.get("/healthz").status == 200)
    }

    @Test(arguments: [
        "evil.example", "evil.example:8630", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]", "0.0.0.0:8630",
    ])
    func refusesForeignHostNames(host: String) async throws {
        let browser = Browser(try World())
        browser.host = host
        let answer = try await browser.get("/sign-in")
        #expect(answer.status == 421)
        #expect(answer.header("content-security-policy") != nil)
    }

    @Test func formsNeedTheirToken() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        _ = try await browser.get("/incidents")
        for token in ["", String(repeating: "0", count: 64), browser.formToken + "0"] {
            #expect(try await browser.post("/sign-out", [:], token: token).status == 403)
        }
        #expect(try await browser.get("/incidents").status == 200)
        let stranger = Browser(world)
        // A token without the cookie it belongs to.
        #expect(
            try await stranger.post("/sign-in", ["name": "ana", "password": goodPassword], token: browser.formToken).status == 403
        )
    }

    @Test(arguments: [
        ["origin": "https://evil.example"], ["origin": "null"], ["origin": "http://localhost:9999"],
        ["sec-fetch-site": "cross-site"], ["sec-fetch-site": "same-site"], ["origin": "http://localhost:8630.evil.example"],
    ])
    func formsOfOtherOriginsAreRefused(headers: [String: String]) async throws {
        let browser = try await (try World()).signedIn()
        _ = try await browser.get("/incidents")
        #expect(try await browser.post("/sign-out", [:], headers: headers).status == 403)
    }

    @Test func anOldBrowserWithoutOriginStillWorks() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        _ = try await browser.get("/incidents")
        let answer = try await browser.send(
            .post, "/sign-out", headers: ["content-type": "application/x-www-form-urlencoded"], body: "csrf=\(browser.formToken)")
        #expect(answer.status == 303)
    }

    @Test(arguments: ["text/plain", "application/json", "multipart/form-data; boundary=x"])
    func onlyFormsAreForms(type: String) async throws {
        let browser = try await (try World()).signedIn()
        _ = try await browser.get("/incidents")
        #expect(try await browser.post("/sign-out", [:], headers: ["content-type": type]).status == 415)
    }

    @Test func largeBodiesAreRefused() async throws {
        let browser = try await (try World()).signedIn()
        _ = try await browser.get("/incidents")
        let large = String(repeating: "x", count: 64 * 1024)
        #expect(try await browser.post("/sign-out", ["filler": large]).status == 413)
        #expect(try await browser.post("/sign-out", [:], headers: ["content-length": "9999999999999999999999"]).status == 413)
        // One that lies about its length is caught while it is read.
        #expect(try await browser.post("/sign-out", ["filler": large], headers: ["content-length": "5"]).status == 413)
    }

    @Test func aForwardedAddressIsBelievedOnlyFromTheProxy() async throws {
        let trusting = try World(options: .init(trustsForwardedAddress: true))
        _ = try await trusting.signedIn()
        for (world, peer, expected) in [
            (trusting, "127.0.0.1", "203.0.113.9"), (trusting, "198.51.100.1", "198.51.100.1"),
        ] {
            let browser = Browser(world)
            browser.address = peer
            _ = try await browser.get("/sign-in")
            _ = try await browser.post(
                "/sign-in", ["name": "ana", "password": "wrong password"], headers: ["x-forwarded-for": "10.9.9.9, 203.0.113.9"])
            #expect(world.auditRecords.last?.address == expected)
        }
        let plain = try World()
        _ = try await plain.signedIn()
        let browser = Browser(plain)
        _ = try await browser.get("/sign-in")
        _ = try await browser.post(
            "/sign-in", ["name": "ana", "password": "wrong password"], headers: ["x-forwarded-for": "203.0.113.9"])
        #expect(plain.auditRecords.last?.address == "127.0.0.1")
    }

    @Test func healthSaysNothingElse() async throws {
        let answer = try await Browser(try World()).get("/healthz")
        #expect(answer.status == 200 && answer.text == #"{"status":"ok"}"#)
    }

    @Test func errorsInsideStayInside() async throws {
        let world = try World(readingFails: true)
        let browser = try await world.signedIn()
        let page = try await browser.get("/incidents")
        #expect(page.status == 500 && !page.text.contains("JournalIsFull") && page.text.contains("Sign out"))
        #expect(page.text.contains(page.header("x-request-id") ?? "?"))
        let problem = try await browser.get("/api/v1/incidents")
        #expect(problem.status == 500 && problem.header("content-type") == "application/problem+json")
    }
}
