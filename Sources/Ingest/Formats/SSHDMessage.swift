import Events

/// What OpenSSH's server says, as of 5.x to 9.x (`auth.c`, `sshd.c`, `packet.c`, `kex.c`), and what PAM says in its name.
///
/// The user name in these messages is the attacker's own text and may read `root from 192.0.2.1 port 22`: the address is
/// therefore always sought from the end of the message.
enum SSHDMessage {
    static func parse(_ bytes: Span<UInt8>, _ message: Range<Int>, into sink: inout FieldSink) {
        var scanner = Scanner(bytes: bytes, start: message.lowerBound, end: message.upperBound)
        scanner.trimRepetition()
        if !scanner.isEmpty { scanner.parse(into: &sink) }
    }
}

private struct Scanner: ~Escapable {
    let bytes: Span<UInt8>
    var start: Int
    var end: Int

    @_lifetime(copy bytes)
    init(bytes: Span<UInt8>, start: Int, end: Int) {
        self.bytes = bytes
        self.start = start
        self.end = end
    }

    var isEmpty: Bool { start >= end }

    /// `message repeated 3 times: [ Failed password … ]` (rsyslog) says once what happened; the count is left to the reader.
    @_lifetime(self: copy self)
    mutating func trimRepetition() {
        for prefix: StaticString in ["error: ", "fatal: ", "info: "] where has(prefix) { start += prefix.utf8CodeUnitCount }
        guard has("message repeated "), let open = bytes.firstIndex(of: ": [ ", from: start, to: end) else { return }
        start = open + 4
        if end > start, bytes[end - 1] == UInt8(ascii: "]") { end -= 1 }
    }

    /// By how the message begins, which is the server's own text; only the rest may be an attacker's.
    func parse(into sink: inout FieldSink) {
        if has("Failed ") || has("Accepted ") { return login(into: &sink) }
        if has("Invalid user ") || has("Illegal user ") {
            return authenticationFailure(.sshInvalidUser, .invalidUser, user: start + 13, into: &sink)
        }
        if has("pam_") || has("PAM ") { return pam(into: &sink) }
        if has("PAM: ") || has("Authentication ") || has("maximum authentication attempts") || has("User ")
            || has("ROOT LOGIN REFUSED")
        {
            return refusal(into: &sink)
        }
        if has("Too many authentication failures") || has("Disconnecting") { return disconnecting(into: &sink) }
        for (prefix, marker) in Scanner.protocolErrors where has(prefix) {
            note(.sshBadProtocol, into: &sink)
            if let marker { addAddress(behindFirst: marker, into: &sink) } else { addAddress(behindLast: " from ", into: &sink) }
            return
        }
        if has("kex_exchange_identification") { return note(.sshBadProtocol, into: &sink) }
        if has("Timeout before authentication") {
            note(.sshTimeout, into: &sink)
            return contains(" connection from ")
                ? addAddress(behindFirst: " from ", into: &sink) : addAddress(behindFirst: " for ", into: &sink)
        }
        if has("refused connect from ") {
            note(.sshRefused, into: &sink)
            return contains(" (") ? addAddress(behindLast: " (", into: &sink) : addAddress(behindFirst: " from ", into: &sink)
        }
        if has("Received disconnect from ") {
            if isBeforeAuthentication { note(.sshDisconnect, into: &sink) }
            return addAddress(behindFirst: " from ", into: &sink)
        }
        if has("Connection closed by ") || has("Connection reset by ") || has("Disconnected from ") {
            if isBeforeAuthentication { note(.sshDisconnect, into: &sink) }
            return closed(into: &sink)
        }
        if has("input_userauth_request") { return }
        if has("Postponed ") || has("Connection from ") { return addAddress(behindLast: " from ", into: &sink) }
        FreeText.addEntities(bytes, start..<end, into: &sink)
    }

    /// How messages about a broken exchange begin, and the word behind whose first occurrence the address stands; `nil`
    /// where the client's text comes first and the address last.
    private static let protocolErrors: [(prefix: StaticString, marker: StaticString?)] = [
        ("Unable to negotiate with ", " with "), ("ssh_dispatch_run_fatal: Connection from ", " from "),
        ("banner exchange: Connection from ", " from "), ("Protocol major versions differ for ", " for "),
        ("Did not receive identification string from ", " from "), ("Bad protocol version identification ", nil),
        ("Bad packet length", " from "), ("Corrupted MAC", " from "), ("Connection from ", " from "),
        ("no matching ", nil), ("Could not ", nil),
    ]

    private var isBeforeAuthentication: Bool {
        end - start >= 9 && bytes.hasPrefix("[preauth]", from: end - 9, to: end)
    }

    private func note(_ action: EventWord, into sink: inout FieldSink) {
        sink.add(.eventCategory, .authentication)
        sink.add(.eventAction, action)
    }

    /// `Disconnecting invalid user bob 192.0.2.1 port 22: Too many authentication failures [preauth]`.
    private func disconnecting(into sink: inout FieldSink) {
        guard let reason = bytes.lastIndex(of: "Too many authentication failures", from: start, to: end) else {
            if isBeforeAuthentication { note(.sshDisconnect, into: &sink) }
            return closed(into: &sink)
        }
        note(.sshMaximumAttempts, into: &sink)
        sink.add(.eventOutcome, .failure)
        sink.add(.eventReason, .badCredentials)
        if has("Too many") { return addAddress(behindLast: " from ", into: &sink) }
        if reason > start + 15 { Scanner(bytes: bytes, start: start, end: reason).closed(into: &sink) }
    }

    /// `Connection closed by invalid user bob 192.0.2.1 port 22 [preauth]`: the name stands before the address.
    private func closed(into sink: inout FieldSink) {
        guard let port = bytes.lastIndex(of: " port ", from: start, to: end) else {
            return has("Connection closed by ")
                ? addAddress(behindFirst: " by ", into: &sink) : addAddress(behindFirst: " from ", into: &sink)
        }
        let space = bytes.lastIndex(of: 0x20, from: start, to: port) ?? start - 1
        for marker: StaticString in ["invalid user ", "authenticating user ", "user "] {
            guard let found = bytes.firstIndex(of: marker, from: start, to: port) else { continue }
            let name = found + marker.utf8CodeUnitCount
            if space > name { sink.add(.userName, name, space) }
            break
        }
        _ = addAddress(space + 1, port, into: &sink)
    }

    private func addAddress(behindFirst marker: StaticString, into sink: inout FieldSink) {
        if let found = bytes.firstIndex(of: marker, from: start, to: end) { addAddress(behind: found, marker, into: &sink) }
    }

    private func addAddress(behindLast marker: StaticString, into sink: inout FieldSink) {
        if let found = bytes.lastIndex(of: marker, from: start, to: end) { addAddress(behind: found, marker, into: &sink) }
    }

    private func addAddress(behind found: Int, _ marker: StaticString, into sink: inout FieldSink) {
        var first = found + marker.utf8CodeUnitCount
        for word: StaticString in ["UNKNOWN ", "user "] where bytes.hasPrefix(word, from: first, to: end) {
            first += word.utf8CodeUnitCount
        }
        var stop = bytes.firstIndex(of: 0x20, from: first, to: end) ?? end
        // `from host (192.0.2.1)`, `192.0.2.1:11:`, `192.0.2.1: 11:`.
        if let close = bytes.firstIndex(of: UInt8(ascii: ")"), from: first, to: stop) { stop = close }
        _ = addAddress(first, stop, into: &sink)
    }

    /// `Failed password for invalid user bob from 192.0.2.1 port 22 ssh2`.
    private func login(into sink: inout FieldSink) {
        guard let from = bytes.lastIndex(of: " from ", from: start, to: end),
            let user = bytes.firstIndex(of: " for ", from: start, to: from + 1)
        else { return }
        let failed = bytes[start] == UInt8(ascii: "F")
        var name = user + 5
        var known = true
        for marker: StaticString in ["invalid user ", "illegal user "] where bytes.hasPrefix(marker, from: name, to: end) {
            known = false
            name += 13
        }
        // `Failed none` is the probe for methods that every client sends first, unless the account does not exist.
        let isProbe = failed && known && bytes.hasPrefix("none ", from: start + 7, to: end)
        sink.add(.eventCategory, .authentication)
        sink.add(.eventAction, .sshLogin)
        if !isProbe {
            sink.add(.eventOutcome, failed ? .failure : .success)
            if failed { sink.add(.eventReason, known ? .badCredentials : .invalidUser) }
        }
        if from > name { sink.add(.userName, name, from) }
        addAddress(after: from + 6, into: &sink)
    }

    private func refusal(into sink: inout FieldSink) {
        if has("User ") {
            guard contains("not allowed because") else { return addAddress(behindLast: " from ", into: &sink) }
            return authenticationFailure(.sshLogin, .invalidUser, user: start + 5, into: &sink)
        }
        if has("maximum authentication attempts") {
            var name = bytes.firstIndex(of: " for ", from: start, to: end).map { $0 + 5 }
            if let start = name, bytes.hasPrefix("invalid user ", from: start, to: end) { name = start + 13 }
            return authenticationFailure(.sshMaximumAttempts, .badCredentials, user: name, into: &sink)
        }
        let known = !(contains("illegal user") || contains("invalid user") || contains("not known"))
        var name = bytes.lastIndex(of: " for ", from: start, to: end).map { $0 + 5 }
        for marker: StaticString in ["invalid user ", "illegal user "] {
            if let start = name, bytes.hasPrefix(marker, from: start, to: end) { name = start + 13 }
        }
        authenticationFailure(.sshPAMFailure, known ? .badCredentials : .invalidUser, user: name, into: &sink)
    }

    /// `pam_unix(sshd:auth): authentication failure; logname= uid=0 … rhost=192.0.2.1  user=root`: the name comes last.
    private func pam(into sink: inout FieldSink) {
        guard contains("authentication failure") || contains("check pass; user unknown") else { return }
        note(.sshPAMFailure, into: &sink)
        sink.add(.eventOutcome, .failure)
        if let user = bytes.firstIndex(of: " user=", from: start, to: end), user + 6 < end { sink.add(.userName, user + 6, end) }
        if let host = value(after: " rhost=") { sink.add(.sourceIP, host.lowerBound, host.upperBound) }
    }

    private func authenticationFailure(
        _ action: EventWord, _ reason: EventWord, user: Int?, into sink: inout FieldSink
    ) {
        note(action, into: &sink)
        sink.add(.eventOutcome, .failure)
        sink.add(.eventReason, reason)
        guard let from = bytes.lastIndex(of: " from ", from: start, to: end) else { return }
        if let user, from > user { sink.add(.userName, user, from) }
        addAddress(after: from + 6, into: &sink)
    }

    private func addAddress(after index: Int, into sink: inout FieldSink) {
        let stop = bytes.firstIndex(of: 0x20, from: index, to: end) ?? end
        if !addAddress(index, stop, into: &sink) { sink.add(.sourceIP, index, stop) }
    }

    /// Adds what stands there if it is an address, brackets, a colon or a full stop around it aside.
    private func addAddress(_ first: Int, _ last: Int, into sink: inout FieldSink) -> Bool {
        let wordEnd = last
        var first = first
        var last = last
        while first < last, bytes[first] == UInt8(ascii: "[") || bytes[first] == UInt8(ascii: "(") { first += 1 }
        while last > first, let byte = Optional(bytes[last - 1]),
            byte == UInt8(ascii: "]") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
                || byte == UInt8(ascii: ":")
        { last -= 1 }
        guard last - first >= 3, IPAddress(bytes.extracting(first..<last)) != nil else { return false }
        sink.add(.sourceIP, first, last)
        addPort(behind: wordEnd, into: &sink)
        return true
    }

    /// `192.0.2.1 port 50022`: with the address, which connection it was.
    private func addPort(behind address: Int, into sink: inout FieldSink) {
        guard bytes.hasPrefix(" port ", from: address, to: end) else { return }
        let start = address + 6
        var stop = start
        while stop < end, bytes[stop] &- 0x30 <= 9 { stop += 1 }
        if stop > start { sink.add(.sourcePort, start, stop) }
    }

    private func value(after key: StaticString) -> Range<Int>? {
        guard let found = bytes.firstIndex(of: key, from: start, to: end) else { return nil }
        let first = found + key.utf8CodeUnitCount
        let stop = bytes.firstIndex(of: 0x20, from: first, to: end) ?? end
        return stop > first ? first..<stop : nil
    }

    private func has(_ prefix: StaticString) -> Bool { bytes.hasPrefix(prefix, from: start, to: end) }

    private func contains(_ text: StaticString) -> Bool { bytes.firstIndex(of: text, from: start, to: end) != nil }
}
