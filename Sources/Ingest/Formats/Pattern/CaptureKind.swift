/// What a capture takes.
enum CaptureKind: Equatable, Sendable, CustomStringConvertible {
    /// Bytes without white space, up to the literal that follows.
    case word
    /// An IPv4 or IPv6 address, in brackets or not; `::ffff:192.0.2.1` is taken as the IPv4 address in it.
    case ip
    /// Addresses with commas between them, as an application logs `X-Forwarded-For`: the client's, see `AddressText`.
    case clients
    /// Decimal digits.
    case int
    /// Digits with a sign and a fraction.
    case number
    /// Text in single or double quotes; a backslash takes the next byte literally. The value is the inside.
    case quoted
    /// Any bytes, as many as possible: what follows is sought from the end of the line. For text that a client chose.
    case text
    /// As `text`, but without a `|`: a column of a line that has bars between its columns.
    case cell
    /// Any bytes, as few as possible: what follows is sought from here on. For text that only the program itself writes.
    case until
    /// All that is left.
    case rest
    case time(TimeLayout)

    /// - Parameter text: what stands behind the colon; `nil` takes the type that the field has by nature.
    init(_ text: String?, field: String?) throws(PatternSyntax.Failure) {
        guard let text else {
            self = CaptureKind.natural(field ?? "")
            return
        }
        switch text {
        case "word": self = .word
        case "ip": self = .ip
        case "clients": self = .clients
        case "int": self = .int
        case "number": self = .number
        case "quoted": self = .quoted
        case "text": self = .text
        case "cell": self = .cell
        case "until": self = .until
        case "rest": self = .rest
        default:
            guard let layout = try TimeLayout(text) else {
                let known =
                    "word, ip, clients, int, number, quoted, text, cell, until, rest, \(TimeLayout.names.joined(separator: ", "))"
                throw PatternSyntax.Failure(
                    reason: "type '\(text)' is not known; known are \(known), and a layout such as %Y-%m-%d")
            }
            self = .time(layout)
        }
    }

    private static func natural(_ field: String) -> CaptureKind {
        switch field {
        case "@timestamp": .time(.iso)
        case "http.response.status_code", "process.pid": .int
        default: field.hasSuffix(".ip") ? .ip : field.hasSuffix(".port") || field.hasSuffix(".bytes") ? .int : .word
        }
    }

    var isGap: Bool { self == .text || self == .cell || self == .until || self == .rest }

    /// Whether the bytes themselves say where it ends.
    var endsByItself: Bool {
        switch self {
        case .ip, .clients, .int, .number, .quoted, .time: true
        case .word, .text, .cell, .until, .rest: false
        }
    }

    var description: String {
        switch self {
        case .word: "a word"
        case .ip: "an IP address"
        case .clients: "IP addresses"
        case .int: "a whole number"
        case .number: "a number"
        case .quoted: "quoted text"
        case .text, .cell, .until, .rest: "text"
        case .time(let layout): "a time like \(layout.example)"
        }
    }
}
