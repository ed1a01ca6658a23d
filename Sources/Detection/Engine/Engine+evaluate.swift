import Events

/// Evaluates the conditions of candidates in full.
extension Engine {
    /// A table that can be read while the engine changes.
    final class Conditions: Sendable {
        let table: EvaluationTable

        init(table: EvaluationTable) {
            self.table = table
        }
    }

    /// Whether the expression that begins at `place` holds for the event at hand.
    @inline(__always)
    mutating func holds(
        _ place: Int32, _ program: Program, _ conditions: Conditions, _ event: EventRecord, _ bytes: Span<UInt8>,
        _ fields: Span<FieldValue>
    ) -> Bool {
        var place = place
        while place >= 0 {
            let step = conditions.table.steps[Int(place)]
            place =
                holds(step.predicate, program, conditions.table, event, bytes, fields) ? step.ifTrue : step.ifFalse
        }
        return place == EvaluationTable.truth
    }

    private mutating func holds(
        _ predicate: EvaluationTable.FlatPredicate, _ program: Program, _ evaluation: EvaluationTable, _ event: EventRecord,
        _ bytes: Span<UInt8>, _ fields: Span<FieldValue>
    ) -> Bool {
        // Most regular expressions were tried on every value in which they could match.
        if predicate.kind == .regex, !program.isLate[Int(predicate.operand)] {
            return regexStamps[Int(predicate.operand)] == stamp
        }
        guard predicate.subject >= 0 else {
            return predicate.subject == EvaluationTable.timeSubject
                ? holds(predicate, event) : holds(predicate, evaluation, event.line.bounds, bytes, fields)
        }
        let count = valueCount(of: Int(predicate.subject))
        switch predicate.kind {
        case .isNull, .absent: return count == 0
        case .exists: return count > 0
        default:
            let first = firstValue(of: Int(predicate.subject))
            for index in first..<first + count where holds(predicate, evaluation, fields[index].range.bounds, bytes, fields) {
                return true
            }
            return false
        }
    }

    /// A test of the event's own time.
    private func holds(_ predicate: EvaluationTable.FlatPredicate, _ event: EventRecord) -> Bool {
        switch predicate.kind {
        case .isNull, .absent: !event.hasOwnTime
        case .timePart:
            event.hasOwnTime
                && predicate.comparison.holds(Double(predicate.part.value(of: event.time)), predicate.number)
        default: event.hasOwnTime
        }
    }

    private mutating func holds(
        _ predicate: EvaluationTable.FlatPredicate, _ evaluation: EvaluationTable, _ range: Range<Int>, _ bytes: Span<UInt8>,
        _ fields: Span<FieldValue>
    ) -> Bool {
        let operand = Int(predicate.operand)
        switch predicate.kind {
        case .literal:
            return evaluation.holds(
                literal: operand, Int(predicate.length), predicate.anchor, isCased: predicate.isCased, bytes, range)
        case .glob: return evaluation.globs[operand].matches(bytes, range)
        case .regex: return matchers[operand].matches(bytes, in: range)
        case .block: return IPAddress(bytes.extracting(range)).map(evaluation.blocks[operand].contains) ?? false
        case .compare:
            return DecimalNumber.value(bytes, range).map { predicate.comparison.holds($0, predicate.number) } ?? false
        case .timePart:
            guard let time = Timestamp(iso8601: bytes.extracting(range), assumedOffsetSeconds: 0) else { return false }
            return predicate.comparison.holds(Double(predicate.part.value(of: time)), predicate.number)
        case .field:
            let first = firstValue(of: operand)
            for index in first..<first + valueCount(of: operand)
            where EvaluationTable.holds(
                bytes, range, predicate.anchor, fields[index].range.bounds, isCased: predicate.isCased)
            {
                return true
            }
            return false
        case .exists: return true
        case .absent, .isNull: return false
        }
    }
}
