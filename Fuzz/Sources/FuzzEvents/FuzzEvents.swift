import Events
import Fuzzing
import Ingest

/// One input is one file: its first byte chooses the format, its second where reads cut it.
///
/// Laws that hold for all bytes: nothing traps; every line is counted once; every range lies in the batch; and however the file
/// is cut into reads, the events are the same.
@main enum FuzzEvents {
    static func main() {
        fuzz(examine)
    }

    private static func examine(_ data: [UInt8]) {
        guard data.count > 2 else { return }
        let formats = LogFormat.allCases
        let format = formats[Int(data[0]) % formats.count]
        let bytes = Array(data[2...])
        let whole = Reading(bytes, format, cut: bytes.count)
        let pieces = Reading(bytes, format, cut: 1 + Int(data[1]))
        precondition(whole.isSound && pieces.isSound, "a range lies outside its batch")
        precondition(whole.counters.lines == whole.counters.parsed + whole.counters.unparsed + whole.counters.blank)
        precondition(whole.events == pieces.events, "reads that are cut elsewhere give other events")
    }
}

/// Everything that a format says of some bytes, as text.
private struct Reading {
    var events: [String] = []
    var counters = SourceCounters()
    var isSound = true

    init(_ bytes: [UInt8], _ format: LogFormat, cut: Int) {
        let table = FieldTable()
        var parser = BatchParser(format: format, plan: JSONFieldPlan(table))
        var assembler = LineAssembler(framing: format.framing)
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var position = 0
        repeat {
            let before = assembler.offset
            batch.removeAll()
            assembler.begin(&batch)
            let end = min(bytes.count, position + cut)
            batch.bytes.append(contentsOf: bytes[position..<end])
            position = end
            var lines: [RawLine] = []
            assembler.finish(batch, isFinal: position == bytes.count, into: &lines)
            parser.parse(
                lines, of: &batch, consumed: assembler.offset - before, reference: Timestamp(seconds: 1_800_000_000))
            keep(batch, fieldCount: table.count)
        } while position < bytes.count
        counters = parser.counters
    }

    private mutating func keep(_ batch: EventBatch, fieldCount: Int) {
        for event in batch.events {
            var text = "\(event.offset) \(event.lineNumber) \(event.time.nanoseconds) \(event.logSource.rawValue)"
            guard event.fields.upperBound <= batch.fields.count else {
                isSound = false
                return
            }
            for field in batch.fields[event.fields] {
                guard field.range.start >= 0, field.range.count >= 0, field.range.end <= batch.bytes.count,
                    Int(field.field.rawValue) < fieldCount
                else {
                    isSound = false
                    return
                }
                text += " \(field.field.rawValue)=\(batch.bytes[field.range.bounds])"
            }
            events.append(text)
        }
    }
}
