import Events
import Foundation
import Guard
import Hummingbird
import Incidents
import Journal
import Logging
import Response
import ServiceLifecycle
import Testing

@testable import Server

/// A real application with Guard, and a real server: over sockets, with keys from files.
@Suite(.timeLimit(.minutes(20))) struct GuardLeaseTests {
    /// Vigie's side of it.
    private struct Setting {
        let world: World
        let options: ServerOptions
        let decisionsPort = Port.next()
        let applicationKey = String(repeating: "a", count: 32)
        let readBackKey = String(repeating: "r", count: 32)

        init(applicationPort: Int) throws {
            world = try World()
            var options = world.options
            options.response.listen = ListenAddress(host: "127.0.0.1", port: decisionsPort)
            options.response.applications = [
                .init(
                    name: "notes", keyFile: try Setting.key(applicationKey, "notes", world),
                    url: "http://127.0.0.1:\(applicationPort)",
                    readBackKeyFile: try Setting.key(readBackKey, "notes-read", world),
                    answerSeconds: 600)
            ]
            options.response.enforcers = [.guard]
            self.options = options
        }

        static func key(_ text: String, _ name: String, _ world: World) throws -> String {
            let path = "\(world.path)/\(name).key"
            _ = FileManager.default.createFile(
                atPath: path, contents: Data((text + "\n").utf8), attributes: [.posixPermissions: 0o600])
            return path
        }
    }

    /// An application behind a proxy, so that requests can come from anywhere.
    private static func withApplication(
        port: Int, _ setting: Setting, _ body: @escaping @Sendable () async throws -> Void
    ) async throws {
        var configuration = Guard.Configuration(service: "notes")
        configuration.log.path = setting.world.path + "/app.log"
        configuration.trustedProxies = ["127.0.0.0/8"]
        configuration.readBackToken = setting.readBackKey
        configuration.vigie = Vigie(
            url: "http://127.0.0.1:\(setting.decisionsPort)", token: setting.applicationKey,
            cache: setting.world.path + "/decisions.ndjson")
        let protection = try Protection(configuration)
        let router = Router(context: BasicGuardedContext.self)
        router.add(middleware: protection.middleware())
        protection.addRoutes(to: router)
        router.get("/") { _, _ in "hello" }
        router.get("/mine") { request, context in
            var context = context
            let token = request.uri.queryParameters["token"].map(String.init)
            try protection.admit(
                Guard.Subject(user: "u-1", token: token, session: nil, issued: Date(timeIntervalSinceNow: -3_600)), in: &context)
            return "yours"
        }
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)), services: [protection],
            logger: Logger(label: "app") { _ in SwiftLogNoOpLogHandler() })
        let services = ServiceGroup(
            configuration: .init(services: [application], logger: Logger(label: "app") { _ in SwiftLogNoOpLogHandler() }))
        try await run(services, body)
    }

    /// Stopped gracefully whatever happens: cancelling a server traps in swift-nio when it has accepted a connection that nobody has
    /// taken yet.
    private static func run(_ services: ServiceGroup, _ body: () async throws -> Void) async throws {
        let serving = Task { try await services.run() }
        do {
            try await body()
        } catch {
            await services.triggerGracefulShutdown()
            try await serving.value
            throw error
        }
        await services.triggerGracefulShutdown()
        try await serving.value
    }

    private static func status(_ port: Int, _ path: String = "/", from address: String = "203.0.113.9") async throws -> Int {
        var call = HTTPCall(base: "http://127.0.0.1:\(port)", path: path)
        call.headers = ["X-Forwarded-For: \(address)"]
        call.limit = 600
        return try await call.send().status
    }

    private static func request(
        _ verb: Lease.Verb, _ target: String, _ incident: String, approvedBy: String? = nil
    ) -> LeaseRequest {
        LeaseRequest(
            verb: verb, target: target, reason: "guesses passwords", incident: incident, requestedBy: "ana",
            approvedBy: approvedBy,
            duration: 3_600)
    }

    @Test func anApplicationIsToldRefusesProvesAndLetsGo() async throws {
        let port = Port.next()
        let setting = try Setting(applicationPort: port)
        try await withServer(setting.world, setting.options) { running in
            try await GuardLeaseTests.withApplication(port: port, setting) {
                let desk = running.server.leases.desk
                let incident = try #require(
                    try await running.server.desk.open(
                        title: "guessing", severity: .high, kind: .real, author: .system, request: nil))
                try await eventually("the application answers") { (try? await Self.status(port)) == 200 }
                let lease = try await desk.apply(Self.request(.blockAddress, "203.0.113.9", incident))
                try await eventually("it is in force, read back") {
                    await desk.standing(of: lease.id)?.phase == .inForce(.readBack)
                }
                #expect(try await Self.status(port) == 403, "probed")
                #expect(try await Self.status(port, from: "203.0.113.10") == 200, "nobody else is hit")
                let proof = try await desk.prove(id: lease.id)
                #expect(proof.phase == .inForce(.observed), "the refused request was counted")

                let token = try await desk.apply(Self.request(.revokeToken, "t-1", incident))
                try await eventually("the token is revoked, durably") {
                    await desk.standing(of: token.id)?.phase == .inForce(.readBack)
                }
                #expect(try await Self.status(port, "/mine?token=t-1", from: "192.0.2.1") == 401)
                #expect(try await Self.status(port, "/mine?token=t-2", from: "192.0.2.1") == 200)
                let everything = try await desk.apply(Self.request(.maintenance, "/", incident, approvedBy: "ben"))
                try await eventually("it is in maintenance") {
                    await desk.standing(of: everything.id)?.phase == .inForce(.readBack)
                }
                #expect(try await Self.status(port, from: "192.0.2.1") == 503)

                for lease in [lease, token, everything] {
                    try await desk.undo(id: lease.id, by: "ana", reason: "done")
                    try await eventually("\(lease.verb) is lifted, and shown to be") {
                        await desk.standing(of: lease.id)?.phase == .lifted(.undone, isProven: true)
                    }
                }
                #expect(try await Self.status(port) == 200, "probed")
                #expect(try await Self.status(port, "/mine?token=t-1", from: "192.0.2.1") == 200)
            }
        }
    }

    /// Vigie is killed and started again: numbering begins anew, and what was in force stays in force.
    @Test func aRestartOfTheServerKeepsWhatIsInForce() async throws {
        let port = Port.next()
        let setting = try Setting(applicationPort: port)
        let lease = Shared<Lease?>(nil)
        let world = setting.world
        // The application outlives the servers.
        try await GuardLeaseTests.withApplication(port: port, setting) {
            try await withServer(world, setting.options, checksRebuild: false) { running in
                let incident = try #require(
                    try await running.server.desk.open(
                        title: "guessing", severity: .high, kind: .real, author: .system, request: nil))
                let desk = running.server.leases.desk
                lease.value = try await desk.apply(Self.request(.blockAddress, "203.0.113.9", incident))
                try await eventually("it is in force") {
                    guard case .inForce? = await desk.standing(of: lease.value?.id ?? "")?.phase else { return false }
                    return true
                }
            }
            #expect(try await Self.status(port) == 403, "without Vigie")
            try await withServer(world, setting.options, checksRebuild: false) { running in
                let desk = running.server.leases.desk
                let id = try #require(lease.value?.id)
                #expect(try await Self.status(port) == 403)
                try await desk.undo(id: id, by: "ana", reason: "")
                try await eventually("it is lifted by the new one") {
                    await desk.standing(of: id)?.phase == .lifted(.undone, isProven: true)
                }
                #expect(try await Self.status(port) == 200)
            }
        }
    }

    @Test func keysDecideWhoIsAnswered() async throws {
        let setting = try Setting(applicationPort: 1)
        try await withServer(setting.world, setting.options) { _ in
            func ask(_ path: String, _ headers: [String]) async throws -> HTTPCall.Answer {
                var call = HTTPCall(base: "http://127.0.0.1:\(setting.decisionsPort)", path: path)
                call.headers = headers
                call.limit = 600
                return try await call.send()
            }
            let key = "Authorization: Bearer \(setting.applicationKey)"
            try await eventually("decisions are served") {
                (try? await ask("/api/guard/v1/decisions", [key]).status) == 200
            }
            let document = try await ask("/api/guard/v1/decisions", [key]).json()
            #expect(document["version"] == 1)
            #expect(document["sequence"] == 0)
            #expect(try await ask("/api/guard/v1/decisions/stream?epoch=other&after=0", [key]).status == 410)
            // No bouncer is configured: there is no such route.
            #expect(try await ask("/v1/decisions", ["X-Api-Key: \(setting.applicationKey)"]).status == 404)
            #expect(try await ask("/incidents", [key]).status == 404)
            for headers in [
                [], ["Authorization: Bearer "], ["Authorization: Bearer \(setting.readBackKey)"],
                ["Authorization: Basic \(setting.applicationKey)"], ["X-Api-Key: \(setting.applicationKey)"],
            ] {
                let refusal = try await ask("/api/guard/v1/decisions", headers)
                #expect(refusal.status == 403)
                #expect(refusal.body == #"{"message":"access forbidden"}"#, "the same whatever is wrong")
            }
            // Guesses count for a minute, which a busy machine may need for ten requests.
            try await eventually("whoever guesses waits") {
                for _ in 0..<WrongKeys.limit { _ = try await ask("/api/guard/v1/decisions", ["Authorization: Bearer wrong"]) }
                return try await ask("/api/guard/v1/decisions", [key]).status == 429
            }
        }
    }

    /// After a start an empty answer would let everybody in for a moment.
    @Test func nobodyIsToldWhatIsInForceBeforeItIsKnown() async throws {
        let (setting, isReady, port) = (try Setting(applicationPort: 1), Shared(false), Shared(0))
        let enforcer = GuardEnforcer(applications: ["notes"], epoch: "one") { _, _ in .null }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = DecisionServer(
            listen: ListenAddress(host: "127.0.0.1", port: 0), tls: nil, applications: enforcer,
            applicationKeys: try MachineKeys(setting.options.response.applications.map { ($0.name, $0.keyFile) }), bouncers: nil,
            bouncerKeys: try MachineKeys([]), logger: logger, isReady: { isReady.value }, now: { .system })
        let application = try server.application { port.value = $0 }
        let services = ServiceGroup(configuration: .init(services: [application], logger: logger))
        try await Self.run(services) {
            try await eventually("it listens") { port.value != 0 }
            func ask(_ path: String, key: String? = nil) async throws -> Int {
                var call = HTTPCall(base: "http://127.0.0.1:\(port.value)", path: "/api/guard/v1/decisions" + path)
                call.headers = ["Authorization: Bearer \(key ?? setting.applicationKey)"]
                call.limit = 600
                return try await call.send().status
            }
            #expect(try await ask("") == 503)
            #expect(try await ask("/stream?epoch=one&after=0") == 503)
            #expect(try await ask("", key: "wrong") == 403)
            isReady.value = true
            #expect(try await ask("") == 200)
        }
    }

    @Test(arguments: ["short", "", "has a space in the middle of it"]) func keysThatCouldBeGuessedAreRefused(text: String) throws
    {
        let world = try World()
        let path = try Setting.key(text, "weak", world)
        #expect(throws: ServerError.self) { try MachineKeys([(name: "notes", path: path)]) }
    }

    @Test func keysThatEverybodyMayReadAreRefused() throws {
        let world = try World()
        let path = try Setting.key(String(repeating: "k", count: 32), "open", world)
        #expect(try MachineKeys([(name: "notes", path: path)]).owner(of: String(repeating: "k", count: 32)) == "notes")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: ServerError.self) { try MachineKeys([(name: "notes", path: path)]) }
    }
}
