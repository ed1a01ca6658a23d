import Journal

/// What one JSON value of a playbook has to look like. Tables of these say what CACAO 2.0 says; one checker reads them.
indirect enum Shape: Sendable {
    case text
    /// One value and no other.
    case fixed(String)
    /// A word of an open vocabulary: another word is a warning.
    case open(Set<String>)
    /// A word of a closed vocabulary.
    case closed(Set<String>)
    case flag
    case whole(ClosedRange<Int64>)
    /// §10.17; `milliseconds` where exactly three decimals are demanded.
    case timestamp(milliseconds: Bool)
    /// §10.10; of one of these types, or of any where the list is empty.
    case identifier([String])
    case base64
    case list(Shape, minimum: Int)
    case dictionary(Key, Shape)
    case object(ObjectShape)
    /// An object whose `type` chooses the shape.
    case chosen([String: ObjectShape], other: ObjectShape)
    case variable
    case any

    enum Key: Sendable {
        /// §10.5: letters, digits, hyphen and underscore, at most 250.
        case plain
        case words(Set<String>)
        /// An identifier of one of these types whose type is the object's own.
        case identifier([String])
        case variable
        /// HTTP field names.
        case field
        case caseValue
    }
}

/// The properties an object may have.
struct ObjectShape: Sendable {
    var properties: [String: Property]
    /// Conditions between properties: `(object, path) → problems`.
    var rules: [@Sendable ([String: JSONValue], String) -> [PlaybookProblem]] = []

    struct Property: Sendable {
        var shape: Shape
        var presence: Presence = .optional
    }

    enum Presence: Sendable {
        case required
        /// A SHOULD: absence is a warning.
        case recommended
        case optional
    }

    func adding(_ more: [String: Property], rules: [@Sendable ([String: JSONValue], String) -> [PlaybookProblem]] = [])
        -> ObjectShape
    {
        ObjectShape(properties: properties.merging(more) { $1 }, rules: self.rules + rules)
    }
}

extension ObjectShape.Property {
    static func must(_ shape: Shape) -> Self { Self(shape: shape, presence: .required) }
    static func should(_ shape: Shape) -> Self { Self(shape: shape, presence: .recommended) }
    static func may(_ shape: Shape) -> Self { Self(shape: shape, presence: .optional) }
}
