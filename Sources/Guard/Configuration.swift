/// Everything that Guard is told. Each part has a default that fits a small platform.
public struct Configuration: Sendable {
    /// `service.name` of every event: `tatou`, `goimg`.
    public var service: String
    /// The security log.
    public var log: SecurityLog.Options
    /// Where leases come from; `nil` enforces none.
    public var vigie: Vigie?
    /// Addresses and networks of proxies whose `X-Forwarded-For` and `Forwarded` are believed. Empty believes nobody.
    public var trustedProxies: [String]
    /// How often one address may ask, over all routes; an IPv6 /64 counts as one. `nil` for no limit.
    public var addressLimit: RateLimit?
    /// How often one user may ask, over all routes, counted in ``Protection/admit(_:in:)``.
    public var userLimit: RateLimit?
    /// How many addresses and accounts limits remember, at 16 bytes each.
    public var rememberedKeys: Int
    /// The largest body, in bytes; more is refused with 413 before and while it is read.
    public var bodyLimit: Int
    /// How long the body of a request may take to come in; slower is refused with 408 and the connection closed. What a handler
    /// waits for besides is bounded with ``withTimeLimit(_:_:)``.
    public var bodyTime: Duration
    /// Headers of every answer.
    public var headers: SecurityHeaders
    /// The form of refusals and failures.
    public var errors: ErrorForm
    /// The names of the series about requests; `nil` counts none.
    public var requestMetrics: RequestMetrics?
    /// What `X-Metrics-Token` must hold for `GET /metrics`; without it there is no such route.
    public var metricsToken: String?
    /// What Vigie shows when it asks what is in force (`GET /guard/v1/decisions`); without it there is no such route.
    public var readBackToken: String?
    /// How often a `heartbeat` is logged, by whose end Vigie finds out that the application or its log died.
    public var heartbeat: Duration

    /// The names of the series about requests.
    public struct RequestMetrics: Sendable {
        /// Counts by `method`, `route` and `status`, as `tatou_http_requests_total`.
        public var requests: String
        /// Seconds by `method` and `route`, as `tatou_http_request_duration_seconds`.
        public var duration: String
        /// What the route's label is called; its value is the route's pattern, never a path.
        public var routeLabel: String

        /// The names of the series about requests.
        public init(requests: String, duration: String, routeLabel: String = "route") {
            self.requests = requests
            self.duration = duration
            self.routeLabel = routeLabel
        }
    }

    /// Everything at its default.
    public init(service: String) {
        self.service = service
        log = SecurityLog.Options()
        trustedProxies = []
        addressLimit = nil
        userLimit = nil
        rememberedKeys = 65_536
        bodyLimit = 2 << 20
        bodyTime = .seconds(30)
        headers = .api
        errors = .problem
        heartbeat = .seconds(300)
    }
}
