/// A CACAO or STIX identifier (§10.10): the object's type, two hyphens, an RFC 4122 UUID.
package struct Identifier: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String
    /// What stands before the two hyphens.
    package let type: String

    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count > 38 else { return nil }
        let split = bytes.count - 36
        let prefix = bytes[..<(split - 2)]
        guard bytes[split - 1] == UInt8(ascii: "-"), bytes[split - 2] == UInt8(ascii: "-"), let first = prefix.first,
            (0x61...0x7A).contains(first), prefix.last != UInt8(ascii: "-"), prefix.count >= 3,
            prefix.allSatisfy({ (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        let uuid = bytes[split...]
        for (index, byte) in uuid.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) || (0x41...0x46).contains(byte) else {
                    return nil
                }
            }
        }
        // RFC 4122 §4.1.1: variant 10x; §4.1.3: versions 1 to 5.
        guard "89abAB".utf8.contains(bytes[split + 19]), (0x31...0x35).contains(bytes[split + 14]) else { return nil }
        self.text = text
        self.type = String(decoding: prefix, as: UTF8.self)
    }

    package var uuid: String { String(text.suffix(36)) }

    package var uuidVersion: Int { Int(Array(text.utf8)[text.utf8.count - 22] - 0x30) }

    package var description: String { text }

    package static func < (left: Identifier, right: Identifier) -> Bool { left.text < right.text }
}
