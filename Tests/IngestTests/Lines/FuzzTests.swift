import Events
import Ingest
import Testing

/// Random and mutated bytes through every format, always the same ones.
@Suite("Hostile bytes")
struct FuzzTests {
    private static let seeds = [
        #"192.0.2.1 - bob [01/Mar/2026:10:00:00 +0000] "GET /a%20b?c=\x27+%u0041&lt;/*x*/ HTTP/1.1" 200 12 "https://e.org/" "curl \"8\"""#,
        #"example.org:443 2001:db8::1 - - [29/Feb/2028:23:59:60 -0330] "\x16\x03\x01" 400 0"#,
        #"<34>1 2026-03-01T22:14:15.003Z mail su 12 ID47 [x@1 a="\]b"][y] ok 'su root' failed on /dev/pts/8"#,
        "Feb 29 10:00:00 web sshd[123]: error: maximum authentication attempts exceeded for invalid user a from 192.0.2.1 port 22 ssh2 [preauth]",
        "Mar  1 10:00:00 web sshd[123]: message repeated 3 times: [ Failed password for root from 192.0.2.1 port 22 ssh2]",
        "2026-03-01T10:00:00.123+01:00 web sshd-session[9]: Connection closed by invalid user x 2001:db8::1 port 22 [preauth]",
        #"{"time":"2026-03-01T10:00:00Z","client":{"ip":"192.0.2.1"},"url":"/a?b=\u0027\ud83d\ude00","a":[1,[2,{"b":null}],{}],"status":-1.5e3}"#,
        "2026/03/01 10:00:00 [error] 7#7: *1 open() failed, client: 192.0.2.1, server: _, request: \"GET / HTTP/1.1\"",
        "[Wed Oct 11 14:32:52.123456 2000] [core:error] [pid 3:tid 4] [client 192.0.2.1:50122] File does not exist",
    ]

    @Test("nothing traps, every line is counted once, and every range lies in the batch", arguments: LogFormat.allCases)
    func mutations(_ format: LogFormat) {
        var generator = SeededGenerator(state: 12)
        let table = FieldTable()
        let plan = JSONFieldPlan(table)
        for round in 0..<250 {
            var bytes: [UInt8] = []
            for _ in 0..<8 { bytes += line(round, &generator) + [0x0A] }
            var parser = BatchParser(format: format, plan: plan)
            let batch = parse(bytes, &parser)
            let counters = parser.counters
            #expect(counters.lines == counters.parsed + counters.unparsed + counters.blank)
            #expect(counters.lines == bytes.count { $0 == 0x0A })
            #expect(counters.bytes == bytes.count)
            #expect(batch.events.count == counters.parsed + counters.unparsed)
            #expect(batch.isGrouped)
            let isSound = batch.fields.allSatisfy {
                $0.range.start >= 0 && $0.range.count >= 0 && $0.range.end <= batch.bytes.count
                    && Int($0.field.rawValue) < table.count
            }
            #expect(isSound)
            #expect(batch.events.allSatisfy { $0.fields.upperBound <= batch.fields.count })
        }
    }

    @Test("every prefix of a good line is read without a trap", arguments: LogFormat.allCases)
    func prefixes(_ format: LogFormat) {
        let plan = JSONFieldPlan(FieldTable())
        for seed in Self.seeds {
            let whole = Array(seed.utf8)
            var bytes: [UInt8] = []
            for length in 0...whole.count { bytes += whole[..<length] + [0x0A] }
            var parser = BatchParser(format: format, plan: plan)
            _ = parse(bytes, &parser)
            #expect(parser.counters.lines == whole.count + 1)
            #expect(parser.counters.blank == 1)
        }
    }

    @Test("dates at the ends of time are read against any present", arguments: [Int64.min, -1, 0, .max])
    func presents(_ nanoseconds: Int64) {
        let lines = ["Feb 29 23:59:60 h p: m", "Dec 31 23:59:59 h p: m", "Jan  1 00:00:00 h p: m", "Jun 31 00:00:00 h p: m"]
        let reading = Reading(lines.joined(separator: "\n"), .syslog, reference: Timestamp(nanoseconds: nanoseconds))
        #expect(reading.counters.lines == 4)
    }

    private func parse(_ bytes: [UInt8], _ parser: inout BatchParser) -> EventBatch {
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var assembler = LineAssembler()
        var lines: [RawLine] = []
        assembler.begin(&batch)
        batch.bytes.append(contentsOf: bytes)
        assembler.finish(batch, isFinal: true, into: &lines)
        parser.parse(lines, of: &batch, consumed: assembler.offset, reference: Reading.reference)
        return batch
    }

    private func line(_ round: Int, _ generator: inout SeededGenerator) -> [UInt8] {
        if round.isMultiple(of: 5) {
            return (0..<Int.random(in: 0...120, using: &generator)).map { _ in .random(in: .min ... .max, using: &generator) }
        }
        var bytes = Array(Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &generator)].utf8)
        let syntax = Array("\"\\[]{}:,%&#;/*+ <>-\u{0}0xu?".utf8)
        for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] = .random(in: .min ... .max, using: &generator)
            case 1: bytes[index] = syntax[Int.random(in: 0..<syntax.count, using: &generator)]
            case 2: bytes.insert(syntax[Int.random(in: 0..<syntax.count, using: &generator)], at: index)
            case 3: bytes.removeSubrange(index..<min(bytes.count, index + .random(in: 1...8, using: &generator)))
            default: bytes += bytes[index...].prefix(20)
            }
        }
        return bytes
    }
}
