import Guard
import HTTPTypes
import Identity
import RMAP

/// RMAP over the platform's versions: whoever proves an identity gets a copy of one document that is marked for it.
struct RMAPHandshake: Handshake {
    let server: RMAPServer
    let platform: Platform
    /// Of which copies are made.
    let document: Int64
    let method: String

    private static var monotonic: Double {
        let parts = ContinuousClock.now.duration(to: origin).components
        return -(Double(parts.seconds) + Double(parts.attoseconds) * 1e-18)
    }

    private static let origin = ContinuousClock.now

    func initiate(_ payload: String, from client: String) async throws -> HandshakeAnswer {
        var random = SystemRandomNumberGenerator()
        do {
            let answer = try await server.initiate(payload, from: client, now: Self.monotonic, using: &random)
            return HandshakeAnswer(.payload(answer.payload), identity: answer.identity)
        } catch {
            throw try refusal(for: error)
        }
    }

    func link(_ payload: String, from client: String) async throws -> HandshakeAnswer {
        do {
            let grant = try await server.finish(payload, now: Self.monotonic)
            guard let original = try await platform.database.document(document) else {
                throw Refusal("rmap_unavailable", status: .serviceUnavailable, message: "RMAP is not configured")
            }
            // Nobody has to know them: leaks are traced by the platform's own marks.
            let order = VersionOrder(
                method: method, intendedFor: grant.identity, secret: SecretToken(bits: 128, from: .system).text,
                key: SecretToken(bits: 128, from: .system).text, link: grant.link)
            _ = try await platform.versions.create(order, of: original)
            switch try await server.reply(to: grant) {
            case .payload(let text): return HandshakeAnswer(.payload(text), identity: grant.identity)
            case .result(let link): return HandshakeAnswer(.result(link), identity: grant.identity)
            }
        } catch let refusal as RMAPRefusal {
            throw try self.refusal(for: refusal)
        } catch VersionRefusal.linkTaken {
            throw HandshakeRefusal(.nonceReused)
        } catch is VersionRefusal {
            throw Refusal("rmap_unavailable", status: .serviceUnavailable, message: "the copy cannot be made now", retryAfter: 5)
        }
    }
}

extension RMAPHandshake {
    /// - Throws: `Refusal` with 503 where the message is not to blame.
    private func refusal(for refusal: RMAPRefusal) throws -> HandshakeRefusal {
        guard refusal.reason != .unavailable else {
            throw Refusal("busy", status: .serviceUnavailable, message: "too many messages are waiting", retryAfter: 5)
        }
        return HandshakeRefusal(refusal)
    }
}

extension HandshakeRefusal {
    init(_ refusal: RMAPRefusal) {
        let fault: SecurityEvent.HandshakeFault =
            switch refusal.reason {
            case .malformed, .notDecrypted: .decryptionFailed
            case .unknownIdentity: .unknownIdentity
            case .replayed: .nonceReused
            case .notPending: .nonceMismatch
            case .tooMany: .tooMany
            case .readerDied, .unavailable: .parserKilled
            }
        self.init(fault, identity: refusal.identity)
    }
}
