/// One token of a content stream (ISO 32000-1 §7.2, §7.8): what it is, and where it stands.
package struct ContentToken: Equatable, Sendable {
    package enum Kind: Equatable, Sendable {
        case number(Double)
        /// A literal or hexadecimal string; `ContentTokenizer.string(_:)` decodes it.
        case string
        case name
        case arrayStart
        case arrayEnd
        case dictionaryStart
        case dictionaryEnd
        case keyword
        /// From `BI` to `EI`, both included.
        case inlineImage
    }

    package var kind: Kind
    package var range: Range<Int>
}
