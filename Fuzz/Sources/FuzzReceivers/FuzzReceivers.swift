import Events
import Fuzzing
import Ingest

/// What a sender sends: the first byte chooses the protocol, the second where reads cut what arrives piece by piece.
///
/// Laws: nothing traps; what is taken is whole lines, each no longer than a line may be, each a JSON object that the parser reads as
/// one event; and however a stream is cut into reads, the lines are the same.
@main enum FuzzReceivers {
    static func main() {
        fuzz(examine)
    }

    private static let received = Timestamp(seconds: 1_800_000_000)

    private static func examine(_ data: [UInt8]) {
        guard data.count > 2 else { return }
        let bytes = Array(data[2...])
        var lines = ReceivedLines(received: received)
        do throws(ReceiverRefusal) {
            switch data[0] % 11 {
            case 0: try LokiPush.decode(protobuf: bytes.span, into: &lines)
            case 1: try LokiPush.decode(json: bytes.span, into: &lines)
            case 2: try OTLPLogs.decode(protobuf: bytes.span, into: &lines)
            case 3: try OTLPLogs.decode(json: bytes.span, into: &lines)
            case 4:
                let decoded = try SnappyBlock.decode(bytes.span, limit: 1 << 20)
                precondition(decoded.count <= 1 << 20, "more came out than the limit")
            case 5: try EventLines.decode(ndjson: bytes.span, into: &lines)
            case 6: try EventLines.decode(text: bytes.span, into: &lines)
            case 7:
                var states = AlertStates()
                try AlertEvents.decode(alertmanager: bytes.span, states: &states, into: &lines)
            case 8:
                var states = AlertStates()
                _ = try AlertEvents.decode(pagerDuty: bytes.span, newKey: "new", states: &states, into: &lines)
            case 9:
                let whole = try syslog(bytes, cut: bytes.count)
                let cut = try syslog(bytes, cut: 1 + Int(data[1]))
                precondition(cut == whole, "reads that are cut elsewhere give other messages")
                lines = whole.lines
            default:
                let whole = try journal(bytes, cut: bytes.count)
                let cut = try journal(bytes, cut: 1 + Int(data[1]))
                precondition(cut.bytes == whole.bytes, "reads that are cut elsewhere give other entries")
                lines = whole
            }
        } catch {
            precondition(!error.reason.isEmpty, "a refusal without a reason")
        }
        check(lines)
        let mail = MailMessage(parsing: bytes)
        precondition(mail.text.utf8.count <= 3 * MailMessage.maximumTextBytes, "more text came out than the limit")
        inflate(bytes, cut: 1 + Int(data[1]))
        proxyHeader(bytes)
        spool(bytes, cut: Int(data[1]))
    }

    /// More bytes never change an answer, and every answer comes within the longest header.
    private static func proxyHeader(_ bytes: [UInt8]) {
        func answer(_ count: Int) -> ProxyHeader.Reading? {
            do throws(ReceiverRefusal) { return try ProxyHeader.read(bytes.span.extracting(first: count)) } catch { return nil }
        }
        var last: ProxyHeader.Reading? = .incomplete
        for count in 0...min(bytes.count, 64) {
            let next = answer(count)
            precondition(last == .incomplete || next == last, "more bytes changed an answer")
            last = next
        }
        precondition(bytes.count < ProxyHeader.maximumBytes || answer(bytes.count) != .incomplete, "a header without an end")
    }

    /// What a crash left of a spool: whatever it is, nothing traps, and a batch never has more lines than it says.
    private static func spool(_ bytes: [UInt8], cut: Int) {
        let batch = BatchIdentity(high: 1, low: 2)
        var memory = SpoolMemory()
        let spooled = BatchMark(batch, first: 0, count: 3).line + bytes.dropLast(min(cut, bytes.count)) + [0x0A]
        _ = memory.learn(spooled.span, .batches)
        memory.endFile()
        precondition((0...3).contains(memory.batches.taken(batch, of: 3)), "more lines than there are")
    }

    private static func check(_ lines: ReceivedLines) {
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(FieldTable()))
        let text = String(decoding: lines.bytes, as: UTF8.self)
        var count = 0
        for line in lines.bytes.split(separator: 0x0A) {
            count += 1
            precondition(line.count <= LineAssembler.maximumLineBytes, "a line is too long")
            let bytes = Array(line)
            precondition((try? JSONCursor.check(bytes.span, 0..<bytes.count)) != nil, "a line is no JSON")
        }
        precondition(count == lines.count && (count == 0 || lines.bytes.last == 0x0A), "lines are not whole")
        let batch = LogStream.parse(text, name: "", parser: &parser, reference: received)
        precondition(batch.events.count == count, "a line is not read as an event")
        // A message that begins as JSON and is none counts as unparsed, and is an event all the same.
        precondition(parser.counters.parsed + parser.counters.unparsed == count, "a line is counted twice, or not at all")
        for event in batch.events {
            precondition(ReceivedLines.isPlausible(event.time, received: received), "a forged time was believed")
        }
        var memory = SpoolMemory()
        precondition(memory.learn(lines.bytes.span, .keys) == lines.bytes.count, "lines of a spool are not whole")
    }

    private struct Syslog: Equatable {
        var lines: ReceivedLines
        var cut: Int
        static func == (left: Syslog, right: Syslog) -> Bool { left.lines.bytes == right.lines.bytes && left.cut == right.cut }
    }

    private static func syslog(_ bytes: [UInt8], cut: Int) throws(ReceiverRefusal) -> Syslog {
        var framing = SyslogFraming()
        var messages = SyslogMessages()
        for start in stride(from: 0, to: bytes.count, by: cut) {
            let part = Array(bytes[start..<min(start + cut, bytes.count)])
            try framing.push(part.span, into: &messages)
        }
        framing.end(into: &messages)
        var lines = ReceivedLines(received: received)
        try messages.append(to: &lines, sender: "192.0.2.1")
        return Syslog(lines: lines, cut: lines.counters.cutMessages)
    }

    private static func journal(_ bytes: [UInt8], cut: Int) throws(ReceiverRefusal) -> ReceivedLines {
        var export = JournalExport()
        var lines = ReceivedLines(received: received)
        for start in stride(from: 0, to: bytes.count, by: cut) {
            let part = Array(bytes[start..<min(start + cut, bytes.count)])
            try export.push(part.span, into: &lines)
        }
        try export.end(into: &lines)
        return lines
    }

    private static func inflate(_ bytes: [UInt8], cut: Int) {
        guard var inflater = try? GzipInflater(limit: 1 << 20) else { return }
        do throws(ReceiverRefusal) {
            for start in stride(from: 0, to: bytes.count, by: cut) {
                try inflater.push(Array(bytes[start..<min(start + cut, bytes.count)]))
            }
            let whole = try inflater.finish()
            precondition(whole.count <= 1 << 20, "more came out than the limit")
        } catch {}
    }
}
