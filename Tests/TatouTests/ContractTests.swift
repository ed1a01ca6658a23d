import EmbeddedFiles
import Foundation
import GRDB
import HTTPTypes
import Hummingbird
import OpenAPICheck
import Synchronization
import Testing

@testable import Guard
@testable import Tatou

/// The document at `/api/openapi.json` against the router, and against what is really answered: every status of every operation.
///
/// A route that is added without being described fails here, and so does a status that is described and never seen.
@Suite("OpenAPI document") struct ContractTests {
    private let schemas: SchemaCheck
    private let version: String?

    init() async throws {
        let answer = try await World().ask(.get, "/api/openapi.json")
        #expect(answer.status == 200 && answer.headers[.contentType] == "application/json")
        schemas = SchemaCheck(document: answer.object)
        version = answer.text("openapi")
    }

    private func described(_ name: String) -> [String: Any]? {
        schemas.operations.first { "\($0.method) \($0.path)" == name }?.operation
    }

    private func isPublic(_ operation: [String: Any]) -> Bool { operation["security"] != nil }

    /// Without those for which the server has tokens of its own: leases do not hold for them.
    private var ordinary: [(name: String, method: HTTPRequest.Method, path: String, operation: [String: Any])] {
        get throws {
            try schemas.operations.filter { $0.path.hasPrefix("/api") || $0.path == "/healthz" }.map {
                let path = $0.path.replacing("{id}", with: "1").replacing("{link}", with: String(repeating: "0", count: 32))
                return ("\($0.method) \($0.path)", try #require(HTTPRequest.Method($0.method)), path, $0.operation)
            }
        }
    }

    @Test("it is 3.1, and has every route but the pages, and no other") func routes() async throws {
        #expect(version == "3.1.0")
        let world = try await ContractWorld().world
        let router = world.platform.router()
        let pages = Set(["/", "/favicon.ico"] + PageRoutes.files.map { "/assets/\($0.name)" })
        let declared = router.routes.filter { $0.method != .head }.map {
            "\($0.method.rawValue) \("\($0.path)".replacing(#/:([a-z]+)/#) { "{\($0.output.1)}" })"
        }.filter { !pages.contains(String($0.dropFirst(4))) }
        #expect(Set(declared) == Set(schemas.operations.map { "\($0.method) \($0.path)" }))
    }

    @Test("operations have their own ids, parameters of the path are declared, references lead somewhere")
    func consistency() {
        let ids = schemas.operations.compactMap { $0.operation["operationId"] as? String }
        #expect(Set(ids).count == schemas.operations.count)
        for (path, method, operation) in schemas.operations {
            let parameters = operation["parameters"] as? [[String: Any]] ?? []
            let named = Set(parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String })
            #expect(named == Set(path.matches(of: #/{([a-z]+)}/#).map { String($0.1) }), "\(method) \(path)")
        }
        for reference in schemas.references { #expect(schemas.resolve(reference) != nil, "\(reference)") }
    }

    /// By route, not by what the document says of it: one that is forgotten in both would be open.
    @Test("every route but the public ones asks for a sign-in") func signIn() async throws {
        let open: Set<String> = [
            "GET /healthz", "GET /api/healthz", "GET /api/openapi.json", "POST /api/create-user", "POST /api/login",
            "GET /api/get-version/{link}", "GET /api/get-watermarking-methods", "POST /api/rmap-initiate",
            "POST /api/rmap-get-link",
        ]
        let world = try await ContractWorld().world
        for route in try ordinary {
            #expect(isPublic(route.operation) == open.contains(route.name), "\(route.name)")
            guard !open.contains(route.name) else { continue }
            let answer = try await world.ask(route.method, route.path)
            #expect(answer.status == 401 && answer.error == "Missing or invalid Authorization header", "\(route.name)")
            #expect(problem(answer, route.operation) == nil, "\(route.name)")
        }
    }

    @Test("every route is closed to a blocked address, during its maintenance, and to who asks too often") func guarded()
        async throws
    {
        for route in try ordinary {
            let world = try await World(handshake: HandshakeTests.Fixed()) {
                $0.rates.requests = RateLimit("requests", requests: 1, per: .seconds(3600))
            }
            let decisions = world.platform.protection.decisions
            decisions.add(
                Decision(.init(id: "block", verb: "block", address: "198.51.100.0/24")), sequence: 1)
            #expect(try await world.ask(.get, "/healthz", from: "192.0.2.7").status == 200)
            for (status, address) in [(403, "198.51.100.7"), (429, "192.0.2.7")] {
                let answer = try await world.ask(route.method, route.path, from: address)
                #expect(answer.status == status, "\(route.name)")
                #expect(problem(answer, route.operation) == nil, "\(route.name): \(answer.string)")
            }
            decisions.add(Decision(.init(id: "pause", verb: "maintenance", route: route.path)), sequence: 2)
            let answer = try await world.ask(route.method, route.path)
            #expect(answer.status == 503 && answer.headers[.retryAfter] != nil, "\(route.name)")
            #expect(problem(answer, route.operation) == nil, "\(route.name): \(answer.string)")
        }
    }

    @Test("a body is bounded wherever one is read") func bodies() async throws {
        let stage = try await ContractWorld()
        let large = [UInt8](repeating: 0x20, count: JSONObject.longest + 1)
        for route in try ordinary where route.operation["requestBody"] != nil {
            let isForm = route.path == "/api/upload-document" || route.path == "/api/trace-leak"
            let answer = try await stage.world.ask(
                route.method, route.path, token: stage.alice.token, headers: [.contentType: Form.contentType],
                body: isForm ? Form.make(SamplePDF.make() + [UInt8](repeating: 0x20, count: 300 << 10)) : large)
            // With an identifier in its path a deletion reads no body.
            #expect(answer.status == 413, "\(route.name): \(answer.status)")
            #expect(problem(answer, route.operation) == nil, "\(route.name)")
        }
    }

    @Test("answers are as it says, in every status that it names") func answers() async throws {
        var seen: [String: Set<Int>] = [:]
        for example in ContractExample.all {
            let operation = try #require(described(example.operation), "\(example.operation) is not described")
            let stage = try await ContractWorld()
            let answer = try await example.ask(stage)
            #expect(answer.status == example.status, "\(example.operation): \(answer.status) \(answer.string.prefix(300))")
            #expect(problem(answer, operation) == nil, "\(example.operation) \(answer.status): \(answer.string.prefix(300))")
            seen[example.operation, default: []].insert(answer.status)
        }
        for (path, method, operation) in schemas.operations {
            let statuses = (operation["responses"] as? [String: Any] ?? [:]).keys.compactMap { Int($0) }
            // Asked of every operation above. 408 is Guard's: its tests let time pass.
            let general: Set = [401, 403, 408, 413, 429, 503]
            let unseen = Set(statuses).subtracting(general).subtracting(seen["\(method) \(path)"] ?? [])
            #expect(unseen.isEmpty, "\(method) \(path): no example of \(unseen.sorted())")
        }
    }

    /// Clients of the platform compare these.
    @Test("refusals are worded as they always were") func words() async throws {
        let mark = ["method": "robust-xmp", "intended_for": "b", "secret": "s", "key": "k"]
        let table: [(status: Int, words: String, ask: (ContractWorld) async throws -> Answer)] = [
            (401, "Missing or invalid Authorization header", { try await $0.world.ask(.get, "/api/list-documents") }),
            (401, "Invalid token", { try await $0.world.ask(.get, "/api/list-documents", token: "x") }),
            (
                401, "Token expired",
                {
                    $0.world.hands.advance(seconds: 86_401)
                    return try await $0.get("/api/list-documents")
                }
            ),
            (401, "invalid credentials", { try await $0.post("/api/login", ["email": $0.alice.email, "password": "x"]) }),
            (
                409, "email or login already exists",
                {
                    try await $0.post(
                        "/api/create-user", ["login": "other", "email": $0.alice.email, "password": "a fine password"])
                }
            ),
            (
                400, "file is required (multipart/form-data)",
                { try await $0.send("/api/upload-document", Form.make(SamplePDF.make(), field: "other")) }
            ),
            (400, "document id required", { try await $0.get("/api/list-versions") }),
            (404, "document not found", { try await $0.get("/api/get-document/4711") }),
            (404, "document not found", { try await $0.get("/api/get-version/\(String(repeating: "0", count: 32))") }),
            (
                410, "file missing on disk",
                {
                    try $0.loseFiles()
                    return try await $0.get("/api/get-document/\($0.original)")
                }
            ),
            (
                400, "method, intended_for, secret, and key are required",
                { try await $0.post("/api/create-watermark/\($0.original)", ["method": "robust-xmp"]) }
            ),
            (400, "method, and key are required", { try await $0.post("/api/read-watermark/\($0.original)", [:]) }),
            (
                400, "watermarking method not applicable",
                { stage in
                    stage.world.processing.script.withLock { $0.embedFailure = ProcessingFailure(.refused, "It has no words.") }
                    return try await stage.post("/api/create-watermark/\(stage.original)", mark)
                }
            ),
        ]
        for (status, words, ask) in table {
            let answer = try await ask(ContractWorld())
            #expect(
                answer.status == status && answer.error?.hasPrefix(words) == true, "\(words): \(answer.status) \(answer.string)")
        }
    }

    @Test("with a broken database what needs it is 503, and nothing is a server error") func brokenDatabase() async throws {
        let stage = try await ContractWorld()
        let database = try DatabaseQueue(path: stage.world.folder.path + "/tatou.db")
        try await database.write { database in
            try database.execute(sql: "PRAGMA defer_foreign_keys = ON")
            let tables = try String.fetchAll(
                database, sql: "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            for table in tables { try database.execute(sql: "ALTER TABLE \"\(table)\" RENAME TO \"lost_\(table)\"") }
        }
        let bodies: [String: [String: String]] = [
            "POST /api/login": ["email": stage.alice.email, "password": stage.alice.password],
            "POST /api/create-user": ["login": "carla", "email": "carla@example.org", "password": "a fine password"],
        ]
        let without: Set = [
            "GET /healthz", "GET /api/healthz", "GET /api/openapi.json", "GET /api/get-watermarking-methods",
            "POST /api/rmap-initiate", "POST /api/rmap-get-link", "GET /api/get-version/{link}",
        ]
        for route in try ordinary {
            let body = try bodies[route.name].map { [UInt8](try JSONSerialization.data(withJSONObject: $0)) }
            let answer = try await stage.world.ask(
                route.method, route.path, token: stage.alice.token, headers: [.contentType: "application/json"], body: body)
            #expect(answer.status != 500, "\(route.name): \(answer.string)")
            #expect(problem(answer, route.operation) == nil, "\(route.name): \(answer.status) \(answer.string)")
            guard !without.contains(route.name) else { continue }
            #expect(answer.status == 503 && answer.error == "database unavailable", "\(route.name): \(answer.status)")
        }
        let linked = try await stage.world.ask(.get, "/api/get-version/\(stage.link)")
        #expect(linked.status == 503)
        #expect(try await stage.world.metrics().contains("tatou_db_errors_total{operation=\"token_select\"}"))
    }

    private func problem(_ answer: Answer, _ operation: [String: Any]) -> String? {
        schemas.problem(
            status: answer.status, type: answer.headers[.contentType], text: answer.string, of: operation)
    }
}
