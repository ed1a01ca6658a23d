import Events

/// What is in force, arranged for the questions that a request asks. A value: a new one is made beside the old, then put in its place.
struct DecisionTable: Sendable {
    /// One decision as an index holds it.
    struct Hold: Sendable, Equatable {
        let id: String
        let expires: Timestamp
        /// For revocations: what was issued before is void.
        var before = Timestamp.distantFuture

        func stands(at now: Timestamp) -> Bool { now < expires }
    }

    struct Throttle: Sendable {
        let hold: Hold
        let limit: RateLimit
    }

    struct Maintenance: Sendable {
        let hold: Hold
        let pattern: RoutePattern
        let retryAfter: Int?
    }

    struct ObjectKey: Hashable, Sendable {
        let type: String
        let id: String
    }

    /// Where the decisions come from: changes when Vigie's own numbering begins anew.
    var epoch = ""
    /// The last change that is contained.
    var sequence = 0

    private(set) var decisions: [String: Decision] = [:]
    private(set) var blocks = AddressTrie<[Hold]>()
    private(set) var throttles = AddressTrie<[Throttle]>()
    private(set) var userThrottles: [String: [Throttle]] = [:]
    private(set) var tokens: [String: [Hold]] = [:]
    private(set) var sessions: [String: [Hold]] = [:]
    private(set) var users: [String: [Hold]] = [:]
    private(set) var everyone: [Hold] = []
    private(set) var disabled: [String: [Hold]] = [:]
    private(set) var resets: [String: [Hold]] = [:]
    private(set) var maintenance: [Maintenance] = []
    private(set) var objects: [ObjectKey: [Hold]] = [:]
    private(set) var unknown: Set<String> = []
    /// Identifiers by the minute in which they expire, so that a sweep looks only at what is over.
    private var expiring: [Int64: Set<String>] = [:]

    init() {}

    init(epoch: String, sequence: Int, decisions: some Sequence<Decision>) {
        self.epoch = epoch
        self.sequence = sequence
        for decision in decisions { add(decision) }
    }

    /// Puts a decision in force; one of the same identifier is replaced.
    mutating func add(_ decision: Decision) {
        remove(id: decision.id)
        decisions[decision.id] = decision
        if let expires = decision.expires { expiring[expires.seconds / 60, default: []].insert(decision.id) }
        var hold = Hold(id: decision.id, expires: decision.expires ?? .distantFuture)
        switch decision.measure {
        case .block(let block): blocks.update(block) { $0 = ($0 ?? []) + [hold] }
        case .throttleAddress(let block, let limit):
            throttles.update(block) { $0 = ($0 ?? []) + [Throttle(hold: hold, limit: limit)] }
        case .throttleUser(let user, let limit): userThrottles[user, default: []].append(Throttle(hold: hold, limit: limit))
        case .revokeToken(let token): tokens[token, default: []].append(hold)
        case .revokeSession(let session): sessions[session, default: []].append(hold)
        case .revokeUser(let user, let before):
            hold.before = before
            users[user, default: []].append(hold)
        case .revokeEveryone(let before):
            hold.before = before
            everyone.append(hold)
        case .disable(let user): disabled[user, default: []].append(hold)
        case .resetPassword(let user, let before):
            hold.before = before
            // Who is signed in with the password that has to go is signed out.
            users[user, default: []].append(hold)
            resets[user, default: []].append(hold)
        case .maintenance(let pattern, let retryAfter):
            maintenance.append(Maintenance(hold: hold, pattern: pattern, retryAfter: retryAfter))
        case .quarantine(let type, let id): objects[ObjectKey(type: type, id: id), default: []].append(hold)
        case .unknown: unknown.insert(decision.id)
        }
    }

    /// Lifts a decision.
    mutating func remove(id: String) {
        guard let decision = decisions.removeValue(forKey: id) else { return }
        if let expires = decision.expires {
            Self.take(id, outOf: &expiring[expires.seconds / 60])
        }
        switch decision.measure {
        case .block(let block): blocks.update(block) { Self.remove(id, from: &$0, \.id) }
        case .throttleAddress(let block, _): throttles.update(block) { Self.remove(id, from: &$0, \.hold.id) }
        case .throttleUser(let user, _): Self.remove(id, from: &userThrottles[user], \.hold.id)
        case .revokeToken(let token): Self.remove(id, from: &tokens[token], \.id)
        case .revokeSession(let session): Self.remove(id, from: &sessions[session], \.id)
        case .revokeUser(let user, _): Self.remove(id, from: &users[user], \.id)
        case .revokeEveryone: everyone.removeAll { $0.id == id }
        case .disable(let user): Self.remove(id, from: &disabled[user], \.id)
        case .resetPassword(let user, _):
            Self.remove(id, from: &users[user], \.id)
            Self.remove(id, from: &resets[user], \.id)
        case .maintenance: maintenance.removeAll { $0.hold.id == id }
        case .quarantine(let type, let object): Self.remove(id, from: &objects[ObjectKey(type: type, id: object)], \.id)
        case .unknown: unknown.remove(id)
        }
    }

    /// Takes out at most `limit` decisions whose minute is over; returns how many. Until then look-ups see that they have expired.
    mutating func sweep(now: Timestamp, limit: Int) -> Int {
        var swept = 0
        for minute in expiring.keys.filter({ $0 < now.seconds / 60 }) {
            for id in expiring[minute] ?? [] {
                guard swept < limit else { return swept }
                remove(id: id)
                swept += 1
            }
        }
        return swept
    }

    private static func remove<Element>(_ id: String, from list: inout [Element]?, _ name: (Element) -> String) {
        list?.removeAll { name($0) == id }
        if list?.isEmpty == true { list = nil }
    }

    private static func take(_ id: String, outOf set: inout Set<String>?) {
        set?.remove(id)
        if set?.isEmpty == true { set = nil }
    }
}
