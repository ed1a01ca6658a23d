import Events

/// What a request says once every encoding that attackers hide behind is undone.
///
/// One form for all rules: log escapes (`\x27`), percent-encoding (three rounds: double encoding is an evasion),
/// `%uXXXX` (IIS), overlong UTF-8, HTML character references, `+` for a space (in a query), SQL comments, runs of white
/// space. Rules that need the request as it was sent have `url.original`.
enum RequestDecoder {
    /// Rounds of percent-decoding; real requests need one, double encoding two.
    static let maximumRounds = 3

    /// Whether decoding would change anything; most requests are as they are.
    static func isNeeded(_ bytes: Span<UInt8>, _ range: Range<Int>, plusIsSpace: Bool) -> Bool {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
        guard bytes.count &- range.lowerBound > 16 else { return isNeededBytewise(bytes, range, plusIsSpace: plusIsSpace) }
        var index = range.lowerBound
        // A space is looked at together with the byte behind it. The first sixteen bytes of a short range may reach past its
        // end: what stands there can only cost a second look.
        repeat {
            // In the span: seventeen bytes from `index` on are in the range, or in the span for the first.
            if mayDecode(chunk(bytes, index), chunk(bytes, index &+ 1)) {
                return isNeededBytewise(bytes, range, plusIsSpace: plusIsSpace)
            }
            index &+= 16
        } while range.upperBound &- index > 16
        guard index < range.upperBound else { return false }
        // In the span: the first round has passed over sixteen bytes of the range.
        let last = chunk(bytes, range.upperBound &- 16)
        if mayDecode(chunk(bytes, range.upperBound &- 17), last) || mayDecode(last, SIMD16(repeating: 0xFF)) {
            return isNeededBytewise(bytes, range, plusIsSpace: plusIsSpace)
        }
        return false
    }

    @inline(__always)
    private static func chunk(_ bytes: Span<UInt8>, _ index: Int) -> SIMD16<UInt8> {
        unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
    }

    /// Whether any byte of `chunk` may begin something to decode; `next` are the bytes one further, for double spaces.
    @inline(__always)
    private static func mayDecode(_ chunk: SIMD16<UInt8>, _ next: SIMD16<UInt8>) -> Bool {
        let space = SIMD16<UInt8>(repeating: 0x20)
        // Control bytes, DEL and all above ASCII; `*` and `+` at once; `%` and `&` at once after adding one; `\`.
        let outside = (chunk &- space) .> SIMD16<UInt8>(repeating: 0x5E)
        let starPlus = (chunk & SIMD16<UInt8>(repeating: 0xFE)) .== SIMD16<UInt8>(repeating: 0x2A)
        let percentAnd =
            ((chunk &+ SIMD16<UInt8>(repeating: 1)) & SIMD16<UInt8>(repeating: 0xFE)) .== SIMD16<UInt8>(repeating: 0x26)
        let backslash = chunk .== SIMD16<UInt8>(repeating: 0x5C)
        let spaces = (chunk | next) .== space
        let found = unsafe unsafeBitCast(
            outside .| starPlus .| percentAnd .| backslash .| spaces, to: SIMD2<UInt64>.self)
        return found[0] | found[1] != 0
    }

    private static func isNeededBytewise(_ bytes: Span<UInt8>, _ range: Range<Int>, plusIsSpace: Bool) -> Bool {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "%"), UInt8(ascii: "\\"): return true
            case UInt8(ascii: "+"): if plusIsSpace { return true }
            case UInt8(ascii: "&"):
                if index + 1 < range.upperBound, isReferenceStart(bytes, index, range.upperBound) { return true }
            case UInt8(ascii: "*"): if index > range.lowerBound, bytes[index - 1] == UInt8(ascii: "/") { return true }
            case 0x20: if index > range.lowerBound, bytes[index - 1] == 0x20 { return true }
            // Control bytes, and bytes above ASCII that can only be the start of an overlong sequence.
            case 0..<0x20, 0x7F, 0xC0, 0xC1, 0xE0, 0xF0: return true
            default: break
            }
            index += 1
        }
        return false
    }

    private static func isReferenceStart(_ bytes: Span<UInt8>, _ index: Int, _ end: Int) -> Bool {
        for position in index + 1..<min(end, index + 10) where bytes[position] == UInt8(ascii: ";") { return true }
        return bytes[index + 1] == UInt8(ascii: "#")
    }

    /// Appends the decoded form of `bytes[range]` to `bytes` and returns where it stands.
    static func decode(_ range: ByteRange, in bytes: inout [UInt8], scratch: inout DecoderScratch, plusIsSpace: Bool) -> ByteRange
    {
        scratch.text.removeAll(keepingCapacity: true)
        logEscapes(bytes, range.bounds, into: &scratch.text)
        for round in 0..<maximumRounds {
            scratch.next.removeAll(keepingCapacity: true)
            let changed = percent(scratch.text, into: &scratch.next, plusIsSpace: plusIsSpace && round == 0)
            swap(&scratch.text, &scratch.next)
            if !changed { break }
        }
        scratch.next.removeAll(keepingCapacity: true)
        references(scratch.text, into: &scratch.next)
        let start = bytes.count
        normalise(scratch.next, into: &bytes)
        return ByteRange(start: start, count: bytes.count - start)
    }

    /// `\xHH` as nginx and Apache write bytes they do not log raw, and Apache's `\"`, `\\`, `\n`, `\t`.
    private static func logEscapes(_ bytes: [UInt8], _ range: Range<Int>, into text: inout [UInt8]) {
        var index = range.lowerBound
        while index < range.upperBound {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\\"), index + 1 < range.upperBound {
                let next = bytes[index + 1]
                if next == UInt8(ascii: "x"),
                    let value = HexadecimalDigits.value(bytes, at: index + 2, count: 2, limit: range.upperBound)
                {
                    text.append(UInt8(value))
                    index += 4
                    continue
                }
                if next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\") {
                    text.append(next)
                    index += 2
                    continue
                }
                if next == UInt8(ascii: "n") || next == UInt8(ascii: "t") || next == UInt8(ascii: "r"),
                    index + 2 == range.upperBound || bytes[index + 2] &- 0x61 >= 26
                {
                    text.append(0x20)
                    index += 2
                    continue
                }
            }
            text.append(byte)
            index += 1
        }
    }

    /// One round of percent-decoding; says whether it changed anything.
    private static func percent(_ text: [UInt8], into result: inout [UInt8], plusIsSpace: Bool) -> Bool {
        var changed = false
        var inQuery = false
        var index = 0
        while index < text.count {
            let byte = text[index]
            if byte == UInt8(ascii: "%") {
                if let value = HexadecimalDigits.value(text, at: index + 1, count: 2, limit: text.count) {
                    result.append(UInt8(value))
                    index += 3
                    changed = true
                    continue
                }
                if index + 1 < text.count, text[index + 1] | 0x20 == UInt8(ascii: "u"),
                    let value = HexadecimalDigits.value(text, at: index + 2, count: 4, limit: text.count)
                {
                    // Full-width forms (U+FF01…U+FF5E) are what `%u` evasion uses to spell ASCII.
                    result.append(scalar: (0xFF01...0xFF5E).contains(value) ? value - 0xFEE0 : value)
                    index += 6
                    changed = true
                    continue
                }
            }
            if byte == UInt8(ascii: "?") { inQuery = true }
            if byte == UInt8(ascii: "+"), plusIsSpace, inQuery {
                result.append(0x20)
                changed = true
            } else {
                result.append(byte)
            }
            index += 1
        }
        return changed
    }

    /// HTML's numeric references and the five named ones that matter in markup, with or without the closing `;`.
    private static func references(_ text: [UInt8], into result: inout [UInt8]) {
        var index = 0
        while index < text.count {
            guard text[index] == UInt8(ascii: "&") else {
                result.append(text[index])
                index += 1
                continue
            }
            if let (value, length) = numericReference(text, index) ?? namedReference(text, index) {
                result.append(scalar: value)
                index += length
            } else {
                result.append(text[index])
                index += 1
            }
        }
    }

    private static func numericReference(_ text: [UInt8], _ start: Int) -> (UInt32, Int)? {
        guard start + 2 < text.count, text[start + 1] == UInt8(ascii: "#") else { return nil }
        var index = start + 2
        let isHexadecimal = text[index] | 0x20 == UInt8(ascii: "x")
        if isHexadecimal { index += 1 }
        let padded = index
        // Leading zeros are allowed in any number, and therefore used to hide.
        while index < text.count, text[index] == 0x30 { index += 1 }
        let first = index
        var value: UInt32 = 0
        while index < text.count, index - first < 7, let digit = hexadecimalValue(text[index]), isHexadecimal || digit < 10 {
            value = value * (isHexadecimal ? 16 : 10) + UInt32(digit)
            index += 1
        }
        guard index > padded else { return nil }
        if index < text.count, text[index] == UInt8(ascii: ";") { index += 1 }
        return (value, index - start)
    }

    private static let names: [([UInt8], UInt32)] = [
        (Array("lt;".utf8), 0x3C), (Array("gt;".utf8), 0x3E), (Array("quot;".utf8), 0x22), (Array("apos;".utf8), 0x27),
        (Array("amp;".utf8), 0x26), (Array("colon;".utf8), 0x3A), (Array("lpar;".utf8), 0x28), (Array("rpar;".utf8), 0x29),
        (Array("newline;".utf8), 0x20), (Array("tab;".utf8), 0x20), (Array("nbsp;".utf8), 0x20),
    ]

    private static func namedReference(_ text: [UInt8], _ start: Int) -> (UInt32, Int)? {
        for (name, value) in names where start + 1 + name.count <= text.count {
            if (0..<name.count).allSatisfy({ text[start + 1 + $0] | 0x20 == name[$0] | 0x20 }) { return (value, name.count + 1) }
        }
        return nil
    }

    /// Overlong UTF-8 to ASCII, comments to one space, control bytes and runs of white space to one space.
    private static func normalise(_ text: [UInt8], into bytes: inout [UInt8]) {
        var lastWasSpace = false
        var index = 0
        // Once the end of one comment was not found, no later one has an end either: the search stays linear.
        var mayHoldComments = true
        func isComment(_ index: Int) -> Int? {
            guard mayHoldComments, index + 3 < text.count, text[index] == UInt8(ascii: "/"), text[index + 1] == UInt8(ascii: "*")
            else {
                return nil
            }
            // `/*!50000union*/` runs in MySQL: its inside is code.
            if text[index + 2] == UInt8(ascii: "!") { return nil }
            var position = index + 2
            while position + 1 < text.count {
                if text[position] == UInt8(ascii: "*"), text[position + 1] == UInt8(ascii: "/") { return position + 2 }
                position += 1
            }
            mayHoldComments = false
            return nil
        }
        while index < text.count {
            var byte = text[index]
            var length = 1
            if let end = isComment(index) {
                byte = 0x20
                length = end - index
            } else if byte == 0xC0 || byte == 0xC1, index + 1 < text.count, text[index + 1] >> 6 == 2 {
                byte = byte << 6 | text[index + 1] & 0x3F
                length = 2
            } else if byte == 0xE0, index + 2 < text.count, text[index + 1] >> 1 == 0x40, text[index + 2] >> 6 == 2 {
                byte = text[index + 1] << 6 | text[index + 2] & 0x3F
                length = 3
            } else if byte == 0xF0, index + 3 < text.count, text[index + 1] == 0x80, text[index + 2] >> 1 == 0x40,
                text[index + 3] >> 6 == 2
            {
                byte = text[index + 2] << 6 | text[index + 3] & 0x3F
                length = 4
            }
            if byte <= 0x20 || byte == 0x7F {
                if !lastWasSpace { bytes.append(0x20) }
                lastWasSpace = true
            } else {
                bytes.append(byte)
                lastWasSpace = false
            }
            index += length
        }
    }
}

/// Buffers that decoding reuses from value to value.
struct DecoderScratch {
    var text: [UInt8] = []
    var next: [UInt8] = []
}
