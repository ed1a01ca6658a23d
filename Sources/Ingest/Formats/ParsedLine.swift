import Events

/// What a format found out about a line, beside its fields.
struct ParsedLine {
    /// `nil` when the line carries no time.
    var time: Timestamp?
    var logSource: LogSourceID
    var certainty = Certainty.known

    enum Certainty {
        /// A format knows what the line says.
        case known
        /// No format does: what was found was told by the words alone.
        case plain
        /// Likewise, although it begins as a format's lines do.
        case broken
    }
}

/// Where a format puts what it finds, and what formats remember from line to line. Owned by a `BatchParser`; its arrays
/// keep their capacity.
struct FieldSink: Sendable {
    /// The fields of the batch: those of the lines before, and from `first` on those of the line at hand, in the order
    /// they were found; values of one field are neighbours.
    var values: [FieldValue] = []
    /// Where the fields of the line at hand begin.
    private(set) var first = 0
    /// Positions in `values` of JSON strings that hold escapes and must be decoded before matching; of this line only.
    var escaped: [Int] = []
    /// The line names its request's path and query apart: the target, which stands nowhere, is still to be made of them.
    var isTargetSplit = false
    /// A bit for every field below 64 that was added: one without its bit is not there.
    private(set) var present: UInt64 = 0
    /// Where what follows the fields of an access line begins.
    var tail: Int?
    var recentTime = RecentTime()
    var keys = JSONKeyMemory()
    var windowsNames = WindowsNameMemory()
    var scratch: [UInt8] = []

    @inline(__always)
    mutating func add(_ field: FieldID, _ start: Int, _ end: Int) {
        add(field, ByteRange(start: start, count: end &- start))
    }

    @inline(__always)
    mutating func add(_ field: FieldID, _ range: ByteRange) {
        present |= FieldSink.bit(field)
        values.append(FieldValue(field, range))
    }

    /// Adds one more value to a field that has some, behind its last one.
    mutating func addFurther(_ field: FieldID, _ start: Int, _ end: Int, isEscaped: Bool) {
        var index = values.count
        while index > first, values[index - 1].field != field { index -= 1 }
        for place in escaped.indices where escaped[place] >= index { escaped[place] += 1 }
        if isEscaped { escaped.append(index) }
        values.insert(FieldValue(field, ByteRange(start: start, count: end - start)), at: index)
    }

    /// Begins a line: what was added stays.
    mutating func beginLine() {
        first = values.count
        escaped.removeAll(keepingCapacity: true)
        present = 0
        tail = nil
        isTargetSplit = false
    }

    /// Takes back what was added for the line at hand.
    mutating func removeAll() {
        values.removeLast(values.count - first)
        escaped.removeAll(keepingCapacity: true)
        present = 0
        tail = nil
        isTargetSplit = false
    }

    /// Whether any of the fields may be there; `fields` as `bit` tells them.
    @inline(__always)
    func mayHold(_ fields: UInt64) -> Bool { present & fields != 0 }

    /// The field's bit in `present`. Fields from 64 on share all bits, so that their absence is never claimed.
    @inline(__always)
    static func bit(_ field: FieldID) -> UInt64 {
        field.rawValue < 64 ? 1 &<< UInt64(field.rawValue) : .max
    }

    /// The last value found for `field`.
    @inline(__always)
    func range(of field: FieldID) -> ByteRange? {
        mayHold(FieldSink.bit(field)) ? lastRange(of: field) : nil
    }

    private func lastRange(of field: FieldID) -> ByteRange? {
        var index = values.count - 1
        while index >= first {
            if values[index].field == field { return values[index].range }
            index -= 1
        }
        return nil
    }
}

extension FieldSink {
    /// A word that does not stand in the line itself (`failure`, `authentication`), taken from the batch's constants.
    mutating func add(_ field: FieldID, _ word: EventWord) {
        add(field, word.range)
    }

    /// The fields every request has, whatever logged it: the target, its path and query, and the places for its decoded forms.
    ///
    /// The decoded fields first name the raw bytes; `RequestDecoder` points them elsewhere where that differs.
    mutating func addRequestTarget(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        add(.urlOriginal, start, end)
        let pathEnd = bytes.firstIndex(of: UInt8(ascii: "?"), from: start, to: end) ?? end
        add(.urlPath, start, pathEnd)
        if pathEnd < end { add(.urlQuery, pathEnd + 1, end) }
        add(.decodedURL, start, end)
        add(.decodedPath, start, pathEnd)
    }

    /// Everything in the request that the client wrote itself, as values of one field. Call it last: values are neighbours.
    mutating func addDecodedRequest() {
        if let target = range(of: .urlOriginal) { add(.decodedRequest, target) }
        if let referrer = range(of: .referrer) { add(.decodedRequest, referrer) }
        if let agent = range(of: .userAgent) { add(.decodedRequest, agent) }
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
