/// The formats that a source's lines can have.
package enum LogFormat: String, Sendable, CaseIterable {
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
    /// Any text line with a date in front: the date, and the address and account that the message names.
    case text
    /// nginx's and Apache's error logs, which `text` reads.
    case nginxError = "nginx_error"
    case apacheError = "apache_error"
    /// Windows events as JSON: one after the other or in a list, on one line or on many.
    case windows

    /// What one record of such a source ends with.
    package var framing: LineAssembler.Framing { self == .windows ? .jsonValues : .lines }
}
