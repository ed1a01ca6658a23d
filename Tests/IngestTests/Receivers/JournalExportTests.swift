import Events
import Ingest
import Testing

@Suite("journald's export format")
struct JournalExportTests {
    private static func entry(_ number: Int, message: [UInt8], isBinary: Bool = false) -> [UInt8] {
        let value =
            isBinary
            ? Array("MESSAGE\n".utf8) + (0..<8).map { UInt8(truncatingIfNeeded: message.count >> (8 * $0)) } + message + [0x0A]
            : Array("MESSAGE=".utf8) + message + [0x0A]
        let head = """
            __CURSOR=s=abc;i=\(String(number, radix: 16));b=1;m=2;t=3;x=4
            __REALTIME_TIMESTAMP=1772366399000000
            _HOSTNAME=web1
            SYSLOG_IDENTIFIER=sshd
            _PID=7

            """
        return Array(head.utf8) + value + [0x0A]
    }

    private static let failure = Array("Failed password for root from 203.0.113.9 port 22 ssh2".utf8)

    private static func read(
        _ bytes: [UInt8], cuts: [Int] = [], cursors: JournalCursors = JournalCursors()
    ) throws -> (lines: ReceivedLines, cursors: JournalCursors) {
        var export = JournalExport(cursors: cursors)
        var lines = ReceivedLines()
        var start = 0
        for end in cuts.sorted() + [bytes.count] {
            let part = Array(bytes[start..<end])
            try export.push(part.span, into: &lines)
            start = end
        }
        try export.end(into: &lines)
        return (lines, export.cursors)
    }

    @Test("entries become events wherever the stream is cut, text and binary")
    func entries() throws {
        let bytes =
            Self.entry(1, message: Self.failure) + Self.entry(2, message: Self.failure + Array("\nmore".utf8), isBinary: true)
        let whole = try Self.read(bytes).lines
        let events = whole.read()
        try #require(events.count == 2)
        for event in events {
            #expect(event["source.ip"] == "203.0.113.9" && event["host.name"] == "web1" && event.logSource.service == "sshd")
            #expect(event.time == Timestamp(seconds: 1_772_366_399))
        }
        var generator = SeededGenerator(state: 3)
        for _ in 0..<200 {
            let cuts = (0..<4).map { _ in Int.random(in: 0...bytes.count, using: &generator) }
            #expect(try Self.read(bytes, cuts: cuts).lines.text == whole.text)
        }
    }

    @Test("an upload that is sent again adds only what is new, also after a restart")
    func repeated() throws {
        let both = Self.entry(1, message: Self.failure) + Self.entry(2, message: Self.failure)
        let first = try Self.read(Self.entry(1, message: Self.failure))
        let second = try Self.read(both, cursors: first.cursors)
        #expect(second.lines.count == 1 && second.lines.counters.repeated == 1)
        var memory = SpoolMemory()
        let spooled = Array((first.lines.text + second.lines.text).utf8)
        #expect(memory.learn(spooled.span, .keys) == spooled.count)
        #expect(memory.cursors == second.cursors)
        #expect(try Self.read(both, cursors: memory.cursors).lines.count == 0)
    }

    @Test("a field of many megabytes takes bounded memory")
    func huge() throws {
        let message = [UInt8](repeating: 0x61, count: 8 << 20)
        let lines = try Self.read(Self.entry(1, message: message) + Self.entry(2, message: message, isBinary: true)).lines
        #expect(lines.count == 2 && lines.counters.cutMessages == 2 && lines.bytes.count < 2 * LineAssembler.maximumLineBytes)
    }

    @Test("an entry without a message is an event of its fields; one of which nothing is kept is refused by itself, and counted")
    func withoutMessage() throws {
        let text = """
            __CURSOR=s=abc;i=1
            _HOSTNAME=web1
            _COMM=cron

            __CURSOR=s=abc;i=2
            __REALTIME_TIMESTAMP=1772366399000000
            JOB_ID=7

            __CURSOR=s=abc;i=3
            MESSAGE=
            _COMM=cron


            """
        let read = try Self.read(Array(text.utf8))
        let events = read.lines.read(fields: ["process.command"])
        #expect(events.count == 2 && events.allSatisfy { $0["process.command"] == "cron" })
        #expect(events.first?["host.name"] == "web1")
        #expect(read.lines.counters.rejected == 1)
        #expect(read.lines.counters.firstRejection?.contains("neither a message") == true)
        // They are known again like any other.
        #expect(try Self.read(Array(text.utf8), cursors: read.cursors).lines.counters.repeated == 3)
    }

    @Test("what is no export is refused", arguments: ["hello world\n", "=x\n", "MESSAGE=a", "lower=case\n"])
    func refused(_ text: String) {
        #expect(throws: ReceiverRefusal.self) { try Self.read(Array(text.utf8)) }
    }
}
