import Events
import Ingest
import Testing

@Suite("Syslog over TCP")
struct SyslogFramingTests {
    private static func messages(_ bytes: [UInt8], cuts: [Int] = []) throws -> (texts: [String], cut: Int) {
        var framing = SyslogFraming()
        var messages = SyslogMessages()
        var start = 0
        for end in cuts.sorted() + [bytes.count] where end <= bytes.count {
            let part = Array(bytes[start..<end])
            try framing.push(part.span, into: &messages)
            start = end
        }
        framing.end(into: &messages)
        return (messages.ranges.map { String(decoding: messages.bytes[$0], as: UTF8.self) }, try cut(messages))
    }

    /// What is counted once they are lines.
    private static func cut(_ messages: SyslogMessages) throws -> Int {
        var lines = ReceivedLines(format: .syslog)
        try messages.append(to: &lines, sender: nil)
        return lines.counters.cutMessages
    }

    private static let wanted = ["<34>1 2026-03-01T11:59:59Z web su - - - one", "<13>Mar  1 11:59:59 web app: two", "<13>x"]

    @Test("both framings give the same messages, wherever reads cut them")
    func framings() throws {
        let counted = Array(Self.wanted.map { "\($0.utf8.count) \($0)" }.joined().utf8)
        let lines = Array(Self.wanted.map { $0 + "\r\n" }.joined().utf8)
        var generator = SeededGenerator(state: 8)
        for bytes in [counted, lines] {
            #expect(try Self.messages(bytes).texts == Self.wanted)
            for _ in 0..<100 {
                let cuts = (0..<5).map { _ in Int.random(in: 0...bytes.count, using: &generator) }
                #expect(try Self.messages(bytes, cuts: cuts).texts == Self.wanted)
            }
        }
    }

    @Test("a message of many megabytes takes bounded memory and gives its beginning", arguments: [true, false])
    func huge(_ isCounted: Bool) throws {
        var framing = SyslogFraming()
        var messages = SyslogMessages()
        let chunk = [UInt8](repeating: 0x61, count: 1 << 20)
        let head = Array("\(isCounted ? "\((64 << 20) + 4) " : "")<13>".utf8)
        try framing.push(head.span, into: &messages)
        for _ in 0..<64 { try framing.push(chunk.span, into: &messages) }
        let tail = Array("\(isCounted ? "" : "\n")\(isCounted ? "5 " : "")<13>b\n".utf8)
        try framing.push(tail.span, into: &messages)
        #expect(messages.ranges.map(\.count) == [SyslogFraming.maximumBytes, 5])
        #expect(try Self.cut(messages) == 1)
        // Nothing of it is left with what comes next.
        messages.removeAll()
        let next = Array("\(isCounted ? "6 " : "")<13>cc\n".utf8)
        try framing.push(next.span, into: &messages)
        #expect(messages.ranges.count == 1)
        #expect(try Self.cut(messages) == 0)
    }

    @Test("a length that is none ends the connection", arguments: ["5 <13>ax <13>b", "99999999999 <13>a", "7<13>abc"])
    func lengths(_ text: String) {
        #expect(throws: ReceiverRefusal.self) { try Self.messages(Array(text.utf8)) }
    }

    @Test("between two messages nothing has begun, in either framing; from the first byte of a message or its length on, one has")
    func withinMessage() throws {
        for (message, isCounted) in [("5 <13>a", true), ("<13>a\n", false)] {
            let bytes = Array(message.utf8)
            var framing = SyslogFraming()
            var messages = SyslogMessages()
            #expect(!framing.isWithinMessage)
            for _ in 0..<2 {
                for index in bytes.indices {
                    try framing.push([bytes[index]].span, into: &messages)
                    #expect(framing.isWithinMessage == (index < bytes.count - 1), "byte \(index) of \(message)")
                }
            }
            // As some senders put behind counted messages.
            if isCounted {
                try framing.push([0x0A].span, into: &messages)
                #expect(!framing.isWithinMessage)
            }
            #expect(messages.ranges.count == 2)
        }
    }

    @Test("what is left when the connection ends is a message, and a counted one is said to be cut")
    func end() throws {
        #expect(try Self.messages(Array("<13>a\n<13>b".utf8)).texts == ["<13>a", "<13>b"])
        let cut = try Self.messages(Array("20 <13>a".utf8))
        #expect(cut.texts == ["<13>a"] && cut.cut == 1)
    }

    @Test("a message becomes an event as if it stood in a file, with the address of its sender")
    func events() throws {
        var messages = SyslogMessages()
        let text = Array("<38>Mar  1 11:59:59 web sshd[7]: Failed password for root from 203.0.113.9 port 22 ssh2".utf8)
        messages.append(text.span)
        var lines = ReceivedLines(format: .syslog)
        try messages.append(to: &lines, sender: "192.0.2.7")
        let event = try #require(lines.read(fields: ["log.source.address"]).first)
        #expect(event["source.ip"] == "203.0.113.9" && event["user.name"] == "root" && event["host.name"] == "web")
        #expect(event["log.source.address"] == "192.0.2.7" && event.logSource.service == "sshd")
        #expect(event.time == Timestamp(seconds: 1_772_366_399))
    }
}
