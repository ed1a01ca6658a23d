/// First messages that wait for their second one.
///
/// Pure: time and randomness come as arguments. Nobody can take another's place: a handshake is known by the server's nonce alone, which
/// is random and goes out encrypted to the identity that was claimed; a further first message adds another and changes none. It is
/// used up by the first second message, whatever becomes of that.
package struct PendingHandshakes: Sendable {
    package struct Limits: Sendable {
        /// Seconds until a handshake is forgotten.
        package var lifetime = 60.0
        package var mostInAll = 20_000
        package var mostForIdentity = 2_000
        /// From one address, for one identity: a stranger fills these, and leaves the others to everybody else.
        package var mostFromClient = 8

        package init() {}
    }

    package struct Handshake: Sendable, Equatable {
        package var identity: String
        package var nonceClient: UInt64
        package var nonceServer: UInt64
        fileprivate var client: String
        fileprivate var deadline: Double

        /// Both nonces as 32 hexadecimal digits, the client's first: what the version's link ends in.
        package var link: String { Self.hexadecimal(nonceClient) + Self.hexadecimal(nonceServer) }

        private static func hexadecimal(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
    }

    package let limits: Limits
    /// What became of a second message.
    package enum Outcome: Sendable, Equatable {
        case granted(Handshake)
        /// Its handshake was finished before, within its lifetime.
        case replayed
        /// Never begun, or too late.
        case unknown
    }

    private var waiting: [UInt64: Handshake] = [:]
    /// Deadlines of those that were finished: until then a replay is told from a guess.
    private var finished: [UInt64: Double] = [:]
    /// Of both, in the order of their deadlines.
    private var order: [UInt64] = []
    private var oldest = 0
    private var forIdentity: [String: Int] = [:]
    private var fromClient: [Pair: Int] = [:]

    private struct Pair: Hashable {
        var identity: String
        var client: String
    }

    package init(limits: Limits = Limits()) { self.limits = limits }

    package var count: Int { waiting.count }

    /// Notes a first message. Nil where too many wait.
    ///
    /// - Parameter now: seconds on a clock that never goes back.
    package mutating func begin(
        identity: String, nonceClient: UInt64, client: String, now: Double, using random: inout some RandomNumberGenerator
    ) -> Handshake? {
        expire(now)
        let pair = Pair(identity: identity, client: client)
        guard waiting.count < limits.mostInAll, finished.count < 4 * limits.mostInAll,
            forIdentity[identity, default: 0] < limits.mostForIdentity, fromClient[pair, default: 0] < limits.mostFromClient
        else { return nil }
        var nonce = UInt64.random(in: .min ... .max, using: &random)
        // By chance once in 2⁶⁴ / 20,000; a handshake that waits keeps its place.
        while waiting[nonce] != nil || finished[nonce] != nil { nonce = UInt64.random(in: .min ... .max, using: &random) }
        let handshake = Handshake(
            identity: identity, nonceClient: nonceClient, nonceServer: nonce, client: client, deadline: now + limits.lifetime)
        waiting[nonce] = handshake
        order.append(nonce)
        forIdentity[identity, default: 0] += 1
        fromClient[pair, default: 0] += 1
        return handshake
    }

    /// Takes the handshake of a second message.
    package mutating func finish(nonceServer: UInt64, now: Double) -> Outcome {
        expire(now)
        guard let handshake = remove(nonceServer) else { return finished[nonceServer] == nil ? .unknown : .replayed }
        finished[nonceServer] = handshake.deadline
        return .granted(handshake)
    }

    private mutating func expire(_ now: Double) {
        while oldest < order.count {
            let nonce = order[oldest]
            guard (waiting[nonce]?.deadline ?? finished[nonce] ?? now) <= now else { break }
            remove(nonce)
            finished[nonce] = nil
            oldest += 1
        }
        if oldest > 1_024, oldest * 2 > order.count {
            order.removeFirst(oldest)
            oldest = 0
        }
    }

    @discardableResult
    private mutating func remove(_ nonce: UInt64) -> Handshake? {
        guard let handshake = waiting.removeValue(forKey: nonce) else { return nil }
        Self.decrease(&forIdentity, handshake.identity)
        Self.decrease(&fromClient, Pair(identity: handshake.identity, client: handshake.client))
        return handshake
    }

    private static func decrease<Key>(_ counts: inout [Key: Int], _ key: Key) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }
}
