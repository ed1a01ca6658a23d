import Events

/// systemd's journal export format (<https://systemd.io/JOURNAL_EXPORT_FORMATS/>), as it arrives piece by piece: `FIELD=value` lines,
/// `FIELD`, a length and bytes for values that hold line breaks, an empty line behind each entry.
///
/// Only what detection reads is kept; memory is bounded whatever the entries hold.
package struct JournalExport: Sendable {
    private static let maximumNameBytes = 64
    private static let maximumFieldsPerEntry = 1024

    private enum State: Sendable {
        case line, length, data, dataEnd
    }

    private var state = State.line
    private var pending: [UInt8] = []
    private var name = ""
    private var remaining: UInt64 = 0
    private var fieldCount = 0
    private var record = ReceivedRecord()
    private var cursor: JournalCursor?
    /// Entries that have been taken, so that none is taken twice.
    package private(set) var cursors: JournalCursors

    package init(cursors: JournalCursors = JournalCursors()) { self.cursors = cursors }

    /// Takes over what was taken of other uploads since.
    package mutating func learn(_ others: JournalCursors) { cursors.merge(others) }

    package mutating func push(_ bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .line:
                let end = bytes.firstIndex(of: 0x0A, from: index, to: bytes.count)
                keep(bytes, index..<(end ?? bytes.count))
                index = (end ?? bytes.count - 1) + 1
                if end != nil { try finishLine(&lines) }
            case .length:
                pending.append(bytes[index])
                index += 1
                guard pending.count == 8 else { continue }
                remaining = pending.reversed().reduce(0) { $0 << 8 | UInt64($1) }
                pending.removeAll(keepingCapacity: true)
                state = remaining == 0 ? .dataEnd : .data
            case .data:
                let count = Int(min(remaining, UInt64(bytes.count - index)))
                keep(bytes, index..<index + count)
                index += count
                remaining -= UInt64(count)
                if remaining == 0 { state = .dataEnd }
            case .dataEnd:
                guard bytes[index] == 0x0A else { throw .malformed("a field of a journal entry is longer than its length says") }
                index += 1
                takePending(name, from: 0)
                state = .line
            }
        }
    }

    /// The end of the upload. An entry that has not ended is refused: what is whole has been taken.
    package mutating func end(into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        guard case .line = state, pending.isEmpty else { throw .malformed("the journal export ends in the middle of a field") }
        try finishEntry(&lines)
    }

    private mutating func keep(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        // One more than what a record keeps tells it that there was more.
        let room = ReceivedRecord.maximumMessageBytes + JournalExport.maximumNameBytes + 1 - pending.count
        for index in range.prefix(max(room, 0)) { pending.append(bytes[index]) }
    }

    private mutating func finishLine(_ lines: inout ReceivedLines) throws(ReceiverRefusal) {
        defer { pending.removeAll(keepingCapacity: true) }
        guard !pending.isEmpty else { return try finishEntry(&lines) }
        fieldCount += 1
        guard fieldCount <= JournalExport.maximumFieldsPerEntry else {
            throw .malformed("a journal entry has more than \(JournalExport.maximumFieldsPerEntry) fields")
        }
        let equals = pending.firstIndex(of: UInt8(ascii: "="))
        let nameBytes = pending[..<(equals ?? pending.count)]
        guard nameBytes.count <= JournalExport.maximumNameBytes, !nameBytes.isEmpty,
            nameBytes.allSatisfy({ $0 &- 0x41 < 26 || $0 &- 0x30 <= 9 || $0 == UInt8(ascii: "_") })
        else { throw .malformed("a line of the journal export is no field") }
        let name = String(decoding: nameBytes, as: UTF8.self)
        if let equals {
            takePending(name, from: equals + 1)
        } else {
            self.name = name
            state = .length
        }
    }

    private mutating func takePending(_ name: String, from start: Int) {
        // Held apart while it is read: the record is changed meanwhile.
        var value: [UInt8] = []
        swap(&value, &pending)
        take(name, value.span, start..<value.count)
        value.removeAll(keepingCapacity: true)
        swap(&value, &pending)
    }

    private mutating func take(_ name: String, _ value: Span<UInt8>, _ range: Range<Int>) {
        switch name {
        case "MESSAGE": record.setMessage(value, range)
        case "__REALTIME_TIMESTAMP":
            if let microseconds = value.decimal(from: range.lowerBound, to: range.upperBound),
                microseconds < 9_000_000_000_000_000
            {
                record.time = Timestamp(nanoseconds: Int64(microseconds) * 1_000)
            }
        case "__CURSOR": cursor = JournalCursor(value, range)
        case "SYSLOG_IDENTIFIER": record.add("process.name", value, range)
        case "_COMM": record.add("process.command", value, range)
        case "_PID": record.add("process.pid", value, range)
        case "_HOSTNAME": record.add("host.name", value, range)
        case "_EXE": record.add("process.executable", value, range)
        case "_CMDLINE": record.add("process.command_line", value, range)
        case "_UID": record.add("user.id", value, range)
        case "_SYSTEMD_UNIT": record.add("systemd.unit", value, range)
        case "PRIORITY": record.add("log.syslog.severity.code", value, range)
        case "SYSLOG_FACILITY": record.add("log.syslog.facility.code", value, range)
        default: break
        }
    }

    private mutating func finishEntry(_ lines: inout ReceivedLines) throws(ReceiverRefusal) {
        defer {
            record.reset()
            fieldCount = 0
            cursor = nil
        }
        guard fieldCount > 0 else { return }
        let isEmpty = record.isEmpty
        if let cursor {
            guard cursors.isNew(cursor) else { return lines.skipRepeated() }
            record.add(JournalCursors.field, cursor.text)
        }
        // Without a message it still says who did something; of what is kept here, some entries have nothing at all.
        guard !isEmpty else { return lines.reject("an entry of a journal has neither a message nor a field that is kept") }
        try lines.append(fields: record)
    }
}

/// Where an entry stands: `s` names a sequence of a journal, `i` is the entry's number in it.
package struct JournalCursor: Sendable, Hashable {
    package var sequence: String
    package var number: UInt64

    package var text: String { "s=\(sequence);i=\(String(number, radix: 16))" }

    init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= 512 else { return nil }
        self.init(bytes.string(range))
    }

    package init?(_ text: String) {
        var sequence: Substring?
        var number: UInt64?
        for part in text.split(separator: ";") {
            if part.hasPrefix("s=") { sequence = part.dropFirst(2) }
            if part.hasPrefix("i=") { number = UInt64(part.dropFirst(2), radix: 16) }
        }
        guard let sequence, sequence.utf8.count <= 64, let number else { return nil }
        self.sequence = String(sequence)
        self.number = number
    }
}

/// The last entry taken of each sequence. An upload that broke off is sent again from an earlier entry: numbers only ever grow.
package struct JournalCursors: Sendable, Equatable {
    static let field = "journald.cursor"
    /// A sequence is a journal of one machine; with more than these, the one unheard of for longest is forgotten.
    static let maximumSequences = 4096

    private var last: [String: UInt64] = [:]
    private var order: [String] = []

    package init() {}

    /// Whether the entry comes behind the last one of its sequence; then it is the last one.
    package mutating func isNew(_ cursor: JournalCursor) -> Bool {
        if let known = last[cursor.sequence] {
            guard cursor.number > known else { return false }
        } else {
            order.append(cursor.sequence)
            if order.count > JournalCursors.maximumSequences { last[order.removeFirst()] = nil }
        }
        last[cursor.sequence] = cursor.number
        return true
    }

    /// Takes over what another knows, once that is durable.
    package mutating func merge(_ other: JournalCursors) {
        for sequence in other.order {
            if let number = other.last[sequence], var cursor = JournalCursor("s=\(sequence);i=0") {
                cursor.number = number
                _ = isNew(cursor)
            }
        }
    }
}
