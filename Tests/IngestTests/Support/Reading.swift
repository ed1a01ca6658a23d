import Events
import Ingest

/// One parsed event, copied out of its batch.
struct ReadEvent {
    var line: [UInt8]
    var time: Timestamp
    var hasOwnTime: Bool
    var logSource: LogSource
    var offset: Int64
    var number: Int64
    var fields: [String: [String]]

    var text: String { String(decoding: line, as: UTF8.self) }

    subscript(_ name: String) -> String? { fields[name]?.first }
}

/// What came of reading some bytes.
struct Reading {
    var events: [ReadEvent]
    var counters: SourceCounters
    var samples: [String]
    var plainSamples: [String]

    static let reference = Timestamp(seconds: 1_772_366_400)  // 2026-03-01T12:00:00Z

    /// Reads `bytes` in one piece, or cut where `cuts` says.
    init(
        _ bytes: [UInt8], _ format: LogFormat, reference: Timestamp = Reading.reference, fields names: [String] = [],
        cuts: [Int] = []
    ) {
        let table = FieldTable(with: names)
        var parser = BatchParser(format: format, plan: JSONFieldPlan(table))
        var assembler = LineAssembler()
        var batch = EventBatch(origin: BatchOrigin(source: "test", generation: 0))
        var lines: [RawLine] = []
        events = []
        var start = 0
        let ends = cuts.sorted().filter { $0 < bytes.count } + [bytes.count]
        for (index, end) in ends.enumerated() {
            assembler.begin(&batch)
            batch.bytes.append(contentsOf: bytes[start..<end])
            let from = assembler.offset
            assembler.finish(batch, isFinal: index == ends.count - 1, into: &lines)
            parser.parse(lines, of: &batch, consumed: assembler.offset - from, reference: reference)
            events += batch.copied(table)
            start = end
        }
        counters = parser.counters
        samples = parser.unparsedSamples
        plainSamples = parser.plainSamples
    }

    init(_ text: String, _ format: LogFormat, reference: Timestamp = Reading.reference, fields names: [String] = []) {
        self.init(Array(text.utf8), format, reference: reference, fields: names)
    }
}

extension FieldTable {
    init(with names: [String]) {
        self.init()
        for name in names { _ = intern(name) }
    }
}

extension EventBatch {
    /// The events of the batch; the values of one field in their order.
    func copied(_ table: FieldTable, _ sources: LogSourceTable = LogSourceTable()) -> [ReadEvent] {
        events.map { event in
            var values: [String: [String]] = [:]
            for index in event.fields { values[table[fields[index].field], default: []].append(text(fields[index].range)) }
            return ReadEvent(
                line: Array(bytes[event.line.bounds]), time: event.time, hasOwnTime: event.hasOwnTime,
                logSource: sources[event.logSource], offset: event.offset, number: event.lineNumber, fields: values)
        }
    }

    /// Whether the values of every field are neighbours in every event, as rules rely on.
    var isGrouped: Bool {
        events.allSatisfy { event in
            var seen: [FieldID] = []
            for index in event.fields where seen.last != fields[index].field {
                if seen.contains(fields[index].field) { return false }
                seen.append(fields[index].field)
            }
            return true
        }
    }
}
