import Console
import Events
import Identity
import Testing

struct SignInPagesTests {
    static let pages = ["/", "/incidents", "/incidents/SEC-2026-0001", "/sources", "/rules", "/incidents?q=x&page=2"]

    @Test(arguments: pages)
    func anonymousPeopleAreSentToSignIn(path: String) async throws {
        let world = try World(incidents: [Samples.incident()])
        _ = try await world.signedIn()
        let answer = try await Browser(world).get(path)
        #expect(answer.status == 303)
        #expect(answer.location?.hasPrefix("/sign-in?next=") == true)
        #expect(!answer.text.contains("203.0.113.9"))
    }

    @Test(arguments: pages)
    func theFirstVisitGoesToSetUp(path: String) async throws {
        let answer = try await Browser(try World()).get(path)
        #expect(answer.location == "/setup")
    }

    @Test(arguments: [
        "/events", "/api/v1/incidents", "/api/v1/incidents/SEC-2026-0001", "/api/v1/sources", "/api/v1/detection",
        "/api/v1/rules",
    ])
    func programsGetA401Problem(path: String) async throws {
        let answer = try await Browser(try World()).get(path)
        #expect(answer.status == 401)
        #expect(answer.header("content-type") == "application/problem+json")
        #expect(answer.text.contains(#""request_id":""#))
    }

    @Test func setUpSignsInAndHappensOnce() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        #expect(try await browser.get("/incidents").status == 200)
        #expect(world.auditKinds == [.setupCompleted])
        let other = Browser(world)
        #expect(try await other.get("/setup").location == "/sign-in")
        _ = try await other.get("/sign-in")
        let again = try await other.post("/setup", ["token": "x", "name": "eve", "password": goodPassword])
        #expect(again.status == 403)
        #expect(try await world.store.account(named: "eve") == nil)
    }

    @Test func setUpSaysWhatIsWrong() async throws {
        let world = try World()
        let token = try #require(try await world.service.issueSetupToken())
        let browser = Browser(world)
        _ = try await browser.get("/setup")
        let wrong = try await browser.post("/setup", ["token": "AAAA", "name": "ana", "password": goodPassword])
        #expect(wrong.status == 403 && wrong.text.contains("not the current set-up token"))
        let short = try await browser.post("/setup", ["token": token, "name": "ana", "password": "short"])
        #expect(short.status == 422 && short.text.contains("at least 12 characters"))
        let differing = try await browser.post(
            "/setup", ["token": token, "name": "ana", "password": goodPassword, "password_again": "something else"])
        #expect(differing.status == 422 && differing.text.contains("differ"))
        #expect(!short.text.contains("\"short\"") && !differing.text.contains(goodPassword))
    }

    @Test func signsInAndReturnsToWhereOneWanted() async throws {
        let world = try World(incidents: [Samples.incident()])
        _ = try await world.signedIn()
        let browser = Browser(world)
        let first = try await browser.get("/incidents/SEC-2026-0001")
        _ = try await browser.get(first.location ?? "")
        let answer = try await browser.post(
            "/sign-in", ["name": "ana", "password": goodPassword, "next": "/incidents/SEC-2026-0001"])
        #expect(answer.status == 303 && answer.location == "/incidents/SEC-2026-0001")
        #expect(try await browser.get("/incidents/SEC-2026-0001").status == 200)
    }

    @Test(arguments: [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\r\nSet-Cookie: x=y", "",
    ])
    func neverLeadsElsewhere(next: String) async throws {
        let world = try World()
        _ = try await world.signedIn()
        let browser = Browser(world)
        _ = try await browser.get("/sign-in")
        let answer = try await browser.post("/sign-in", ["name": "ana", "password": goodPassword, "next": next])
        #expect(answer.location == "/incidents")
    }

    @Test func theSessionCookieIsLockedDown() async throws {
        let world = try World()
        _ = try await world.signedIn()
        let browser = Browser(world)
        _ = try await browser.get("/sign-in")
        let cookie = try #require(try await browser.post("/sign-in", ["name": "ana", "password": goodPassword]).setCookies.first)
        #expect(cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict") && cookie.contains("; Path=/"))
        #expect(!cookie.contains("Secure") && !cookie.contains("Domain"))
        let secure = try World(options: .init(isBehindTLS: true))
        let answer = try await Browser(secure).get("/setup")
        #expect(answer.setCookies.first?.hasPrefix("__Host-") == true)
        #expect(answer.setCookies.first?.hasSuffix("; Secure") == true)
    }

    @Test func aPlantedSessionCookieIsReplaced() async throws {
        let world = try World()
        _ = try await world.signedIn()
        let browser = Browser(world)
        let planted = String(repeating: "a", count: 64)
        browser.cookies["vigie"] = planted
        _ = try await browser.get("/sign-in")
        _ = try await browser.post("/sign-in", ["name": "ana", "password": goodPassword])
        #expect(browser.cookies["vigie"] != planted)
        let thief = Browser(world)
        thief.cookies["vigie"] = planted
        #expect(try await thief.get("/incidents").status == 303)
    }

    @Test func signingOutEndsTheSessionEverywhere() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        let copy = browser.cookies
        _ = try await browser.get("/incidents")
        #expect(try await browser.post("/sign-out", [:]).location == "/sign-in")
        #expect(browser.cookies["vigie"] == nil)
        browser.cookies = copy
        #expect(try await browser.get("/incidents").status == 303)
        #expect(world.auditKinds.last == .signedOut)
    }

    @Test func anExpiredSessionHasToSignInAgain() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        world.now = noon.advanced(bySeconds: 12 * 3600)
        #expect(try await browser.get("/incidents").status == 303)
        #expect(try await browser.get("/api/v1/incidents").status == 401)
    }

    @Test func anOpenPageDoesNotKeepTheSessionAlive() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        world.now = noon.advanced(bySeconds: 11 * 3600)
        #expect(try await browser.get("/incidents", headers: ["vigie-partial": "1"]).status == 200)
        world.now = noon.advanced(bySeconds: 13 * 3600)
        #expect(try await browser.get("/incidents", headers: ["vigie-partial": "1"]).status == 401)
    }

    @Test func guessingIsSlowedDown() async throws {
        let world = try World()
        _ = try await world.signedIn()
        let browser = Browser(world)
        browser.address = "203.0.113.9"
        _ = try await browser.get("/sign-in")
        for _ in 0..<5 {
            #expect(try await browser.post("/sign-in", ["name": "ana", "password": "wrong password"]).status == 403)
        }
        let limited = try await browser.post("/sign-in", ["name": "ana", "password": goodPassword])
        #expect(limited.status == 429 && limited.header("retry-after") == "1")
        #expect(world.auditKinds.filter { $0 == .signInLimited }.count == 1)
        #expect(world.auditRecords.last?.address == "203.0.113.9")
        // The owner elsewhere comes in.
        let owner = Browser(world)
        owner.address = "192.0.2.1"
        _ = try await owner.get("/sign-in")
        #expect(try await owner.post("/sign-in", ["name": "ana", "password": goodPassword]).status == 303)
    }

    @Test func nobodyComesInUnrecorded() async throws {
        let world = try World(auditFails: true)
        let token = try await world.service.issueSetupToken() ?? ""
        let browser = Browser(world)
        _ = try await browser.get("/setup")
        let answer = try await browser.post("/setup", ["token": token, "name": "ana", "password": goodPassword])
        #expect(answer.status == 500)
        #expect(browser.cookies["vigie"] == nil)
        #expect(!answer.text.contains("JournalIsFull"))
    }

    @Test func aLinkFromAChatComesBackWithTheCookie() async throws {
        let world = try World(incidents: [Samples.incident()])
        _ = try await world.signedIn()
        let headers = ["sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"]
        let answer = try await Browser(world).get("/incidents/SEC-2026-0001", headers: headers)
        #expect(answer.status == 200)
        #expect(answer.text.contains(#"http-equiv="refresh" content="0;url=/incidents/SEC-2026-0001""#))
        #expect(!answer.text.contains("203.0.113.9"))
    }
}
