import Crypto
import Events

/// Names findings so that reading the same bytes again gives the same names.
///
/// For a single event: rule, source, file generation and byte offset. For a correlation: rule, group, the event that its
/// window began with, and the one that completed it: a window that fires again may still begin with the same. SHA-256, cut to 128 bits: group keys are attackers' text, and must not be made to collide.
enum FindingID {
    /// What ended the window of a correlation.
    struct Completion {
        var event: EventReference
        /// Which of the correlation's rules it matched: one event may match several.
        var member: UInt16
    }

    static func make(
        rule: String, first: EventReference, windowStart: Timestamp? = nil, group: [UInt8] = [], completion: Completion? = nil
    ) -> String {
        var hash = SHA256()
        func add(_ bytes: some Collection<UInt8>) {
            withLength(bytes.count) { hash.update(data: $0) }
            hash.update(data: Array(bytes))
        }
        add(rule.utf8)
        add(first.origin.source.utf8)
        add("\(first.origin.generation) \(first.offset) \(windowStart?.nanoseconds ?? 0)".utf8)
        add(group)
        if let completion {
            add(completion.event.origin.source.utf8)
            add("\(completion.event.origin.generation) \(completion.event.offset) \(completion.member)".utf8)
        }
        return hash.finalize().prefix(16).hexadecimal
    }

    /// A length in front of each part, so that no two lists of parts give the same bytes.
    private static func withLength(_ length: Int, _ body: ([UInt8]) -> Void) {
        body((0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) })
    }
}
