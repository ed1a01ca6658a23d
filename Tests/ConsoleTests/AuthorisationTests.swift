import Console
import Events
import HTTPTypes
import HummingbirdCore
import Identity
import Testing

/// Role × route, for pages and the API, with sessions and with tokens.
@Suite("Who may use which route")
struct AuthorisationTests {
    /// The whole table. A new route fails the test until somebody says here who may use it.
    static let expected: [String: Access] = [
        "GET /": .viewer,
        "GET /account": .viewer,
        "GET /account/password": .viewer,
        "GET /account/second-factor": .viewer,
        "GET /account/sessions": .viewer,
        "GET /account/tokens": .viewer,
        "GET /account/tokens/:id/revoke": .viewer,
        "GET /accounts": .admin,
        "GET /accounts/:id": .admin,
        "GET /acknowledge": .everybody,
        "GET /api/openapi.json": .everybody,
        "GET /api/v1/accounts": .admin,
        "GET /api/v1/accounts/:id": .admin,
        "GET /api/v1/detection": .viewer,
        "GET /api/v1/entities": .viewer,
        "GET /api/v1/incidents": .viewer,
        "GET /api/v1/incidents/:id": .viewer,
        "GET /api/v1/incidents/:id/evidence": .viewer,
        "GET /api/v1/journal/:sequence": .viewer,
        "GET /api/v1/metrics": .viewer,
        "GET /api/v1/rules": .viewer,
        "GET /api/v1/sources": .viewer,
        "GET /api/v1/tokens": .viewer,
        "GET /assets/:name": .everybody,
        "GET /events": .viewer,
        "GET /evidence/:id": .viewer,
        "GET /evidence/:id/verify": .viewer,
        "GET /favicon.ico": .everybody,
        "GET /healthz": .everybody,
        "GET /hunts": .responder,
        "GET /hunts/:id": .responder,
        "GET /hunts/:id/cancel": .responder,
        "GET /incidents": .viewer,
        "GET /incidents/:id": .viewer,
        "GET /invitation": .everybody,
        "GET /journal": .viewer,
        "GET /journal/:sequence": .viewer,
        "GET /journal/:sequence/entry.json": .viewer,
        "GET /journal/:sequence/entry.tlog-proof": .viewer,
        "GET /leases": .viewer,
        "GET /leases/:id": .viewer,
        "GET /leases/:id/approve": .responder,
        "GET /leases/:id/probed": .responder,
        "GET /leases/:id/proof": .responder,
        "GET /leases/:id/undo": .responder,
        "GET /leases/new": .responder,
        "GET /leases/preview": .responder,
        "POST /leases": .responder,
        "POST /leases/:id/approve": .commander,
        "POST /leases/:id/probed": .responder,
        "POST /leases/:id/proof": .responder,
        "POST /leases/:id/undo": .responder,
        "POST /leases/preview": .responder,
        "GET /api/v1/leases": .viewer,
        "GET /api/v1/leases/:id": .viewer,
        "POST /api/v1/leases": .responder,
        "POST /api/v1/leases/:id/approve": .commander,
        "POST /api/v1/leases/:id/probed": .responder,
        "POST /api/v1/leases/:id/proof": .responder,
        "POST /api/v1/leases/:id/undo": .responder,
        "POST /api/v1/leases/preview": .responder,
        "GET /runs": .viewer,
        "GET /runs/:id": .viewer,
        "GET /runs/:id/orders": .viewer,
        "POST /runs": .responder,
        "POST /runs/:id/orders": .responder,
        "GET /api/v1/playbooks": .viewer,
        "GET /api/v1/runs": .viewer,
        "GET /api/v1/runs/:id": .viewer,
        "POST /api/v1/runs": .responder,
        "POST /api/v1/runs/:id/approve": .responder,
        "POST /api/v1/runs/:id/orders": .responder,
        "POST /api/v1/runs/:id/steps/:step/done": .responder,
        "GET /metrics": .viewer,
        "GET /on-call": .viewer,
        "GET /rules": .viewer,
        "GET /setup": .everybody,
        "GET /sign-in": .everybody,
        "GET /sign-in/code": .everybody,
        "GET /sign-in/provider": .everybody,
        "GET /sign-in/provider/return": .everybody,
        "GET /sign-out/provider": .everybody,
        "GET /silences": .viewer,
        "GET /silences/:id": .viewer,
        "GET /silences/:id/end": .responder,
        "GET /silences/new": .responder,
        "GET /silences/preview": .responder,
        "POST /silences": .responder,
        "POST /silences/:id/end": .responder,
        "POST /silences/preview": .responder,
        "GET /api/v1/silences": .viewer,
        "GET /api/v1/silences/:id": .viewer,
        "POST /api/v1/silences": .responder,
        "POST /api/v1/silences/:id/end": .responder,
        "POST /api/v1/silences/preview": .responder,
        "GET /sources": .viewer,
        "GET /views": .viewer,
        "GET /views/:id": .viewer,
        "POST /views": .viewer,
        "POST /views/:id": .viewer,
        "GET /api/v1/views": .viewer,
        "POST /api/v1/views": .viewer,
        "POST /api/v1/views/:id": .viewer,
        "DELETE /api/v1/views/:id": .viewer,
        "DELETE /api/v1/tokens/:id": .viewer,
        "POST /account/password": .viewer,
        "POST /account/second-factor": .viewer,
        "POST /account/sessions": .viewer,
        "POST /account/tokens": .viewer,
        "POST /account/tokens/:id/revoke": .viewer,
        "POST /accounts": .admin,
        "POST /acknowledge": .everybody,
        "POST /accounts/:id": .admin,
        "POST /api/v1/accounts": .admin,
        "POST /api/v1/accounts/:id": .admin,
        "POST /api/v1/incidents/:id/orders": .responder,
        "POST /api/v1/tokens": .viewer,
        "POST /evidence/:id/verify": .viewer,
        "POST /hunts": .responder,
        "POST /hunts/:id/cancel": .responder,
        "POST /incidents/:id/orders": .responder,
        "POST /invitation": .everybody,
        "POST /setup": .everybody,
        "POST /sign-in": .everybody,
        "POST /sign-in/code": .everybody,
        "POST /sign-out": .everybody,
    ]

    @Test("every route is declared as the table says, and the table has no other")
    func table() throws {
        let world = try World()
        let declared = world.console.routes.map { ("\($0.method.rawValue) \($0.path)", $0.access) }
        #expect(Set(declared.map(\.0)).count == declared.count, "a route is declared twice")
        for (route, access) in declared { #expect(Self.expected[route] == access, "\(route)") }
        #expect(Set(Self.expected.keys).subtracting(declared.map(\.0)) == [])
    }

    @Test("each role passes where it may, and only there", arguments: Role.allCases)
    func sessions(role: Role) async throws {
        let world = try World(incidents: [Samples.incident()])
        _ = try await world.signedIn()
        let browser = try await world.browser(as: role)
        for route in world.console.routes {
            guard let needed = route.access.role else { continue }
            let status = try await browser.call(route).status
            if role >= needed {
                #expect(status != 401 && status != 403, "\(route) as \(role): \(status)")
            } else {
                #expect(status == 403, "\(route) as \(role): \(status)")
            }
        }
    }

    @Test("without a sign-in, pages lead to it and programs get a 401; nothing is shown")
    func anonymous() async throws {
        let world = try World(incidents: [Samples.incident(text: "planted")])
        _ = try await world.signedIn()
        for route in world.console.routes where route.access != .everybody {
            let browser = Browser(world)
            // A form needs a token that only a page of ours has: without it, it is refused before anything else.
            let answer = try await browser.call(route)
            let isRefused =
                route.surface == .page && route.method == .get ? answer.status == 303 : [401, 403].contains(answer.status)
            #expect(isRefused, "\(route): \(answer.status)")
            #expect(!answer.text.contains("planted"))
        }
    }

    @Test("a token passes where its scopes and its account's role both allow it", arguments: TokenScope.allCases, Role.allCases)
    func tokens(scope: TokenScope, role: Role) async throws {
        let world = try World(incidents: [Samples.incident()])
        _ = try await world.signedIn()
        let secret = try await world.token(as: role, [scope])
        for route in world.console.routes {
            guard let needed = route.access.role else { continue }
            let status = try await Browser(world).call(route, token: secret).status
            if route.surface == .api, role >= needed, scope.covers(route.scope) {
                #expect(status != 401 && status != 403, "\(route) with \(scope) of \(role): \(status)")
            } else {
                #expect(status == 403, "\(route) with \(scope) of \(role): \(status)")
            }
        }
    }

    @Test("what changes something is never covered by the scope that only reads")
    func scopes() throws {
        for route in try World().console.routes where route.method != .get {
            #expect(!TokenScope.read.covers(route.scope), "\(route)")
        }
        for scope in TokenScope.allCases { #expect(scope.covers(scope)) }
        #expect(!TokenScope.ingest.covers(.read) && !TokenScope.admin.covers(.ingest))
    }

    @Test("an order about severity is the commander's, whatever lets one in")
    func verbs() async throws {
        let world = try World(incidents: [Samples.incident()])
        _ = try await world.signedIn()
        let order = ["verb": "severity", "to": "P3", "text": "so"]
        let path = "/api/v1/incidents/SEC-2026-0001/orders"
        for (role, status) in [(Role.responder, 403), (.commander, 200)] {
            let browser = try await world.browser(as: role)
            _ = try await browser.get("/incidents/SEC-2026-0001")
            #expect(try await browser.post(path, order).status == status)
            let secret = try await world.token(as: role, [.respond])
            let body = #"{"verb":"severity","to":"P3","text":"so"}"#
            let headers = ["authorization": "Bearer \(secret)", "content-type": "application/json"]
            #expect(try await Browser(world).send(.post, path, headers: headers, body: body).status == status)
        }
    }
}

extension World {
    /// Somebody who is signed in with that role; a new account each time.
    func browser(as role: Role) async throws -> Browser {
        let account = try await member(role)
        let browser = Browser(self)
        _ = try await browser.get("/sign-in")
        let answer = try await browser.post("/sign-in", ["name": account.name, "password": goodPassword])
        guard answer.status == 303 else { throw Unexpected(answer.text) }
        return browser
    }

    /// A new token for a new account.
    func token(as role: Role, _ scopes: Set<TokenScope>, days: Int = 30) async throws -> String {
        let account = try await member(role)
        let issued = try await accounts.createToken(
            for: account.id, name: "test", scopes: scopes, days: days, by: Self.author, at: now)
        return issued.secret.text
    }

    /// An account with ``goodPassword``.
    func member(_ role: Role) async throws -> Account {
        let name = "\(role.rawValue)-\(SecretToken(bits: 64, from: .system).text)"
        let link = try await accounts.invite(name, role: role, by: Self.author, at: now)
        _ = try await accounts.redeem(link.secret, password: goodPassword, address: "127.0.0.1", at: now)
        return try await accounts.account(named: name)
    }

    static var author: AuditAuthor { AuditAuthor(id: "test", name: nil, address: "127.0.0.1") }
}

struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}

extension Browser {
    /// Asks for a route as a page of the console would, or with an API token. Its parameters name things that may be there.
    func call(_ route: RouteDeclaration, token: String? = nil) async throws -> Answer {
        let path = route.path.replacing(":sequence", with: "0").replacing(
            ":id", with: route.path.contains("incidents") ? "SEC-2026-0001" : "0a1b")
        var headers: [String: String] = [:]
        if let token { headers = ["authorization": "Bearer \(token)", "content-type": "application/json"] }
        if path == "/events" {
            // Its body has no end.
            let response = try await respond(.get, path, headers: headers)
            return Answer(status: response.status.code, headers: response.headers, text: "")
        }
        if token != nil {
            return try await send(
                route.method, path, headers: headers, body: route.method == .get ? "" : #"{"verb":"note","text":"so"}"#)
        }
        if route.method == .get { return try await get(path) }
        if route.access != .everybody, !cookies.isEmpty { _ = try await get("/account") }
        return try await post(path, ["verb": "note", "text": "so"], method: route.method)
    }
}
