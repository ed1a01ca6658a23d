/// As much of DER (X.690) as timestamps need: definite lengths, low tag numbers, at most a few levels.
struct DER: Hashable, Sendable {
    var tag: UInt8
    var content: ArraySlice<UInt8>
    /// Tag, length and content, as they stood.
    var whole: ArraySlice<UInt8>

    static let sequence: UInt8 = 0x30
    static let set: UInt8 = 0x31
    static let integer: UInt8 = 0x02
    static let octets: UInt8 = 0x04
    static let null: UInt8 = 0x05
    static let object: UInt8 = 0x06
    static let boolean: UInt8 = 0x01
    static let generalizedTime: UInt8 = 0x18
    /// `[0]`, constructed.
    static let context0: UInt8 = 0xA0

    /// Takes one value from the front; `nil` when there is none that is whole and minimal.
    static func read(_ bytes: inout ArraySlice<UInt8>) -> DER? {
        var rest = bytes
        guard let tag = rest.popFirst(), tag & 0x1F != 0x1F, let first = rest.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            let count = Int(first & 0x7F)
            guard (1...4).contains(count), rest.count >= count, rest.first != 0 else { return nil }
            length = rest.prefix(count).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(count)
            guard length >= 0x80 else { return nil }
        }
        guard rest.count >= length else { return nil }
        let content = rest.prefix(length)
        let value = DER(tag: tag, content: content, whole: bytes[bytes.startIndex..<content.endIndex])
        bytes = bytes[content.endIndex...]
        return value
    }

    /// A value that is all there is.
    init?(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        guard let value = DER.read(&rest), rest.isEmpty else { return nil }
        self = value
    }

    private init(tag: UInt8, content: ArraySlice<UInt8>, whole: ArraySlice<UInt8>) {
        self.tag = tag
        self.content = content
        self.whole = whole
    }

    /// The values inside; `nil` when they do not add up.
    var members: [DER]? {
        var rest = content
        var members: [DER] = []
        while !rest.isEmpty {
            guard members.count < 1024, let member = DER.read(&rest) else { return nil }
            members.append(member)
        }
        return members
    }

    static func encode(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        var length: [UInt8] = [UInt8(truncatingIfNeeded: content.count)]
        if content.count >= 0x80 {
            let bytes = Array(UInt32(content.count).bigEndianBytes.drop { $0 == 0 })
            length = [0x80 | UInt8(bytes.count)] + bytes
        }
        return [tag] + length + content
    }

    /// A positive number, most significant byte first.
    static func encode(integer bytes: [UInt8]) -> [UInt8] {
        var bytes = Array(bytes.drop { $0 == 0 })
        if bytes.first.map({ $0 >= 0x80 }) ?? true { bytes.insert(0, at: 0) }
        return encode(integer, bytes)
    }
}
