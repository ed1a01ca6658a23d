import Archive
import Events

/// Conditions on fields, all of which an event has to meet: `event.action=image_retrieved owner_id!=@requester_id`.
///
/// | written | holds where |
/// |---|---|
/// | `field=value` | a value of the field is that text, whatever the case of its letters; for `….ip` also a network |
/// | `field~value` | a value of the field contains that text |
/// | `field=*` | the event has the field |
/// | `field=@other` | the two fields have a value in common |
/// | `field!=…`, `field!~…` | it does not hold without the `!`, also because the field is missing |
///
/// A value with spaces stands in quotes.
package struct HuntFilter: Sendable, Hashable {
    package struct Condition: Sendable, Hashable {
        enum Operand: Sendable, Hashable {
            case text(String)
            case part(String)
            case network(AddressBlock)
            case field(String)
            case anything
        }

        var field: String
        var operand: Operand
        var isNegated: Bool
    }

    package private(set) var conditions: [Condition] = []

    package static let maximumConditions = 32

    /// No conditions: every event meets them.
    package init() {}

    /// - Throws: `HuntError` that names the condition that cannot be read.
    package init(parsing text: String) throws(HuntError) {
        for word in try HuntFilter.words(text) { conditions.append(try HuntFilter.condition(word)) }
        guard conditions.count <= HuntFilter.maximumConditions else {
            throw HuntError("the filter has \(conditions.count) conditions", "use at most \(HuntFilter.maximumConditions)")
        }
    }

    /// Every field that is looked at.
    package var fields: [String] {
        conditions.flatMap { condition in
            if case .field(let other) = condition.operand { [condition.field, other] } else { [condition.field] }
        }
    }

    /// The addresses and accounts without which a block need not be read.
    var keys: [[ValueKey]] {
        conditions.compactMap { condition in
            guard !condition.isNegated, case .text(let value) = condition.operand else { return nil }
            let field: FieldID? = condition.field == "source.ip" ? .sourceIP : condition.field == "user.name" ? .userName : nil
            return field.flatMap { ValueKey($0, value) }.map { [$0] }
        }
    }

    /// At spaces outside of quotes; quotes go.
    private static func words(_ text: String) throws(HuntError) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in text {
            if let open = quote {
                if character == open { quote = nil } else { word?.append(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw HuntError("a quote in the filter is not closed", "close it, or write the value without") }
        if let word { words.append(word) }
        return words
    }

    private static func condition(_ word: String) throws(HuntError) -> Condition {
        guard let place = word.firstIndex(where: { $0 == "=" || $0 == "~" }), place > word.startIndex else {
            throw HuntError("'\(word.prefix(80))' is no condition", "write field=value, field!=value, field~part or field=@other")
        }
        var field = word[..<place]
        let isNegated = field.last == "!"
        if isNegated { field = field.dropLast() }
        let value = String(word[word.index(after: place)...])
        guard !field.isEmpty, !value.isEmpty else {
            throw HuntError(
                "'\(word.prefix(80))' lacks a field or a value", "write field=value; field=* asks whether it is there")
        }
        let operand: Condition.Operand
        if word[place] == "~" {
            operand = .part(value)
        } else if value == "*" {
            operand = .anything
        } else if value.first == "@", value.count > 1 {
            operand = .field(String(value.dropFirst()))
        } else if value.contains("/"), HuntFilter.isAddress(field) {
            guard let block = AddressBlock(value) else {
                throw HuntError("'\(word.prefix(80))' asks for a network, and its value is none", "write it as 203.0.113.0/24")
            }
            operand = .network(block)
        } else {
            operand = .text(value)
        }
        return Condition(field: String(field), operand: operand, isNegated: isNegated)
    }

    /// As ECS calls them: `source.ip`, `destination.ip`, `client.nat.ip`.
    private static func isAddress(_ field: Substring) -> Bool { field == "ip" || field.hasSuffix(".ip") }
}
