package import Events
import Glibc

/// Reads a log to its end, once, and decompresses it where gzip compressed it: rotated logs are handed to commands as they lie there.
package enum WholeLog {
    /// - Parameters:
    ///   - path: `-` for standard input, which is read as it comes.
    ///   - body: called for every batch of lines.
    /// - Returns: what became of the lines.
    /// - Throws: `SourceError` when the log cannot be read to its end; what could be read has been given by then.
    package static func read(
        _ path: String, parser: BatchParser, reference: Timestamp, _ body: (EventBatch) -> Void
    ) throws(SourceError) -> SourceCounters {
        // A pipe must not be opened twice: whoever writes to it would be left alone in between.
        if path != "-", isRegular(path) {
            let file = try LogFile(path: path)
            if file.isCompressed { return try unpack(file, path, parser, reference, body) }
        }
        var stream = try LogStream(path: path, parser: parser)
        var batch = EventBatch(origin: BatchOrigin(source: path, generation: 0))
        while try stream.next(into: &batch, reference: reference) { body(batch) }
        return stream.parser.counters
    }

    private static func unpack(
        _ file: LogFile, _ path: String, _ parser: BatchParser, _ reference: Timestamp, _ body: (EventBatch) -> Void
    ) throws(SourceError) -> SourceCounters {
        var parser = parser
        var batch = EventBatch(origin: BatchOrigin(source: path, generation: 0))
        var assembler = LineAssembler(framing: parser.format.framing)
        var parts = PartialLines()
        var lines: [RawLine] = []
        var offset: Int64 = 0
        var isAtEnd = false
        var failure: SourceError?
        while !isAtEnd {
            assembler.begin(&batch)
            var got = 0
            do throws(SourceError) {
                got = try file.read(FileTail.chunkBytes, at: offset, into: &batch.bytes, path: path)
            } catch {
                failure = error
            }
            offset += Int64(got)
            isAtEnd = got == 0
            let from = assembler.offset
            assembler.finish(batch, isFinal: isAtEnd, into: &lines)
            parts.join(&lines, of: &batch, isFinal: isAtEnd)
            parser.parse(lines, of: &batch, consumed: assembler.offset - from, reference: reference)
            body(batch)
        }
        if let failure { throw failure }
        if file.isCutShort { throw SourceError(path: path, compression: .damaged) }
        return parser.counters
    }

    private static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }
}
