package import Events

/// Lines in the order in which detection saw them, with what is needed to show them to detection again.
package struct LineBlock: Sendable {
    /// Neighbouring lines of one source, read at one moment.
    package struct Run: Sendable, Hashable {
        package var origin: BatchOrigin
        /// As configured: `auto` is decided again whenever the lines are read.
        package var format: String
        /// Dates without a year were resolved against it.
        package var received: Timestamp
        /// Places in `lines`.
        package var lines: Range<Int>
    }

    package struct Line: Sendable, Hashable, BitwiseCopyable {
        /// Its text, in `text`.
        package var range: ByteRange
        package var offset: Int64
        package var number: Int64
        package var time: Timestamp
        /// False where the line carries no time and was given one.
        package var hasOwnTime: Bool
        package var isSecurity: Bool
    }

    package private(set) var runs: [Run] = []
    package private(set) var lines: [Line] = []
    package private(set) var text: [UInt8] = []
    /// Addresses and accounts in the lines.
    package private(set) var keys: Set<ValueKey> = []

    package init() {}

    package var isEmpty: Bool { lines.isEmpty }

    /// Adds a line to the last run, or begins another.
    package mutating func add(
        _ line: Span<UInt8>, offset: Int64, number: Int64, time: Timestamp, hasOwnTime: Bool, isSecurity: Bool,
        origin: BatchOrigin, format: String, received: Timestamp
    ) {
        let start = text.count
        // Room that is asked for to the byte is given to the byte: every line would copy all of the block.
        for index in 0..<line.count { text.append(line[index]) }
        add(
            Line(
                range: ByteRange(start: start, count: line.count), offset: offset, number: number, time: time,
                hasOwnTime: hasOwnTime, isSecurity: isSecurity),
            origin: origin, format: format, received: received)
    }

    private mutating func add(_ line: Line, origin: BatchOrigin, format: String, received: Timestamp) {
        lines.append(line)
        if let last = runs.last, last.origin == origin, last.received == received, last.format == format {
            runs[runs.count - 1].lines = last.lines.lowerBound..<lines.count
        } else {
            runs.append(Run(origin: origin, format: format, received: received, lines: lines.count - 1..<lines.count))
        }
    }

    package mutating func add(_ key: ValueKey) { keys.insert(key) }

    /// Adds the lines of another block that `keeps` wants.
    ///
    /// - Parameter keys: those of the other block; they may be more than what is kept has, which only costs time.
    package mutating func add(_ other: LineBlock, keys: [ValueKey], where keeps: (Run, Line) -> Bool) {
        var kept = 0
        for run in other.runs {
            for index in run.lines where keeps(run, other.lines[index]) {
                var line = other.lines[index]
                let start = text.count
                text.append(contentsOf: other.text[line.range.bounds])
                line.range.start = Int32(truncatingIfNeeded: start)
                add(line, origin: run.origin, format: run.format, received: run.received)
                kept += 1
            }
        }
        if kept > 0 { self.keys.formUnion(keys) }
    }
}

extension LineBlock {
    /// Names are paths or receivers'; longer ones are damage.
    static let maximumName = 65_536

    /// What a frame holds: the runs with columns of numbers, then all text. Columns compress better than rows.
    var payload: [UInt8] {
        var writer = NumberWriter()
        writer.bytes.reserveCapacity(text.count + 12 * lines.count + 64)
        writer.number(runs.count)
        for run in runs {
            writer.text(run.origin.source)
            writer.number(run.origin.generation)
            writer.text(run.format)
            writer.fixed(run.received.nanoseconds)
            writer.number(run.lines.count)
            for line in lines[run.lines] {
                writer.number(UInt64(line.range.count) << 2 | (line.hasOwnTime ? 1 : 0) | (line.isSecurity ? 2 : 0))
            }
            var offset: Int64 = 0
            for line in lines[run.lines] {
                writer.signed(line.offset &- offset)
                // Where the next line begins when nothing but a line feed stands between.
                offset = line.offset &+ Int64(line.range.count) &+ 1
            }
            var number: Int64 = 0
            for line in lines[run.lines] {
                writer.signed(line.number &- number)
                number = line.number &+ 1
            }
            var time = run.received.nanoseconds
            for line in lines[run.lines] {
                writer.signed(line.time.nanoseconds &- time)
                time = line.time.nanoseconds
            }
        }
        writer.bytes.append(contentsOf: text)
        return writer.bytes
    }

    /// - Returns: `nil` for bytes that are no such payload.
    package init?(payload: [UInt8], lineCount: Int) {
        var reader = NumberReader(payload)
        guard let runCount = reader.count(limit: payload.count) else { return nil }
        var textStart = 0
        for _ in 0..<runCount {
            guard let source = reader.text(limit: LineBlock.maximumName),
                let generation = reader.count(limit: Int(Int32.max)), let format = reader.text(limit: LineBlock.maximumName),
                let received = reader.fixed(Int64.self), let count = reader.count(limit: reader.left)
            else { return nil }
            let first = lines.count
            for _ in 0..<count {
                guard let packed = reader.number(), packed >> 2 <= UInt64(payload.count) else { return nil }
                let length = Int(packed >> 2)
                lines.append(
                    Line(
                        range: ByteRange(start: textStart, count: length), offset: 0, number: 0,
                        time: Timestamp(nanoseconds: 0), hasOwnTime: packed & 1 == 1, isSecurity: packed & 2 == 2))
                textStart += length
                guard textStart <= payload.count else { return nil }
            }
            var offset: Int64 = 0
            for index in first..<lines.count {
                guard let step = reader.signed() else { return nil }
                lines[index].offset = offset &+ step
                offset = lines[index].offset &+ Int64(lines[index].range.count) &+ 1
            }
            var number: Int64 = 0
            for index in first..<lines.count {
                guard let step = reader.signed() else { return nil }
                lines[index].number = number &+ step
                number = lines[index].number &+ 1
            }
            var time = received
            for index in first..<lines.count {
                guard let step = reader.signed() else { return nil }
                lines[index].time = Timestamp(nanoseconds: time &+ step)
                time = lines[index].time.nanoseconds
            }
            runs.append(
                Run(
                    origin: BatchOrigin(source: source, generation: generation), format: format,
                    received: Timestamp(nanoseconds: received), lines: first..<lines.count))
        }
        guard lines.count == lineCount, textStart == reader.left else { return nil }
        text = Array(payload[reader.index...])
    }
}
