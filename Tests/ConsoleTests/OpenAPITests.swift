import Foundation
import HTTPTypes
import Identity
import Incidents
import OpenAPICheck
import Testing

@testable import Console

/// The document at `/api/openapi.json` against the router, and against what is really answered.
@Suite("OpenAPI document")
struct OpenAPITests {
    private let world: World
    private let runs = FakeRuns()
    private let document: [String: Any]
    private let schemas: SchemaCheck

    init() async throws {
        world = try World(
            incidents: [Samples.incident(), Samples.incident("SEC-2026-0002", phase: .closed)], sources: [Samples.source()],
            rules: [
                RuleSummary(id: "1", title: "Bad", level: "high", category: "scan", file: "a.yml", problem: "a.yml:3"),
                RuleSummary(id: "2", title: "Good", level: "high", category: "scan", file: "b.yml"),
            ], leases: FakeLeases(), runs: runs, silences: KeptSilences())
        _ = try await world.signedIn()
        let answer = try await Browser(world).get("/api/openapi.json")
        #expect(answer.status == 200 && answer.header("content-type") == "application/json")
        document = try #require(try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])
        schemas = SchemaCheck(document: document)
    }

    private var operations: [(path: String, method: String, operation: [String: Any])] {
        (document["paths"] as? [String: [String: [String: Any]]] ?? [:]).flatMap { path, item in
            item.map { (path, $0.key, $0.value) }
        }
    }

    @Test("it is 3.1, and has every route for programs with its role, and no other")
    func routes() throws {
        #expect(document["openapi"] as? String == "3.1.0")
        let documented = Dictionary(
            uniqueKeysWithValues: operations.map { ("\($0.method.uppercased()) \($0.path)", $0.operation["x-role"] as? String) })
        let declared = Dictionary(
            uniqueKeysWithValues: world.console.routes.filter { $0.surface == .api }.map { route in
                ("\(route.method.rawValue) \(route.path.replacing(#/:([a-z]+)/#) { "{\($0.output.1)}" })", route.access.rawValue)
            })
        #expect(Set(documented.keys) == Set(declared.keys))
        for (route, role) in declared { #expect(documented[route] == role, "\(route)") }
    }

    @Test("operations have their own ids, parameters of the path are declared, references lead somewhere")
    func consistency() throws {
        let ids = operations.compactMap { $0.operation["operationId"] as? String }
        #expect(Set(ids).count == operations.count)
        for (path, method, operation) in operations {
            let parameters = operation["parameters"] as? [[String: Any]] ?? []
            let named = Set(parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String })
            #expect(named == Set(path.matches(of: #/{([a-z]+)}/#).map { String($0.1) }), "\(method) \(path)")
        }
        for reference in schemas.references { #expect(schemas.resolve(reference) != nil, "\(reference)") }
    }

    @Test("answers are as it says, the good ones and the bad ones")
    func answers() async throws {
        let admin = try await world.token(as: .admin, [.admin])
        let weak = try await world.token(as: .viewer, [.read])
        let account = try await world.member(.viewer)
        _ = try await world.token(as: .admin, [.read])
        let lease =
            #"{"verb":"block_address","target":"203.0.113.8","reason":"it guesses","incident":"SEC-2026-0001","duration":"1h"}"#
        let silence = #"{"address":"192.0.2.7","for":"1h","reason":"ours"}"#
        // For those that are asked for by their ids, in whatever order the document has its operations.
        for _ in 0..<2 {
            _ = try await Browser(world).send(
                .post, "/api/v1/silences", headers: ["authorization": "Bearer \(admin)", "content-type": "application/json"],
                body: silence)
        }
        let bodies: [String: [(body: String, path: [String: String])]] = [
            "POST /api/v1/incidents/{id}/orders": [
                (#"{"verb":"ack"}"#, ["id": "SEC-2026-0001"]), (#"{"verb":"dance"}"#, ["id": "SEC-2026-0001"]),
                (#"{"verb":"ack"}"#, ["id": "SEC-2026-0009"]), ("[]", ["id": "SEC-2026-0001"]),
            ],
            "POST /api/v1/accounts": [
                (#"{"name":"bob","role":"viewer"}"#, [:]), (#"{"name":"bob","role":"viewer"}"#, [:]), (#"{"name":"<>"}"#, [:]),
            ],
            "POST /api/v1/accounts/{id}": [
                (#"{"verb":"reset"}"#, ["id": account.id]), (#"{"verb":"role","role":"commander"}"#, ["id": account.id]),
                (#"{"verb":"disable"}"#, ["id": account.id]), (#"{"verb":"disable"}"#, ["id": account.id]),
                (#"{"verb":"disable"}"#, ["id": "none"]),
            ],
            "POST /api/v1/tokens": [
                (#"{"name":"t","scope":["read"]}"#, [:]), (#"{"name":"t","scope":["read","respond"],"days":5}"#, [:]),
                (#"{"scope":["read"]}"#, [:]),
            ],
            "GET /api/v1/leases/{id}": [("", ["id": "L-1"]), ("", ["id": "none"])],
            "POST /api/v1/leases": [(lease, [:]), (lease.replacing("block_address", with: "dance"), [:]), ("[]", [:])],
            "POST /api/v1/leases/preview": [(lease, [:]), (lease.replacing("0001", with: "0009"), [:])],
            "POST /api/v1/leases/{id}/undo": [(#"{"reason":"over"}"#, ["id": "L-1"]), ("{}", ["id": "none"])],
            "POST /api/v1/leases/{id}/approve": [("{}", ["id": "L-1"]), ("{}", ["id": "none"])],
            "POST /api/v1/leases/{id}/probed": [
                (#"{"outcome":"refused"}"#, ["id": "L-1"]), (#"{"outcome":"perhaps"}"#, ["id": "L-1"]),
                (#"{"outcome":"served"}"#, ["id": "none"]),
            ],
            "POST /api/v1/leases/{id}/proof": [("{}", ["id": "L-1"]), ("{}", ["id": "none"])],
            "POST /api/v1/silences": [
                (silence, [:]), (silence.replacing("1h", with: "91d"), [:]),
                (silence.replacing("192.0.2.7", with: "10.0.0.0/8"), [:]),
                ("[]", [:]), (silence.replacing("ours", with: #"ours","incident":"SEC-2026-0009"#), [:]),
            ],
            "POST /api/v1/silences/preview": [(silence, [:]), ("{}", [:])],
            "GET /api/v1/silences/{id}": [("", ["id": "S-1"]), ("", ["id": "none"])],
            "POST /api/v1/silences/{id}/end": [
                (#"{"reason":"over"}"#, ["id": "S-1"]), (#"{"reason":"over"}"#, ["id": "S-1"]), ("{}", ["id": "S-2"]),
                (#"{"reason":"over"}"#, ["id": "none"]),
            ],
            "GET /api/v1/runs/{id}": [("", ["id": "RUN-1"]), ("", ["id": "none"])],
            "POST /api/v1/runs": [
                (#"{"playbook":"playbook--1","incident":"SEC-2026-0001","__address__":"203.0.113.9"}"#, [:]), ("{}", [:]),
            ],
            "POST /api/v1/runs/{id}/approve": [(#"{"step":1}"#, ["id": "RUN-1"]), (#"{"step":"x"}"#, ["id": "RUN-1"])],
            "POST /api/v1/runs/{id}/steps/{step}/done": [
                (#"{"ending":"failed","text":"no log"}"#, ["id": "RUN-1", "step": "1"]),
                (#"{"ending":"perhaps"}"#, ["id": "RUN-1", "step": "1"]), ("{}", ["id": "RUN-1", "step": "7"]),
            ],
            "POST /api/v1/views": [
                (#"{"name":"Mine","q":"a"}"#, [:]), (#"{"name":"Mine","q":"a"}"#, [:]), (#"{"q":"a"}"#, [:]), ("[]", [:]),
            ],
            "POST /api/v1/views/{id}": [(#"{"name":"x"}"#, ["id": "none"]), ("[]", ["id": "none"])],
            "POST /api/v1/runs/{id}/orders": [
                (#"{"verb":"cancel","text":"enough"}"#, ["id": "RUN-1"]), (#"{"verb":"dance"}"#, ["id": "RUN-1"]),
            ],
        ]
        var checked: Set<String> = []
        for (path, method, operation) in operations where path != "/events" {
            let name = "\(method.uppercased()) \(path)"
            let asks = bodies[name] ?? [("", ["id": "SEC-2026-0001", "sequence": "0"]), ("", ["id": "none", "sequence": "99"])]
            for (body, parameters) in asks {
                let filled = parameters.reduce(path) { $0.replacing("{\($1.key)}", with: $1.value) }
                for (token, type) in [(admin, "application/json"), (weak, "application/json"), ("none", "text/plain")] {
                    let headers = ["authorization": "Bearer \(token)", "content-type": type]
                    let answer = try await Browser(world).send(
                        try #require(HTTPRequest.Method(method.uppercased())), filled, headers: headers, body: body)
                    let problem = schemas.problem(
                        status: answer.status, type: answer.header("content-type"), text: answer.text, of: operation)
                    #expect(problem == nil, "\(name) \(body): \(answer.status) \(answer.text.prefix(300))")
                    if answer.status < 300 { checked.insert(name) }
                }
            }
        }
        let unchecked = Set(operations.map { "\($0.method.uppercased()) \($0.path)" }).subtracting(checked)
        // There are no journal entries and tokens of these ids here: they answer 404 above, or are asked for below.
        #expect(
            unchecked == [
                "GET /events", "GET /api/v1/journal/{sequence}", "DELETE /api/v1/tokens/{id}", "GET /api/v1/accounts/{id}",
                "POST /api/v1/views/{id}", "DELETE /api/v1/views/{id}",
            ])
        // What a program says in JSON is what is carried out.
        #expect(
            Set(runs.orders) == [
                .start(playbook: "playbook--1", incident: "SEC-2026-0001", variables: ["__address__": "203.0.113.9"]),
                .approve(run: "RUN-1", execution: 1),
                .finish(run: "RUN-1", execution: 1, succeeded: false, note: "no log", outputs: [:]),
                .cancel(run: "RUN-1", reason: "enough"),
            ])
        for (method, path) in [("post", "/api/v1/views/{id}"), ("delete", "/api/v1/views/{id}")] {
            let mine = await world.views?.views(for: try await adminAccount(admin)).first
            let operation = try #require(operations.first { $0.path == path && $0.method == method }?.operation)
            let answer = try await Browser(world).send(
                method == "post" ? .post : .delete, "/api/v1/views/\(try #require(mine).id)",
                headers: ["authorization": "Bearer \(admin)", "content-type": "application/json"],
                body: method == "post" ? #"{"pinned":false}"# : "")
            let problem = schemas.problem(
                status: answer.status, type: answer.header("content-type"), text: answer.text, of: operation)
            #expect(answer.status < 300 && problem == nil)
        }
        let token = try #require(try await world.store.tokens(accountID: nil).first { $0.scopes == [.admin] })
        let bearer = ["authorization": "Bearer \(admin)"]
        #expect(try await Browser(world).send(.delete, "/api/v1/tokens/\(token.id)", headers: bearer, body: "").status == 204)
    }
}

extension OpenAPITests {
    /// Whose token it is.
    private func adminAccount(_ secret: String) async throws -> String {
        let token = try await world.store.token(digest: SecretToken(text: secret).digest)
        return try #require(token).accountID
    }
}
