import Events
import Foundation
import Incidents
import Journal
import Logging
import Response
import ServiceLifecycle
import Synchronization

/// Puts together what contains: enforcers as they are configured, the desk that keeps leases, and the port that serves decisions.
struct LeaseWiring: Sendable {
    let desk: LeaseDesk
    /// `nil` where no application and no bouncer is configured.
    let decisions: DecisionServer?
    let guardEnforcer: GuardEnforcer?

    /// - Throws: `ServerError` for keys that cannot be used.
    static func make(
        _ options: ServerOptions, book: LeaseBook, recorder: Recorder, policies: PoliciesInForce, logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) throws -> LeaseWiring {
        let response = options.response
        let applicationKeys = try MachineKeys(response.applications.map { ($0.name, $0.keyFile) })
        let bouncerKeys = try MachineKeys(response.bouncers.map { ($0.name, $0.keyFile) })
        let applications = response.applications.isEmpty ? nil : try guardEnforcer(response)
        let bouncers = response.bouncers.isEmpty ? nil : bouncerEnforcer(response)
        let enforcers = response.enforcers.compactMap { option -> (any Enforcer)? in
            switch option {
            case .nftables(let table, let command):
                let program = Program(words: command, seconds: 30)
                return NFTablesEnforcer(table: table) { try await program.run($0, input: $1) }
            case .denyFile(let file): return DenyFileEnforcer(file.server, hands: DenyFileHands.make(file))
            case .systemd(let units, let command):
                let program = Program(words: command, seconds: 90)
                return SystemdEnforcer(units: Set(units)) { try await program.run($0) }
            case .docker(let socket, let containers): return docker(socket, containers)
            case .webhook(let webhook): return WebhookEnforcer(verbs: webhook.verbs) { try await post($0, $1, webhook, now) }
            case .guard: return applications
            case .bouncers: return bouncers
            }
        }
        let proxies = options.trustedProxies
        let desk = LeaseDesk(
            recorder: recorder, book: book, enforcers: enforcers, policy: response.policy, policies: policies,
            pageAfter: response.pageAfter, logger: logger, ownAddresses: { OwnAddresses.list(proxies: proxies) }, now: now)
        let isAsked = applications != nil || bouncers != nil
        return LeaseWiring(
            desk: desk,
            decisions: !isAsked
                ? nil
                : DecisionServer(
                    listen: response.listen, tls: response.tls, applications: applications, applicationKeys: applicationKeys,
                    bouncers: bouncers, bouncerKeys: bouncerKeys, logger: logger,
                    isReady: { desk.hasResumed.load(ordering: .acquiring) }, now: now),
            guardEnforcer: applications)
    }

    private static func guardEnforcer(_ response: ResponseOptions) throws -> GuardEnforcer {
        var keys: [String: (url: String, key: String, seconds: Int)] = [:]
        for application in response.applications {
            let key = try MachineKeys.read(application.readBackKeyFile, of: application.name)
            keys[application.name] = (application.url, key, application.answerSeconds)
        }
        let known = keys
        return GuardEnforcer(
            applications: response.applications.map(\.name), epoch: UUID().uuidString.lowercased()
        ) { name, id in
            guard let (url, key, seconds) = known[name] else { throw Program.Failure(description: "\(name) is not configured") }
            let query = id.flatMap { $0.addingPercentEncoding(withAllowedCharacters: .alphanumerics) }.map { "?id=\($0)" } ?? ""
            var call = HTTPCall(base: url, path: "/guard/v1/decisions" + query)
            call.headers = ["Authorization: Bearer \(key)"]
            call.limit = seconds
            let answer = try await call.send()
            guard answer.status == 200 else {
                throw Program.Failure(
                    description: "\(name) answers the read-back with \(answer.status)"
                        + (answer.status == 404 ? ": its read-back token is not the one in read_back_key_file" : ""))
            }
            return try answer.json()
        }
    }

    private static func bouncerEnforcer(_ response: ResponseOptions) -> BouncerEnforcer {
        let sets = response.bouncers.flatMap(\.sets).map { $0.split(separator: " ").map(String.init) }
        let names = response.bouncers.map(\.name)
        guard !sets.isEmpty else { return BouncerEnforcer(bouncers: names) }
        let program = Program(words: ["nft", "-j", "list", "set"], seconds: 30)
        return BouncerEnforcer(bouncers: names) { _ in
            var found: Set<String> = []
            for set in sets { found.formUnion(try NFTablesListing.targets(try await program.run(set))) }
            return found
        }
    }

    /// The Docker API on its socket; podman from Debian speaks it, too.
    private static func docker(_ socket: String, _ containers: [String]) -> DockerEnforcer {
        DockerEnforcer(containers: Set(containers)) { method, path in
            var call = HTTPCall(base: "unix:" + socket, path: path)
            call.method = method
            call.limit = 30
            let answer = try await call.send()
            return (answer.status, answer.body)
        }
    }

    private static func post(
        _ id: String, _ body: String, _ webhook: ResponseOptions.Webhook, _ now: @Sendable () -> Timestamp
    ) async throws -> JSONValue {
        guard let secret = try? String(contentsOfFile: webhook.secretFile, encoding: .utf8) else {
            throw Program.Failure(description: "\(webhook.secretFile) cannot be read, which holds the webhook's secret")
        }
        let time = now().seconds
        var call = HTTPCall(base: webhook.url, path: "")
        call.method = "POST"
        call.body = body
        call.limit = 10
        let signature = WebhookEnforcer.signature(
            secret: secret.trimmingCharacters(in: .whitespacesAndNewlines), id: id, time: time, body: body)
        call.headers = [
            "Content-Type: application/json", "User-Agent: vigie", "webhook-id: \(id)", "webhook-timestamp: \(time)",
            "webhook-signature: \(signature)",
        ]
        let answer = try await call.send()
        guard (200..<300).contains(answer.status) else {
            throw Program.Failure(description: "the webhook answers with \(answer.status)")
        }
        return answer.body.isEmpty ? .null : try answer.json()
    }

    // MARK: Running

    /// - Parameter listening: called with the port once decisions are served.
    func services(listening: @escaping @Sendable (_ name: String, _ port: Int) async -> Void) throws -> [any Service] {
        var services: [any Service] = [LeaseService(desk: desk)]
        if let decisions {
            let application = try decisions.application { await listening("decisions", $0) }
            services.append(
                DecisionService(server: decisions, applications: guardEnforcer) { try await application.run() })
        }
        return services
    }
}

/// Keeps leases as long as the server runs.
private struct LeaseService: Service {
    let desk: LeaseDesk

    func run() async throws {
        await cancelWhenGracefulShutdown { await desk.run() }
    }
}

/// Serves decisions; open streams end when the server stops.
private struct DecisionService: Service {
    let server: DecisionServer
    let applications: GuardEnforcer?
    let body: @Sendable () async throws -> Void

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await cancelWhenGracefulShutdown { await server.beat() }
                applications?.endAll()
            }
            group.addTask {
                do {
                    try await body()
                } catch {
                    throw VigieServer.describe(error, server.listen)
                }
            }
            try await group.waitForAll()
        }
    }
}
