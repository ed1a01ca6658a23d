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

    func parse(into sink: inout FieldSink) {
        if has("Failed ") || has("Accepted ") { return login(into: &sink) }
        if has("Invalid user ") || has("Illegal user ") {
            return authenticationFailure(.sshInvalidUser, .invalidUser, user: start + 13, into: &sink)
        }
        if has("PAM: ") || has("Authentication ") || has("maximum authentication attempts") || has("User ")
            || has("ROOT LOGIN REFUSED")
        {
            return refusal(into: &sink)
        }
        if contains("authentication failure") || contains("more authentication failures") { return pam(into: &sink) }
        if contains("Too many authentication failures") {
            return authenticationFailure(.sshMaximumAttempts, .badCredentials, user: nil, into: &sink)
        }
        if let action = protocolAction {
            sink.add(.eventCategory, .authentication)
            sink.add(.eventAction, action)
            addUserInPreauth(into: &sink)
            addAddress(into: &sink)
        } else {
            addAddress(into: &sink)
        }
    }

    /// What a message about the connection itself means.
    private var protocolAction: EventWord? {
        if has("Timeout before authentication") || contains("Timeout before authentication") { return .sshTimeout }
        if has("refused connect from") { return .sshRefused }
        if has("Unable to negotiate") || has("Bad protocol version") || has("Did not receive identification string")
            || has("banner exchange") || has("Protocol major versions differ") || has("kex_exchange_identification")
            || has("ssh_dispatch_run_fatal") || has("Bad packet length") || has("Corrupted MAC")
            || contains("no matching ") || contains("invalid format") || contains("Bad packet length")
            || contains("bad client public DH value") || contains("Client version ")
        {
            return .sshBadProtocol
        }
        if contains("[preauth]") || has("Connection closed by") || has("Connection reset by") || has("Received disconnect from")
            || has("Disconnected from") || has("Disconnecting")
        {
            return .sshDisconnect
        }
        return nil
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
            guard contains("not allowed because") else { return addAddress(into: &sink) }
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

    /// `pam_unix(sshd:auth): authentication failure; logname= uid=0 … rhost=192.0.2.1  user=root`.
    private func pam(into sink: inout FieldSink) {
        sink.add(.eventCategory, .authentication)
        sink.add(.eventAction, .sshPAMFailure)
        sink.add(.eventOutcome, .failure)
        if let user = value(after: " user=") { sink.add(.userName, user.lowerBound, user.upperBound) }
        if let host = value(after: " rhost=") { sink.add(.sourceIP, host.lowerBound, host.upperBound) }
    }

    private func authenticationFailure(
        _ action: EventWord, _ reason: EventWord, user: Int?, into sink: inout FieldSink
    ) {
        sink.add(.eventCategory, .authentication)
        sink.add(.eventAction, action)
        sink.add(.eventOutcome, .failure)
        sink.add(.eventReason, reason)
        let from = bytes.lastIndex(of: " from ", from: start, to: end)
        if let user, let from, from > user { sink.add(.userName, user, from) }
        if let from { addAddress(after: from + 6, into: &sink) } else { addUserInPreauth(into: &sink); addAddress(into: &sink) }
    }

    /// `Connection closed by invalid user bob 192.0.2.1 port 22 [preauth]`.
    private func addUserInPreauth(into sink: inout FieldSink) {
        for marker: StaticString in ["invalid user ", "authenticating user "] {
            guard let found = bytes.firstIndex(of: marker, from: start, to: end),
                let port = bytes.lastIndex(of: " port ", from: found, to: end)
            else { continue }
            let name = found + marker.utf8CodeUnitCount
            if let space = bytes.lastIndex(of: 0x20, from: name, to: port) { sink.add(.userName, name, space) }
            return
        }
    }

    /// The address that the message ends on: `… 192.0.2.1 port 22`, `… from 192.0.2.1`, or the last word that is one.
    private func addAddress(into sink: inout FieldSink) {
        if let port = bytes.lastIndex(of: " port ", from: start, to: end) {
            let space = bytes.lastIndex(of: 0x20, from: start, to: port) ?? start - 1
            if addAddress(space + 1, port, into: &sink) { return }
        }
        var wordEnd = end
        while wordEnd > start {
            let space = bytes.lastIndex(of: 0x20, from: start, to: wordEnd) ?? start - 1
            if addAddress(space + 1, wordEnd, into: &sink) { return }
            wordEnd = space
        }
    }

    private func addAddress(after index: Int, into sink: inout FieldSink) {
        let stop = bytes.firstIndex(of: 0x20, from: index, to: end) ?? end
        if !addAddress(index, stop, into: &sink) { sink.add(.sourceIP, index, stop) }
    }

    /// Adds what stands there if it is an address, brackets, a colon or a full stop around it aside.
    private func addAddress(_ first: Int, _ last: Int, into sink: inout FieldSink) -> Bool {
        var first = first
        var last = last
        while first < last, bytes[first] == UInt8(ascii: "[") || bytes[first] == UInt8(ascii: "(") { first += 1 }
        while last > first, let byte = Optional(bytes[last - 1]),
            byte == UInt8(ascii: "]") || byte == UInt8(ascii: ")") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ",")
                || byte == UInt8(ascii: ":")
        { last -= 1 }
        guard last - first >= 3, IPAddress(bytes.extracting(first..<last)) != nil else { return false }
        sink.add(.sourceIP, first, last)
        return true
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
