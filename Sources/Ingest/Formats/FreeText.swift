import Events

/// Finds whom a message is about, in messages that no format of ours knows: the address and the account.
///
/// Programs say it in few ways: `from 192.0.2.1`, `client: 192.0.2.1`, `rhost=192.0.2.1`, `user=bob`, `for user "bob"`.
/// Where several addresses stand in a message, one behind such a word wins over one that merely occurs, and the last of
/// those wins: what comes first may be the attacker's own text.
enum FreeText {
    static func addEntities(_ bytes: Span<UInt8>, _ message: Range<Int>, into sink: inout FieldSink) {
        if let address = address(bytes, message) { sink.add(.sourceIP, address.lowerBound, address.upperBound) }
        if let user = user(bytes, message) { sink.add(.userName, user.lowerBound, user.upperBound) }
    }

    private static func address(_ bytes: Span<UInt8>, _ message: Range<Int>) -> Range<Int>? {
        var found: Range<Int>?
        var index = message.lowerBound
        while index < message.upperBound {
            if bytes[index] == UInt8(ascii: "\""),
                let close = bytes.firstIndex(of: UInt8(ascii: "\""), from: index + 1, to: message.upperBound)
            {
                // What is quoted is what a client sent, unless it is an address and nothing else: `ip="192.0.2.1"`.
                if let range = parsed(bytes, index + 1, close), range == index + 1..<close,
                    isBehindMarker(bytes, message.lowerBound, index)
                {
                    found = range
                }
                index = close + 1
                continue
            }
            guard isAddressByte(bytes[index]), index == message.lowerBound || !isWordByte(bytes[index - 1]) else {
                index += 1
                continue
            }
            var end = index
            while end < message.upperBound, isAddressByte(bytes[end]) { end += 1 }
            if let range = parsed(bytes, index, end) {
                if found == nil || isBehindMarker(bytes, message.lowerBound, index) { found = range }
            }
            index = max(end, index + 1)
        }
        return found
    }

    /// The run of address bytes without a port, a closing colon or full stop; `nil` when what is left is no address.
    private static func parsed(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Range<Int>? {
        var end = end
        while end > start,
            bytes[end - 1] == UInt8(ascii: ".")
                || (bytes[end - 1] == UInt8(ascii: ":") && !(end - start >= 2 && bytes[end - 2] == UInt8(ascii: ":")))
        {
            end -= 1
        }
        guard end - start >= 3 else { return nil }
        if IPAddress(bytes.extracting(start..<end)) != nil {
            // `10:30:05` is no address, and `12::` hardly one that a log means.
            return bytes.firstIndex(of: UInt8(ascii: "."), from: start, to: end) != nil || end - start > 4
                || bytes[start] == UInt8(ascii: ":")
                ? start..<end : nil
        }
        // `192.0.2.1:50122`.
        if let colon = bytes.lastIndex(of: UInt8(ascii: ":"), from: start, to: end), colon > start,
            bytes.firstIndex(of: UInt8(ascii: "."), from: start, to: colon) != nil,
            IPAddress(bytes.extracting(start..<colon)) != nil
        {
            return start..<colon
        }
        return nil
    }

    private static func isBehindMarker(_ bytes: Span<UInt8>, _ start: Int, _ index: Int) -> Bool {
        var end = index
        while end > start, " :=[(\"'/<@".utf8.contains(bytes[end - 1]) { end -= 1 }
        var first = end
        while first > start, isWordByte(bytes[first - 1]) { first -= 1 }
        for marker in markers where marker.count <= end - first {
            let from = end - marker.count
            if (0..<marker.count).allSatisfy({ bytes[from + $0] | 0x20 == marker[$0] }) { return true }
        }
        return false
    }

    /// In lower case; compared with the end of the word in front of the address.
    private static let markers: [[UInt8]] = [
        "from", "client", "rhost", "ip", "remote", "addr", "address", "src", "source", "peer",
    ]
    .map { Array($0.utf8) }

    private static func user(_ bytes: Span<UInt8>, _ message: Range<Int>) -> Range<Int>? {
        for marker in userMarkers {
            guard let found = bytes.firstIndex(ofFolded: marker, from: message.lowerBound, to: message.upperBound) else {
                continue
            }
            if found > message.lowerBound, isWordByte(bytes[found - 1]) { continue }
            var start = found + marker.count
            var closing: UInt8 = 0x20
            if start < message.upperBound, "\"'[<(`".utf8.contains(bytes[start]) {
                closing =
                    bytes[start] == UInt8(ascii: "[")
                    ? UInt8(ascii: "]")
                    : bytes[start] == UInt8(ascii: "<")
                        ? UInt8(ascii: ">")
                        : bytes[start] == UInt8(ascii: "(") ? UInt8(ascii: ")") : bytes[start]
                start += 1
            }
            var end = start
            while end < message.upperBound, bytes[end] != closing, end - start < 256,
                closing != 0x20 || !",;)]}\"'".utf8.contains(bytes[end])
            { end += 1 }
            while end > start, closing == 0x20, ".:".utf8.contains(bytes[end - 1]) { end -= 1 }
            if end > start, !isFiller(bytes, start, end) { return start..<end }
        }
        return nil
    }

    /// `user from 192.0.2.1` names nobody.
    private static func isFiller(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        ["from", "with", "is", "not", "and", "has", "was", "name", "login", "logged", "account", "authentication", "failed"]
            .contains { word in
                word.utf8.count == end - start && bytes.firstIndex(ofFolded: Array(word.utf8), from: start, to: end) == start
            }
    }

    private static let userMarkers: [[UInt8]] = [
        "username=", "user=", "username: ", "username:", "user: ", "user:", "login=", "login: ", "account=", "email=", "email: ",
        "for user ", "username ", "user ", "login ", "account ",
    ].map { Array($0.utf8) }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        hexadecimalValue(byte) != nil || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 <= 9 || (byte | 0x20) &- 0x61 < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
    }
}

extension Span where Element == UInt8 {
    /// Where lower-case ASCII `text` first stands, in any case.
    fileprivate func firstIndex(ofFolded text: [UInt8], from start: Int, to end: Int) -> Int? {
        var index = start
        while index + text.count <= end {
            var length = 0
            while length < text.count,
                self[index + length] == text[length] || (self[index + length] | 0x20 == text[length] && text[length] &- 0x61 < 26)
            {
                length += 1
            }
            if length == text.count { return index }
            index += 1
        }
        return nil
    }
}
