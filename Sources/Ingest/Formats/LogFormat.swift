/// The formats that a source's lines can have.
package enum LogFormat: Hashable, Sendable {
    /// Tell the formats apart, line by line: a file may mix them.
    case auto
    /// nginx's and Apache's `combined`, with or without referrer and user agent, with or without a virtual host in front.
    case combined
    /// One JSON object per line.
    case json
    /// Syslog lines of which only sshd's are of interest; the same parser as `syslog`.
    case sshd
    /// RFC 3164 and RFC 5424 lines, and the ISO-dated lines that rsyslog and systemd write.
    case syslog
    /// Pairs of keys and values: logfmt, other `key=value` lines, CEF.
    case keyValue
    /// Any text line with a date in front: the date, and the address and account that the message names.
    case text
    /// Windows events as JSON: one after the other or in a list, on one line or on many.
    case windows
    /// One of `rules/formats`, by its name.
    case named(String)

    /// What one record of such a source ends with.
    package var framing: LineAssembler.Framing { self == .windows ? .jsonValues : .lines }
}

extension LogFormat: RawRepresentable, CaseIterable {
    /// Those that are built in.
    package static let allCases: [LogFormat] = [.auto, .combined, .json, .sshd, .syslog, .keyValue, .text, .windows]

    /// Any well-formed name: whether there is such a format, the `FormatSet` at hand says.
    package init?(rawValue: String) {
        if let known = LogFormat.allCases.first(where: { $0.rawValue == rawValue }) {
            self = known
        } else if !rawValue.isEmpty, rawValue.utf8.allSatisfy({ $0 &- 0x61 < 26 || $0 &- 0x30 <= 9 || $0 == UInt8(ascii: "_") }) {
            self = .named(rawValue)
        } else {
            return nil
        }
    }

    package var rawValue: String {
        switch self {
        case .auto: "auto"
        case .combined: "combined"
        case .json: "json"
        case .sshd: "sshd"
        case .syslog: "syslog"
        case .keyValue: "key_value"
        case .text: "text"
        case .windows: "windows"
        case .named(let name): name
        }
    }

    /// Whether lines can be read with it.
    package func isKnown(in formats: FormatSet) -> Bool {
        if case .named(let name) = self { formats.contains(name) } else { true }
    }
}
