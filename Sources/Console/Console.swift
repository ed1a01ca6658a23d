package import Events
package import Hummingbird
package import HummingbirdCore
package import Identity
package import Incidents
import NIOCore

/// Pages, HTTP API and live updates: builds the router, owns nothing.
package struct Console: Sendable {
    /// What the console reads and calls.
    package struct Dependencies: Sendable {
        package var incidents: any IncidentReading
        package var states: any IncidentStateReading
        package var sources: @Sendable () async -> [SourceStatus]
        package var rules: @Sendable () async -> [RuleSummary]
        /// `nil` while the policy files are in force as they are.
        package var policyProblem: @Sendable () async -> PolicyProblem?
        package var detection: @Sendable () async -> DetectionStatus
        package var ledger: any LedgerReading
        /// `nil` where nothing is archived.
        package var hunts: (any HuntRunning)?
        /// `nil` where nothing is contained.
        package var leases: (any LeaseKeeping)?
        /// `nil` where nothing runs playbooks.
        package var runs: (any RunDirecting)?
        /// `nil` where nobody keeps views of the list.
        package var views: (any ViewKeeping)?
        /// `nil` where nothing is silenced.
        package var silences: (any SilenceKeeping)?
        /// `nil` where no links are sent that acknowledge.
        package var links: (any AcknowledgeByLink)?
        /// Carries out what somebody wants done to an incident, or throws an `IncidentRefusal`.
        package var order: @Sendable (IncidentOrder) async throws -> Void
        package var updates: ConsoleUpdates
        package var identity: SignInService
        /// `nil` where nobody signs in through a provider.
        package var provider: OpenIDProvider?
        /// Journals one identity decision. When it throws, the decision is not carried out towards the browser.
        package var audit: @Sendable (AuditRecord) async throws -> Void
        package var now: @Sendable () -> Timestamp

        package init(
            incidents: any IncidentReading, states: any IncidentStateReading,
            sources: @escaping @Sendable () async -> [SourceStatus],
            rules: @escaping @Sendable () async -> [RuleSummary],
            policyProblem: @escaping @Sendable () async -> PolicyProblem? = { nil },
            detection: @escaping @Sendable () async -> DetectionStatus = { DetectionStatus() },
            ledger: any LedgerReading, hunts: (any HuntRunning)? = nil, leases: (any LeaseKeeping)? = nil,
            runs: (any RunDirecting)? = nil, views: (any ViewKeeping)? = nil,
            silences: (any SilenceKeeping)? = nil, links: (any AcknowledgeByLink)? = nil,
            order: @escaping @Sendable (IncidentOrder) async throws -> Void = { _ in
                throw IncidentRefusal(.notAllowed, "this console only shows incidents", "use the one of the server")
            },
            updates: ConsoleUpdates,
            identity: SignInService, provider: OpenIDProvider? = nil,
            audit: @escaping @Sendable (AuditRecord) async throws -> Void, now: @escaping @Sendable () -> Timestamp
        ) {
            self.incidents = incidents
            self.states = states
            self.sources = sources
            self.rules = rules
            self.policyProblem = policyProblem
            self.detection = detection
            self.ledger = ledger
            self.hunts = hunts
            self.leases = leases
            self.runs = runs
            self.views = views
            self.silences = silences
            self.links = links
            self.order = order
            self.updates = updates
            self.identity = identity
            self.provider = provider
            self.audit = audit
            self.now = now
        }
    }

    /// How the console is reached.
    package struct Options: Sendable, Equatable {
        /// Host names, besides `localhost`, `127.0.0.1` and `[::1]`, under which browsers reach the console. Every other `Host` is
        /// refused: that is what stops DNS rebinding. Without port; any port is accepted.
        package var hosts: Set<String>
        /// Set when browsers reach the console by TLS: cookies become `Secure` and `__Host-`.
        package var isBehindTLS: Bool
        /// Set when a reverse proxy on this machine sets `X-Forwarded-For`: its last entry is then the client's address. Believed only
        /// from a loopback connection.
        package var trustsForwardedAddress: Bool
        /// After so long without news an event stream says that it lives. Proxies close what is silent for 30-60 s.
        package var heartbeat: Duration

        package init(
            hosts: Set<String> = [], isBehindTLS: Bool = false, trustsForwardedAddress: Bool = false,
            heartbeat: Duration = .seconds(15)
        ) {
            self.hosts = Set(hosts.map { $0.lowercased() })
            self.isBehindTLS = isBehindTLS
            self.trustsForwardedAddress = trustsForwardedAddress
            self.heartbeat = heartbeat
        }
    }

    let dependencies: Dependencies
    let options: Options
    let assets: ConsoleAssets
    let pages: PageRenderer
    let cookies: ConsoleCookies
    let accounts: AccountService
    /// `nil` where nobody signs in through a provider.
    let openID: OpenIDSignIn?

    /// - Throws: when an embedded template cannot be parsed; a test keeps that from shipping.
    package init(_ dependencies: Dependencies, options: Options = Options()) throws {
        self.dependencies = dependencies
        self.options = options
        assets = ConsoleAssets.embedded
        pages = try PageRenderer(assets: assets)
        accounts = AccountService(dependencies.identity, audit: dependencies.audit)
        openID = dependencies.provider.map { OpenIDSignIn($0, dependencies.identity, audit: dependencies.audit) }
        cookies = ConsoleCookies(isSecure: options.isBehindTLS)
    }

    /// Every route with its middleware. HEAD works wherever GET does.
    package func makeRouter() -> Router<ConsoleContext> {
        build().router
    }

    /// Every route, and who may use it.
    package var routes: [RouteDeclaration] { build().declarations }

    private func build() -> (router: Router<ConsoleContext>, declarations: [RouteDeclaration]) {
        let router = Router(context: ConsoleContext.self, options: [.autoGenerateHeadEndpoints])
        // Outermost first. Answers made by a refusing middleware still pass through those before it, so they carry all headers.
        router.add(middleware: ResponseShaping(console: self))
        router.add(middleware: RequestLimits(options: options))
        router.add(middleware: Authentication(console: self))
        router.add(middleware: ForgeryProtection(console: self))

        let pages = ConsoleRoutes(console: self, router: router, table: ConsoleRoutes.Table())
        pages.get("/", .viewer) { _, _ in HTTPAnswer.redirect(to: "/incidents") }
        addAssetRoutes(to: pages)
        addIdentityRoutes(to: pages)
        addOpenIDRoutes(to: pages)
        addIncidentRoutes(to: pages)
        addViewRoutes(to: pages)
        addLedgerRoutes(to: pages)
        addStatusRoutes(to: pages)
        addHuntRoutes(to: pages)
        addLeaseRoutes(to: pages)
        addRunRoutes(to: pages)
        addSilenceRoutes(to: pages)
        addOnCallRoutes(to: pages)
        addMetricsRoutes(to: pages)
        addAccountRoutes(to: pages)
        addOwnAccountRoutes(to: pages)
        addInvitationRoutes(to: pages)
        addAcknowledgeRoutes(to: pages)
        addSecondFactorRoutes(to: pages)

        let programs = pages.under("", surface: .api)
        programs.get("healthz", .everybody) { _, _ in HTTPAnswer.json(text: #"{"status":"ok"}"#) }
        // Without a sign-in: it says what Vigie can do, and nothing of what it knows.
        programs.get("api/openapi.json", .everybody) { _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: assets.bytes(of: "openapi.json")))
        }
        programs.get("events", .viewer) { request, context in eventStream(request, context: context) }
        let api = pages.under("/api/v1", surface: .api)
        addAPIRoutes(to: api)
        addLeaseAPI(to: api)
        addRunAPIRoutes(to: api)
        addViewAPI(to: api)
        addSilenceAPI(to: api)
        addAccountAPIRoutes(to: api)
        return (router, pages.table.declarations)
    }

    /// An HTTP/1.1 server with the limits that a console needs against slow and greedy clients: 16 KiB of header in at most 64 fields, and
    /// `idle` without progress between requests or while a request arrives. An open event stream is not idle.
    package static func server(idle: Duration = .seconds(60)) -> HTTPServerBuilder {
        .http1(
            configuration: .init(
                idleTimeout: TimeAmount(idle),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 64)))
    }
}
