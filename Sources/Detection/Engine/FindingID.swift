import Crypto
import Events

/// Names findings so that reading the same bytes again gives the same names.
///
/// For a single event: rule, source, file generation and byte offset. For a correlation: rule, group and the event that
/// its window began with. SHA-256, cut to 128 bits: group keys are attackers' text, and must not be made to collide.
enum FindingID {
    static func make(rule: String, first: EventReference, windowStart: Timestamp? = nil, group: [UInt8] = []) -> String {
        var hash = SHA256()
        func add(_ bytes: some Collection<UInt8>) {
            withLength(bytes.count) { hash.update(data: $0) }
            hash.update(data: Array(bytes))
        }
        add(rule.utf8)
        add(first.origin.source.utf8)
        add("\(first.origin.generation) \(first.offset) \(windowStart?.nanoseconds ?? 0)".utf8)
        add(group)
        return hash.finalize().prefix(16).hexadecimal
    }

    /// A length in front of each part, so that no two lists of parts give the same bytes.
    private static func withLength(_ length: Int, _ body: ([UInt8]) -> Void) {
        body((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
    }
}
