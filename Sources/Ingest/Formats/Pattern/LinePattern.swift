import Events

/// One variant of a pattern, compiled: a plain sequence that is matched without backtracking.
///
/// **Why attackers cannot forge fields.** A gap (free text) ends where what is written behind it begins. Behind `text` that
/// is sought from the end of the line: whatever a user name contains, the address that the program appended after it comes
/// later and wins. Behind `until` it is sought from the left, for text that only the program writes.
///
/// **Bounded work.** Each literal behind a gap is sought once, over the bytes that are left; where it stands, the captures
/// behind it are tried, at most `maximumPlaces` times, from the end the program wrote on.
struct LinePattern: Sendable {
    enum Element: Sendable {
        /// A range of the shared literals.
        case literal(ByteRange)
        /// Without a field where the pattern names none, or one that nothing reads.
        case capture(CaptureKind, field: FieldID?)
        case gap(isGreedy: Bool, isCell: Bool, field: FieldID?)
    }

    static let maximumPlaces = 64

    let elements: [Element]

    /// Matches the whole of `range`; adds what it captured, or nothing.
    func match(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ literals: Span<UInt8>, reference: Timestamp, into sink: inout FieldSink
    ) -> Matched? {
        var run = PatternRun(
            start: range.lowerBound, end: range.upperBound, reference: reference, firstValue: sink.values.count)
        guard run.match(elements.span, bytes, literals, into: &sink) else {
            sink.values.removeLast(sink.values.count - run.firstValue)
            return nil
        }
        return Matched(time: run.time, reached: range.upperBound)
    }

    /// How far into `range` the pattern's beginning fits, and which element did not: for `nearestFormat`.
    func progress(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ literals: Span<UInt8>, reference: Timestamp, into sink: inout FieldSink
    ) -> (position: Int, element: Int) {
        var run = PatternRun(
            start: range.lowerBound, end: range.upperBound, reference: reference, firstValue: sink.values.count)
        _ = run.match(elements.span, bytes, literals, into: &sink)
        sink.values.removeLast(sink.values.count - run.firstValue)
        return (run.farthest, run.failedElement)
    }

    struct Matched {
        var time: Timestamp?
        var reached: Int
    }
}

/// One attempt to match one pattern.
private struct PatternRun {
    let start: Int
    let end: Int
    let reference: Timestamp
    let firstValue: Int
    var time: Timestamp?
    /// For explanations: the element that did not fit, and where.
    var farthest: Int
    var failedElement = 0

    init(start: Int, end: Int, reference: Timestamp, firstValue: Int) {
        self.start = start
        self.end = end
        self.reference = reference
        self.firstValue = firstValue
        farthest = start
    }

    mutating func match(
        _ elements: Span<LinePattern.Element>, _ bytes: Span<UInt8>, _ literals: Span<UInt8>, into sink: inout FieldSink
    ) -> Bool {
        var place = start
        var index = 0
        while index < elements.count {
            guard case .gap(let isGreedy, let isCell, let field) = elements[index] else {
                guard let next = step(index, at: place, elements, bytes, literals, into: &sink) else { return fail(index, place) }
                place = next
                index += 1
                continue
            }
            if index == elements.count - 1 {
                return add(field, isCell: isCell, place, end, bytes, into: &sink) ? true : fail(index, place)
            }
            if isGreedy { return backward(from: index, lowest: place, elements, bytes, literals, into: &sink) }
            let stop = segmentEnd(after: index, elements)
            guard
                let found = seek(
                    index + 1..<stop, from: place, to: end, isLast: stop == elements.count, elements, bytes, literals, into: &sink
                )
            else { return fail(index + 1, place) }
            guard add(field, place, found.lowerBound, bytes, into: &sink) else { return fail(index, place) }
            place = found.upperBound
            index = stop
        }
        return place == end ? true : fail(elements.count, place)
    }

    /// Matches all that follows the greedy gap at `first`, from the end of the line.
    private mutating func backward(
        from first: Int, lowest: Int, _ elements: Span<LinePattern.Element>, _ bytes: Span<UInt8>, _ literals: Span<UInt8>,
        into sink: inout FieldSink
    ) -> Bool {
        var limit = elements.count
        var right = end
        while true {
            var gap = limit - 1
            while gap > first {
                if case .gap = elements[gap] { break }
                gap -= 1
            }
            var left = right
            if gap + 1 < limit {
                guard
                    let found = seekBack(
                        gap + 1..<limit, from: lowest, to: right, isLast: limit == elements.count, elements, bytes, literals,
                        into: &sink)
                else { return fail(gap + 1, lowest) }
                left = found.lowerBound
                // The gap to the right of this segment reaches from its end.
                if limit < elements.count, case .gap(_, let isCell, let field) = elements[limit] {
                    guard add(field, isCell: isCell, found.upperBound, right, bytes, into: &sink) else {
                        return fail(limit, found.upperBound)
                    }
                }
            }
            if gap == first {
                guard case .gap(_, let isCell, let field) = elements[first] else { return false }
                return add(field, isCell: isCell, lowest, left, bytes, into: &sink) ? true : fail(first, lowest)
            }
            right = left
            limit = gap
        }
    }

    /// The first place at or behind `place` where the segment fits.
    private mutating func seek(
        _ segment: Range<Int>, from place: Int, to end: Int, isLast: Bool, _ elements: Span<LinePattern.Element>,
        _ bytes: Span<UInt8>, _ literals: Span<UInt8>, into sink: inout FieldSink
    ) -> Range<Int>? {
        guard case .literal(let literal) = elements[segment.lowerBound] else { return nil }
        var candidate = place
        var places = 0
        while candidate + Int(literal.count) <= end, places < LinePattern.maximumPlaces {
            if bytes.hasPrefix(literals, literal, from: candidate, to: end) {
                places += 1
                if let stop = fit(segment, at: candidate, to: end, isLast: isLast, elements, bytes, literals, into: &sink) {
                    return candidate..<stop
                }
            }
            candidate += 1
        }
        return nil
    }

    /// The last place at or behind `lowest` where the segment fits and ends before `end`.
    private mutating func seekBack(
        _ segment: Range<Int>, from lowest: Int, to end: Int, isLast: Bool, _ elements: Span<LinePattern.Element>,
        _ bytes: Span<UInt8>, _ literals: Span<UInt8>, into sink: inout FieldSink
    ) -> Range<Int>? {
        guard case .literal(let literal) = elements[segment.lowerBound] else { return nil }
        var candidate = end - Int(literal.count)
        var places = 0
        while candidate >= lowest, places < LinePattern.maximumPlaces {
            if bytes.hasPrefix(literals, literal, from: candidate, to: end) {
                places += 1
                if let stop = fit(segment, at: candidate, to: end, isLast: isLast, elements, bytes, literals, into: &sink) {
                    return candidate..<stop
                }
            }
            candidate -= 1
        }
        return nil
    }

    /// Where the segment ends when it begins at `place`; adds nothing where it does not fit.
    private mutating func fit(
        _ segment: Range<Int>, at place: Int, to end: Int, isLast: Bool, _ elements: Span<LinePattern.Element>,
        _ bytes: Span<UInt8>, _ literals: Span<UInt8>, into sink: inout FieldSink
    ) -> Int? {
        let kept = sink.values.count
        var position = place
        for index in segment {
            guard let next = step(index, at: position, elements, bytes, literals, into: &sink), next <= end else {
                sink.values.removeLast(sink.values.count - kept)
                return nil
            }
            position = next
        }
        if isLast, position != end {
            sink.values.removeLast(sink.values.count - kept)
            return nil
        }
        return position
    }

    /// One literal or capture that has to begin at `place`.
    private mutating func step(
        _ index: Int, at place: Int, _ elements: Span<LinePattern.Element>, _ bytes: Span<UInt8>, _ literals: Span<UInt8>,
        into sink: inout FieldSink
    ) -> Int? {
        switch elements[index] {
        case .literal(let literal):
            return bytes.hasPrefix(literals, literal, from: place, to: end) ? place + Int(literal.count) : nil
        case .capture(.time(let layout), let field):
            guard let found = layout.take(bytes, place, end, reference: reference) else { return nil }
            if field == .timestamp { time = found.time } else if !add(field, place, found.next, bytes, into: &sink) { return nil }
            return found.next
        case .capture(let kind, let field):
            var following: ByteRange?
            if index + 1 < elements.count, case .literal(let literal) = elements[index + 1] { following = literal }
            guard let found = kind.take(bytes, place, end, before: following, literals),
                add(field, found.value.lowerBound, found.value.upperBound, bytes, into: &sink)
            else { return nil }
            return found.next
        case .gap: return nil
        }
    }

    /// False when the pattern captured that field already, and other bytes.
    private func add(
        _ field: FieldID?, isCell: Bool = false, _ start: Int, _ end: Int, _ bytes: Span<UInt8>, into sink: inout FieldSink
    ) -> Bool {
        if isCell, bytes.firstIndex(of: UInt8(ascii: "|"), from: start, to: end) != nil { return false }
        guard let field, !AbsentValue.isAbsent(bytes, start, end, field) else { return true }
        for index in firstValue..<sink.values.count where sink.values[index].field == field {
            let earlier = sink.values[index].range
            guard Int(earlier.count) == end - start else { return false }
            for offset in 0..<end - start where bytes[Int(earlier.start) + offset] != bytes[start + offset] { return false }
            return true
        }
        sink.add(field, start, end)
        return true
    }

    private func segmentEnd(after gap: Int, _ elements: Span<LinePattern.Element>) -> Int {
        var index = gap + 1
        while index < elements.count {
            if case .gap = elements[index] { return index }
            index += 1
        }
        return index
    }

    private mutating func fail(_ element: Int, _ place: Int) -> Bool {
        farthest = place
        failedElement = element
        return false
    }
}
