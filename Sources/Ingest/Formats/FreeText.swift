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
        if let address = IPAddress(bytes.extracting(start..<end)) {
            // Where a program listens says nothing about anybody.
            if address.isUnspecified { return nil }
            // `10:30:05` is no address, and `12::` hardly one that a log means.
            return bytes.firstIndex(of: UInt8(ascii: "."), from: start, to: end) != nil || end - start > 4
                || bytes[start] == UInt8(ascii: ":")
                ? start..<end : nil
        }
        // `192.0.2.1:50122`.
        if let colon = bytes.lastIndex(of: UInt8(ascii: ":"), from: start, to: end), colon > start,
            bytes.firstIndex(of: UInt8(ascii: "."), from: start, to: colon) != nil,
            let address = IPAddress(bytes.extracting(start..<colon)), !address.isUnspecified
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
            var place = message.lowerBound
            while let found = bytes.firstIndex(ofFolded: marker, from: place, to: message.upperBound) {
                place = found + marker.count
                if found > message.lowerBound, isWordByte(bytes[found - 1]) { continue }
                // `POST /user/login for`: the last part of a path.
                if marker.last == 0x20, found > message.lowerBound, bytes[found - 1] == UInt8(ascii: "/") { continue }
                if let name = name(bytes, place, message.upperBound, behind: marker) { return name }
            }
        }
        return nil
    }

    /// The account behind a marker: what stands in quotes or brackets, or a word that no sentence would go on with.
    private static func name(_ bytes: Span<UInt8>, _ first: Int, _ limit: Int, behind marker: [UInt8]) -> Range<Int>? {
        var start = first
        var closing: UInt8 = 0x20
        if start < limit, "\"'[<(`".utf8.contains(bytes[start]) {
            switch bytes[start] {
            case UInt8(ascii: "["): closing = UInt8(ascii: "]")
            case UInt8(ascii: "<"): closing = UInt8(ascii: ">")
            case UInt8(ascii: "("): closing = UInt8(ascii: ")")
            default: closing = bytes[start]
            }
            start += 1
        }
        let isBare = closing == 0x20
        var end = start
        while end < limit, bytes[end] != closing, end - start < 256, !isBare || !",;)]}\"'".utf8.contains(bytes[end]) { end += 1 }
        while end > start, isBare, ".:".utf8.contains(bytes[end - 1]) { end -= 1 }
        if AbsentValue.isAbsent(bytes, start, end, .userName) { return nil }
        // Behind an equals sign any word is the value.
        if isBare, marker.last != UInt8(ascii: "="), isFiller(bytes, start, end) { return nil }
        return start..<end
    }

    /// `user from 192.0.2.1` names nobody, nor does `username or password`.
    private static func isFiller(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        for word in fillers where word.count == end - start {
            if bytes.firstIndex(ofFolded: word, from: start, to: end) == start { return true }
        }
        return false
    }

    /// Words that English puts behind `user`, `login` and `account`, in lower case.
    private static let fillers: [[UInt8]] = [
        "a", "an", "the", "and", "or", "nor", "not", "no", "but", "if", "that", "this", "who", "which",
        "as", "at", "by", "for", "from", "in", "into", "of", "on", "over", "since", "through", "to", "under", "via", "with",
        "within", "without",
        "is", "are", "was", "were", "has", "had", "have", "been", "be", "can", "cannot", "could", "did", "does", "may", "must",
        "should", "will", "would", "exceeded", "tried", "trying", "attempted",
        "attempt", "attempts", "account", "accounts", "agent", "authentication", "attribute", "credentials", "data", "details",
        "error", "errors", "failure", "failures", "form", "group", "id", "information", "input", "limit", "lookup", "name",
        "names", "page", "password", "passwords", "request", "requests", "session", "sessions", "success", "token",
        "already", "banned", "blocked", "created", "deleted", "denied", "disabled", "enabled", "expired", "failed",
        "found", "ignored", "invalid", "locked", "logged", "login", "logins", "missing", "refused", "rejected", "removed",
        "succeeded", "successful", "successfully", "unknown", "unsuccessful", "used",
    ].map { Array($0.utf8) }

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
