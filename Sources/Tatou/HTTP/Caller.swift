import Events
import Foundation
import Guard
import HTTPTypes
package import Hummingbird

/// Who asks, proven.
package struct Caller: Sendable {
    package var account: PlatformAccount
    package var token: TokenRecord
}

extension Platform {
    /// Proves who asks by `Authorization: Bearer …`, and that no lease stands against it.
    ///
    /// - Throws: `Refusal` with 401, 403, 429 or 503.
    package func authenticate(_ request: Request, _ context: inout TatouContext) async throws -> Caller {
        guard let text = Self.bearer(request) else {
            context.record(SecurityEvent("token_validate", category: "session", outcome: .failure, reason: "token_missing"))
            throw Refusal.unauthorized("Missing or invalid Authorization header")
        }
        let token: TokenRecord
        do {
            token = try await accounts.authenticate(text)
        } catch let refusal as TokenRefusal {
            throw answer(to: refusal, context)
        }
        return try admit(token, &context)
    }

    /// Holds a proven token against the leases that are in force.
    ///
    /// - Throws: `Refusal`.
    func admit(_ token: TokenRecord, _ context: inout TatouContext) throws -> Caller {
        try protection.admit(
            Subject(
                user: token.account.subject, token: token.id, session: token.session,
                issued: Date(timeIntervalSince1970: Double(token.issuedAt.nanoseconds) / 1e9)),
            in: &context)
        return Caller(account: token.account, token: token)
    }

    /// Writes why a token was refused, and says what its bearer may know.
    func answer(to refusal: TokenRefusal, _ context: TatouContext) -> Refusal {
        switch refusal {
        case .unknown:
            context.record(.tokenRefused(reason: .invalid))
            return .unauthorized("Invalid token")
        case .expired(let id):
            context.record(.tokenRefused(id: id, reason: .expired))
            return .unauthorized("Token expired")
        case .revoked(let id):
            context.record(.tokenRefused(id: id, reason: .revoked))
            return .unauthorized("Invalid token")
        case .replayed(let id, let account):
            context.record(.tokenReplayed(id: id, user: String(account)))
            return .unauthorized("Invalid token")
        case .disabled(let id):
            context.record(.tokenRefused(id: id, reason: .revoked))
            return .unauthorized("Invalid token")
        }
    }

    static func bearer(_ request: Request) -> String? {
        guard let header = request.headers[.authorization], header.lowercased().hasPrefix("bearer ") else { return nil }
        let token = String(header.dropFirst(7)).trimmed
        return token.isEmpty || token.utf8.count > 4096 ? nil : token
    }
}
