package import Events

/// What somebody wants done about silences.
package struct SilenceOrder: Sendable, Equatable {
    package enum Action: Sendable, Equatable {
        case create(SilenceDraft)
        case end(id: String, reason: String)
    }

    package var action: Action
    package var author: Author
    /// What hides much, lasts long or hides the worst is a commander's to say.
    package var isCommander: Bool
    /// See `IncidentChange.request`.
    package var request: String?

    package init(_ action: Action, by author: Author, isCommander: Bool, request: String? = nil) {
        self.action = action
        self.author = author
        self.isCommander = isCommander
        self.request = request
    }
}

/// A silence that is asked for.
package struct SilenceDraft: Sendable, Equatable {
    package var kind: Silence.Kind
    package var matcher: SilenceMatcher
    /// Seconds from when it is made.
    package var duration: Int64
    package var reason: String
    package var incident: String?

    package init(
        kind: Silence.Kind, matcher: SilenceMatcher, duration: Int64, reason: String, incident: String? = nil
    ) {
        self.kind = kind
        self.matcher = matcher
        self.duration = duration
        self.reason = reason
        self.incident = incident
    }

    /// Names of the fields that forms, the API and commands have.
    package static let fields = ["kind", "rule", "address", "account", "line", "for", "reason", "incident"]

    /// As people write it; what is empty is not given. What it says may still be refused.
    package init(_ fields: [String: String]) throws(SilenceRefusal) {
        let text = { (name: String) -> String? in
            let value = String((fields[name] ?? "").trimmingPrefix(while: \.isWhitespace))
            let end = value.lastIndex { !$0.isWhitespace }
            return end.map { String(value[...$0]) }
        }
        guard let kind = Silence.Kind(rawValue: text("kind") ?? "silence") else {
            throw SilenceRefusal(.invalid, "that is neither a silence nor an exception", "say which of the two")
        }
        var addresses: [AddressBlock] = []
        for part in (text("address") ?? "").split(whereSeparator: { $0.isWhitespace || $0 == "," }) {
            guard let block = AddressBlock(part) else {
                throw SilenceRefusal(
                    .invalid, "'\(part.prefix(60))' is no address and no network",
                    "write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48")
            }
            if !addresses.contains(block) { addresses.append(block) }
        }
        guard let duration = text("for") else {
            throw SilenceRefusal(.invalid, "it has no end", "say for how long: 2h, 7d")
        }
        guard let seconds = PolicyReader.seconds(duration), seconds > 0 else {
            throw SilenceRefusal(
                .invalid, "'\(duration.prefix(20))' is no time ahead",
                "write 30m, 2h, 7d, of \(PolicyReader.maximumDays) days at most")
        }
        self.init(
            kind: kind,
            matcher: SilenceMatcher(rule: text("rule"), addresses: addresses, account: text("account"), line: text("line")),
            duration: seconds, reason: text("reason") ?? "", incident: text("incident")?.uppercased())
    }
}

/// Why nothing was done about a silence.
package typealias SilenceRefusal = OrderRefusal<SilenceRefusalCode>

package enum SilenceRefusalCode: String, RefusalCode {
    case unknown = "unknown_silence"
    case notAllowed = "not_allowed"
    case invalid
    case forbidden

    package var kind: RefusalKind {
        switch self {
        case .unknown: .unknown
        case .notAllowed: .conflict
        case .invalid: .invalid
        case .forbidden: .forbidden
        }
    }
}
