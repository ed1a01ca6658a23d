/// Cuts what comes over one TCP connection into syslog messages, in either framing of RFC 6587: a length and a space in front of each
/// message, or a line feed behind it. The first byte of a connection tells which.
///
/// A message longer than `maximumBytes` is given by its beginning, and the rest is passed over, so that memory is bounded.
package struct SyslogFraming: Sendable {
    /// Below the limit of the record that it becomes, whatever has to be escaped.
    package static let maximumBytes = ReceivedRecord.maximumMessageBytes
    /// Digits of a length in front of a message.
    private static let maximumLengthDigits = 9

    private enum State: Sendable, Equatable {
        case start, length, counted, line
    }

    private var state = State.start
    private var usesLengths = false
    private var pending: [UInt8] = []
    /// Bytes of the counted message that are still to come.
    private var remaining = 0
    private var digits = 0
    private var isCut = false

    package init() {}

    /// Whether a message has begun and not ended. Between counted messages a length is awaited, of which there is no digit yet.
    package var isWithinMessage: Bool { (state == .length && digits > 0) || state == .counted || !pending.isEmpty }

    /// - Throws: when a length is none: what follows cannot be told apart any more, and the connection is to be closed.
    package mutating func push(_ bytes: Span<UInt8>, into messages: inout SyslogMessages) throws(ReceiverRefusal) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .start:
                usesLengths = bytes[index] &- 0x31 <= 8
                state = usesLengths ? .length : .line
            case .length:
                let byte = bytes[index]
                index += 1
                if byte == 0x20, digits > 0 {
                    digits = 0
                    state = .counted
                    if remaining == 0 { finish(&messages) }
                } else if byte &- 0x30 <= 9, digits < SyslogFraming.maximumLengthDigits {
                    remaining = remaining * 10 + Int(byte &- 0x30)
                    digits += 1
                } else if digits > 0 || (byte != 0x0A && byte != 0x0D) {
                    // Some senders put a line feed behind counted messages, too; anything else is an error.
                    throw .malformed("a syslog message has no length where one belongs")
                }
            case .counted:
                let count = min(remaining, bytes.count - index)
                keep(bytes, index..<index + count)
                index += count
                remaining -= count
                if remaining == 0 { finish(&messages) }
            case .line:
                let end = bytes.firstIndex(of: 0x0A, from: index, to: bytes.count)
                keep(bytes, index..<(end ?? bytes.count))
                index = (end ?? bytes.count - 1) + 1
                if end != nil { finish(&messages) }
            }
        }
    }

    /// The connection has ended: what is left of a line is a message all the same; what is left of a counted one is cut.
    package mutating func end(into messages: inout SyslogMessages) {
        if state == .counted, remaining > 0 { isCut = true }
        if !pending.isEmpty { finish(&messages) }
    }

    private mutating func keep(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        let room = SyslogFraming.maximumBytes - pending.count
        for index in range.prefix(room) { pending.append(bytes[index]) }
        if range.count > room { isCut = true }
    }

    private mutating func finish(_ messages: inout SyslogMessages) {
        messages.append(pending.span, isCut: isCut)
        isCut = false
        pending.removeAll(keepingCapacity: true)
        state = usesLengths ? .length : .line
    }
}

/// Messages one behind the other in one buffer.
package struct SyslogMessages: Sendable {
    package private(set) var bytes: [UInt8] = []
    package private(set) var ranges: [Range<Int>] = []
    /// Which of them are only the beginning of what was sent, by their place in `ranges`.
    private var cut: Set<Int> = []

    package init() {}

    /// Trailing line ends and NULs, which some senders add, are left out; so is an empty message.
    ///
    /// - Parameter isCut: only the beginning of the message is left.
    package mutating func append(_ message: Span<UInt8>, isCut: Bool = false) {
        var end = message.count
        while end > 0, message[end - 1] == 0 || message[end - 1] == 0x0A || message[end - 1] == 0x0D { end -= 1 }
        guard end > 0 else { return }
        let start = bytes.count
        for index in 0..<end { bytes.append(message[index]) }
        if isCut { cut.insert(ranges.count) }
        ranges.append(start..<bytes.count)
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ranges.removeAll(keepingCapacity: true)
        cut.removeAll()
    }

    /// The messages as lines of a spool.
    ///
    /// - Parameter sender: the address of the peer, where that says something.
    package func append(to lines: inout ReceivedLines, sender: String?) throws(ReceiverRefusal) {
        var record = ReceivedRecord()
        for (place, range) in ranges.enumerated() {
            record.reset()
            record.setMessage(bytes.span, range)
            if cut.contains(place) { record.noteCut() }
            if let sender { record.add("log.source.address", sender) }
            try lines.append(line: record)
        }
    }
}
