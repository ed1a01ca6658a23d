package import Guard
import HTTPTypes
import Hummingbird

/// The server's side of RMAP; both messages, nothing of HTTP.
package protocol Handshake: Sendable {
    /// Answers the first message.
    ///
    /// - Throws: ``HandshakeRefusal``, one for everything that is the client's fault.
    func initiate(_ payload: String, from client: String) async throws -> HandshakeAnswer

    /// Answers the second message: makes the version, and hands its link over.
    ///
    /// - Throws: ``HandshakeRefusal``, one for everything that is the client's fault; ``DocumentRefusal`` where the original is to blame.
    func link(_ payload: String, from client: String) async throws -> HandshakeAnswer
}

/// What a message is answered with.
package struct HandshakeAnswer: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        /// `{"payload": …}`: encrypted.
        case payload(String)
        /// `{"result": …}`: the link in clear, for clients of the first protocol version.
        case result(String)
    }

    package var form: Form
    /// The identity that was proven or, in the first message, claimed.
    package var identity: String

    package init(_ form: Form, identity: String) {
        self.form = form
        self.identity = identity
    }
}

/// A message that was not accepted. The client reads the same whatever the reason.
package struct HandshakeRefusal: Error, Sendable, Equatable {
    package var fault: SecurityEvent.HandshakeFault
    /// The identity that was claimed, as far as it was read.
    package var identity: String

    package init(_ fault: SecurityEvent.HandshakeFault, identity: String = "") {
        self.fault = fault
        self.identity = identity
    }
}

/// `/api/rmap-initiate` and `/api/rmap-get-link`.
struct HandshakeRoutes {
    let platform: Platform
    let handshake: (any Handshake)?

    func add(to router: Router<TatouContext>) {
        router.post("/api/rmap-initiate") { request, context in
            try await answer(request, context) { try await $0.initiate($1, from: context.facts.client) }
        }
        router.post("/api/rmap-get-link") { request, context in
            try await answer(request, context) { try await $0.link($1, from: context.facts.client) }
        }
    }

    private func answer(
        _ request: Request, _ context: TatouContext,
        _ step: (any Handshake, String) async throws -> HandshakeAnswer
    ) async throws -> Response {
        try platform.protection.limit(platform.rates.handshake, in: context)
        guard let handshake else {
            throw Refusal("rmap_unavailable", status: .serviceUnavailable, message: "RMAP is not configured")
        }
        let form = try await JSONObject(request)
        do {
            guard let payload = try form.text("payload", longest: JSONObject.longest) else {
                throw HandshakeRefusal(.decryptionFailed)
            }
            let answer = try await step(handshake, payload)
            context.record(.rmapHandshake(identity: answer.identity))
            platform.metrics.handshake("success")
            switch answer.form {
            case .payload(let payload): return try JSONAnswer.response(["payload": payload])
            case .result(let link): return try JSONAnswer.response(["result": link])
            }
        } catch let refusal as HandshakeRefusal {
            platform.metrics.handshake(refusal.fault.rawValue)
            context.record(.rmapHandshake(identity: refusal.identity, fault: refusal.fault))
            throw Refusal.invalid("the message was not accepted")
        } catch let refusal as DocumentRefusal {
            // The log says what is wrong with the original; whom a copy of it is made for has nothing to do with it.
            _ = platform.answer(to: refusal, action: "rmap_get_link", context)
            throw Refusal("rmap_unavailable", status: .serviceUnavailable, message: "the copy cannot be made now", retryAfter: 5)
        }
    }
}
