import Events

/// What a format found out about a line, beside its fields.
struct ParsedLine {
    /// `nil` when the line carries no time.
    var time: Timestamp?
    var logSource: LogSourceID
}

/// Where a format puts what it finds. Owned by a `BatchParser`; its arrays keep their capacity from line to line.
struct FieldSink {
    /// Fields of the line at hand, in the order they were found; values of one field are neighbours.
    var values: [FieldValue] = []
    /// Positions in `values` of JSON strings that hold escapes and must be decoded before matching.
    var escaped: [Int] = []

    mutating func add(_ field: FieldID, _ start: Int, _ end: Int) {
        values.append(FieldValue(field, ByteRange(start: start, count: end - start)))
    }

    mutating func removeAll() {
        values.removeAll(keepingCapacity: true)
        escaped.removeAll(keepingCapacity: true)
    }

    /// The last value found for `field`.
    func range(of field: FieldID) -> ByteRange? {
        var index = values.count - 1
        while index >= 0 {
            if values[index].field == field { return values[index].range }
            index -= 1
        }
        return nil
    }
}

extension FieldSink {
    /// A word that does not stand in the line itself (`failure`, `authentication`), taken from the batch's constants.
    mutating func add(_ field: FieldID, _ word: EventWord) {
        values.append(FieldValue(field, word.range))
    }

    /// The fields every request has, whatever logged it: the target, its path and query, and the places for its decoded forms.
    ///
    /// The decoded fields first name the raw bytes; `RequestDecoder` points them elsewhere where that differs.
    mutating func addRequestTarget(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        add(.urlOriginal, start, end)
        var pathEnd = start
        while pathEnd < end, bytes[pathEnd] != UInt8(ascii: "?") { pathEnd += 1 }
        add(.urlPath, start, pathEnd)
        if pathEnd < end { add(.urlQuery, pathEnd + 1, end) }
        add(.decodedURL, start, end)
        add(.decodedPath, start, pathEnd)
    }

    /// Everything in the request that the client wrote itself, as values of one field. Call it last: values are neighbours.
    mutating func addDecodedRequest() {
        for field in [FieldID.urlOriginal, .referrer, .userAgent] {
            if let value = range(of: field) { values.append(FieldValue(.decodedRequest, value)) }
        }
    }
}

/// Words that formats put into fields without the line containing them. Every batch begins with their bytes, so that
/// they are ranges like any other value.
enum EventWord: Int, CaseIterable {
    case authentication, success, failure
    case invalidUser, badCredentials
    case sshLogin, sshInvalidUser, sshDisconnect, sshBadProtocol, sshMaximumAttempts, sshTimeout, sshRefused, sshPAMFailure

    var text: String {
        switch self {
        case .authentication: "authentication"
        case .success: "success"
        case .failure: "failure"
        case .invalidUser: "invalid_user"
        case .badCredentials: "bad_credentials"
        case .sshLogin: "ssh_login"
        case .sshInvalidUser: "ssh_invalid_user"
        case .sshDisconnect: "ssh_disconnect_preauth"
        case .sshBadProtocol: "ssh_bad_protocol"
        case .sshMaximumAttempts: "ssh_max_auth"
        case .sshTimeout: "ssh_timeout"
        case .sshRefused: "ssh_refused"
        case .sshPAMFailure: "ssh_pam_failure"
        }
    }

    var range: ByteRange { EventWord.ranges[rawValue] }

    /// The bytes that every batch begins with.
    static let bytes: [UInt8] = allCases.flatMap { Array($0.text.utf8) }

    private static let ranges: [ByteRange] = {
        var start = 0
        return allCases.map { word in
            defer { start += word.text.utf8.count }
            return ByteRange(start: start, count: word.text.utf8.count)
        }
    }()
}
