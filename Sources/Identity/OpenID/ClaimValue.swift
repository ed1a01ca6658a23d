import Foundation

/// JSON of a provider: metadata, keys, tokens, claims.
package indirect enum ClaimValue: Sendable, Equatable, Decodable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([ClaimValue])
    case members([String: ClaimValue])

    /// Far beyond what providers send. Decoding recurses, and the stacks of tasks are small.
    private static let maximumDepth = 16

    /// - Returns: the members of the object that `bytes` are; `nil` where they are none, or nested too deeply.
    static func object(_ bytes: [UInt8]) -> [String: ClaimValue]? {
        guard isShallow(bytes), case .members(let members) = try? JSONDecoder().decode(ClaimValue.self, from: Data(bytes)) else {
            return nil
        }
        return members
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([ClaimValue].self) {
            self = .list(list)
        } else {
            self = .members(try container.decode([String: ClaimValue].self))
        }
    }

    private static func isShallow(_ bytes: [UInt8]) -> Bool {
        var depth = 0
        var isText = false
        var isEscaped = false
        for byte in bytes {
            if isText {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isText = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isText = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                if depth > maximumDepth { return false }
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return true
    }

    package var text: String? { if case .text(let text) = self { text } else { nil } }

    /// RFC 7519 section 2, NumericDate: seconds, which may have a fraction. What no clock can show is none.
    var seconds: Int64? {
        guard case .number(let number) = self, number >= 0, number < 9_000_000_000 else { return nil }
        return Int64(number)
    }

    /// A list of texts; what else is in it is passed over.
    package var texts: [String]? {
        switch self {
        case .text(let text): [text]
        case .list(let list): list.compactMap(\.text)
        default: nil
        }
    }
}

extension [String: ClaimValue] {
    /// A claim by its name, or below objects by a path with dots: `realm_access.roles`.
    func claim(_ path: String) -> ClaimValue? {
        if let value = self[path] { return value }
        guard let dot = path.firstIndex(of: "."), case .members(let inner) = self[String(path[..<dot])] else { return nil }
        return inner.claim(String(path[path.index(after: dot)...]))
    }
}
