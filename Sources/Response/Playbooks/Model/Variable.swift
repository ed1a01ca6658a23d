package import Journal

/// The rules for names of variables (§10.18).
package enum VariableName {
    /// What is wrong with a name such as `__address__`; `nil` when nothing is.
    package static func objection(to name: String) -> String? {
        let bytes = Array(name.utf8)
        guard bytes.count >= 5, name.hasPrefix("__"), name.hasSuffix("__") else {
            return "variables are written __name__, two underscores before and after"
        }
        guard bytes.count <= 250 else { return "variable names have at most 250 characters, underscores included" }
        let inner = bytes[2..<(bytes.count - 2)]
        guard let first = inner.first, (0x61...0x7A).contains(first) || (0x41...0x5A).contains(first) else {
            return "a variable's name begins with a letter after the two underscores"
        }
        guard
            inner.allSatisfy({
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x5F
            })
        else { return "names of variables have ASCII letters, digits, hyphens and underscores only" }
        return nil
    }
}

/// A variable's declaration (§10.18.3).
package struct Variable: Hashable, Sendable {
    package var type: String
    package var text: String?
    /// A string, an object, or `null` for a value that is not known.
    package var value: JSONValue
    package var isConstant: Bool
    /// Its first value is passed in by whoever starts the playbook.
    package var isExternal: Bool

    package init(type: String, value: JSONValue = .null, isConstant: Bool = false, isExternal: Bool = false, text: String? = nil)
    {
        self.type = type
        self.value = value
        self.isConstant = isConstant
        self.isExternal = isExternal
        self.text = text
    }

    init(_ json: JSONValue) {
        self.init(
            type: json["type"]?.stringValue ?? "string", value: json["value"] ?? .null,
            isConstant: json["constant"]?.boolValue ?? false, isExternal: json["external"]?.boolValue ?? false,
            text: json["description"]?.stringValue)
    }

    static func dictionary(_ json: JSONValue?) -> [String: Variable] {
        (json?.objectValue ?? [:]).mapValues { Variable($0) }
    }
}

extension JSONValue {
    /// How the value of a variable reads where a command names it; `nil` for one that is not known.
    package var variableText: String? {
        switch self {
        case .null: nil
        case .string(let text): text
        default: description
        }
    }
}

/// The places in a text where a variable's value is asked for: `__name__:value`.
package struct VariableUse: Hashable, Sendable {
    package var name: String
    /// Of the whole `__name__:value`, in UTF-8 bytes.
    package var range: Range<Int>

    package static func all(in text: String) -> [VariableUse] {
        let bytes = Array(text.utf8)
        let suffix = Array("__:value".utf8)
        var uses: [VariableUse] = []
        var index = 0
        while index + 1 < bytes.count {
            guard bytes[index] == 0x5F, bytes[index + 1] == 0x5F else {
                index += 1
                continue
            }
            var end = index + 2
            while end < bytes.count, isNameByte(bytes[end]), !bytes[end...].starts(with: suffix) { end += 1 }
            if end > index + 2, bytes[end...].starts(with: suffix) {
                let stop = end + suffix.count
                // `__x__:values` is not a use of x.
                if stop == bytes.count || !isNameByte(bytes[stop]) {
                    let name = String(decoding: bytes[index..<(end + 2)], as: UTF8.self)
                    if VariableName.objection(to: name) == nil {
                        uses.append(VariableUse(name: name, range: index..<stop))
                        index = stop
                        continue
                    }
                }
            }
            index += 1
        }
        return uses
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
            || byte == 0x5F
    }
}
