extension JSONValue {
    /// The document's only spelling, as RFC 8785 (JSON Canonicalization Scheme) defines it.
    ///
    /// - Throws: ``JSONError/Code/numberOutOfRange`` for NaN, infinities and integers beyond ±(2^53 − 1), which RFC 8785 §3.2.2.3
    ///   would silently round.
    package func canonicalBytes() throws(JSONError) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(512)
        try write(to: &output)
        return output
    }

    private func write(to output: inout [UInt8]) throws(JSONError) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let value):
            guard JSONValue.exactIntegers.contains(value) else { throw JSONError(.numberOutOfRange) }
            output.append(contentsOf: String(value).utf8)
        case .number(let value):
            guard value.isFinite else { throw JSONError(.numberOutOfRange) }
            output.append(contentsOf: value.ecmaScriptDescription.utf8)
        case .string(let value): Self.write(value, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                try element.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            // Places are sorted rather than members, which are larger and counted.
            var places = Array(members.indices)
            if places.count > 1 { places.sort { Self.precedes(members.keys[$0], members.keys[$1]) } }
            for place in places {
                if place != places.first { output.append(UInt8(ascii: ",")) }
                let member = members[place]
                Self.write(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                try member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// RFC 8785 §3.2.3: by UTF-16 code units, which differs from the order of bytes only from U+E000 on.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        for (one, other) in zip(left.utf8, right.utf8) where one != other {
            // 0xEE begins U+E000; where the first difference is in a byte behind the first, both are of one plane.
            guard max(one, other) < 0xEE else { return left.utf16.lexicographicallyPrecedes(right.utf16) }
            return one < other
        }
        return left.utf8.count < right.utf8.count
    }

    /// RFC 8785 §3.2.2.2: the short escapes, `\u00xx` in lower case for other control characters, all else as it is.
    private static func write(_ text: String, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        defer { output.append(UInt8(ascii: "\"")) }
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) else {
            output.append(contentsOf: text.utf8)
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: output.append(contentsOf: "\\b".utf8)
            case 0x09: output.append(contentsOf: "\\t".utf8)
            case 0x0A: output.append(contentsOf: "\\n".utf8)
            case 0x0C: output.append(contentsOf: "\\f".utf8)
            case 0x0D: output.append(contentsOf: "\\r".utf8)
            case ..<0x20:
                output.append(contentsOf: "\\u00".utf8)
                output.append(contentsOf: (byte < 0x10 ? "0" : "").utf8)
                output.append(contentsOf: String(byte, radix: 16).utf8)
            default: output.append(byte)
            }
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The canonical text; for a value that has none, a note of why.
    package var description: String {
        do {
            return String(decoding: try canonicalBytes(), as: UTF8.self)
        } catch {
            return "<no canonical form: \(error.code.rawValue)>"
        }
    }
}
