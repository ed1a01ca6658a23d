package import Events
import Glibc

/// Reads a file or standard input to its end, once, for whoever is handed logs as they lie there: a file that gzip compressed is
/// decompressed, with the limits of `GzipReader`. Standard input is read as it comes.
package struct LogStream: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private let ownsDescriptor: Bool
    private let compressed: LogFile?
    /// Where reading goes on in what has been decompressed.
    private var offset: Int64 = 0
    /// Told once the lines in front of it have been given.
    private var failure: SourceError?
    private var assembler: LineAssembler
    private var parts = PartialLines()
    private var lines: [RawLine] = []
    private var isAtEnd = false
    package var parser: BatchParser

    /// - Parameter path: `-` for standard input.
    /// - Throws: `SourceError` when the file cannot be opened.
    package init(path: String, parser: BatchParser) throws(SourceError) {
        // A pipe must not be opened twice: whoever writes to it would be left alone in between.
        let file = path == "-" || FileIdentity(ofFile: path) == nil ? nil : try LogFile(path: path)
        let compressed = file.flatMap { $0.isCompressed ? $0 : nil }
        let isOwned = path != "-" && compressed == nil
        let descriptor = isOwned ? unsafe open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        if descriptor < 0 { throw SourceError(path: path, errno: errno) }
        self.parser = parser
        self.compressed = compressed
        self.descriptor = descriptor
        ownsDescriptor = isOwned
        name = path
        assembler = LineAssembler(framing: parser.format.framing)
    }

    deinit { if ownsDescriptor { close(descriptor) } }

    /// Fills `batch` with the next lines; false once there are none.
    ///
    /// - Throws: `SourceError` when reading fails; of a compressed file, what stands in front of the damage has been given by then.
    package mutating func next(into batch: inout EventBatch, reference: Timestamp) throws(SourceError) -> Bool {
        if isAtEnd, let failure { throw failure }
        guard !isAtEnd else { return false }
        assembler.begin(&batch)
        batch.origin = BatchOrigin(source: name, generation: 0)
        let got = if let compressed { decompress(compressed, into: &batch.bytes) } else { try readOn(into: &batch.bytes) }
        isAtEnd = got == 0
        let from = assembler.offset
        assembler.finish(batch, isFinal: isAtEnd, into: &lines)
        parts.join(&lines, of: &batch, isFinal: isAtEnd)
        parser.parse(lines, of: &batch, consumed: assembler.offset - from, reference: reference)
        return true
    }

    private mutating func decompress(_ file: LogFile, into bytes: inout [UInt8]) -> Int {
        do throws(SourceError) {
            let got = try file.read(FileTail.chunkBytes, at: offset, into: &bytes, path: name)
            offset += Int64(got)
            if got == 0, file.isCutShort { failure = SourceError(path: name, compression: .damaged) }
            return got
        } catch {
            failure = error
            return 0
        }
    }

    private func readOn(into bytes: inout [UInt8]) throws(SourceError) -> Int {
        var got = 0
        var failure: Int32 = 0
        let descriptor = descriptor
        bytes.append(addingCapacity: FileTail.chunkBytes) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, count in
                repeat {
                    got = unsafe read(descriptor, buffer.baseAddress, FileTail.chunkBytes)
                    failure = got < 0 ? errno : 0
                } while failure == EINTR
                count = max(got, 0)
            }
        }
        if failure != 0 { throw SourceError(path: name, errno: failure) }
        return got
    }

    /// Lines that are in memory already, as one batch.
    package static func parse(_ text: String, name: String, parser: inout BatchParser, reference: Timestamp) -> EventBatch {
        var batch = EventBatch(origin: BatchOrigin(source: name, generation: 0))
        var assembler = LineAssembler(framing: parser.format.framing)
        var lines: [RawLine] = []
        assembler.begin(&batch)
        batch.bytes.append(contentsOf: text.utf8)
        assembler.finish(batch, isFinal: true, into: &lines)
        var parts = PartialLines()
        parts.join(&lines, of: &batch, isFinal: true)
        parser.parse(lines, of: &batch, consumed: assembler.offset, reference: reference)
        return batch
    }
}
