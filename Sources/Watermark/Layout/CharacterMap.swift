/// ToUnicode maps (ISO 32000-1 §9.10.3): the first character that each code stands for.
enum CharacterMap {
    /// A map of more codes than a font of two bytes can have is cut off.
    private static let most = 65_536

    static func read(_ bytes: [UInt8]) -> [Int: UInt32] {
        var map: [Int: UInt32] = [:]
        var tokenizer = ContentTokenizer(bytes.span)
        var operands: [Operand] = []
        var array: [[UInt8]]?
        while map.count < most, let token = tokenizer.next() {
            switch token.kind {
            case .string:
                let value = tokenizer.string(token.range)
                if array != nil { array?.append(value) } else { operands.append(.string(value)) }
            case .arrayStart: array = []
            case .arrayEnd:
                if let value = array { operands.append(.array(value)) }
                array = nil
            case .keyword:
                if bytes[token.range].elementsEqual("endbfchar".utf8) {
                    characters(operands, into: &map)
                } else if bytes[token.range].elementsEqual("endbfrange".utf8) {
                    ranges(operands, into: &map)
                }
                operands.removeAll(keepingCapacity: true)
                array = nil
            default: break
            }
            if operands.count > most { operands.removeAll() }
        }
        return map
    }

    private enum Operand {
        case string([UInt8])
        case array([[UInt8]])

        var code: Int? {
            guard case .string(let bytes) = self, (1...2).contains(bytes.count) else { return nil }
            return bytes.reduce(0) { $0 << 8 | Int($1) }
        }

        var scalar: UInt32? {
            guard case .string(let bytes) = self else { return nil }
            return CharacterMap.scalar(bytes)
        }
    }

    private static func scalar(_ bytes: [UInt8]) -> UInt32? {
        guard bytes.count >= 2 else { return bytes.first.map { UInt32($0) } }
        let first = UInt32(bytes[0]) << 8 | UInt32(bytes[1])
        if (0xD800...0xDBFF).contains(first), bytes.count >= 4 {
            let second = UInt32(bytes[2]) << 8 | UInt32(bytes[3])
            return 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)
        }
        return first
    }

    private static func characters(_ operands: [Operand], into map: inout [Int: UInt32]) {
        var index = 0
        while index + 1 < operands.count {
            if let code = operands[index].code, let scalar = operands[index + 1].scalar { map[code] = scalar }
            index += 2
        }
    }

    private static func ranges(_ operands: [Operand], into map: inout [Int: UInt32]) {
        var index = 0
        while index + 2 < operands.count {
            defer { index += 3 }
            guard let first = operands[index].code, let last = operands[index + 1].code, first <= last else { continue }
            if case .array(let values) = operands[index + 2] {
                for (offset, value) in values.prefix(last - first + 1).enumerated() { map[first + offset] = scalar(value) }
            } else if let scalar = operands[index + 2].scalar {
                for code in first...last { map[code] = scalar &+ UInt32(code - first) }
            }
        }
    }
}
