/// The header `traceparent` of W3C Trace Context (Recommendation of 2021-11-23, section 3.2).
struct TraceParent: Equatable, Sendable {
    /// 32 hexadecimal digits in lower case, not all zero.
    let traceID: String
    /// 16 hexadecimal digits in lower case, not all zero: the caller's span.
    let parentID: String
    let flags: String

    /// `nil` for what the Recommendation says to ignore: another form, upper case, zeros, version `ff`.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let dash = UInt8(ascii: "-")
        // A later version may append fields; version 00 has exactly four.
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            Self.isHexadecimal(bytes[0..<2]), Self.isHexadecimal(bytes[3..<35]), Self.isHexadecimal(bytes[36..<52]),
            Self.isHexadecimal(bytes[53..<55])
        else { return nil }
        let version = bytes[0..<2]
        let zero = UInt8(ascii: "0")
        if version.elementsEqual([zero, zero]) {
            guard bytes.count == 55 else { return nil }
        } else {
            guard !version.elementsEqual("ff".utf8), bytes.count == 55 || bytes[55] == dash else { return nil }
        }
        guard bytes[3..<35].contains(where: { $0 != zero }), bytes[36..<52].contains(where: { $0 != zero }) else { return nil }
        traceID = String(decoding: bytes[3..<35], as: UTF8.self)
        parentID = String(decoding: bytes[36..<52], as: UTF8.self)
        flags = String(decoding: bytes[53..<55], as: UTF8.self)
    }

    private static func isHexadecimal(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
