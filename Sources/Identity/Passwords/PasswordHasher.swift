import Dispatch
import Synchronization

/// Runs Argon2id away from the threads that serve requests, a bounded number at a time.
///
/// Each hash takes about 20 MiB and 20-40 ms of one core. Without a bound, a flood of sign-ins would take the machine's memory and
/// every core from detection; with it, the flood waits, and what does not fit is refused at once.
package final class PasswordHasher: Sendable {
    private struct Line {
        var running = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let cost: PasswordHash.Cost
    private let maximumRunning: Int
    private let maximumWaiting: Int
    private let randomness: Randomness
    private let computing: @Sendable (PasswordHash.Cost) -> Void
    private let line = Mutex(Line())
    // Concurrent: the line above is what bounds it. Not the cooperative pool: a blocked thread there stalls unrelated tasks.
    private let queue = DispatchQueue(label: "identity.passwords", qos: .utility, attributes: .concurrent)
    /// Checked when the account does not exist, so that the answer takes as long as for one that does.
    private let decoy: PasswordHash

    /// - Parameter computing: told of each computation and what it costs; tests count them.
    /// - Throws: when libargon2 cannot make even one hash.
    package init(
        cost: PasswordHash.Cost = PasswordHash.Cost(), maximumRunning: Int = 2, maximumWaiting: Int = 32,
        randomness: Randomness = .system, computing: @escaping @Sendable (PasswordHash.Cost) -> Void = { _ in }
    ) throws {
        self.cost = cost
        self.maximumRunning = maximumRunning
        self.maximumWaiting = maximumWaiting
        self.randomness = randomness
        self.computing = computing
        decoy = try PasswordHash(
            password: SecretToken(bits: 256, from: randomness).text, salt: randomness.bytes(PasswordHash.saltLength), cost: cost)
    }

    /// - Throws: ``IdentityError`` with code `busy` when the line is full.
    package func hash(_ password: String) async throws -> PasswordHash {
        let salt = randomness.bytes(PasswordHash.saltLength)
        let cost = cost
        return try await run { [computing] in
            computing(cost)
            return try PasswordHash(password: password, salt: salt, cost: cost)
        }
    }

    /// Whether `password` is the one behind `hash`; for `nil`, always `false` after the same work.
    package func verify(_ password: String, against hash: PasswordHash?) async throws -> Bool {
        let checked = hash ?? decoy
        let matches = try await run { [computing, cost] in
            computing(checked.cost ?? cost)
            return try checked.matches(password)
        }
        return matches && hash != nil
    }

    /// Whether `hash` was made with another cost than new ones are.
    package func isOutdated(_ hash: PasswordHash) -> Bool {
        hash.cost != cost
    }

    private func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await enter()
        defer { leave() }
        return try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    private enum Place {
        case go
        case wait
        case full
    }

    private func enter() async throws {
        // First come, first served. The waiting task is not cancellable: its turn comes within a second or so.
        let place = line.withLock { line -> Place in
            if line.running < maximumRunning {
                line.running += 1
                return .go
            }
            return line.waiting.count < maximumWaiting ? .wait : .full
        }
        switch place {
        case .go: return
        case .full: throw IdentityError.busy
        case .wait: break
        }
        await withCheckedContinuation { continuation in
            let goes = line.withLock { line -> Bool in
                // The line may have moved since: `leave` hands its place only to those already waiting.
                if line.running < maximumRunning {
                    line.running += 1
                    return true
                }
                line.waiting.append(continuation)
                return false
            }
            if goes { continuation.resume() }
        }
    }

    private func leave() {
        let next = line.withLock { line -> CheckedContinuation<Void, Never>? in
            if line.waiting.isEmpty {
                line.running -= 1
                return nil
            }
            return line.waiting.removeFirst()
        }
        next?.resume()
    }
}
