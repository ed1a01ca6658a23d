package import Events

/// Reads the end of a log, to say what becomes of its lines.
package enum SourceProbe {
    /// How much of each file is read.
    package static let bytes: Int64 = 1 << 20

    /// - Parameter parser: what the lines are read with; its counters say afterwards what became of them.
    /// - Throws: `SourceError` when the file cannot be read.
    package static func read(_ path: String, parser: inout BatchParser, now: Timestamp) throws(SourceError) {
        let file = try LogFile(path: path)
        // Of a compressed file the beginning: its end cannot be had without all of it.
        let offset = file.isCompressed ? 0 : max(0, file.size - bytes)
        var assembler = LineAssembler(offset: offset, isSkipping: offset > 0, framing: parser.format.framing)
        var parts = PartialLines()
        var batch = EventBatch(origin: BatchOrigin(source: path, generation: 0))
        var lines: [RawLine] = []
        assembler.begin(&batch)
        _ = try file.read(Int(bytes), at: offset, into: &batch.bytes, path: path)
        assembler.finish(batch, isFinal: false, into: &lines)
        parts.join(&lines, of: &batch, isFinal: false)
        parser.parse(lines, of: &batch, consumed: assembler.offset - offset, reference: now)
    }
}
