/// The fields of an `application/x-www-form-urlencoded` text (WHATWG URL 5.1), in order. Never fails: what is odd is taken literally.
struct FormFields: Sendable, Equatable {
    /// More than any form here has; the rest is dropped.
    static let maximumFields = 64

    private var fields: [(name: String, value: String)] = []

    init(_ fields: [(name: String, value: String)]) {
        self.fields = Array(fields.prefix(Self.maximumFields))
    }

    init(query: String?) {
        self.init(text: query ?? "")
    }

    init(text: String) {
        for part in text.utf8.split(separator: UInt8(ascii: "&"), maxSplits: Self.maximumFields)
        where fields.count < Self.maximumFields {
            let sides = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            fields.append((Self.decode(sides[0]), sides.count > 1 ? Self.decode(sides[1]) : ""))
        }
    }

    /// The first value of that name.
    subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// Each name, as often as it stands there.
    var names: [String] { fields.map(\.name) }

    func all(_ name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    static func == (left: FormFields, right: FormFields) -> Bool {
        left.fields.elementsEqual(right.fields) { $0 == $1 }
    }

    private static func decode(_ bytes: some Collection<UInt8>) -> String {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            bytes.formIndex(after: &index)
            if byte == UInt8(ascii: "+") {
                decoded.append(0x20)
            } else if byte == UInt8(ascii: "%"), let value = hexPair(bytes[index...]) {
                decoded.append(value)
                bytes.formIndex(&index, offsetBy: 2)
            } else {
                decoded.append(byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    private static func hexPair(_ bytes: some Collection<UInt8>) -> UInt8? {
        let pair = bytes.prefix(2)
        guard pair.count == 2, pair.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else { return nil }
        return UInt8(String(decoding: pair, as: UTF8.self), radix: 16)
    }

    /// Percent-encodes all but unreserved characters (RFC 3986 2.3).
    static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return encoded
    }
}
