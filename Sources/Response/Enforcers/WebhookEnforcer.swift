import Crypto
package import Events
import Foundation
package import Journal

/// Leaves it to somebody else: a signed POST for each order, as Standard Webhooks has it, and another one that asks whether it holds.
///
///     {"type": "lease.apply", "lease": {"id": "lease-7", "verb": "rotate_key", "target": "signing", …}}
///
/// Orders are answered with any 2xx; `lease.read_back` with `{"in_force": true, "refusals": 3}`. Every order has an id that stays the
/// same when it is repeated.
package struct WebhookEnforcer: Enforcer {
    package let name = "webhook"
    package let verbs: Set<Lease.Verb>
    package let keepsLeasesApart = true
    /// Sends a body under an id and gives the answer's JSON; `null` for an empty answer.
    package typealias Post = @Sendable (_ id: String, _ body: String) async throws -> JSONValue

    private let post: Post

    package init(verbs: Set<Lease.Verb>, post: @escaping Post) {
        self.verbs = verbs
        self.post = post
    }

    package func apply(_ leases: [Lease], now: Timestamp) async throws {
        for lease in leases { _ = try await send("apply", lease) }
    }

    package func lift(_ leases: [Lease]) async throws {
        for lease in leases { _ = try await send("lift", lease) }
    }

    package func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        var found: [String: Observation] = [:]
        for lease in leases {
            let answer = try await send("read_back", lease)
            switch answer["in_force"]?.boolValue {
            case true?: found[lease.id] = .shown(refusals: answer["refusals"]?.integerValue ?? 0)
            case false?: found[lease.id] = .absent
            // It takes orders, and tells nothing.
            case nil: found[lease.id] = .delivered
            }
        }
        return found
    }

    private func send(_ type: String, _ lease: Lease) async throws -> JSONValue {
        let body: JSONValue = [
            "type": .string("lease." + type),
            "lease": [
                "id": .string(lease.id), "verb": .string(lease.verb.rawValue), "target": .string(lease.target),
                "scope": .string(lease.scope), "reason": .string(lease.reason), "incident": .string(lease.incident),
                "requested_by": .string(lease.requestedBy), "requested_at": .string(lease.requestedAt.rfc3339),
                "expires_at": .string(lease.expiresAt.rfc3339), "parameters": .object(lease.parameters.mapValues { .string($0) }),
            ],
        ]
        return try await post("\(lease.id).\(type)", body.description)
    }

    /// `v1,` and the HMAC-SHA256 over `id.timestamp.body` (<https://www.standardwebhooks.com>).
    package static func signature(secret: String, id: String, time: Int64, body: String) -> String {
        let coded = secret.hasPrefix("whsec_") ? Data(base64Encoded: String(secret.dropFirst(6))) : nil
        let key = SymmetricKey(data: coded ?? Data(secret.utf8))
        return "v1,"
            + Data(HMAC<SHA256>.authenticationCode(for: Data("\(id).\(time).\(body)".utf8), using: key)).base64EncodedString()
    }
}
