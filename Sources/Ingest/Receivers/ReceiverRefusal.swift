/// Why what a sender sent is not taken, in words that the sender is told.
package struct ReceiverRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// It is not what its type says, or it ends in the middle.
        case malformed
        /// It is larger than a receiver takes, before or after decompression.
        case tooLarge = "too_large"
        /// Its type or its encoding is not known here.
        case unsupported
    }

    package var code: Code
    package var reason: String

    package init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    package var description: String { reason }

    static func malformed(_ reason: String) -> ReceiverRefusal { ReceiverRefusal(.malformed, reason) }
}
