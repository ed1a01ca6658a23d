import Crypto
import Events
import Yams

/// Which version of a rule spoke: SHA-256 over the document as YAML resolves it.
///
/// Comments, white space, the order of keys, anchors, the style of quotes and `vigie.samples` do not change it; a value, its
/// type ('404' in quotes is text, 404 a number) and the order of a list do.
enum RuleHash {
    /// A document may resolve to this many values, and nest this deep: aliases can make a short text enormous.
    static let maximumValues = 50_000
    static let maximumDepth = 64

    /// In hexadecimal; `nil` when the document is larger or deeper than the limits.
    static func make(_ document: Node) -> String? {
        var left = maximumValues
        guard let bytes = encode(withoutSamples(document), depth: 0, &left) else { return nil }
        return SHA256.hash(data: bytes).hexadecimal
    }

    /// Of several hashes together, in any order.
    static func combine(_ hashes: some Sequence<String>) -> String {
        SHA256.hash(data: Array(hashes.sorted().joined(separator: "\n").utf8)).hexadecimal
    }

    private static func withoutSamples(_ document: Node) -> Node {
        guard var mapping = document.mapping, var own = mapping["vigie"]?.mapping, own["samples"] != nil else { return document }
        own["samples"] = nil
        mapping["vigie"] = own.isEmpty ? nil : .mapping(own)
        return .mapping(mapping)
    }

    /// A letter for the type, the length, the content: no two values give the same bytes.
    private static func encode(_ node: Node, depth: Int, _ left: inout Int) -> [UInt8]? {
        left -= 1
        guard left >= 0, depth <= maximumDepth else { return nil }
        if let mapping = node.mapping {
            var pairs: [(key: [UInt8], value: [UInt8])] = []
            for (key, value) in mapping {
                guard let key = encode(key, depth: depth + 1, &left), let value = encode(value, depth: depth + 1, &left) else {
                    return nil
                }
                pairs.append((key, value))
            }
            pairs.sort { $0.key.lexicographicallyPrecedes($1.key) }
            return Array("m\(pairs.count):".utf8) + pairs.flatMap { $0.key + $0.value }
        }
        if let sequence = node.sequence {
            var bytes = Array("l\(sequence.count):".utf8)
            for element in sequence {
                guard let element = encode(element, depth: depth + 1, &left) else { return nil }
                bytes += element
            }
            return bytes
        }
        guard let scalar = node.scalar else { return Array("z0:".utf8) }
        let type: String
        if scalar.style != .any, scalar.style != .plain {
            type = "t"
        } else if node.null != nil {
            return Array("z0:".utf8)
        } else if let flag = node.bool {
            return Array((flag ? "b1:" : "b0:").utf8)
        } else {
            type = Double(scalar.string) == nil ? "t" : "n"
        }
        return Array("\(type)\(scalar.string.utf8.count):\(scalar.string)".utf8)
    }
}
