package import Guard

/// The platform's series, named as its documents name them.
package struct TatouMetrics: Sendable {
    package static let requests = Configuration.RequestMetrics(
        requests: "tatou_http_requests_total", duration: "tatou_http_request_duration_seconds")

    /// Why something is suspicious: labels of `tatou_suspicious_events_total`.
    package enum Suspicion: String, Sendable, CaseIterable {
        case uploadMissingFileField = "upload_missing_file_field"
        case uploadBadMIME = "upload_bad_mime"
        case uploadBadExtension = "upload_bad_extension"
        case uploadOversize = "upload_oversize"
        case pathTraversal = "path_traversal"
        case typeMismatch = "type_mismatch"
        case polyglot
        case bomb
        case parserFailure = "parser_failure"
        case malware
        case activeContent = "active_content"
        case foreignObject = "foreign_object"
        case unknownLink = "unknown_link"
        case integrity
        case canary

        init?(_ fault: SecurityEvent.UploadFault) {
            switch fault {
            case .missingFile: self = .uploadMissingFileField
            case .tooLarge: self = .uploadOversize
            case .badMIME: self = .uploadBadMIME
            case .badExtension: self = .uploadBadExtension
            case .typeMismatch: self = .typeMismatch
            case .pathTraversal: self = .pathTraversal
            case .polyglot: self = .polyglot
            case .decompressionBomb, .pixelFlood: self = .bomb
            case .infected: self = .malware
            case .activeContent: self = .activeContent
            case .parseError: self = .parserFailure
            }
        }
    }

    package enum WatermarkStage: String, Sendable {
        case applicability
        case exception
    }

    private let inProgress: Gauge
    private let bodyBytes: Histogram
    private let loginSuccesses: Counter
    private let loginFailures: Counter
    private let watermarksCreated: Counter
    private let watermarksFailed: Counter
    private let watermarksRead: Counter
    private let watermarkSeconds: Histogram
    private let uploads: Counter
    private let uploadBytes: Counter
    private let suspiciousEvents: Counter
    private let databaseErrors: Counter
    private let databaseSeconds: Histogram
    private let handshakes: Counter
    private let canaryIntact: Gauge
    private let canaryAccesses: Counter

    package init(_ registry: MetricRegistry) {
        inProgress = registry.gauge(
            "tatou_http_requests_in_progress_total", help: "Requests being answered.", labels: "route")
        bodyBytes = registry.histogram(
            "tatou_http_request_body_bytes", help: "Bytes of requests' bodies, as announced.", buckets: Histogram.bytes,
            labels: "method", "route")
        loginSuccesses = registry.counter("tatou_login_successes_total", help: "Sign-ins.")
        loginFailures = registry.counter("tatou_login_failures_total", help: "Refused sign-ins.", labels: "reason")
        watermarksCreated = registry.counter("tatou_watermarks_created_total", help: "Versions made.", labels: "method")
        watermarksFailed = registry.counter(
            "tatou_watermarks_failed_total", help: "Versions that could not be made.", labels: "method", "stage")
        watermarksRead = registry.counter("tatou_watermarks_read_total", help: "Marks read.", labels: "method")
        watermarkSeconds = registry.histogram(
            "tatou_watermark_duration_seconds", help: "Time to mark or read a document.", labels: "method")
        uploads = registry.counter("tatou_uploads_total", help: "Documents accepted.")
        uploadBytes = registry.counter("tatou_upload_bytes_total", help: "Bytes of accepted documents.")
        suspiciousEvents = registry.counter(
            "tatou_suspicious_events_total", help: "What honest clients do not do.", labels: "reason")
        databaseErrors = registry.counter("tatou_db_errors_total", help: "Failed database operations.", labels: "operation")
        databaseSeconds = registry.histogram(
            "tatou_db_query_duration_seconds", help: "Time of database operations.",
            buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5], labels: "operation")
        handshakes = registry.counter("tatou_rmap_handshakes_total", help: "RMAP messages, by outcome.", labels: "outcome")
        canaryIntact = registry.gauge("tatou_canary_intact", help: "Whether the canary is what it was (1) or not (0).")
        canaryAccesses = registry.counter("tatou_canary_accesses_total", help: "Times that somebody touched the canary.")
    }

    func began(_ route: String) { inProgress.add(1, route) }
    func ended(_ route: String) { inProgress.add(-1, route) }
    func body(_ bytes: Int, method: String, route: String) { bodyBytes.observe(Double(bytes), method, route) }

    package func signedIn() { loginSuccesses.increment() }
    package func signInRefused(_ reason: String) { loginFailures.increment(reason) }

    /// - Parameter method: of those that there are; a client's word would make a series each.
    package func marked(_ method: String, seconds: Double) {
        watermarksCreated.increment(method)
        watermarkSeconds.observe(seconds, method)
    }

    package func markFailed(_ method: String, _ stage: WatermarkStage) { watermarksFailed.increment(method, stage.rawValue) }

    package func markRead(_ method: String, seconds: Double) {
        watermarksRead.increment(method)
        watermarkSeconds.observe(seconds, method)
    }

    package func uploaded(bytes: Int) {
        uploads.increment()
        uploadBytes.increment(by: Double(bytes))
    }

    package func suspicious(_ reason: Suspicion) { suspiciousEvents.increment(reason.rawValue) }

    func queried(_ operation: String, seconds: Double, failed: Bool) {
        databaseSeconds.observe(seconds, operation)
        if failed { databaseErrors.increment(operation) }
    }

    func handshake(_ outcome: String) { handshakes.increment(outcome) }
    func canary(isIntact: Bool) { canaryIntact.set(isIntact ? 1 : 0) }
    func canaryAccessed() { canaryAccesses.increment() }
}
