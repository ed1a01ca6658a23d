import Events
import Evidence
import Foundation
import Incidents
import Response

/// From what is asked for to a lease.
extension LeaseDesk {
    /// The same for the same key.
    static func id(forKey key: String) -> String { "lease-" + EvidenceItem.hash(of: Array(key.utf8)).prefix(16) }

    static func text(_ text: String) throws -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        guard text.utf8.count <= maximumTextBytes else {
            throw LeaseRefusal(.invalid, "the reason has more than \(maximumTextBytes) bytes", "say it in a few words")
        }
        return text
    }

    /// - Throws: `LeaseRefusal` for everything that cannot be meant.
    func lease(for request: LeaseRequest, at time: Timestamp) async throws -> Lease {
        let reason = try LeaseDesk.text(request.reason)
        guard !reason.isEmpty else { throw LeaseRefusal(.invalid, "the reason is missing", "say it in a few words") }
        guard LeaseDesk.durations.contains(request.duration) else {
            throw LeaseRefusal(.invalid, "a lease stands for a minute to a year", "give a time such as 1h, 90m or 7d")
        }
        guard await recorder.incident(request.incident) != nil else {
            throw LeaseRefusal(
                .unknown, "there is no incident \(request.incident.prefix(40))",
                "a lease belongs to an incident: `vigie incidents list` shows them, `vigie incidents open` makes one")
        }
        let enforcer = try enforcer(for: request)
        return Lease(
            id: LeaseDesk.id(forKey: request.key ?? UUID().uuidString), verb: request.verb,
            target: try LeaseDesk.target(request.verb, request.target), scope: request.scope, reason: reason,
            incident: request.incident, requestedBy: request.requestedBy, requestedAt: time,
            expiresAt: time.advanced(bySeconds: request.duration), enforcer: enforcer.name,
            parameters: try LeaseDesk.parameters(request.parameters))
    }

    private func enforcer(for request: LeaseRequest) throws -> any Enforcer {
        let able = enforcers.filter { $0.verbs.contains(request.verb) }
        if let name = request.enforcer {
            guard let enforcer = able.first(where: { $0.name == name }) else {
                let known = able.map(\.name).joined(separator: ", ")
                throw LeaseRefusal(
                    .noEnforcer, "the enforcer '\(name.prefix(40))' is not there, or cannot \(request.verb.words)",
                    known.isEmpty ? "configure one under response.enforcers" : "these can: \(known)")
            }
            return enforcer
        }
        guard let first = able.first else {
            throw LeaseRefusal(
                .noEnforcer, "no enforcer is configured that can \(request.verb.words)", "configure one under response.enforcers")
        }
        return first
    }

    /// As enforcers, subjects and comparisons spell it. One IPv6 address is widened to its /64, which one machine can use as it
    /// likes; `/128` says that no more is meant.
    static func target(_ verb: Lease.Verb, _ text: String) throws -> String {
        let text = text.trimmingCharacters(in: .whitespaces)
        if verb.isNetwork {
            guard let block = AddressBlock(text) else {
                throw LeaseRefusal(.invalid, "'\(text.prefix(80))' is neither an address nor a network", "such as 203.0.113.9")
            }
            let isV4 = block.base.isV4
            let bits = isV4 ? block.bits - 96 : text.contains("/") ? block.bits : 64
            guard let widened = AddressBlock("\(block.base)/\(bits)") else { return text }
            return bits == (isV4 ? 32 : 128) ? "\(widened.base)" : "\(widened.base)/\(bits)"
        }
        if verb == .revokeEveryone { return "everyone" }
        guard !text.isEmpty, text.utf8.count <= 256, text.unicodeScalars.allSatisfy({ $0.value > 0x1F && $0.value != 0x7F })
        else {
            throw LeaseRefusal(.invalid, "the target is missing, or cannot be one", "name what it is about in at most 256 bytes")
        }
        switch verb {
        case .maintenance where !text.hasPrefix("/"):
            throw LeaseRefusal(
                .invalid, "'\(text.prefix(80))' is no path", "name a route such as /api/upload, or / for everything")
        case .quarantineObject where text.split(separator: "/", maxSplits: 1).count != 2:
            throw LeaseRefusal(.invalid, "'\(text.prefix(80))' is no object", "name its type and id: document/17")
        case .stopService where text.hasPrefix("-"), .isolateService where text.hasPrefix("-"):
            throw LeaseRefusal(.invalid, "'\(text.prefix(80))' is no service", "name a unit or a container")
        default: return text
        }
    }

    private static func parameters(_ parameters: [String: String]) throws -> [String: String] {
        for (name, value) in parameters {
            let isGood =
                switch name {
                case "requests", "seconds", "retry_after": Int64(value).map { (1...86_400).contains($0) } ?? false
                case "method": !value.isEmpty && value.utf8.count <= 16 && value.utf8.allSatisfy { (0x41...0x5A).contains($0) }
                case "before": Timestamp(rfc3339: value) != nil
                default: false
                }
            guard isGood else {
                throw LeaseRefusal(
                    .invalid, "'\(name.prefix(40))=\(value.prefix(40))' says nothing",
                    "known are requests, seconds and retry_after with a number, method, and before with a time")
            }
        }
        return parameters
    }
}
