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
        var text: [UInt8] = []
        add(rule.utf8, to: &text)
        add(first.origin.source.utf8, to: &text)
        add("\(first.origin.generation) \(first.offset) \(windowStart?.nanoseconds ?? 0)".utf8, to: &text)
        add(group, to: &text)
        if let completion {
            add(completion.event.origin.source.utf8, to: &text)
            add("\(completion.event.origin.generation) \(completion.event.offset) \(completion.member)".utf8, to: &text)
        }
        return Array(SHA256.hash(data: text)).prefix(16).hexadecimal
    }

    /// With its length in front, so that no two lists of parts give the same bytes.
    private static func add(_ part: some Collection<UInt8>, to text: inout [UInt8]) {
        for place in 0..<8 { text.append(UInt8(truncatingIfNeeded: part.count >> (8 * place))) }
        text.append(contentsOf: part)
    }
}
