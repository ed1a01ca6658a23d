import Guard
import HTTPTypes
import Hummingbird

/// Making versions, reading marks, and the methods that there are.
struct WatermarkRoutes {
    let platform: Platform

    func add(to router: Router<TatouContext>) {
        router.get("/api/get-watermarking-methods", use: methods)
        router.post("/api/create-watermark", use: create)
        router.post("/api/create-watermark/:id", use: create)
        router.post("/api/read-watermark", use: read)
        router.post("/api/read-watermark/:id", use: read)
        router.post("/api/load-plugin", use: loadPlugin)
    }

    private struct Methods: Encodable {
        struct Method: Encodable {
            var name: String
            var description: String
        }
        var methods: [Method]
        var count: Int
    }

    private func methods(_ request: Request, _ context: TatouContext) async throws -> Response {
        let methods = try await orRefusal(context, nil, nil, .create) { try await platform.versions.methods() }
        return try JSONAnswer.response(
            Methods(methods: methods.map { .init(name: $0.name, description: $0.usage) }, count: methods.count))
    }

    private struct Created: Encodable {
        var id: Int64
        var documentid: Int64
        var link: String
        var intended_for: String
        var method: String
        var position: NullableMember<String>
        var filename: String
        var size: Int
    }

    private func create(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        try platform.protection.limit(platform.rates.watermark, account: caller.account.subject, in: context)
        let form = try await JSONObject(request)
        let id = try DocumentIdentifier.checked(DocumentIdentifier.text(request, context) ?? form.identifier)
        guard let method = try form.text("method", longest: 32), let recipient = try form.text("intended_for", longest: 320),
            let secret = try form.text("secret", longest: 320), let key = try form.text("key")
        else { throw Refusal.invalid("method, intended_for, secret, and key are required") }
        let order = VersionOrder(
            method: method, intendedFor: recipient, secret: secret, key: key, position: try form.text("position", longest: 320),
            isSingleUse: try form.boolean("one_time"), lifetime: try form.integer("expires_in", in: 1...315_360_000))
        let document = try await platform.document(id, for: caller, action: "watermark_create", context)
        let began = ContinuousClock.now
        let (version, secrets) = try await orRefusal(context, document, method, .create) {
            try await platform.versions.create(order, of: document)
        }
        platform.metrics.marked(method, seconds: Self.seconds(since: began))
        context.record(
            .watermark(.create, resource: document.resource).with {
                $0.details["labels.correlation_id"] = document.correlation
                $0.details["tatou.version.id"] = String(version.id)
                $0.details["tatou.method"] = method
            })
        return try JSONAnswer.response(
            Created(
                id: version.id, documentid: document.id, link: secrets.link, intended_for: version.intendedFor,
                method: version.method, position: NullableMember(version.position), filename: version.fileName, size: version.size
            ),
            status: .created)
    }

    private struct Reading: Encodable {
        var documentid: Int64
        var secret: String
        var method: String
        var position: NullableMember<String>
        /// Which version that was, where it is one that was issued here.
        var version: Int64?
        var intended_for: String?
    }

    private func read(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        try platform.protection.limit(platform.rates.watermark, account: caller.account.subject, in: context)
        let form = try await JSONObject(request)
        let id = try DocumentIdentifier.checked(DocumentIdentifier.text(request, context) ?? form.identifier)
        guard let method = try form.text("method", longest: 32), let key = try form.text("key") else {
            throw Refusal.invalid("method, and key are required")
        }
        let position = try form.text("position", longest: 320)
        let document = try await platform.document(id, for: caller, action: "watermark_read", context)
        let began = ContinuousClock.now
        let reading = try await orRefusal(context, document, method, .read) {
            try await platform.versions.read(document, method: method, key: key)
        }
        platform.metrics.markRead(method, seconds: Self.seconds(since: began))
        if reading.isMismatch { platform.metrics.suspicious(.integrity) }
        context.record(
            .watermark(.read, resource: document.resource, fault: reading.isMismatch ? .mismatch : nil).with {
                $0.details["labels.correlation_id"] = reading.version?.correlation ?? document.correlation
                if let version = reading.version { $0.details["tatou.version.id"] = String(version.id) }
                $0.details["tatou.method"] = method
            })
        return try JSONAnswer.response(
            Reading(
                documentid: document.id, secret: reading.secret, method: method, position: NullableMember(position),
                version: reading.version?.id, intended_for: reading.version?.intendedFor),
            status: .created)
    }

    /// Plug-ins were code from clients, run by the server.
    private func loadPlugin(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        _ = try await platform.authenticate(request, &context)
        throw Refusal("plugins_gone", status: .gone, message: "plug-ins are no longer supported")
    }

    /// Runs `work`, and makes of a ``VersionRefusal`` or a ``DocumentRefusal`` what the client may know and the log has to.
    private func orRefusal<Value>(
        _ context: TatouContext, _ document: Document?, _ method: String?, _ action: SecurityEvent.WatermarkAction,
        _ work: () async throws -> Value
    ) async throws -> Value {
        do {
            return try await work()
        } catch let refusal as VersionRefusal {
            let resource = document?.resource ?? SecurityEvent.Resource("document", id: "")
            switch refusal {
            case .unknownMethod: throw Refusal.invalid("unknown watermarking method")
            case .notApplicable(let message):
                if action == .create, let method { platform.metrics.markFailed(method, .applicability) }
                throw Refusal.invalid("watermarking method not applicable: \(message)")
            case .unreadable(let failure):
                context.record(
                    .watermark(action, resource: resource, fault: failure.kind == .invalidKey ? .wrongKey : .notMarked))
                throw Refusal.invalid("the watermark could not be read: \(failure.message)")
            case .failed(let failure):
                if action == .create, let method { platform.metrics.markFailed(method, .exception) }
                if failure.isSuspicious {
                    platform.metrics.suspicious(failure.kind == .crashed ? .parserFailure : .bomb)
                    context.record(
                        SecurityEvent(
                            action.rawValue, category: "file", outcome: .failure,
                            reason: failure.kind == .crashed ? "parse_error" : "decompression_bomb", level: .error
                        ).with { $0.resource = resource })
                    throw Refusal("unprocessable", status: .unprocessableContent, message: failure.message)
                }
                guard failure.kind == .busy || failure.kind == .unavailable else { throw Refusal.invalid(failure.message) }
                throw Refusal("busy", status: .serviceUnavailable, message: failure.message, retryAfter: 5)
            case .linkTaken: throw Refusal("exists", status: .conflict, message: "the link is taken")
            case .notFound, .ended, .damaged: throw Refusal.missing
            }
        } catch let refusal as DocumentRefusal {
            throw platform.answer(to: refusal, action: action.rawValue, context)
        }
    }

    private static func seconds(since began: ContinuousClock.Instant) -> Double {
        let parts = (ContinuousClock.now - began).components
        return Double(parts.seconds) + Double(parts.attoseconds) * 1e-18
    }
}
