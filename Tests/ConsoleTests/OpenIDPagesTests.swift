import Console
import Events
import Foundation
import Identity
import Testing

@Suite("Sign-in through a provider: pages")
struct OpenIDPagesTests {
    let provider = SampleProvider()
    let world: World

    init() async throws {
        world = try World(incidents: [Samples.incident()], provider: try provider.make())
        _ = try await world.signedIn()
    }

    private func fields(_ location: String?) -> [String: String] {
        let items = URLComponents(string: location ?? "")?.queryItems ?? []
        return Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
    }

    /// Follows the button, and comes back with what the provider would send along.
    private func goThere(_ browser: Browser, next: String = "") async throws -> (answer: Browser.Answer, query: String) {
        let answer = try await browser.get("/sign-in/provider" + (next.isEmpty ? "" : "?next=\(next)"))
        let sent = fields(answer.location)
        provider.nonce.withLock { $0 = sent["nonce"] ?? "" }
        return (answer, "?code=c&state=\(sent["state"] ?? "")")
    }

    private static let crossSite = ["sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"]

    @Test("the button, the provider, and back to where one wanted to go")
    func wholeWay() async throws {
        let browser = Browser(world)
        let page = try await browser.get("/sign-in?next=%2Frules")
        #expect(page.text.contains(#"<a href="/sign-in/provider?next=%2Frules">Sign in with Example</a>"#))
        let (there, query) = try await goThere(browser, next: "%2Frules")
        #expect(there.status == 303)
        #expect(there.location?.hasPrefix("https://login.example.org/authorize?") == true)
        #expect(fields(there.location)["redirect_uri"] == "http://localhost:8630/sign-in/provider/return")
        let cookie = try #require(there.setCookies.first { $0.hasPrefix("vigie-provider=") })
        #expect(cookie.contains("SameSite=Lax") && cookie.contains("HttpOnly") && cookie.contains("Max-Age=600"))
        // What a page of an attacker could make of it: the session cookies stay SameSite=Strict.
        let back = try await browser.get("/sign-in/provider/return" + query, headers: Self.crossSite)
        #expect(back.status == 200 && back.location == nil)
        #expect(back.text.contains(#"content="0;url=/rules""#))
        let session = try #require(back.setCookies.first { $0.hasPrefix("vigie=") })
        #expect(session.contains("SameSite=Strict") && session.contains("Max-Age=43200"))
        #expect(back.setCookies.contains { $0.hasPrefix("vigie-provider=;") && $0.contains("Max-Age=0") })
        #expect(try await browser.get("/incidents").status == 200)
        #expect(world.auditKinds.suffix(2) == [.addedByProvider, .signedIn])
        let account = try await browser.get("/account")
        #expect(account.text.contains("You sign in with Example") && !account.text.contains("New password"))
        #expect(try await browser.get("/sign-in/provider?next=%2Frules").location == "/rules", "who is in stays in")
        // Again with the same address: the cookie is gone, and with it the sign-in.
        let replayed = Browser(world)
        replayed.cookies = ["vigie-provider": String(cookie.dropFirst("vigie-provider=".count).prefix { $0 != ";" })]
        let again = try await replayed.get("/sign-in/provider/return" + query)
        #expect(again.status == 400 && again.text.contains("not expected any more") && again.setCookies.isEmpty)
    }

    @Test(
        "there is no way to another host",
        arguments: [
            "https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aset-cookie:x=1", "x",
            "/" + String(repeating: "x", count: 1500),
        ])
    func openRedirect(next: String) async throws {
        let browser = Browser(world)
        let encoded = next.utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let (there, query) = try await goThere(browser, next: encoded)
        #expect(there.location?.hasPrefix("https://login.example.org/authorize?") == true)
        let back = try await browser.get("/sign-in/provider/return" + query)
        let path = next.hasPrefix("/%0d") ? next : "/incidents"
        #expect(back.text.contains("content=\"0;url=\(path)\""), "\(back.text.prefix(600))")
        // Nor by a cookie that somebody planted.
        let planted = Browser(world)
        let (_, other) = try await goThere(planted)
        let parts = (planted.cookies["vigie-provider"] ?? "").split(separator: ".", omittingEmptySubsequences: false)
        let hostile = Data(next.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
        planted.cookies["vigie-provider"] = "\(parts[0]).\(parts[1]).\(hostile)"
        let landed = try await planted.get("/sign-in/provider/return" + other)
        #expect(landed.status == 400 || !landed.text.contains("evil.example") && !landed.text.contains("javascript:"))
    }

    @Test("answers that nobody waits for, and those without a cookie")
    func notExpected() async throws {
        for query in ["", "?code=c", "?state=x&code=c", "?error=access_denied&error_description=%3Cscript%3E", "?iss=x"] {
            let answer = try await Browser(world).get("/sign-in/provider/return" + query, headers: Self.crossSite)
            #expect(answer.status == 400 && !answer.text.contains("script>alert") && !answer.text.contains("&lt;script"))
            #expect(answer.setCookies.isEmpty)
        }
        let (mine, other) = (Browser(world), Browser(world))
        let (_, query) = try await goThere(mine)
        _ = try await goThere(other)
        #expect(try await other.get("/sign-in/provider/return" + query).status == 400, "an answer for another browser")
        #expect(!world.auditKinds.contains(.providerRefused))
    }

    @Test("HTML in claims is text, or no name; who has no role sees a plain page")
    func hostileClaims() async throws {
        provider.claims.withLock { $0 = #""sub":"1","groups":["soc"],"preferred_username":"<script>alert(1)</script>""# }
        let browser = Browser(world)
        let (_, query) = try await goThere(browser)
        _ = try await browser.get("/sign-in/provider/return" + query)
        let page = try await browser.get("/account")
        #expect(page.status == 200 && !page.text.contains("alert(1)") && page.text.contains("sso-"))

        provider.claims.withLock { $0 = #""sub":"2","groups":["<b>others</b>"]"# }
        let stranger = Browser(world)
        let (_, second) = try await goThere(stranger)
        let refused = try await stranger.get("/sign-in/provider/return" + second)
        #expect(refused.status == 403 && refused.text.contains("You have no role here") && !refused.text.contains("others"))
        #expect(stranger.cookies["vigie"] == nil && stranger.cookies["vigie-provider"] == nil)
        #expect(world.auditRecords.last?.details["reason"] == "no_role")
    }

    @Test("while the provider is down, it is said, and passwords work")
    func unreachable() async throws {
        provider.problem.withLock { $0 = OpenIDProblem(.unreachable, "https://login.example.org: no answer within 10 s", "wait") }
        let browser = Browser(world)
        let answer = try await browser.get("/sign-in/provider")
        #expect(answer.status == 502 && answer.text.contains("The provider cannot be asked") && answer.setCookies.isEmpty)
        #expect(answer.text.contains("no answer within 10 s"))
        #expect(try await browser.get("/sign-in").text.contains("Sign in with Example"), "the page itself asks nobody")
        let signedIn = try await browser.post("/sign-in", ["name": "ana", "password": goodPassword])
        #expect(signedIn.location == "/incidents")
    }

    @Test("signing out ends the session here, and offers to do so there")
    func signOut() async throws {
        let browser = Browser(world)
        let (_, query) = try await goThere(browser)
        _ = try await browser.get("/sign-in/provider/return" + query)
        let kept = browser.cookies
        _ = try await browser.get("/account")
        let left = try await browser.post("/sign-out", [:])
        #expect(left.location == "/sign-in?left=provider")
        #expect(try await browser.get("/sign-in?left=provider").text.contains("Sign out there, too"))
        let address = fields(try await browser.get("/sign-out/provider").location)
        #expect(address == ["client_id": "vigie", "post_logout_redirect_uri": "http://localhost:8630/sign-in"])
        browser.cookies = kept
        #expect(try await browser.get("/incidents").status == 303, "the old cookie opens nothing")
    }

    @Test("admins see who comes through the provider, and can take their use")
    func accountsPage() async throws {
        let browser = Browser(world)
        let (_, query) = try await goThere(browser)
        _ = try await browser.get("/sign-in/provider/return" + query)
        let admin = Browser(world)
        _ = try await admin.get("/sign-in")
        _ = try await admin.post("/sign-in", ["name": "ana", "password": goodPassword])
        let page = try await admin.get("/accounts")
        #expect(page.text.contains("through the provider"))
        let bea = try await world.accounts.account(named: "bea")
        #expect(try await admin.post("/accounts/\(bea.id)", ["verb": "role", "role": "admin"]).status == 409)
        #expect(try await admin.post("/accounts/\(bea.id)", ["verb": "reset"]).status == 409)
        #expect(try await admin.post("/accounts/\(bea.id)", ["verb": "disable"]).status == 303)
        #expect(try await browser.get("/incidents").status == 303)
        let again = Browser(world)
        let (_, second) = try await goThere(again)
        #expect(try await again.get("/sign-in/provider/return" + second).text.contains("Your account is disabled"))
    }

    @Test("over TLS the cookie belongs to this host alone; before the first account there is no way in")
    func edges() async throws {
        let secure = try World(options: .init(hosts: ["vigie.example.org"], isBehindTLS: true), provider: try provider.make())
        let browser = Browser(secure)
        #expect(try await browser.get("/sign-in/provider").location == "/setup")
        _ = try await secure.signedIn()
        browser.host = "VIGIE.example.org"
        let answer = try await browser.get("/sign-in/provider")
        #expect(answer.setCookies.contains { $0.hasPrefix("__Host-vigie-provider=") && $0.contains("; Secure") })
        #expect(fields(answer.location)["redirect_uri"] == "https://vigie.example.org/sign-in/provider/return")
        browser.host = "evil.example"
        #expect(try await browser.get("/sign-in/provider").status == 421)
        // And where no provider is configured, there is none of it.
        let without = try World()
        _ = try await without.signedIn()
        for path in ["/sign-in/provider", "/sign-in/provider/return", "/sign-out/provider"] {
            #expect(try await Browser(without).get(path).status == 404)
        }
        #expect(!(try await Browser(without).get("/sign-in")).text.contains("Sign in with"))
    }
}
