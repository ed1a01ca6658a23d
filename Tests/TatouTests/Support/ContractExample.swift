import Foundation
import HTTPTypes
import Synchronization

@testable import Guard
@testable import Tatou

/// A platform on which everything can be asked: somebody with a document that carries a mark, and the link of that copy.
struct ContractWorld {
    let world: World
    let alice: Person
    let original: Int
    let copy: Int
    let link: String

    static let readBackToken = "read-back-token-for-tests"

    init() async throws {
        world = try await World(handshake: HandshakeTests.Fixed()) {
            $0.guarding.readBackToken = Self.readBackToken
            $0.documents.documentBytes = 256 << 10
        }
        alice = try await world.person("alice")
        original = try await world.document(alice.token)
        link = try await world.version(of: original, token: alice.token).text("link") ?? ""
        copy = try await world.document(alice.token, try await world.ask(.get, "/api/get-version/\(link)").body)
    }

    func get(_ path: String, _ headers: HTTPFields = [:]) async throws -> Answer {
        try await world.ask(.get, path, token: alice.token, headers: headers)
    }

    func post(_ path: String, _ json: [String: Any]) async throws -> Answer {
        try await world.post(path, json, token: alice.token)
    }

    /// Sends a form to a route that takes a file.
    func send(_ path: String, _ form: [UInt8]) async throws -> Answer {
        try await world.ask(.post, path, token: alice.token, headers: [.contentType: Form.contentType], body: form)
    }

    /// Removes the files under everything that is kept.
    func loseFiles() throws {
        for kind in ["documents", "versions"] {
            for file in world.folder.files(kind) {
                try FileManager.default.removeItem(atPath: "\(world.folder.path)/\(kind)/\(file)")
            }
        }
    }
}

/// One request and the status that it has to be answered with.
struct ContractExample: Sendable {
    var operation: String
    var status: Int
    var ask: @Sendable (ContractWorld) async throws -> Answer

    init(_ operation: String, _ status: Int, _ ask: @escaping @Sendable (ContractWorld) async throws -> Answer) {
        self.operation = operation
        self.status = status
        self.ask = ask
    }

    static var all: [ContractExample] { system + accounts + documents + versions + watermarks + uploads + handshakes }

    private static let nobodys = 4711
    private static let crash = ProcessingFailure(.crashed, "The document cannot be read safely.")

    private static var system: [ContractExample] {
        ["/healthz", "/api/healthz", "/api/openapi.json"].map { path in
            ContractExample("GET \(path)", 200) { try await $0.world.ask(.get, path) }
        } + [
            ContractExample("GET /metrics", 200) {
                try await $0.get("/metrics", HTTPField.Name("x-metrics-token").map { [$0: World.metricsToken] } ?? [:])
            },
            ContractExample("GET /metrics", 404) { try await $0.world.ask(.get, "/metrics") },
            ContractExample("GET /guard/v1/decisions", 200) {
                try await $0.world.ask(.get, "/guard/v1/decisions", token: ContractWorld.readBackToken)
            },
            ContractExample("GET /guard/v1/decisions", 404) { try await $0.get("/guard/v1/decisions") },
        ]
    }

    private static var accounts: [ContractExample] {
        [
            ContractExample("POST /api/create-user", 201) {
                try await $0.post(
                    "/api/create-user", ["login": "carla", "email": "carla@example.org", "password": "a fine password"])
            },
            ContractExample("POST /api/create-user", 400) { try await $0.post("/api/create-user", ["login": "carla"]) },
            ContractExample("POST /api/create-user", 409) {
                try await $0.post(
                    "/api/create-user", ["login": "alice", "email": "other@example.org", "password": "a fine password"])
            },
            ContractExample("POST /api/login", 200) {
                try await $0.post("/api/login", ["email": $0.alice.email, "password": $0.alice.password])
            },
            ContractExample("POST /api/login", 400) { try await $0.post("/api/login", ["email": $0.alice.email]) },
            ContractExample("POST /api/login", 401) {
                try await $0.post("/api/login", ["email": $0.alice.email, "password": "another one"])
            },
            ContractExample("POST /api/refresh-token", 200) { try await $0.post("/api/refresh-token", [:]) },
            ContractExample("POST /api/logout", 200) { try await $0.post("/api/logout", [:]) },
            ContractExample("POST /api/logout-all", 200) { try await $0.post("/api/logout-all", [:]) },
            ContractExample("POST /api/load-plugin", 410) { try await $0.post("/api/load-plugin", ["filename": "x.pkl"]) },
        ]
    }

    private static var documents: [ContractExample] {
        [
            ContractExample("GET /api/list-documents", 200) { try await $0.get("/api/list-documents") },
            ContractExample("GET /api/inspect-document/{id}", 200) { stage in
                stage.world.processing.script.withLock {
                    $0.inspected = [.init(name: "word-shift", isApplicable: true, strength: "fair", notes: ["Few words."])]
                }
                return try await stage.get("/api/inspect-document/\(stage.original)")
            },
            ContractExample("GET /api/inspect-document/{id}", 400) { try await $0.get("/api/inspect-document/0") },
            ContractExample("GET /api/inspect-document/{id}", 404) { try await $0.get("/api/inspect-document/\(nobodys)") },
            ContractExample("GET /api/inspect-document/{id}", 410) {
                try $0.loseFiles()
                return try await $0.get("/api/inspect-document/\($0.original)")
            },
            ContractExample("GET /api/inspect-document/{id}", 422) { stage in
                stage.world.processing.script.withLock { $0.inspectFailure = crash }
                return try await stage.get("/api/inspect-document/\(stage.original)")
            },
        ]
            + files("GET /api/get-document/{id}", missing: "/api/get-document/\(nobodys)") { "/api/get-document/\($0.original)" }
            + files("GET /api/get-document", missing: "/api/get-document?id=\(nobodys)") { "/api/get-document?id=\($0.original)" }
            + [
                ContractExample("GET /api/get-document", 400) { try await $0.get("/api/get-document") },
                ContractExample("GET /api/get-document/{id}", 400) { try await $0.get("/api/get-document/one") },
            ] + deletions
    }

    private static var deletions: [ContractExample] {
        [
            ContractExample("DELETE /api/delete-document/{id}", 200) {
                try await $0.world.ask(.delete, "/api/delete-document/\($0.original)", token: $0.alice.token)
            },
            ContractExample("DELETE /api/delete-document/{id}", 400) {
                try await $0.world.ask(.delete, "/api/delete-document/-1", token: $0.alice.token)
            },
            ContractExample("DELETE /api/delete-document/{id}", 404) {
                try await $0.world.ask(.delete, "/api/delete-document/\(nobodys)", token: $0.alice.token)
            },
            ContractExample("DELETE /api/delete-document", 200) {
                try await $0.world.ask(.delete, "/api/delete-document?id=\($0.original)", token: $0.alice.token)
            },
            ContractExample("DELETE /api/delete-document", 400) {
                try await $0.world.ask(.delete, "/api/delete-document", token: $0.alice.token)
            },
            ContractExample("DELETE /api/delete-document", 404) {
                try await $0.world.ask(.delete, "/api/delete-document?id=\(nobodys)", token: $0.alice.token)
            },
            ContractExample("POST /api/delete-document", 200) {
                try await $0.post("/api/delete-document", ["id": $0.original])
            },
            ContractExample("POST /api/delete-document", 400) { try await $0.post("/api/delete-document", ["id": "x"]) },
            ContractExample("POST /api/delete-document", 404) { try await $0.post("/api/delete-document", ["id": nobodys]) },
        ]
    }

    /// What every route that serves a file answers.
    private static func files(
        _ operation: String, missing: String, _ path: @escaping @Sendable (ContractWorld) -> String
    ) -> [ContractExample] {
        [
            ContractExample(operation, 200) { try await $0.get(path($0)) },
            ContractExample(operation, 206) { try await $0.get(path($0), [.range: "bytes=0-3"]) },
            ContractExample(operation, 304) { try await $0.get(path($0), [.ifNoneMatch: "*"]) },
            ContractExample(operation, 416) { try await $0.get(path($0), [.range: "bytes=9999999-"]) },
            ContractExample(operation, 404) { try await $0.get(missing) },
            ContractExample(operation, 410) {
                try $0.loseFiles()
                return try await $0.get(path($0))
            },
        ]
    }

    private static var versions: [ContractExample] {
        files("GET /api/get-version/{link}", missing: "/api/get-version/\(String(repeating: "0", count: 32))") {
            "/api/get-version/\($0.link)"
        } + [
            ContractExample("GET /api/list-all-versions", 200) { try await $0.get("/api/list-all-versions") },
            ContractExample("GET /api/list-versions/{id}", 200) { try await $0.get("/api/list-versions/\($0.original)") },
            ContractExample("GET /api/list-versions/{id}", 400) { try await $0.get("/api/list-versions/one") },
            ContractExample("GET /api/list-versions/{id}", 404) { try await $0.get("/api/list-versions/\(nobodys)") },
            ContractExample("GET /api/list-versions", 200) { try await $0.get("/api/list-versions?id=\($0.original)") },
            ContractExample("GET /api/list-versions", 400) { try await $0.get("/api/list-versions") },
            ContractExample("GET /api/list-versions", 404) { try await $0.get("/api/list-versions?id=\(nobodys)") },
        ]
    }

    private static var watermarks: [ContractExample] {
        [ContractExample("GET /api/get-watermarking-methods", 200) { try await $0.get("/api/get-watermarking-methods") }]
            + ["create", "read"].flatMap { verb in
                ["", "/{id}"].flatMap { suffix in watermark(verb, suffix) }
            }
    }

    private static func watermark(_ verb: String, _ suffix: String) -> [ContractExample] {
        let operation = "POST /api/\(verb)-watermark\(suffix)"
        let ask: @Sendable (ContractWorld, Int, String) async throws -> Answer = { stage, id, key in
            var order: [String: Any] = ["method": "robust-xmp", "key": key]
            if verb == "create" { order.merge(["intended_for": "bob", "secret": "for bob"]) { $1 } }
            if suffix.isEmpty { order["id"] = id }
            return try await stage.post("/api/\(verb)-watermark" + (suffix.isEmpty ? "" : "/\(id)"), order)
        }
        return [
            ContractExample(operation, 201) { try await ask($0, $0.copy, "the key") },
            ContractExample(operation, 400) { try await ask($0, $0.copy, "") },
            ContractExample(operation, 404) { try await ask($0, nobodys, "the key") },
            ContractExample(operation, 410) {
                try $0.loseFiles()
                return try await ask($0, $0.copy, "the key")
            },
            ContractExample(operation, 422) { stage in
                stage.world.processing.script.withLock {
                    $0.embedFailure = crash
                    $0.readFailure = crash
                }
                return try await ask(stage, stage.copy, "the key")
            },
        ]
    }

    private static var uploads: [ContractExample] {
        [("/api/upload-document", 201), ("/api/trace-leak", 200)].flatMap { path, success in
            [
                ContractExample("POST \(path)", success) { try await $0.send(path, Form.make(SamplePDF.make())) },
                ContractExample("POST \(path)", 400) { try await $0.send(path, Form.make(SamplePDF.make(), field: "other")) },
                ContractExample("POST \(path)", 415) {
                    try await $0.send(path, Form.make(SamplePDF.make(), fileName: "shell.php"))
                },
                ContractExample("POST \(path)", 422) { stage in
                    stage.world.processing.script.withLock {
                        $0.inspectFailure = crash
                        $0.traceFailure = crash
                    }
                    return try await stage.send(path, Form.make(SamplePDF.make()))
                },
            ]
        }
    }

    private static var handshakes: [ContractExample] {
        ["/api/rmap-initiate", "/api/rmap-get-link"].flatMap { path in
            [
                ContractExample("POST \(path)", 200) { try await $0.post(path, ["payload": "x"]) },
                ContractExample("POST \(path)", 400) { try await $0.post(path, ["payload": 7]) },
            ]
        }
    }
}
