/// Why a note, a key, a checkpoint or a proof is refused.
package struct NoteError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Hashable, Sendable {
        /// Not of the form that the specification gives.
        case form
        /// No known key signed it.
        case unsigned
        /// A known key's signature does not belong to the text.
        case signature
        /// Well signed, but it says something else than it should.
        case content
    }

    package var code: Code
    package var description: String

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
