package import Events
import Glibc

/// Reads a file or standard input to its end, once: for `vigie detect` and for rule samples.
package struct LogStream: ~Copyable {
    private let descriptor: Int32
    private let name: String
    private let ownsDescriptor: Bool
    private var assembler: LineAssembler
    private var parts = PartialLines()
    private var lines: [RawLine] = []
    private var isAtEnd = false
    package var parser: BatchParser

    /// - Parameter path: `-` for standard input.
    /// - Throws: `SourceError` when the file cannot be opened.
    package init(path: String, parser: BatchParser) throws(SourceError) {
        self.parser = parser
        assembler = LineAssembler(framing: parser.format.framing)
        name = path
        if path == "-" {
            descriptor = STDIN_FILENO
            ownsDescriptor = false
        } else {
            descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
            ownsDescriptor = true
            if descriptor < 0 { throw SourceError(path: path, errno: errno) }
        }
    }

    deinit { if ownsDescriptor { close(descriptor) } }

    /// Fills `batch` with the next lines; false once there are none.
    ///
    /// - Throws: `SourceError` when reading fails.
    package mutating func next(into batch: inout EventBatch, reference: Timestamp) throws(SourceError) -> Bool {
        guard !isAtEnd else { return false }
        assembler.begin(&batch)
        batch.origin = BatchOrigin(source: name, generation: 0)
        var got = 0
        var failure: Int32 = 0
        let descriptor = descriptor
        batch.bytes.append(addingCapacity: FileTail.chunkBytes) { output in
            unsafe output.withUnsafeMutableBufferPointer { buffer, count in
                repeat {
                    got = unsafe read(descriptor, buffer.baseAddress, FileTail.chunkBytes)
                    failure = got < 0 ? errno : 0
                } while failure == EINTR
                count = max(got, 0)
            }
        }
        if failure != 0 { throw SourceError(path: name, errno: failure) }
        isAtEnd = got == 0
        let from = assembler.offset
        assembler.finish(batch, isFinal: isAtEnd, into: &lines)
        parts.join(&lines, of: &batch, isFinal: isAtEnd)
        parser.parse(lines, of: &batch, consumed: assembler.offset - from, reference: reference)
        return true
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
