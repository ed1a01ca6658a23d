import Crypto
import Events

/// A subject's secret: whoever has it can read what entries say about that subject.
package struct SubjectKey: Sendable {
    /// Random, so that an entry naming it gives nothing away: at least 16 random bytes as text.
    package let id: String
    private let key: SymmetricKey

    package static let byteCount = 32

    /// `nil` when the key does not have 32 bytes.
    package init?(id: String, bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.id = id
        key = SymmetricKey(data: bytes)
    }

    /// A new key with a new random name.
    package init(random: RandomSource) {
        id = random.bytes(16).hexadecimal
        key = SymmetricKey(data: random.bytes(Self.byteCount))
    }

    /// The secret, for a store that keeps it.
    package var bytes: [UInt8] {
        key.withUnsafeBytes { Array($0) }
    }
}

extension SubjectKey: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the secret, however it is printed.
    package var description: String { "SubjectKey(\(id))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["id": id]) }
}

/// Where the keys of subjects live: outside the journal, so that a key can be destroyed although entries cannot.
///
/// Callable from any task. A backup of this store brings erased subjects back; it has to follow the same erasures.
package protocol SubjectKeyStore: Sendable {
    /// One key per subject, in the order given; makes those that are missing.
    ///
    /// New keys are durable before this returns: otherwise a crash could leave an entry that nobody can ever read.
    func keys(for subjects: [Subject]) async throws -> [SubjectKey]

    /// The key of that name; `nil` once it is erased.
    func key(id: String) async throws -> SubjectKey?

    /// The subject's key; `nil` when there is none, and none is made.
    func existingKey(of subject: Subject) async throws -> SubjectKey?

    /// Destroys the subject's key for good, durably before this returns. A later entry gets a new key under a new name.
    func erase(_ subject: Subject) async throws
}

/// Random bytes, as an argument: tests choose them, a running journal takes the system's.
package struct RandomSource: Sendable {
    private let generate: @Sendable (Int) -> [UInt8]

    /// - Parameter generate: returns as many bytes as it is asked for; called from any thread.
    package init(_ generate: @escaping @Sendable (Int) -> [UInt8]) {
        self.generate = generate
    }

    package func bytes(_ count: Int) -> [UInt8] {
        let bytes = generate(count)
        precondition(bytes.count == count, "a random source has to return as many bytes as it was asked for")
        return bytes
    }

    /// The operating system's generator.
    package static let system = RandomSource { count in
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}
