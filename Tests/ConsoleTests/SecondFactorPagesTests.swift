import Events
import Identity
import Testing

@testable import Console

@Suite("Second factor: pages")
struct SecondFactorPagesTests {
    @Test("set up, sign in with a code, and with nothing less")
    func wholeWay() async throws {
        let world = try World()
        let browser = try await world.signedIn()
        let page = try await browser.get("/account/second-factor")
        #expect(page.text.contains("<svg class=\"qr\"") && page.text.contains("QR code"))
        let ana = try await world.accounts.account(named: "ana")
        let codes = try #require(try await world.accounts.secondFactorOffer(accountID: ana.id))
        let wrong = try await browser.post("/account/second-factor", ["code": "12", "old": goodPassword])
        #expect(wrong.status == 422)
        let on = try await browser.post(
            "/account/second-factor", ["code": world.code(codes), "old": goodPassword])
        #expect(on.status == 200 && on.text.matches(of: /<code>[0-9A-Z-]{19}<\/code>/).count == 10)
        #expect(!(try await browser.get("/account/second-factor")).text.contains(codes.text))

        world.now = noon.advanced(bySeconds: 60)
        let other = Browser(world)
        #expect(try await other.get("/sign-in/code").location == "/sign-in")
        _ = try await other.get("/sign-in")
        let step = try await other.post("/sign-in", ["name": "ana", "password": goodPassword, "next": "/rules"])
        #expect(step.location == "/sign-in/code?next=%2Frules" && other.cookies["vigie"] == nil)
        #expect(step.setCookies.allSatisfy { $0.contains("HttpOnly") && $0.contains("SameSite=Strict") })
        #expect(try await other.get("/incidents").status == 303, "the password alone opens nothing")
        _ = try await other.get("/sign-in/code?next=%2Frules")
        #expect(try await other.post("/sign-in/code", ["code": "000000x"]).status == 403)
        let entered = try await other.post("/sign-in/code", ["code": world.code(codes), "next": "/rules"])
        #expect(entered.location == "/rules" && other.cookies["vigie-step"] == nil)
        #expect(try await other.get("/incidents").status == 200)
        #expect(world.auditKinds.suffix(3) == [.secondFactorEnabled, .codeRefused, .signedIn])
    }

    @Test("where the role has to have one, nothing else opens before it is set up")
    func required() async throws {
        let world = try World(secondFactorRoles: [.admin])
        let browser = try await world.signedIn()
        for route in world.console.routes where route.access != .everybody {
            let answer = try await browser.call(route)
            if route.path == "/account/second-factor" {
                #expect(answer.status != 303 && answer.status != 403, "\(route)")
            } else if route.surface == .page {
                #expect(answer.location == "/account/second-factor", "\(route)")
            } else {
                #expect(answer.status == 403, "\(route)")
            }
        }
        let ana = try await world.accounts.account(named: "ana")
        let codes = try #require(try await world.accounts.secondFactorOffer(accountID: ana.id))
        _ = try await browser.get("/account/second-factor")
        _ = try await browser.post("/account/second-factor", ["code": world.code(codes), "old": goodPassword])
        #expect(try await browser.get("/incidents").status == 200)
        // Others are not asked.
        #expect(try await world.browser(as: .viewer).get("/incidents").status == 200)
    }
}

extension World {
    func code(_ codes: TimeCode) -> String { codes.code(step: TimeCode.step(at: now)) }
}
