package import Events

/// Joins what a container runtime has cut up: both Docker and CRI write a program's long line in parts of 16 KiB.
///
/// CRI marks a part with `P` and the last one with `F`; Docker's `json-file` ends the text of the last one with a line feed.
/// Parts of standard output and standard error alternate; each is joined by itself. A joined line has the offset and the number
/// of its first part and is given where its last part stands. Memory is bounded: of a line longer than
/// `LineAssembler.maximumLineBytes` the parts that fit are kept and the others are passed over.
package struct PartialLines: Sendable {
    /// A line of which the last part has not come.
    private struct Pending {
        var bytes: [UInt8]
        /// What ends Docker's wrapper, of the newest part.
        var tail: [UInt8]
        var offset: Int64
        var number: Int64
        var isOverlong: Bool
    }

    private var pending: [ContainerLine.Stream: Pending] = [:]
    /// Lines that ended before this offset were given before a restart.
    private var given: Int64

    package init(given: Int64 = 0) {
        self.given = given
    }

    package var isEmpty: Bool { pending.isEmpty }

    /// Where reading has to begin anew for what is pending, and the number of the line there; `nil` when nothing is.
    var resumption: (offset: Int64, line: Int64)? {
        pending.values.min { $0.offset < $1.offset }.map { ($0.offset, $0.number) }
    }

    /// Up to where lines have been given, when all before `offset` was read.
    func given(at offset: Int64) -> Int64 { max(given, offset) }

    /// Replaces parts by the lines they make up; joined text is put behind the batch's other bytes.
    ///
    /// - Parameter isFinal: no more bytes will come: what is pending is given as partial.
    package mutating func join(_ lines: inout [RawLine], of batch: inout EventBatch, isFinal: Bool) {
        let last = lines.last
        if !pending.isEmpty || lines.contains(where: { isPart(batch.bytes.span, $0) }) {
            joinParts(&lines, &batch)
        } else if given > 0 {
            lines.removeAll { $0.offset < given }
        }
        // Offsets grow: behind that place there is nothing to leave out.
        if let last, last.offset >= given { given = 0 }
        if isFinal {
            for part in pending.values.sorted(by: { $0.offset < $1.offset }) {
                lines.append(PartialLines.line(part, isPartial: true, in: &batch))
            }
            pending.removeAll()
        }
    }

    private func isPart(_ bytes: Span<UInt8>, _ line: RawLine) -> Bool {
        ContainerLine.part(bytes, line.range)?.isLast == false
    }

    private mutating func joinParts(_ lines: inout [RawLine], _ batch: inout EventBatch) {
        var joined: [RawLine] = []
        for line in lines {
            var whole = line
            if let part = ContainerLine.part(batch.bytes.span, line.range) {
                if pending[part.stream] != nil {
                    extend(part, batch)
                } else if !part.isLast {
                    pending[part.stream] = begin(part, line, batch)
                }
                guard part.isLast else { continue }
                if let parts = pending.removeValue(forKey: part.stream) {
                    whole = PartialLines.line(parts, isPartial: false, in: &batch)
                }
            }
            // Wherever it began, it was given before the restart if its end was read then.
            if line.offset >= given { joined.append(whole) }
        }
        lines = joined
    }

    private func begin(_ part: ContainerLine.Part, _ line: RawLine, _ batch: EventBatch) -> Pending {
        var bytes = Array(batch.bytes[line.range.bounds.lowerBound..<part.text.upperBound])
        if let tag = part.tag { bytes[tag - line.range.bounds.lowerBound] = UInt8(ascii: "F") }
        return Pending(
            bytes: bytes, tail: Array(batch.bytes[part.text.upperBound..<line.range.end]), offset: line.offset,
            number: line.number, isOverlong: line.isOverlong)
    }

    private mutating func extend(_ part: ContainerLine.Part, _ batch: EventBatch) {
        guard var line = pending[part.stream].take() else { return }
        if line.isOverlong || line.bytes.count + part.text.count > LineAssembler.maximumLineBytes {
            line.isOverlong = true
        } else {
            line.bytes += batch.bytes[part.text]
        }
        line.tail = Array(batch.bytes[part.text.upperBound..<part.end])
        pending[part.stream] = line
    }

    private static func line(_ part: Pending, isPartial: Bool, in batch: inout EventBatch) -> RawLine {
        let start = batch.bytes.count
        batch.bytes += part.bytes
        batch.bytes += part.tail
        return RawLine(
            range: ByteRange(start: start, count: batch.bytes.count - start), offset: part.offset, number: part.number,
            isOverlong: part.isOverlong, isPartial: isPartial && !part.isOverlong)
    }
}
