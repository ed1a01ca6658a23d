import Events

/// Reads lines with a `FormatSet`. Owned by one `BatchParser`; keeps its working memory from line to line.
struct FormatMatcher: Sendable {
    let formats: FormatSet
    /// Where this batch has the bytes of the set's constants.
    var constantsStart = 0

    /// The name of the format that the last line read had.
    private(set) var lastFormat: String?

    /// Whether the patterns of the last line's own format have read its message.
    private(set) var hasReadMessage = false

    private var candidates: [Int32] = []
    private var stamps: [UInt32]
    private var stamp: UInt32 = 0
    /// By format: what its own keys hold, and what the scanner remembers of them from line to line.
    private var keyed: [FieldSink]

    init(_ formats: FormatSet) {
        self.formats = formats
        keyed = Array(repeating: FieldSink(), count: formats.formats.count)
        stamps = Array(repeating: 0, count: max(formats.patterns.count, formats.formats.count))
    }

    var isEmpty: Bool { formats.formats.isEmpty }

    /// Reads a whole line as a program's own file has it.
    ///
    /// - Parameter only: the format that the source is said to have; then a header by itself is enough.
    mutating func readLine(
        _ bytes: Span<UInt8>, _ range: Range<Int>, only: Int?, reference: Timestamp, into sink: inout FieldSink
    ) -> ParsedLine? {
        let trimmed = FormatMatcher.trimmed(bytes, range)
        nominate(bytes, trimmed)
        for position in candidates.indices {
            let number = Int(candidates[position])
            if let only, formats.patterns[number].format != only { continue }
            let isBare = formats.formats[formats.patterns[number].format].headers.isEmpty || only != nil
            if let parsed = attempt(number, bytes, trimmed, isBare: isBare, reference: reference, into: &sink) {
                lastFormat = formats.formats[formats.patterns[number].format].name
                return parsed
            }
        }
        guard let only else { return nil }
        return readHeader(only, bytes, trimmed, reference: reference, into: &sink)
    }

    /// Reads what a program said through syslog, the journal or a container.
    ///
    /// - Parameter program: where its name stands; another program's patterns are not tried for one that has its own.
    mutating func readMessage(
        _ bytes: Span<UInt8>, _ range: Range<Int>, program: Range<Int>?, only: Int? = nil, reference: Timestamp,
        into sink: inout FieldSink
    ) -> ParsedLine? {
        let trimmed = FormatMatcher.trimmed(bytes, range)
        nominate(bytes, trimmed)
        guard !candidates.isEmpty else { return nil }
        let isKnown = program.map { isKnownProgram(bytes, $0) } ?? false
        for position in candidates.indices {
            let number = Int(candidates[position])
            let format = formats.patterns[number].format
            if let only {
                if format != only { continue }
            } else if isKnown, let program {
                guard names(format, bytes, program) else { continue }
            } else if !formats.formats[format].isAnywhere {
                continue
            }
            if let parsed = attempt(number, bytes, trimmed, isBare: true, reference: reference, into: &sink) { return parsed }
        }
        return nil
    }

    /// The log source of a program that says something no pattern knows.
    func logSource(_ bytes: Span<UInt8>, program: Range<Int>) -> LogSourceID? {
        for number in formats.formats.indices where !formats.formats[number].isOfEveryProgram && names(number, bytes, program) {
            return formats.formats[number].logSource
        }
        return nil
    }

    private mutating func nominate(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        candidates.removeAll(keepingCapacity: true)
        stamp &+= 1
        formats.index.search(bytes, range) { number in
            if stamps[Int(number)] != stamp {
                stamps[Int(number)] = stamp
                candidates.append(number)
            }
        }
        // In the order of the formats and of the patterns in their files.
        if candidates.count > 1 { candidates.sortFew() }
    }

    /// One pattern, on the text itself or behind one of its format's headers.
    private func attempt(
        _ number: Int, _ bytes: Span<UInt8>, _ range: Range<Int>, isBare: Bool, reference: Timestamp, into sink: inout FieldSink
    ) -> ParsedLine? {
        let first = sink.values.count
        let format = formats.patterns[number].format
        let literals = formats.literals.span
        for header in formats.formats[format].headers.indices {
            let line = formats.formats[format].headers[header]
            guard let begun = line.match(bytes, range, literals, reference: reference, into: &sink) else { continue }
            if let message = sink.range(of: .message)?.bounds {
                let rest = FormatMatcher.trimmed(bytes, message)
                if let body = formats.patterns[number].line.match(bytes, rest, literals, reference: reference, into: &sink) {
                    if formats.patterns[number].isHeaderOnly { sink.addMissingEntities(bytes, message) }
                    return finish(number, time: begun.time ?? body.time, first, bytes, into: &sink)
                }
            }
            sink.values.removeLast(sink.values.count - first)
        }
        guard isBare, !formats.patterns[number].isHeaderOnly,
            let body = formats.patterns[number].line.match(bytes, range, literals, reference: reference, into: &sink)
        else { return nil }
        return finish(number, time: body.time, first, bytes, into: &sink)
    }

    private func readHeader(
        _ format: Int, _ bytes: Span<UInt8>, _ range: Range<Int>, reference: Timestamp, into sink: inout FieldSink
    ) -> ParsedLine? {
        for header in formats.formats[format].headers.indices {
            let line = formats.formats[format].headers[header]
            guard let begun = line.match(bytes, range, formats.literals.span, reference: reference, into: &sink) else { continue }
            if let message = sink.range(of: .message) { sink.addMissingEntities(bytes, message.bounds) }
            return ParsedLine(time: begun.time, logSource: formats.formats[format].logSource)
        }
        return nil
    }

    /// Adds what the pattern says without the line saying it.
    private func finish(
        _ number: Int, time: Timestamp?, _ first: Int, _ bytes: Span<UInt8>, into sink: inout FieldSink
    ) -> ParsedLine {
        let format = formats.patterns[number].format
        sink.mergeRepeated(from: first)
        for map in formats.formats[format].maps {
            guard let value = sink.range(of: map.field), isEqual(bytes, value, map.from) else { continue }
            sink.set(map.field, placed(map.range))
        }
        if !formats.patterns[number].isHeaderOnly { set(formats.formats[format].constants, into: &sink) }
        set(formats.patterns[number].constants, into: &sink)
        sink.addRequestFields(bytes)
        return ParsedLine(time: time, logSource: formats.patterns[number].logSource)
    }

    private func set(_ constants: [FormatSet.ConstantValue], into sink: inout FieldSink) {
        for index in constants.indices { sink.set(constants[index].field, placed(constants[index].range)) }
    }

    private func placed(_ constant: ByteRange) -> ByteRange {
        ByteRange(start: constantsStart + Int(constant.start), count: Int(constant.count))
    }

    private func isEqual(_ bytes: Span<UInt8>, _ range: ByteRange, _ text: [UInt8]) -> Bool {
        guard Int(range.count) == text.count else { return false }
        for offset in text.indices where bytes[Int(range.start) + offset] != text[offset] { return false }
        return true
    }

    private func isKnownProgram(_ bytes: Span<UInt8>, _ program: Range<Int>) -> Bool {
        for number in formats.formats.indices where !formats.formats[number].isOfEveryProgram && names(number, bytes, program) {
            return true
        }
        return false
    }

    private func names(_ format: Int, _ bytes: Span<UInt8>, _ program: Range<Int>) -> Bool {
        for name in formats.formats[format].programs {
            let isOpen = name.last == UInt8(ascii: "*")
            let count = name.count - (isOpen ? 1 : 0)
            guard isOpen ? program.count >= count : program.count == count else { continue }
            var isEqual = true
            for offset in 0..<count where bytes[program.lowerBound + offset] != name[offset] {
                isEqual = false
                break
            }
            if isEqual { return true }
        }
        return false
    }

    /// Without white space at its ends.
    static func trimmed(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        while start < end, bytes[start] <= 0x20 { start += 1 }
        return start..<end
    }
}

extension FormatMatcher {
    /// Adds what the line's format says, once its keys and values have been read; takes out what only told the format.
    ///
    /// - Parameter scan: reads the keys of a plan from the same line.
    mutating func refine(
        _ bytes: Span<UInt8>, _ parsed: inout ParsedLine, reference: Timestamp, into sink: inout FieldSink,
        scan: (JSONFieldPlan, inout FieldSink) -> Bool
    ) {
        hasReadMessage = false
        candidates.removeAll(keepingCapacity: true)
        for index in sink.first..<sink.values.count {
            let value = sink.values[index]
            guard formats.keyedIndex.mayTrigger(value.field) else { continue }
            formats.keyedIndex.formats(value.field, bytes, value.range.bounds) { candidates.append($0) }
        }
        if candidates.count > 1 { candidates.sortFew() }
        var last: Int32 = -1
        for position in candidates.indices where candidates[position] != last {
            last = candidates[position]
            guard formats.keyedIndex.mayApply(Int(last), sink) else { continue }
            // It may look for candidates of its own: nothing of these is asked for behind it.
            if apply(Int(last), isNamed: false, bytes, &parsed, reference: reference, into: &sink, scan: scan) { break }
        }
        sink.removeFields(from: formats.keyedIndex.firstScratchField)
    }

    /// Likewise for a source that is said to have the format: its keys are read, whether one of its cases holds or not.
    mutating func refine(
        as number: Int, _ bytes: Span<UInt8>, _ parsed: inout ParsedLine, reference: Timestamp, into sink: inout FieldSink,
        scan: (JSONFieldPlan, inout FieldSink) -> Bool
    ) {
        _ = apply(number, isNamed: true, bytes, &parsed, reference: reference, into: &sink, scan: scan)
    }

    private mutating func apply(
        _ number: Int, isNamed: Bool, _ bytes: Span<UInt8>, _ parsed: inout ParsedLine, reference: Timestamp,
        into sink: inout FieldSink, scan: (JSONFieldPlan, inout FieldSink) -> Bool
    ) -> Bool {
        guard let plan = formats.keyedIndex.plans[number], let format = formats.formats[number].keyed else { return false }
        keyed[number].removeAll()
        guard scan(plan, &keyed[number]) else { return false }
        let found = format.cases.firstIndex(where: { holds($0, keyed[number], bytes) })
        guard found != nil || isNamed else { return false }
        if let message = format.targets.first(where: { $0.field == .message }) {
            fill(message, keyed[number], bytes, into: &sink)
        }
        readOwnMessage(number, bytes, reference: reference, into: &sink)
        for target in format.targets { fill(target, keyed[number], bytes, into: &sink) }
        for map in formats.formats[number].maps {
            guard let value = sink.range(of: map.field), isEqual(bytes, value, map.from) else { continue }
            sink.set(map.field, placed(map.range))
        }
        set(formats.formats[number].constants, into: &sink)
        if let found { set(format.cases[found].constants, into: &sink) }
        sink.addRequestFields(bytes)
        if format.targets.contains(where: { $0.field == .timestamp }), let range = sink.range(of: .timestamp),
            let time = JSONFormat.timestamp(bytes, range.bounds)
        {
            parsed.time = time
        }
        parsed.logSource = found.map { format.cases[$0].logSource } ?? formats.formats[number].logSource
        return true
    }

    /// What the format's patterns say of the message: its keys and cases know better, where they say something.
    private mutating func readOwnMessage(_ number: Int, _ bytes: Span<UInt8>, reference: Timestamp, into sink: inout FieldSink) {
        guard formats.formats[number].hasPatterns, let index = sink.index(of: .message) else { return }
        let message = sink.values[index].range
        let isEscaped = sink.escaped.contains(index)
        let first = sink.first
        let found = readMessage(bytes, message.bounds, program: nil, only: number, reference: reference, into: &sink)
        hasReadMessage = found != nil
        guard found != nil, isEscaped else { return }
        // Parts of a text that holds escapes hold some, too.
        for place in first..<sink.values.count where !sink.escaped.contains(place) {
            let range = sink.values[place].range
            if range.start >= message.start, range.end <= message.end { sink.escaped.append(place) }
        }
    }

    /// The first of a field's keys that has a value fills it.
    private func fill(_ target: KeyedFormat.Target, _ keyed: FieldSink, _ bytes: Span<UInt8>, into sink: inout FieldSink) {
        for key in target.keys {
            for index in keyed.values.indices where Int(keyed.values[index].field.rawValue) == key {
                let range = keyed.values[index].range
                if AbsentValue.isAbsent(bytes, Int(range.start), range.end, target.field) { continue }
                return sink.set(target.field, range, isEscaped: keyed.escaped.contains(index))
            }
        }
    }

    private func holds(_ entry: KeyedFormat.Case, _ keyed: FieldSink, _ bytes: Span<UInt8>) -> Bool {
        for condition in entry.conditions {
            var isMet = false
            for value in keyed.values where Int(value.field.rawValue) == condition.key {
                for wanted in condition.values where wanted.matches(bytes, value.range.bounds) { isMet = true }
            }
            if !isMet { return false }
        }
        return true
    }
}
