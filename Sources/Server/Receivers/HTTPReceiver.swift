import Events
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Identity
import Ingest
import Logging
import NIOCore
import Synchronization

/// One port that takes logs over HTTP. An event is durable before its sender is answered; what is not taken is refused with a reason,
/// and counted.
struct HTTPReceiver: Sendable {
    let options: HTTPReceiverOptions
    let intakes: HTTPIntakes
    let logger: Logger
    /// Whether an API token of an account may hand in logs.
    let mayIngest: @Sendable (SecretToken) async throws -> Bool
    let bodies: BodyBudget
    /// Of bodies that have to be read before it is known who sends them: they take no memory from others.
    private let strangers = BodyBudget(limit: 32 * HTTPReceiver.strangerBytes)
    private let peers = ProxiedPeers()
    /// PagerDuty's own limit of an event.
    static let strangerBytes = 512 << 10

    init(
        options: HTTPReceiverOptions, intakes: HTTPIntakes, logger: Logger,
        mayIngest: @escaping @Sendable (SecretToken) async throws -> Bool = { _ in false }
    ) {
        self.options = options
        self.intakes = intakes
        self.logger = logger
        self.mayIngest = mayIngest
        bodies = BodyBudget(limit: max(128 << 20, options.limits.decompressedBytes * 2))
    }

    /// No more connections than the limit says, and none that holds its place without getting on.
    func application(listening: @escaping @Sendable (_ port: Int) async -> Void) throws -> some ApplicationProtocol {
        let tls = try options.tls.map { try $0.configuration() }
        let server = HTTPServerBuilder { responder in
            let plain = HTTP1Channel(
                responder: responder,
                configuration: .init(
                    idleTimeout: TimeAmount(options.patience.idle),
                    httpDecoderConfiguration: .init(
                        maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 64)))
            let timed = TimedChannel(base: plain, patience: options.patience, isWithinTLS: tls != nil, refuse: refuse)
            guard let tls else { return limited(timed) }
            return limited(try TLSChannel(timed, tlsConfiguration: tls))
        }
        return Application(
            router: router(), server: server,
            configuration: .init(address: .hostname(options.listen.host, port: options.listen.port), serverName: nil),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? options.listen.port) }, logger: logger)
    }

    private func limited<Base: ServerChildChannel>(_ channel: Base) -> any ServerChildChannel {
        let slots = ConnectionSlots(options.limits)
        let proxies = TrustedProxies(options.proxies)
        let answered = options.tls == nil ? ConnectionSlots(limit: 64, share: 64) : nil
        @Sendable func refuseOneMore(_ channel: any Channel, _ reason: String) { refuse(ConnectionRefusal.code, channel, reason) }
        guard !options.proxies.isEmpty else {
            return LimitedChannel(base: channel, slots: slots, proxies: proxies, answered: answered, refuse: refuseOneMore)
        }
        let counters = intakes.events.counters
        let proxied = ProxiedChannel(
            base: channel, proxies: proxies, peers: peers, slots: slots, limit: options.patience.proxyHeader
        ) { counters.refuse($0, $1) }
        return LimitedChannel(base: proxied, slots: slots, proxies: proxies, answered: answered, refuse: refuseOneMore)
    }

    /// A connection has no protocol yet: what is refused is counted where lines of any program are taken.
    @Sendable private func refuse(_ code: String, _ channel: any Channel, _ reason: String) {
        intakes.events.counters.refuse(code, [peer(of: channel), reason].compactMap { $0 }.joined(separator: ": "))
    }

    private func peer(of channel: any Channel) -> String? {
        peers.address(behind: channel) ?? channel.remoteAddress?.ipAddress
    }

    private func router() -> Router<ReceiverContext> {
        let router = Router(context: ReceiverContext.self)
        router.get("/ready") { _, _ in HTTPReceiver.answer(.ok, "ready\n") }
        for path in ["/loki/api/v1/push", "/api/prom/push"] {
            router.post(RouterPath(path)) { await self.respond($0, $1, intakes.loki, self.loki) }
        }
        for path in ["/v1/logs", "/otlp/v1/logs"] {
            router.post(RouterPath(path)) { await self.respond($0, $1, intakes.otlp, self.otlp) }
        }
        router.post("/api/v1/events") { await self.respond($0, $1, intakes.events, self.events) }
        router.post("/webhooks/alertmanager") {
            await self.respond($0, $1, intakes.alertmanager, self.alertmanager)
        }
        // The routing key in the body is the token here.
        router.post("/v2/enqueue") {
            await self.respond($0, $1, intakes.pagerDuty, needsToken: false, self.pagerDuty)
        }
        router.post("/upload") { await self.respond($0, $1, intakes.journald, self.upload) }
        return router
    }

    /// What all receivers have in common: who may send, whether there is room, and how a refusal is answered.
    private func respond(
        _ request: Request, _ context: ReceiverContext, _ intake: Intake, needsToken: Bool = true,
        _ take: (Request, Intake) async throws -> Response
    ) async -> Response {
        func count(_ code: String, _ reason: String) {
            intake.counters.refuse(code, [peer(of: context.channel), reason].compactMap { $0 }.joined(separator: ": "))
        }
        do {
            if needsToken { try await checkToken(HTTPReceiver.token(request.headers)) }
            if let refusal = intake.refusal() { throw refusal }
            return try await take(request, intake)
        } catch let refusal as HTTPRefusal {
            count(refusal.code, refusal.reason)
            return HTTPReceiver.answer(refusal.status, refusal.reason + "\n", closing: refusal.isBodyUnread)
        } catch let refusal as IntakeRefusal {
            count(refusal.code.rawValue, refusal.reason)
            let status: HTTPResponse.Status = [.disk, .failed].contains(refusal.code) ? .serviceUnavailable : .tooManyRequests
            return HTTPReceiver.answer(status, refusal.reason + "\n", retryAfter: refusal.retryAfter, closing: true)
        } catch let refusal as ReceiverRefusal {
            count(refusal.code.rawValue, refusal.reason)
            return HTTPReceiver.answer(HTTPRefusal(refusal).status, refusal.reason + "\n", closing: refusal.code == .tooLarge)
        } catch {
            // The connection has ended, or broke: whoever sent has no answer, and sends again.
            count("broken", "\(error)")
            return HTTPReceiver.answer(.badRequest, "the request did not arrive whole\n", closing: true)
        }
    }

    // MARK: Who may send

    /// `Bearer TOKEN`, or the password of `Basic`, as agents are configured.
    private static func token(_ headers: HTTPFields) -> String? {
        guard let field = headers[.authorization] else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer", "token": return parts[1]
        case "basic":
            guard let data = Data(base64Encoded: parts[1]) else { return nil }
            let text = String(decoding: data, as: UTF8.self)
            return text.firstIndex(of: ":").map { String(text[text.index(after: $0)...]) }
        default: return nil
        }
    }

    func checkToken(_ token: String?) async throws {
        guard options.asksForToken else { return }
        let digest = SecretToken(text: token ?? "").digest.hex
        // All are compared, so that the time says nothing about which.
        let known = options.tokens.reduce(false) { constantTimeEquals($1, digest) || $0 }
        var isAccounts = false
        // Its form is asked for first: what cannot be one costs no look into the database.
        if !known, options.takesAccountTokens, let secret = APIToken.secret(inAuthorization: "Bearer \(token ?? "")") {
            do {
                isAccounts = try await mayIngest(secret)
            } catch {
                throw HTTPRefusal(
                    .serviceUnavailable, "failed", "accounts cannot be read now; send it again", isBodyUnread: true)
            }
        }
        guard known || isAccounts, token != nil else {
            throw HTTPRefusal(
                .unauthorized, "token", "the token is missing or wrong: send 'Authorization: Bearer TOKEN'", isBodyUnread: true)
        }
    }

    // MARK: Bodies

    /// The whole body, decompressed; every limit is kept while it arrives.
    ///
    /// - Parameter ofStranger: the body itself says who sends it.
    func body(_ request: Request, ofStranger: Bool = false) async throws -> ReceivedBody {
        let limit = ofStranger ? min(HTTPReceiver.strangerBytes, options.limits.bodyBytes) : options.limits.bodyBytes
        let decompressedLimit = ofStranger ? limit : options.limits.decompressedBytes
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit { throw HTTPRefusal.tooLarge(limit) }
        let encoding = request.headers[.contentEncoding]?.lowercased() ?? "identity"
        // Loki's protobuf is compressed by itself; some say so here, too.
        let isCompressed = ["gzip", "x-gzip", "deflate"].contains(encoding)
        guard isCompressed || ["identity", "", "snappy"].contains(encoding) else {
            throw HTTPRefusal(
                .unsupportedMediaType, "unsupported", "the encoding '\(encoding)' is not known; gzip is", isBodyUnread: true)
        }
        let lease = BodyBudget.Lease(ofStranger ? strangers : bodies)
        var compressed: [UInt8] = []
        let pace = BodyPace(limit: limit)
        let began = ContinuousClock.now
        for try await buffer in request.body {
            guard compressed.count + buffer.readableBytes <= limit else { throw HTTPRefusal.tooLarge(limit) }
            try pace.check(compressed.count, after: ContinuousClock.now - began)
            try lease.extend(by: buffer.readableBytes)
            compressed.append(contentsOf: buffer.readableBytesView)
        }
        guard isCompressed else { return ReceivedBody(bytes: compressed, lease: lease) }
        try lease.extend(by: min(compressed.count * 1_100, decompressedLimit))
        var inflater = try GzipInflater(limit: decompressedLimit)
        try inflater.push(compressed)
        return ReceivedBody(bytes: try inflater.finish(), lease: lease)
    }

    /// - Parameter closing: what is left of the body is not read: the connection ends with this answer.
    static func answer(
        _ status: HTTPResponse.Status, _ text: String, type: String = "text/plain; charset=utf-8", retryAfter: Int? = nil,
        closing: Bool = false
    ) -> Response {
        var headers: HTTPFields = [.contentType: type, .xContentTypeOptions: "nosniff"]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        if closing { headers[.connection] = "close" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// The protocols' intakes, shared by all ports that speak HTTP.
struct HTTPIntakes: Sendable {
    let loki, otlp, events, alertmanager, pagerDuty, journald: Intake

    var all: [Intake] { [loki, otlp, events, alertmanager, pagerDuty, journald] }
}

/// Why a request is refused.
struct HTTPRefusal: Error {
    var status: HTTPResponse.Status
    var code: String
    var reason: String
    /// Whether the body is left unread.
    var isBodyUnread: Bool

    init(_ status: HTTPResponse.Status, _ code: String, _ reason: String, isBodyUnread: Bool = false) {
        self.status = status
        self.code = code
        self.reason = reason
        self.isBodyUnread = isBodyUnread
    }

    init(_ refusal: ReceiverRefusal) {
        let status: HTTPResponse.Status =
            switch refusal.code {
            case .malformed: .badRequest
            case .tooLarge: .contentTooLarge
            case .unsupported: .unsupportedMediaType
            }
        self.init(status, refusal.code.rawValue, refusal.reason)
    }

    static func tooLarge(_ limit: Int) -> HTTPRefusal {
        HTTPRefusal(
            .contentTooLarge, "too_large", "the body has more than \(limit >> 10) KiB; send less at a time", isBodyUnread: true)
    }
}

/// A body, and what is counted for it: to be kept until it has been decoded, however long that has to wait, and let go of together.
struct ReceivedBody: Sendable {
    let bytes: [UInt8]
    private let lease: BodyBudget.Lease

    init(bytes: [UInt8], lease: BodyBudget.Lease) {
        self.bytes = bytes
        self.lease = lease
    }

    /// Counts what the body becomes, too.
    func count(more bytes: Int) throws(IntakeRefusal) { try lease.extend(by: bytes) }
}

/// Bytes of bodies that are in memory at the same time, of one port.
final class BodyBudget: Sendable {
    private let limit: Int
    private let used = Mutex(0)

    init(limit: Int) { self.limit = limit }

    /// What requests hold at the moment.
    var inUse: Int { used.withLock { $0 } }

    /// What one request holds; given back when it goes.
    final class Lease: Sendable {
        private let budget: BodyBudget
        private let held = Mutex(0)

        init(_ budget: BodyBudget) { self.budget = budget }

        func extend(by count: Int) throws(IntakeRefusal) {
            let limit = budget.limit
            let fits = budget.used.withLock { used in
                guard used + count <= limit else { return false }
                used += count
                return true
            }
            guard fits else { throw IntakeRefusal(.full, "too many bodies at the same time; try again later", retryAfter: 1) }
            held.withLock { $0 += count }
        }

        deinit {
            let bytes = held.withLock { $0 }
            budget.used.withLock { $0 -= bytes }
        }
    }
}

/// What a receiver knows about a request.
struct ReceiverContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}
