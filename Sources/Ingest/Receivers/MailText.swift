import Events

/// Content-Transfer-Encoding (RFC 2045 §6). What is broken is left out.
enum TransferEncoding {
    static func decode(_ bytes: ArraySlice<UInt8>, _ name: String, limit: Int) -> [UInt8] {
        switch name {
        case "base64": base64(bytes, limit: limit)
        case "quoted-printable": quotedPrintable(bytes, limit: limit)
        default: Array(bytes.prefix(limit))
        }
    }

    static func base64(_ bytes: ArraySlice<UInt8>, limit: Int) -> [UInt8] {
        var decoded: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes where decoded.count < limit {
            let value: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = byte - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = byte - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = byte + 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            case UInt8(ascii: "="): return decoded
            default: continue
            }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 != 1 { decoded.append(UInt8(truncatingIfNeeded: bits >> (6 - 2 * UInt32((count - 1) % 4)))) }
        }
        return decoded
    }

    /// - Parameter isHeader: `_` is a space there (RFC 2047 §4.2).
    static func quotedPrintable(_ bytes: ArraySlice<UInt8>, limit: Int, isHeader: Bool = false) -> [UInt8] {
        var decoded: [UInt8] = []
        var place = bytes.startIndex
        while place < bytes.endIndex, decoded.count < limit {
            let byte = bytes[place]
            place += 1
            guard byte == UInt8(ascii: "=") else {
                decoded.append(isHeader && byte == UInt8(ascii: "_") ? 0x20 : byte)
                continue
            }
            let next = bytes[place..<min(place + 2, bytes.endIndex)]
            if let high = next.first.flatMap(hexadecimalValue), let low = next.dropFirst().first.flatMap(hexadecimalValue) {
                decoded.append(high << 4 | low)
                place += 2
            } else if next.first == 0x0A {
                place += 1
            } else if next.starts(with: [0x0D, 0x0A]) {
                place += 2
            } else {
                decoded.append(byte)
            }
        }
        return decoded
    }
}

/// Character sets that mail comes in. An unknown one is taken for UTF-8, and what is none is replaced.
enum Charset {
    static func decode(_ bytes: [UInt8], _ name: String) -> String {
        switch name.lowercased() {
        case "iso-8859-1", "latin1", "windows-1252", "iso-8859-15":
            // They differ in a few signs; the bytes are in the evidence.
            String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
        default: String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// `=?utf-8?B?…?=` in headers (RFC 2047).
enum EncodedWords {
    static func decode(_ text: String) -> String {
        guard text.contains("=?") else { return text }
        var result = ""
        var rest = text[...]
        var endsInWord = false
        while let start = rest.firstRange(of: "=?") {
            let before = rest[..<start.lowerBound]
            let pieces = rest[start.upperBound...].split(separator: "?", maxSplits: 3, omittingEmptySubsequences: false)
            guard pieces.count == 4, pieces[3].first == "=", pieces[1].utf8.count == 1 else {
                result += before + "=?"
                rest = rest[start.upperBound...]
                endsInWord = false
                continue
            }
            // White space between two words is none (RFC 2047 §6.2).
            if !(endsInWord && before.allSatisfy { $0 == " " || $0 == "\t" }) { result += before }
            let bytes = Array(pieces[2].utf8)[...]
            let decoded =
                pieces[1].lowercased() == "b"
                ? TransferEncoding.base64(bytes, limit: bytes.count)
                : TransferEncoding.quotedPrintable(bytes, limit: bytes.count, isHeader: true)
            result += Charset.decode(decoded, String(pieces[0].prefix { $0 != "*" }))
            rest = pieces[3].dropFirst()
            endsInWord = true
        }
        return result + rest
    }
}
