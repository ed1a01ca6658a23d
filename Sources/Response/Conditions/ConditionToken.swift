/// A word of a condition.
struct ConditionToken: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case word(String)
        case symbol(String)
        /// Unescaped: `\'` is `'`, `\\` is `\` (STIX 2.1 §9.2).
        case text(String)
        case number(Double)
        case path(String, [String])
    }

    var kind: Kind
    var offset: Int

    static func all(in text: String) throws(ConditionError) -> [ConditionToken] {
        let bytes = Array(text.utf8)
        var tokens: [ConditionToken] = []
        var index = 0
        while index < bytes.count {
            let start = index
            switch bytes[index] {
            case 0x20, 0x09, 0x0A, 0x0D:
                index += 1
                continue
            case UInt8(ascii: "'"):
                tokens.append(ConditionToken(kind: .text(try quoted(bytes, &index)), offset: start))
            case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","):
                tokens.append(ConditionToken(kind: .symbol(String(decoding: bytes[index...index], as: UTF8.self)), offset: start))
                index += 1
            case UInt8(ascii: "="), UInt8(ascii: "!"), UInt8(ascii: "<"), UInt8(ascii: ">"):
                while index < bytes.count, "=!<>".utf8.contains(bytes[index]) { index += 1 }
                tokens.append(ConditionToken(kind: .symbol(String(decoding: bytes[start..<index], as: UTF8.self)), offset: start))
            default:
                while index < bytes.count, isWord(bytes[index]) { index += 1 }
                guard index > start else {
                    throw ConditionError(offset: start, reason: "this character cannot stand here")
                }
                tokens.append(
                    ConditionToken(kind: try word(String(decoding: bytes[start..<index], as: UTF8.self), start), offset: start))
            }
        }
        return tokens
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte)
            || "_-.:+".utf8.contains(byte)
    }

    private static func word(_ text: String, _ offset: Int) throws(ConditionError) -> Kind {
        if let use = VariableUse.all(in: text).first, use.range.lowerBound == 0 {
            let rest = String(decoding: Array(text.utf8)[use.range.upperBound...], as: UTF8.self)
            let members = rest.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard rest.isEmpty || (members.first == "" && members.count > 1 && !members.dropFirst().contains("")) else {
                throw ConditionError(offset: offset, reason: "\"\(text)\" is not a variable and its members")
            }
            return .path(use.name, Array(members.dropFirst()))
        }
        if let first = text.utf8.first, (0x30...0x39).contains(first) || "+-.".utf8.contains(first) {
            guard let number = Double(text), number.isFinite else {
                throw ConditionError(offset: offset, reason: "\"\(text)\" is not a number")
            }
            return .number(number)
        }
        if text.contains(":") {
            throw ConditionError(
                offset: offset, reason: "\"\(text)\" is no variable; conditions compare variables, written __name__:value")
        }
        return .word(text)
    }

    private static func quoted(_ bytes: [UInt8], _ index: inout Int) throws(ConditionError) -> String {
        let start = index
        index += 1
        var text: [UInt8] = []
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "'"):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard index + 1 < bytes.count, "'\\".utf8.contains(bytes[index + 1]) else {
                    throw ConditionError(offset: index, reason: "after a backslash stands ' or another backslash")
                }
                text.append(bytes[index + 1])
                index += 2
            default:
                text.append(bytes[index])
                index += 1
            }
        }
        throw ConditionError(offset: start, reason: "the text is not closed")
    }
}
