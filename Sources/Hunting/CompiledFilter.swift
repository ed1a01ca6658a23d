import Events

/// A filter whose fields are numbers. Immutable.
struct CompiledFilter: Sendable {
    private enum Operand {
        /// In lower case, as far as ASCII goes.
        case text([UInt8])
        case part([UInt8])
        case address(IPAddress)
        case network(AddressBlock)
        case field(FieldID)
        case anything
    }

    private struct Condition {
        var field: FieldID
        var operand: Operand
        var isNegated: Bool
    }

    private let conditions: [Condition]

    /// - Parameter table: with every field of the filter in it.
    init(_ filter: HuntFilter, _ table: FieldTable) throws(HuntError) {
        var compiled: [Condition] = []
        for condition in filter.conditions {
            let field = try CompiledFilter.find(condition.field, table)
            let operand: Operand
            switch condition.operand {
            case .text(let value):
                if field == .sourceIP, let address = IPAddress(value) {
                    operand = .address(address)
                } else {
                    operand = .text(value.utf8.map(CompiledFilter.folded))
                }
            case .part(let value): operand = .part(value.utf8.map(CompiledFilter.folded))
            case .network(let block): operand = .network(block)
            case .field(let other): operand = .field(try CompiledFilter.find(other, table))
            case .anything: operand = .anything
            }
            compiled.append(Condition(field: field, operand: operand, isNegated: condition.isNegated))
        }
        conditions = compiled
    }

    private static func find(_ name: String, _ table: FieldTable) throws(HuntError) -> FieldID {
        guard let field = table.find(name) else {
            throw HuntError("the field '\(name)' cannot be looked at", "use a field's name as `vigie rules explain` shows it")
        }
        return field
    }

    var isEmpty: Bool { conditions.isEmpty }

    func matches(_ event: EventRecord, _ batch: EventBatch) -> Bool {
        let bytes = batch.bytes.span
        return conditions.allSatisfy { $0.isNegated != holds($0, event, batch, bytes) }
    }

    private func holds(_ condition: Condition, _ event: EventRecord, _ batch: EventBatch, _ bytes: Span<UInt8>) -> Bool {
        for index in event.fields where batch.fields[index].field == condition.field {
            let value = bytes.extracting(batch.fields[index].range.bounds)
            switch condition.operand {
            case .anything: return true
            case .text(let text): if CompiledFilter.isEqual(value, text) { return true }
            case .part(let part): if CompiledFilter.contains(value, part) { return true }
            case .address(let address): if IPAddress(value) == address { return true }
            case .network(let block): if let address = IPAddress(value), block.contains(address) { return true }
            case .field(let other):
                for place in event.fields where batch.fields[place].field == other {
                    if CompiledFilter.isEqual(value, bytes.extracting(batch.fields[place].range.bounds)) { return true }
                }
            }
        }
        return false
    }

    private static func folded(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    private static func isEqual(_ value: Span<UInt8>, _ text: [UInt8]) -> Bool {
        guard value.count == text.count else { return false }
        for index in 0..<value.count where folded(value[index]) != text[index] { return false }
        return true
    }

    private static func isEqual(_ value: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard value.count == other.count else { return false }
        for index in 0..<value.count where folded(value[index]) != folded(other[index]) { return false }
        return true
    }

    private static func contains(_ value: Span<UInt8>, _ part: [UInt8]) -> Bool {
        guard value.count >= part.count else { return false }
        for start in 0...value.count - part.count where isEqual(value.extracting(start..<start + part.count), part) {
            return true
        }
        return false
    }
}
