import Events
import FoundationEssentials

/// What Vigie sends: `docs/guard.md` is the contract. Members that are not listed here are ignored.
enum DecisionMessage {
    /// The version of the format that this code speaks.
    static let version = 1

    /// The whole of what is in force.
    struct Snapshot: Codable {
        var version: Int
        var epoch: String
        var sequence: Int
        var decisions: [Record]
    }

    /// One line of the stream.
    struct Change: Codable {
        var sequence: Int
        var change: String
        var decision: Record?
        var id: String?
    }

    struct Record: Codable {
        struct Object: Codable {
            var type: String
            var id: String
        }

        var id: String
        var verb: String
        var address: String?
        var user: String?
        var token: String?
        var session: String?
        var everyone: Bool?
        var before: String?
        var requests: Int?
        var seconds: Int?
        var route: String?
        var method: String?
        var retry_after: Int?
        var object: Object?
        var expires: String?
        var incident: String?
    }
}

extension Decision {
    init(_ record: DecisionMessage.Record) {
        id = record.id
        // An expiry that cannot be read is none: what is in force stays so until Vigie lifts it.
        expires = record.expires.flatMap { Timestamp(rfc3339: $0) }
        json = (try? JSONEncoder().encode(record)).map { Array($0) } ?? []
        measure = Self.measure(record) ?? .unknown(record.verb)
    }

    private static func measure(_ record: DecisionMessage.Record) -> Measure? {
        switch record.verb {
        case "block":
            return record.address.flatMap { AddressBlock($0) }.map { .block($0) }
        case "throttle":
            guard let requests = record.requests, let seconds = record.seconds, requests > 0, seconds > 0 else { return nil }
            let limit = RateLimit(record.id, requests: requests, per: .seconds(min(seconds, 86_400)))
            if let user = record.user { return .throttleUser(user, limit) }
            return record.address.flatMap { AddressBlock($0) }.map { .throttleAddress($0, limit) }
        case "revoke":
            if let token = record.token { return .revokeToken(token) }
            if let session = record.session { return .revokeSession(session) }
            // A moment that is missing or cannot be read revokes everything: never the other way.
            let before = record.before.flatMap { Timestamp(rfc3339: $0) } ?? .distantFuture
            if let user = record.user { return .revokeUser(user, before: before) }
            return record.everyone == true ? .revokeEveryone(before: before) : nil
        case "reset_password":
            let before = record.before.flatMap { Timestamp(rfc3339: $0) } ?? .distantFuture
            return record.user.map { .resetPassword(user: $0, before: before) }
        case "disable":
            return record.user.map { .disable(user: $0) }
        case "maintenance":
            return record.route.map {
                .maintenance(RoutePattern(method: record.method, path: $0), retryAfter: record.retry_after)
            }
        case "quarantine":
            return record.object.map { .quarantine(type: $0.type, id: $0.id) }
        default:
            return nil
        }
    }
}

extension Timestamp {
    static let distantFuture = Timestamp(nanoseconds: .max)
}
