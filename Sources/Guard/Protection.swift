import Crypto
import Events
import HTTPTypes
import Hummingbird
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// Everything that protects one application: make one, put its middleware first, and run it beside the server.
///
/// ```swift
/// var configuration = Configuration(service: "tatou")
/// configuration.vigie = Vigie(url: "http://127.0.0.1:8632", token: token)
/// let protection = try Protection(configuration)
///
/// let router = Router(context: BasicGuardedContext.self)
/// router.add(middleware: protection.middleware())
/// protection.addRoutes(to: router)
/// router.get("/") { _, _ in "Hello" }
///
/// let app = Application(router: router, services: [protection])
/// try await app.runService()
/// ```
///
/// All of it may be used from any thread.
public final class Protection: Service {
    /// The clocks; replaced in tests.
    struct Clocks: Sendable {
        /// What dates mean: leases, lines.
        var wall: @Sendable () -> Timestamp = { .system }
        /// What intervals are counted by, in nanoseconds.
        var monotonic: @Sendable () -> Int64 = { Int64(NIODeadline.now().uptimeNanoseconds) }
    }

    /// The security log.
    public let log: SecurityLog
    /// The application's series, and Guard's own.
    public let metrics: MetricRegistry

    let configuration: Configuration
    let clocks: Clocks
    let proxies: TrustedProxies
    let decisions: DecisionStore
    let limits: RateLimitTable
    let feed: DecisionFeed?
    let logger: Logger
    let refusals: Counter
    let requests: RequestSeries?
    /// Refusals that come by the thousand are counted, not written one by one.
    private let refusalEvents = RateLimitTable(keys: 4096)
    private static let refusalEventLimit = RateLimit("refusal-events", requests: 5, per: .seconds(60))

    /// Reads the cache of decisions, so that what was in force is before the first request.
    ///
    /// - Throws: ``ConfigurationFailure`` that says which setting cannot work.
    public convenience init(_ configuration: Configuration, logger: Logger = Logger(label: "guard")) throws {
        try self.init(configuration, logger: logger, clocks: Clocks())
    }

    init(
        _ configuration: Configuration, logger: Logger, clocks: Clocks,
        pause: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        silence: TimeAmount = .seconds(30)
    ) throws {
        guard !configuration.service.isEmpty else {
            throw ConfigurationFailure("The service has no name; events could not be told apart")
        }
        guard configuration.bodyLimit >= 0 else {
            throw ConfigurationFailure("The largest body is negative: \(configuration.bodyLimit)")
        }
        for (name, token) in [("metrics", configuration.metricsToken), ("read-back", configuration.readBackToken)] {
            guard let token, token.utf8.count < 16 else { continue }
            throw ConfigurationFailure("The \(name) token is shorter than 16 characters; make one with `openssl rand -hex 16`")
        }
        self.configuration = configuration
        self.logger = logger
        self.clocks = clocks
        proxies = try TrustedProxies(configuration.trustedProxies)
        log = SecurityLog(configuration.log, service: configuration.service, logger: logger, now: clocks.wall)
        metrics = MetricRegistry()
        limits = RateLimitTable(keys: configuration.rememberedKeys)
        refusals = metrics.counter("guard_refused_requests_total", help: "Requests that Guard refused.", labels: "reason")
        requests = configuration.requestMetrics.map { [metrics] in metrics.requests($0) }
        decisions = DecisionStore(isKnown: configuration.vigie == nil)
        feed = try configuration.vigie.map { [decisions] vigie in
            DecisionFeed(
                connection: VigieConnection(endpoint: try VigieEndpoint(vigie), vigie: vigie, silence: silence), store: decisions,
                cache: DecisionCache(path: vigie.cache), logger: logger, pause: pause)
        }
        feed?.restore()
    }

    /// The middleware that does it; put it first, so that it surrounds all others and every answer.
    public func middleware<Context: GuardedContext>(for context: Context.Type = Context.self) -> GuardMiddleware<Context> {
        GuardMiddleware(protection: self)
    }

    /// The request's identifier and trace in lines that are written without a request context at hand; see ``SecurityLogHandler``.
    public static let requestMetadata = Logger.MetadataProvider {
        guard let arrival = RequestFacts.current else { return [:] }
        var metadata: Logger.Metadata = ["http.request.id": .string(arrival.id)]
        if let trace = arrival.trace { metadata["trace.id"] = .string(trace.traceID) }
        return metadata
    }

    /// Follows Vigie, keeps the log, and tells that it is alive, until the application stops.
    public func run() async throws {
        log.record(SecurityEvent("logging_started", category: "process", outcome: .success))
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                if let feed { group.addTask { await feed.run() } }
                group.addTask { [self] in await keep() }
                await group.waitForAll()
            }
        }
        log.record(SecurityEvent("logging_stopped", category: "process", outcome: .success, reason: "shutdown"))
        await log.flush()
    }

    private func keep() async {
        var heartbeat = clocks.monotonic()
        let interval = max(Int64(configuration.heartbeat.components.seconds), 1) * 1_000_000_000
        log.record(SecurityEvent("heartbeat", category: "process", outcome: .success))
        while true {
            do { try await Task.sleep(for: .seconds(1)) } catch { return }
            log.tick()
            decisions.sweep(now: clocks.wall())
            if clocks.monotonic() - heartbeat >= interval {
                heartbeat = clocks.monotonic()
                log.record(SecurityEvent("heartbeat", category: "process", outcome: .success))
            }
        }
    }

    /// Counts a refusal, and writes an event about it unless the same party got several of the same lately.
    func note(_ refusal: Refusal, decision: String? = nil, action: String = "request", facts: RequestFacts) {
        guard count(refusal, facts: facts) else { return }
        var event = SecurityEvent(action, category: "web", outcome: .failure, reason: refusal.reason)
        event.status = refusal.status.code
        if let decision { event.details["vigie.decision.id"] = decision }
        log.record(event, facts: facts)
    }

    /// - Returns: whether an event is worth its line.
    func count(_ refusal: Refusal, facts: RequestFacts) -> Bool {
        refusals.increment(refusal.reason)
        let key = RateLimitKey.account("\(refusal.reason) \(facts.client)")
        return !refusalEvents.take(Self.refusalEventLimit, key: key, now: clocks.monotonic()).isExceeded
    }

    static func areEqual(_ given: String, _ secret: String) -> Bool {
        // Digests of equal length, compared by their Equatable, which swift-crypto keeps constant in time.
        SHA256.hash(data: Array(given.utf8)) == SHA256.hash(data: Array(secret.utf8))
    }
}
