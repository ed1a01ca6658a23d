package import Journal
import Yams

/// Playbooks written in YAML: another spelling of the same JSON, converted before anything else is looked at.
///
/// Plain scalars mean what YAML 1.2's core schema says, so `no`, `on` and times stay texts. Anchors, aliases, tags, keys that stand
/// twice and further documents are refused: JSON has nothing that they could become, and anchors can make a small file huge.
package enum PlaybookYAML {
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// From 1; 0 where it is about the file as a whole.
        package var line: Int
        package var reason: String

        package var description: String { line > 0 ? "line \(line): \(reason)" : reason }
    }

    package static func convert(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        guard bytes.count <= PlaybookDecoder.limits.bytes else {
            throw Failure(line: 0, reason: "it is larger than \(PlaybookDecoder.limits.bytes >> 20) MiB")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Failure(line: 0, reason: "it is no UTF-8") }
        // Before the parser sees it: comparing keys of nested aliases would already take for ever.
        if let line = lineOfReference(bytes) {
            throw Failure(
                line: line,
                reason: "'&' or '*' before a word looks like an anchor or an alias, which playbooks do not have; "
                    + "in a shell command write './*name' or leave a space")
        }
        if let line = lineOfDepth(bytes) { throw Failure(line: line, reason: "it is nested too deep") }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw failure(error)
        }
        guard let node else { throw Failure(line: 0, reason: "it is empty") }
        return try value(node, depth: 0)
    }

    /// Every anchor and alias, and some texts that only look like one: what stands in quotes or blocks is not told apart.
    private static func lineOfReference(_ bytes: [UInt8]) -> Int? {
        var line = 1
        for index in bytes.indices {
            if bytes[index] == 0x0A { line += 1 }
            guard bytes[index] == UInt8(ascii: "&") || bytes[index] == UInt8(ascii: "*"), index + 1 < bytes.count else {
                continue
            }
            let next = bytes[index + 1]
            // The characters of names in libyaml.
            let isName =
                (0x30...0x39).contains(next) || (0x41...0x5A).contains(next) || (0x61...0x7A).contains(next) || next == 0x2D
                || next == 0x5F
            if isName, index == 0 || " \t\r\n[{,:?-".utf8.contains(bytes[index - 1]) { return line }
        }
        return nil
    }

    /// Where brackets, indentation or dashes nest deeper than any playbook does: the parser recurses for each.
    private static func lineOfDepth(_ bytes: [UInt8]) -> Int? {
        var line = 1
        var open = 0
        var dashes = 0
        var indentation: Int? = 0
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case 0x0A:
                line += 1
                dashes = 0
                indentation = 0
                continue
            case 0x20:
                if let columns = indentation { indentation = columns + 1 }
                if index > 0, bytes[index - 1] == UInt8(ascii: "-") || bytes[index - 1] == UInt8(ascii: "?") { dashes += 1 }
                if indentation ?? 0 > 256 || dashes > 64 { return line }
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): open += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): open = max(0, open - 1)
            default: break
            }
            indentation = nil
            if open > 128 { return line }
        }
        return nil
    }

    private static func value(_ node: Node, depth: Int) throws(Failure) -> JSONValue {
        let line = node.mark?.line ?? 0
        guard depth <= PlaybookDecoder.limits.depth else { throw Failure(line: line, reason: "it is nested too deep") }
        switch node {
        case .scalar(let scalar):
            let isPlain = scalar.style == .plain || scalar.style == .any
            // The parser says of what is quoted that it is a text.
            guard isUntagged(scalar.tag) || !isPlain && scalar.tag.description == Tag.Name.str.rawValue else {
                throw Failure(line: line, reason: "tags are not taken; quote what is a text")
            }
            return isPlain ? plain(scalar.string) : .string(scalar.string)
        case .sequence(let sequence):
            guard isUntagged(sequence.tag) else { throw Failure(line: line, reason: "tags are not taken") }
            var values: [JSONValue] = []
            for element in sequence { values.append(try value(element, depth: depth + 1)) }
            return .array(values)
        case .mapping(let mapping):
            guard isUntagged(mapping.tag) else { throw Failure(line: line, reason: "tags are not taken") }
            var members: [String: JSONValue] = [:]
            for (key, member) in mapping {
                guard case .scalar(let name) = key else {
                    throw Failure(line: key.mark?.line ?? line, reason: "a key is a text")
                }
                // Two spellings of one name are one name in JSON: `a` and `"a"`.
                guard members.updateValue(try value(member, depth: depth + 1), forKey: name.string) == nil else {
                    throw Failure(line: key.mark?.line ?? line, reason: "'\(name.string)' is there twice")
                }
            }
            return .object(members)
        default: throw Failure(line: line, reason: "aliases are not taken")
        }
    }

    private static func isUntagged(_ tag: Tag) -> Bool { tag.description.isEmpty }

    /// YAML 1.2 §10.3.2, without hexadecimal, octal and infinite numbers, which JSON does not have.
    private static func plain(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        let isNumber = text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/) != nil
        return isNumber ? (try? JSONValue(parsing: Array(text.utf8))) ?? .string(text) : .string(text)
    }

    private static func failure(_ error: any Error) -> Failure {
        switch error as? YamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            Failure(line: context?.mark.line ?? mark.line, reason: "it is not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            Failure(line: context.mark.line, reason: "'\(duplicates.joined(separator: "', '"))' is there twice")
        default: Failure(line: 0, reason: "it is not YAML")
        }
    }
}
