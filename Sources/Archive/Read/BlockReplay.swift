package import Events
package import Ingest

/// Makes events of archived lines, as they were made when the lines came. Owned by one task.
///
/// A line that carries no time has the one it was given then. Everything else is read anew, with the formats of now.
package struct BlockReplay {
    private let formats: FormatSet
    private var parsers: [ParserKey: BatchParser] = [:]
    private var raw: [RawLine] = []

    private struct ParserKey: Hashable {
        var source: String
        var format: String
        var trustedProxies: [String]
    }

    package init(_ formats: FormatSet) {
        self.formats = formats
    }

    /// Gives a batch per run of lines that the query wants.
    ///
    /// - Parameters:
    ///   - batch: refilled for each of them.
    ///   - body: what is to be done with the batch.
    package mutating func replay(
        _ block: LineBlock, trustedProxies: [String], query: ArchiveQuery, batch: inout EventBatch,
        _ body: (inout EventBatch) -> Void
    ) {
        for run in block.runs where query.wants(run) {
            var assembler = LineAssembler()
            assembler.begin(&batch)
            batch.origin = run.origin
            raw.removeAll(keepingCapacity: true)
            var times: [(time: Timestamp, hasOwnTime: Bool)] = []
            for line in block.lines[run.lines] where query.wants(line) {
                raw.append(
                    RawLine(
                        range: ByteRange(start: batch.bytes.count, count: Int(line.range.count)), offset: line.offset,
                        number: line.number))
                times.append((line.time, line.hasOwnTime))
                batch.bytes.append(contentsOf: block.text[line.range.bounds])
            }
            guard !raw.isEmpty else { continue }
            parse(run, trustedProxies, &batch)
            // A blank line would be no event, and none is archived: events and lines go together.
            if batch.events.count == times.count {
                for index in batch.events.indices where !batch.events[index].hasOwnTime || !times[index].hasOwnTime {
                    batch.events[index].time = times[index].time
                }
            }
            body(&batch)
        }
    }

    private mutating func parse(_ run: LineBlock.Run, _ trustedProxies: [String], _ batch: inout EventBatch) {
        let key = ParserKey(source: run.origin.source, format: run.format, trustedProxies: trustedProxies)
        let proxies = TrustedProxies(trustedProxies.compactMap { AddressBlock($0) })
        var parser =
            parsers.removeValue(forKey: key)
            ?? BatchParser(
                format: LogFormat(rawValue: run.format) ?? .auto, plan: formats.plan, formats: formats, proxies: proxies)
        parser.parse(raw, of: &batch, consumed: 0, reference: run.received)
        parsers[key] = parser
    }
}
