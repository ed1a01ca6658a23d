import Events
import Ingest
import Testing

@Suite("Batches that are sent again")
struct ReceivedBatchesTests {
    private let batch = BatchIdentity(digest: UInt8(1)...32)
    private let other = BatchIdentity(digest: UInt8(7)...39)
    private static let lines = (1...5).map { Array("{\"message\":\"m\($0)\"}\n".utf8) }

    private static func memory(of spool: [UInt8]) -> SpoolMemory {
        var memory = SpoolMemory()
        _ = memory.learn(spool.span, .batches)
        memory.endFile()
        return memory
    }

    @Test("a mark is a blank line that says which batch it is, and no other line is one")
    func marks() throws {
        let mark = BatchMark(batch, first: 3, count: 70_000)
        let line = mark.line
        #expect(line.last == 0x0A && line.dropLast().allSatisfy { $0 == 0x20 || $0 == 0x09 })
        #expect(BatchMark(line.span, 0..<line.count - 1) == mark)
        let blank = [UInt8](repeating: 0x20, count: line.count - 1)
        #expect(BatchMark(blank.span, blank.indices) == nil && BatchMark(line.span, 0..<line.count - 2) == nil)
        let batch = Reading(line + Self.lines[0], .json)
        #expect(batch.events.count == 1 && batch.counters.blank == 1)
    }

    @Test("of a spool that was cut anywhere it is known how many lines of the batch it has, also once others stand behind it")
    func cutAnywhere() {
        let spool = BatchMark(batch, first: 0, count: 5).line + Self.lines.joined()
        var whole = 0
        for cut in 0...spool.count {
            // As a spool is mended: an unfinished line is cut off.
            let end = spool[..<cut].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
            let mended = Array(spool[..<end])
            let taken = max(0, mended.count { $0 == 0x0A } - 1)
            whole = max(whole, taken)
            #expect(Self.memory(of: mended).batches.taken(batch, of: 5) == taken)
            let behind = mended + BatchMark(other, first: 0, count: 2).line + Self.lines[0] + Self.lines[1]
            let later = Self.memory(of: behind).batches
            #expect(later.taken(batch, of: 5) == taken && later.taken(other, of: 2) == 2)
            // The rest, when the sender has sent it again.
            let rest = behind + BatchMark(batch, first: taken, count: 5).line + Self.lines[taken...].joined()
            #expect(Self.memory(of: rest).batches.taken(batch, of: 5) == 5)
        }
        #expect(whole == 5)
    }

    @Test(
        "lines that nobody would know again do not count for the batch in front of them; nor does what is left of a broken line")
    func strangers() {
        let start = BatchMark(batch, first: 0, count: 5).line + Self.lines[0]
        #expect(Self.memory(of: start + BatchMark.none(2).line + Self.lines[1] + Self.lines[2]).batches.taken(batch, of: 5) == 1)
        #expect(Self.memory(of: start + Array("{\"message\":\n\n   \n".utf8) + Self.lines[1]).batches.taken(batch, of: 5) == 2)
        #expect(Self.memory(of: BatchMark(batch, first: 2, count: 5).line + Self.lines[2]).batches.taken(batch, of: 5) == 0)
    }

    @Test("a batch of another size is another one; the oldest are forgotten")
    func bounded() {
        var batches = ReceivedBatches()
        for number in 1...(3 * ReceivedBatches.maximumBatches) {
            batches.note(BatchIdentity(high: 0, low: UInt64(number)), count: 2)
        }
        let last = UInt64(3 * ReceivedBatches.maximumBatches)
        #expect(batches.taken(BatchIdentity(high: 0, low: last), of: 2) == 2)
        #expect(batches.taken(BatchIdentity(high: 0, low: last), of: 3) == 0)
        let kept = UInt64(ReceivedBatches.maximumBatches)
        #expect(batches.taken(BatchIdentity(high: 0, low: last - kept + 1), of: 2) == 2)
        #expect(batches.taken(BatchIdentity(high: 0, low: last - kept), of: 2) == 0)
    }

    @Test(
        "requests are recognised only where each event has a time of its own, and one is finer than a second",
        arguments: [
            ([1_000_000_001, 2_000_000_000], true), ([1_000_000_000, 2_000_000_000], false), ([1_000_000_001, nil], false),
            ([], false),
        ])
    func recognisable(_ times: [Int64?], _ wanted: Bool) throws {
        var lines = ReceivedLines()
        for time in times {
            var record = ReceivedRecord()
            record.setMessage("a")
            record.time = time.map { Timestamp(nanoseconds: $0) }
            try lines.append(line: record)
        }
        #expect(lines.isRecognisable == wanted)
    }

    @Test("what has been taken is left out from the front")
    func skipped() throws {
        for number in 0...3 {
            var lines = ReceivedLines()
            for text in ["a\nb", "c", "d"] {
                var record = ReceivedRecord()
                record.setMessage(text)
                try lines.append(line: record)
            }
            lines.skipRepeated(first: number)
            #expect(lines.count == 3 - number && lines.counters.repeated == number)
            #expect(lines.read().map { $0["message"] } == Array(["a\nb", "c", "d"].dropFirst(number)))
        }
    }
}
