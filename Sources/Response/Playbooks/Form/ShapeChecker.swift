import Events
import Journal

/// Holds one document against its shape and names the path of everything that does not fit.
struct ShapeChecker {
    private(set) var problems: [PlaybookProblem] = []

    mutating func check(_ value: JSONValue, _ shape: Shape, at path: String) {
        switch shape {
        case .any: break
        case .text:
            if value.stringValue == nil { wrongType(value, "a string", path) }
        case .fixed(let word):
            guard let text = value.stringValue else { return wrongType(value, "the string \(word)", path) }
            if text != word { error(.fixedValue, path, "this has to be \"\(word)\", not \"\(text)\"") }
        case .open(let words):
            guard let text = value.stringValue else { return wrongType(value, "a string", path) }
            if !words.contains(text) { warning(.vocabulary, path, Self.stranger(text, words)) }
        case .closed(let words):
            guard let text = value.stringValue else { return wrongType(value, "a string", path) }
            if !words.contains(text) { error(.enumeration, path, Self.stranger(text, words)) }
        case .flag:
            if value.boolValue == nil { wrongType(value, "true or false", path) }
        case .whole(let range):
            guard let number = value.integerValue else { return wrongType(value, "a whole number", path) }
            if !range.contains(number) {
                error(.numberRange, path, "\(number) is not between \(range.lowerBound) and \(range.upperBound)")
            }
        case .timestamp(let milliseconds): checkTimestamp(value, milliseconds: milliseconds, path)
        case .identifier(let types):
            guard let text = value.stringValue else { return wrongType(value, "an identifier", path) }
            checkIdentifier(text, types, path)
        case .base64:
            guard let text = value.stringValue else { return wrongType(value, "base64 text", path) }
            if Base64.decode(text) == nil { error(.base64, path, "this is not base64 (RFC 4648 §4, with padding)") }
        case .list(let element, let minimum):
            guard let elements = value.arrayValue else { return wrongType(value, "a list", path) }
            if elements.count < minimum { error(.emptyList, path, "at least \(minimum) needed, there are \(elements.count)") }
            for (index, entry) in elements.enumerated() { check(entry, element, at: "\(path)/\(index)") }
        case .dictionary(let key, let element):
            guard let members = value.objectValue else { return wrongType(value, "an object", path) }
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                let place = "\(path)/\(pointerToken(name))"
                checkKey(name, key, member, place)
                check(member, element, at: place)
            }
        case .object(let shape): checkObject(value, shape, path)
        case .chosen(let shapes, let other):
            checkObject(value, value["type"]?.stringValue.flatMap { shapes[$0] } ?? other, path)
        case .variable: checkVariable(value, path)
        }
    }

    private mutating func checkObject(_ value: JSONValue, _ shape: ObjectShape, _ path: String) {
        guard let members = value.objectValue else { return wrongType(value, "an object", path) }
        for (name, property) in shape.properties.sorted(by: { $0.key < $1.key }) where members[name] == nil {
            switch property.presence {
            case .required: error(.missingProperty, path, "\(name) is missing")
            case .recommended: warning(.shouldPopulate, path, "\(name) should be given")
            case .optional: break
            }
        }
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            let place = "\(path)/\(pointerToken(name))"
            guard let property = shape.properties[name] else {
                let near = NearestName.find(name, among: shape.properties.keys.sorted())
                error(.unknownProperty, place, "CACAO has no property \(name) here" + (near.map { "; is \($0) meant?" } ?? ""))
                continue
            }
            check(member, property.shape, at: place)
        }
        for rule in shape.rules { problems += rule(members, path) }
    }

    private mutating func checkKey(_ name: String, _ key: Shape.Key, _ member: JSONValue, _ path: String) {
        switch key {
        case .plain, .caseValue:
            let isPlain = name.utf8.allSatisfy { Self.isKeyByte($0) }
            if !isPlain || name.utf8.count > 250 || (name.isEmpty) {
                error(.dictionaryKey, path, "keys are 1 to 250 ASCII letters, digits, hyphens and underscores")
            }
        case .words(let words):
            if !words.contains(name) { error(.dictionaryKey, path, Self.stranger(name, words)) }
        case .identifier(let types):
            checkIdentifier(name, types, path)
            if let type = member["type"]?.stringValue, let prefix = Identifier(name)?.type, type != prefix {
                error(.identifierType, path, "the key names a \(prefix), the object says it is a \(type)")
            }
        case .variable:
            if let reason = VariableName.objection(to: name) { error(.variableName, path, reason) }
            if VariableName.objection(to: name) == nil, name.utf8.contains(where: { (0x41...0x5A).contains($0) }) {
                warning(.variableName, path, "variable names should be lower case")
            }
        case .field:
            if name.isEmpty || !name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }) {
                error(.dictionaryKey, path, "\"\(name)\" is not the name of an HTTP field")
            }
        }
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private mutating func checkIdentifier(_ text: String, _ types: [String], _ path: String) {
        guard let identifier = Identifier(text) else {
            return error(.identifierForm, path, "\"\(text)\" is not of the form type--UUID")
        }
        if !types.isEmpty, !types.contains(identifier.type) {
            error(.identifierType, path, "a \(identifier.type) cannot stand here; expected: \(types.joined(separator: ", "))")
        }
        if Vocabulary.stepTypes.contains(identifier.type), identifier.uuidVersion != 4 {
            error(.uuidVersion, path, "steps are named by version 4 UUIDs, this one is version \(identifier.uuidVersion)")
        } else if identifier.uuidVersion != 4, identifier.uuidVersion != 5 {
            warning(.uuidVersion, path, "identifiers should use version 4 UUIDs, this one is version \(identifier.uuidVersion)")
        }
    }

    private mutating func checkTimestamp(_ value: JSONValue, milliseconds: Bool, _ path: String) {
        guard let text = value.stringValue else { return wrongType(value, "a timestamp", path) }
        guard text.hasSuffix("Z"), text.utf8.dropFirst(10).first == UInt8(ascii: "T"), Timestamp(rfc3339: text) != nil else {
            return error(.timestampForm, path, "\"\(text)\" is not of the form 2026-11-20T08:00:00.000Z")
        }
        let decimals = text.utf8.count - "2026-11-20T08:00:00Z".utf8.count
        if milliseconds, decimals != 4 { error(.timestampPrecision, path, "exactly three decimals of a second are needed") }
    }

    private mutating func checkVariable(_ value: JSONValue, _ path: String) {
        checkObject(value, PlaybookShapes.variable, path)
    }

    private static func stranger(_ text: String, _ words: Set<String>) -> String {
        let near = NearestName.find(text, among: words.sorted())
        return "\"\(text)\" is not a word of this vocabulary" + (near.map { "; is \($0) meant?" } ?? "")
    }

    private mutating func wrongType(_ value: JSONValue, _ expected: String, _ path: String) {
        error(.valueType, path, "\(expected) is needed here, not \(value.kindName)")
    }

    private mutating func error(_ check: PlaybookCheck, _ path: String, _ reason: String) {
        problems.append(PlaybookProblem(.error, check, at: path, reason))
    }

    private mutating func warning(_ check: PlaybookCheck, _ path: String, _ reason: String) {
        problems.append(PlaybookProblem(.warning, check, at: path, reason))
    }
}

extension JSONValue {
    /// What kind of value this is, for people.
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "true or false"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
