package import Events

/// All silences and exceptions, as the journal has them. Pure: the same entries give the same book, and time is an argument.
package struct SilenceBook: Sendable, Equatable {
    /// In force at once, and of these by one who is no commander: a stolen session must not mute everything bit by bit.
    package static let mostActive = 200
    package static let mostActivePerAuthor = 20
    package static let mostAddresses = 20
    package static let longestReason = 500
    package static let longestText = 200
    /// Shorter texts stand in nearly every line.
    package static let shortestLine = 4
    /// Seconds for which one who is no commander may say that something is no attack.
    package static let longestByResponder: Int64 = 30 * 86_400

    /// Oldest first.
    package private(set) var silences: [Silence] = []
    private var places: [String: Int] = [:]
    /// Places of those that have not ended, and whose end nobody has been told.
    private var open: [Int] = []
    /// Requests that were carried out, and the silence of each.
    private var requests: [String: String] = [:]

    package init() {}

    package subscript(id: String) -> Silence? { places[id].map { silences[$0] } }

    package func silence(ofRequest request: String) -> Silence? { requests[request].flatMap { self[$0] } }

    package mutating func apply(_ event: SilenceEvent) {
        switch event {
        case .created(let silence, let request):
            guard places[silence.id] == nil else { return }
            places[silence.id] = silences.count
            open.append(silences.count)
            silences.append(silence)
            if let request { requests[request] = silence.id }
        case .ended(let id, let author, let time, let reason): close(id, .ended(by: author, at: time, reason: reason))
        case .expired(let id, _): close(id, .expired)
        }
    }

    private mutating func close(_ id: String, _ end: Silence.End) {
        guard let place = places[id], silences[place].end == nil else { return }
        silences[place].end = end
        open.removeAll { $0 == place }
    }

    /// What takes a finding that is recorded at that time: an exception before a silence, then the oldest.
    package func taking(_ finding: FindingRecord, at now: Timestamp) -> Silence? {
        guard !open.isEmpty else { return nil }
        let subject = SilenceMatcher.Subject(finding)
        let taking = open.lazy.map { silences[$0] }.filter { $0.takes(subject, at: now) }
        return taking.first { $0.kind == .exception } ?? taking.first
    }

    /// Those whose time is over without anybody having been told.
    package func overdue(at now: Timestamp) -> [SilenceEvent] {
        open.map { silences[$0] }.filter { now >= $0.until }.map { .expired(id: $0.id, at: $0.until) }
    }

    package func active(at now: Timestamp) -> [Silence] { open.map { silences[$0] }.filter { $0.state(at: now) == .active } }

    // MARK: Orders

    /// What an order comes to; nothing where the same request was carried out before.
    package func decide(_ order: SilenceOrder, now: Timestamp) throws(SilenceRefusal) -> SilenceEvent? {
        if let request = order.request, requests[request] != nil { return nil }
        switch order.action {
        case .create(let draft):
            try check(draft, order, now: now)
            let matcher = draft.matcher
            let silence = Silence(
                id: "S-\(silences.count + 1)", kind: draft.kind, matcher: matcher, reason: draft.reason, author: order.author,
                createdAt: now, until: now.advanced(bySeconds: draft.duration),
                takesCritical: order.isCommander && matcher.breadth == .exact, incident: draft.incident)
            return .created(silence, request: order.request)
        case .end(let id, let reason):
            guard let silence = self[id] else {
                throw SilenceRefusal(.unknown, "there is no silence \(id.prefix(40))", "the list has those that there are")
            }
            try checkReason(reason)
            switch silence.state(at: now) {
            case .active, .erased: return .ended(id: id, by: order.author, at: now, reason: reason)
            case .ended: throw SilenceRefusal(.notAllowed, "\(id) has ended already", "nothing is left to do")
            case .expired: throw SilenceRefusal(.notAllowed, "\(id) has expired already", "nothing is left to do")
            }
        }
    }

    private func check(_ draft: SilenceDraft, _ order: SilenceOrder, now: Timestamp) throws(SilenceRefusal) {
        let matcher = draft.matcher
        try checkReason(draft.reason)
        guard matcher.addresses.count <= Self.mostAddresses else {
            throw SilenceRefusal(
                .invalid, "it names more than \(Self.mostAddresses) networks", "make several, or name a larger one")
        }
        if let part = matcher.addresses.first(where: \.isPartOfOne) {
            throw SilenceRefusal(
                .invalid,
                "\(part.text) is a part of an IPv6 network of 64 bits, and findings name only one address of such a network",
                "write \(AddressBlock.one(with: part.base)?.text ?? "the /64"), if all of it is meant, or name a rule and an account"
            )
        }
        for text in [matcher.rule, matcher.account, matcher.line, draft.incident].compactMap(\.self) {
            guard text.count <= Self.longestText, Self.isPrintable(text) else {
                throw SilenceRefusal(
                    .invalid, "a text is longer than \(Self.longestText) characters, or no text", "shorten it")
            }
        }
        if let line = matcher.line, line.count < Self.shortestLine {
            throw SilenceRefusal(
                .invalid, "the text of the line is shorter than \(Self.shortestLine) characters", "quote more of the line")
        }
        guard draft.duration > 0, draft.duration <= draft.kind.longest else {
            throw SilenceRefusal(
                .invalid, "one of that kind lasts for \(draft.kind.longest / 86_400) days at most",
                "make it shorter, and renew it then if it is still true")
        }
        try checkBreadth(draft, order)
        let active = active(at: now)
        guard active.count < Self.mostActive else {
            throw SilenceRefusal(.notAllowed, "\(Self.mostActive) are in force already", "end those that are not needed any more")
        }
        guard order.isCommander || active.count(where: { $0.author.id == order.author.id }) < Self.mostActivePerAuthor else {
            throw SilenceRefusal(
                .notAllowed, "\(Self.mostActivePerAuthor) of yours are in force already",
                "end those that are not needed any more, or ask a commander")
        }
    }

    private func checkBreadth(_ draft: SilenceDraft, _ order: SilenceOrder) throws(SilenceRefusal) {
        let breadth = draft.matcher.breadth
        guard breadth != .everything else {
            throw SilenceRefusal(
                .invalid, "it would take nearly everything, or whatever an attacker likes",
                "name a rule, an account, or a network of at least 8 bits (IPv6: 16)")
        }
        guard breadth != .wide || order.isCommander else {
            throw SilenceRefusal(
                .forbidden,
                "everybody under a rule, an account under every rule, and large networks are a commander's to silence",
                "name a rule and an account, or networks of at least 24 bits (IPv6: 48), or ask a commander")
        }
        guard order.isCommander || draft.duration <= Self.longestByResponder else {
            throw SilenceRefusal(
                .forbidden, "longer than \(Self.longestByResponder / 86_400) days is a commander's to say",
                "make it shorter, or ask a commander")
        }
    }

    private func checkReason(_ reason: String) throws(SilenceRefusal) {
        guard reason.contains(where: { !$0.isWhitespace }), reason.count <= Self.longestReason, Self.isPrintable(reason) else {
            throw SilenceRefusal(
                .invalid, "it needs a reason of 1 to \(Self.longestReason) characters", "say why, for those who read it later")
        }
    }

    private static func isPrintable(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
    }
}
