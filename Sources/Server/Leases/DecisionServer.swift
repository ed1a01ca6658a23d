import Events
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Journal
import Logging
import NIOCore
import Response

/// The port where applications with Guard and bouncers fetch what is in force. It answers to keys alone, and knows nothing else:
/// no sessions, no forms, no pages.
struct DecisionServer: Sendable {
    static let maximumConnections = 512
    /// Streams that one application may hold open: one for each of its processes.
    static let maximumStreams = 16
    /// Between two signs of life; Guard wants one every ten seconds.
    static let beat = Duration.seconds(5)

    let listen: ListenAddress
    let tls: ReceiverTLSOptions?
    let applications: GuardEnforcer?
    let applicationKeys: MachineKeys
    let bouncers: BouncerEnforcer?
    let bouncerKeys: MachineKeys
    let logger: Logger
    /// It is known what is in force. Before that an application that asks would let everybody in for a moment.
    let isReady: @Sendable () -> Bool
    let now: @Sendable () -> Timestamp
    private let wrongKeys = WrongKeys()

    init(
        listen: ListenAddress, tls: ReceiverTLSOptions?, applications: GuardEnforcer?, applicationKeys: MachineKeys,
        bouncers: BouncerEnforcer?, bouncerKeys: MachineKeys, logger: Logger,
        isReady: @escaping @Sendable () -> Bool, now: @escaping @Sendable () -> Timestamp
    ) {
        self.listen = listen
        self.tls = tls
        self.applications = applications
        self.applicationKeys = applicationKeys
        self.bouncers = bouncers
        self.bouncerKeys = bouncerKeys
        self.logger = logger
        self.isReady = isReady
        self.now = now
    }

    func application(listening: @escaping @Sendable (_ port: Int) async -> Void) throws -> some ApplicationProtocol {
        let plain = HTTPServerBuilder.http1(
            configuration: .init(
                idleTimeout: .seconds(60),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 * 1024, maxHeaderListSize: 16 * 1024, maxHeaderFieldCount: 64)))
        let server = try tls.map { try HTTPServerBuilder.tls(plain, tlsConfiguration: $0.configuration()) } ?? plain
        return Application(
            router: router(), server: server,
            configuration: .init(
                address: .hostname(listen.host, port: listen.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(DecisionServer.maximumConnections)),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? listen.port) }, logger: logger)
    }

    /// Sends signs of life until cancelled.
    func beat() async {
        while (try? await Task.sleep(for: DecisionServer.beat)) != nil { applications?.beat() }
    }

    private func router() -> Router<DecisionContext> {
        let router = Router(context: DecisionContext.self, options: [.autoGenerateHeadEndpoints])
        if let applications {
            router.get("/api/guard/v1/decisions") { request, context in
                try await caller(request, context, applicationKeys, bearer(request)) { name in
                    guard let document = applications.document(for: name, now: now()) else { return refusal(.notFound) }
                    return answer(document)
                }
            }
            router.get("/api/guard/v1/decisions/stream") { request, context in
                try await caller(request, context, applicationKeys, bearer(request)) { name in
                    stream(to: name, from: applications, request)
                }
            }
        }
        if let bouncers {
            router.get("/v1/decisions") { request, context in
                try await caller(request, context, bouncerKeys, request.headers[DecisionServer.apiKey]) { _ in
                    let query = request.uri.queryParameters
                    let address = (query["ip"] ?? query["range"] ?? query["value"]).map(String.init)
                    let all = bouncers.decisions(address: address, now: now())
                    return answer(DecisionServer.only(all, scopes: query["scopes"] ?? query["scope"]))
                }
            }
            router.get("/v1/decisions/stream") { request, context in
                try await caller(request, context, bouncerKeys, request.headers[DecisionServer.apiKey]) { name in
                    let query = request.uri.queryParameters
                    let (body, position) = bouncers.stream(for: name, startup: query["startup"] == "true", now: now())
                    let scopes = query["scopes"] ?? query["scope"]
                    let shown: JSONValue = [
                        "new": DecisionServer.only(body["new"] ?? .null, scopes: scopes),
                        "deleted": DecisionServer.only(body["deleted"] ?? .null, scopes: scopes),
                    ]
                    // It counts as told once it is on its way, not before.
                    return answer(shown) { bouncers.confirm(name, position: position) }
                }
            }
            // Newer bouncers tell how much they dropped; what for is not kept.
            router.post("/v1/usage-metrics") { request, context in
                try await caller(request, context, bouncerKeys, request.headers[DecisionServer.apiKey]) { _ in
                    Response(status: .created)
                }
            }
        }
        return router
    }

    private static let apiKey = HTTPField.Name("x-api-key") ?? .authorization

    /// Who asks; or why nobody is answered.
    private func caller(
        _ request: Request, _ context: DecisionContext, _ keys: MachineKeys, _ key: String?,
        _ body: (_ name: String) async throws -> Response
    ) async throws -> Response {
        let time = now()
        guard !wrongKeys.isRefused(context.address, at: time) else { return refusal(.tooManyRequests, retryAfter: 60) }
        guard let key, let name = keys.owner(of: key) else {
            wrongKeys.note(context.address, at: time)
            return refusal(.forbidden)
        }
        guard isReady() else { return refusal(.serviceUnavailable, "starting", retryAfter: 1) }
        return try await body(name)
    }

    private func bearer(_ request: Request) -> String? {
        guard let field = request.headers[.authorization], field.lowercased().hasPrefix("bearer ") else { return nil }
        return String(field.dropFirst("bearer ".count))
    }

    /// - Parameter message: the same words whatever is wrong with a key.
    private func refusal(
        _ status: HTTPResponse.Status, _ message: String = "access forbidden", retryAfter: Int? = nil
    ) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: #"{"message":"\#(message)"}"#)))
    }

    private func answer(_ body: JSONValue, sent: @escaping @Sendable () -> Void = {}) -> Response {
        let buffer = ByteBuffer(string: body.description)
        return Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(contentLength: buffer.readableBytes) { writer in
                try await writer.write(buffer)
                sent()
                try await writer.finish(nil)
            })
    }

    private static func only(_ decisions: JSONValue, scopes: Substring?) -> JSONValue {
        guard let scopes, !scopes.isEmpty, case .array(let list) = decisions else { return decisions }
        let wanted = Set(scopes.lowercased().split(separator: ",").map(String.init))
        let found = list.filter { $0["scope"]?.stringValue.map { wanted.contains($0.lowercased()) } ?? false }
        return found.isEmpty ? .null : .array(found)
    }

    private func stream(to name: String, from applications: GuardEnforcer, _ request: Request) -> Response {
        let query = request.uri.queryParameters
        guard applications.listeners(of: name) < DecisionServer.maximumStreams else {
            return refusal(.tooManyRequests, retryAfter: 5)
        }
        // Listens before it looks: what comes in between wakes it.
        let (listener, wakes) = applications.listen(name)
        guard let after = query["after"].flatMap({ Int64($0) }), let epoch = query["epoch"].map(String.init),
            let first = applications.news(for: name, after: after, epoch: epoch)
        else {
            applications.end(listener)
            return refusal(.gone)
        }
        return Response(
            status: .ok, headers: [.contentType: "application/x-ndjson", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                defer { applications.end(listener) }
                try await writer.write(DecisionServer.buffer(first.lines))
                var position = first.sequence
                for await _ in wakes {
                    // What is not kept any more is asked for anew, by another request.
                    guard let news = applications.news(for: name, after: position, epoch: epoch) else { break }
                    position = news.sequence
                    try await writer.write(DecisionServer.buffer(news.lines))
                }
                try await writer.finish(nil)
            })
    }

    private static func buffer(_ lines: [String]) -> ByteBuffer {
        ByteBuffer(string: lines.map { $0 + "\n" }.joined())
    }
}

/// What the port knows about a request.
struct DecisionContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let address: String

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? ""
    }
}
