package import Events

/// A line of a batch, before any format has looked at it.
package struct RawLine: Sendable, BitwiseCopyable {
    package var range: ByteRange
    package var offset: Int64
    package var number: Int64
    /// The line was longer than the limit; `range` is its beginning.
    package var isOverlong: Bool
    /// The file ended, or was replaced, before the line did. An over-long line is never partial: its end is not looked at.
    package var isPartial: Bool
    /// NULs stood in front of it; `range` and `offset` begin behind them.
    package var followsNUL: Bool

    package init(
        range: ByteRange, offset: Int64, number: Int64, isOverlong: Bool = false, isPartial: Bool = false,
        followsNUL: Bool = false
    ) {
        self.range = range
        self.offset = offset
        self.number = number
        self.isOverlong = isOverlong
        self.isPartial = isPartial
        self.followsNUL = followsNUL
    }
}

/// Cuts a stream of bytes into lines, across the borders of the chunks it arrives in.
///
/// Pure: the caller reads, this keeps what is left over. A line longer than `maximumLineBytes` is given by its
/// beginning and the rest is skipped, so that memory is bounded whatever arrives. NULs in front of a line are none of it: a program
/// that does not append leaves as many as the file had bytes when somebody cuts it in place.
package struct LineAssembler: Sendable {
    /// Web servers refuse request lines over 8 to 32 KiB; anything longer is not a log line.
    package static let maximumLineBytes = 65_536

    /// Where the first byte that belongs to no finished line stands, and the number of the line it begins.
    package private(set) var offset: Int64
    package private(set) var nextLine: Int64
    /// Inside an over-long line whose beginning has been given.
    package private(set) var isSkipping: Bool
    /// NULs have been passed over since the last line.
    private var hasPassedNUL = false
    private var carry: [UInt8] = []
    private let framing: Framing

    /// What a record ends with.
    package enum Framing: Sendable {
        case lines
        /// JSON values, however many lines each of them takes; `RawLine.number` then counts values.
        case jsonValues

        /// No record is longer.
        var maximumBytes: Int { self == .jsonValues ? JSONValueCutter.maximumValueBytes : maximumLineBytes }

        /// Where the record ends that the bytes begin with; `nil` where they end before it does.
        func end(of bytes: Span<UInt8>) -> Int? {
            switch self {
            case .lines: return bytes.firstIndex(of: 0x0A, from: 0, to: bytes.count)
            case .jsonValues:
                var cutter = JSONValueCutter(start: 0, isSkipping: false)
                return cutter.next(bytes, isFinal: false)?.range.upperBound
            }
        }
    }

    package init(offset: Int64 = 0, nextLine: Int64 = 1, isSkipping: Bool = false, framing: Framing = .lines) {
        self.offset = offset
        self.nextLine = nextLine
        self.isSkipping = isSkipping
        self.framing = framing
    }

    /// Bytes read that wait for their line's end.
    package var pendingBytes: Int { carry.count }

    /// Where the next byte is to be read.
    package var readOffset: Int64 { offset + Int64(carry.count) }

    /// Empties the batch and puts in front what every batch begins with, and the unfinished line. Append the chunk then.
    package mutating func begin(_ batch: inout EventBatch) {
        batch.removeAll()
        batch.bytes.append(contentsOf: EventWord.bytes)
        batch.bytes.append(contentsOf: carry)
        carry.removeAll(keepingCapacity: true)
    }

    /// Finds the lines of the batch.
    ///
    /// - Parameter isFinal: no more bytes will come: an unfinished line is given as a partial one.
    package mutating func finish(_ batch: EventBatch, isFinal: Bool, into lines: inout [RawLine]) {
        lines.removeAll(keepingCapacity: true)
        if framing == .jsonValues { return finishValues(batch, isFinal: isFinal, into: &lines) }
        let bytes = batch.bytes.span
        let end = bytes.count
        var start = EventWord.bytes.count
        while start < end {
            passNULs(bytes, from: &start)
            guard let lineEnd = LineAssembler.lineBreak(bytes, from: start) else { break }
            add(start, lineEnd, isPartial: false, to: &lines, bytes)
            offset += Int64(lineEnd + 1 - start)
            start = lineEnd + 1
        }
        let left = end - start
        if isFinal, left > 0 {
            add(start, end, isPartial: true, to: &lines, bytes)
            offset += Int64(left)
        } else if isSkipping {
            offset += Int64(left)
        } else if isTooLong(bytes, start, end) {
            add(start, end, isPartial: false, to: &lines, bytes)
            nextLine -= 1
            isSkipping = true
            offset += Int64(left)
        } else if left > 0 {
            carry.append(contentsOf: batch.bytes[start..<end])
        }
    }

    /// Likewise for JSON values.
    private mutating func finishValues(_ batch: EventBatch, isFinal: Bool, into lines: inout [RawLine]) {
        let bytes = batch.bytes.span
        let start = EventWord.bytes.count
        var cutter = JSONValueCutter(start: start, isSkipping: isSkipping)
        var done = start
        while let cut = cutter.next(bytes, isFinal: isFinal) {
            lines.append(
                RawLine(
                    range: ByteRange(start: cut.range.lowerBound, count: cut.range.count),
                    offset: offset + Int64(cut.range.lowerBound - start), number: nextLine, isOverlong: cut.isOverlong,
                    isPartial: cut.isPartial))
            nextLine += 1
            done = cut.range.upperBound
        }
        done = max(done, cutter.consumed)
        isSkipping = cutter.isSkipping
        offset += Int64(done - start)
        if done < bytes.count { carry.append(contentsOf: batch.bytes[done...]) }
    }

    /// Where a line begins: what has been carried over begins with none of them.
    private mutating func passNULs(_ bytes: Span<UInt8>, from start: inout Int) {
        guard !isSkipping, bytes[start] == 0 else { return }
        let first = start
        while start < bytes.count, bytes[start] == 0 { start += 1 }
        offset += Int64(start - first)
        hasPassedNUL = true
    }

    private mutating func add(_ start: Int, _ end: Int, isPartial: Bool, to lines: inout [RawLine], _ bytes: Span<UInt8>) {
        defer { nextLine += 1 }
        if isSkipping {
            isSkipping = false
            return
        }
        var last = end
        if last > start, bytes[last - 1] == 0x0D { last -= 1 }
        let isOverlong = last - start > LineAssembler.maximumLineBytes
        if isOverlong { last = start + LineAssembler.maximumLineBytes }
        lines.append(
            RawLine(
                range: ByteRange(start: start, count: last - start), offset: offset, number: nextLine, isOverlong: isOverlong,
                isPartial: isPartial && !isOverlong, followsNUL: hasPassedNUL))
        hasPassedNUL = false
    }

    /// Whether the unfinished line is over-long whatever follows: a carriage return just past the limit may be part of
    /// the line's end.
    private func isTooLong(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        let excess = end - start - LineAssembler.maximumLineBytes
        return excess > 1 || (excess == 1 && bytes[end - 1] != 0x0D)
    }

    /// The next line feed. Lines are long: thirty-two bytes at a time, of which nearly all rounds find nothing.
    @inline(__always)
    private static func lineBreak(_ bytes: Span<UInt8>, from start: Int) -> Int? {
        let feed = SIMD16<UInt8>(repeating: 0x0A)
        var index = start
        // The loads end at or before the end of the span.
        while bytes.count &- index >= 32 {
            let first = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: SIMD16<UInt8>.self)
            let second = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index &+ 16, as: SIMD16<UInt8>.self)
            let found = unsafe unsafeBitCast((first .== feed) .| (second .== feed), to: SIMD2<UInt64>.self)
            if found[0] | found[1] != 0 { break }
            index &+= 32
        }
        return bytes.firstIndex(of: 0x0A, from: index, to: bytes.count)
    }
}
