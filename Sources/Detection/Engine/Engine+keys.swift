import Events

/// Group keys and values: a length in front of each part, so that no two lists of parts give the same bytes.
extension Engine {
    /// Stands for a part that is missing.
    private static let missing = UInt32.max

    /// Writes the parts of a key; false when one is missing and such events form no group.
    func makeKey(
        _ fields: [CompiledCorrelation.MemberField], _ cause: Cause, _ batch: EventBatch, groupsMissing: Bool,
        into key: inout [UInt8]
    ) -> Bool {
        key.removeAll(keepingCapacity: true)
        for field in fields {
            if let place = field.component {
                guard let part = Engine.component(place, of: cause) else { return false }
                Engine.append(part, to: &key)
            } else if field.field == .sourcePrefix, let prefix = cause.event.address?.prefix {
                Engine.append(length: 16, to: &key)
                Engine.append(prefix.high, to: &key)
                Engine.append(prefix.low, to: &key)
            } else if let range = first(field.field == .sourcePrefix ? .sourceIP : field.field, batch) {
                // A client that is no address (a host name in an old Apache log) is a group of its own.
                Engine.append(length: UInt32(range.count), to: &key)
                unsafe batch.bytes.span.extracting(range.bounds).withUnsafeBufferPointer { unsafe key.append(contentsOf: $0) }
            } else {
                guard groupsMissing else { return false }
                Engine.append(length: Engine.missing, to: &key)
            }
        }
        return true
    }

    /// The value of a field as a number.
    func number(_ field: CompiledCorrelation.MemberField, _ cause: Cause, _ batch: EventBatch) -> Double? {
        let text: String
        if let place = field.component {
            guard let part = Engine.component(place, of: cause) else { return nil }
            text = String(decoding: part, as: UTF8.self)
        } else {
            guard let range = first(field.field, batch), range.count <= 40 else { return nil }
            text = String(decoding: batch.bytes[range.bounds], as: UTF8.self)
        }
        guard let number = Double(text), abs(number) < CorrelationState.maximumMagnitude else { return nil }
        // -0 and 0 are one value.
        return number == 0 ? 0 : number
    }

    private func first(_ field: FieldID, _ batch: EventBatch) -> ByteRange? {
        let index = Int(field.rawValue)
        return valueCount(of: index) > 0 ? batch.fields[firstValue(of: index)].range : nil
    }

    /// A part of the group key that a finding was found under; behind them, for an absence, its address and user.
    private static func component(_ place: Int, of cause: Cause) -> [UInt8]? {
        var index = 0
        var left = place
        let key = cause.innerKey
        while index + 4 <= key.count {
            let length = key[index..<index + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let count = length == missing ? 0 : Int(length)
            guard index + 4 + count <= key.count else { return nil }
            if left == 0 { return length == missing ? nil : Array(key[index + 4..<index + 4 + count]) }
            left -= 1
            index += 4 + count
        }
        let extra = [cause.sourceIP, cause.userName]
        return left < extra.count ? extra[left].map { Array($0.utf8) } : nil
    }

    private static func append(_ part: [UInt8], to key: inout [UInt8]) {
        append(length: UInt32(truncatingIfNeeded: part.count), to: &key)
        key.append(contentsOf: part)
    }

    private static func append(length: UInt32, to key: inout [UInt8]) {
        var left = length
        for _ in 0..<4 {
            key.append(UInt8(truncatingIfNeeded: left >> 24))
            left <<= 8
        }
    }

    private static func append(_ number: UInt64, to key: inout [UInt8]) {
        var left = number
        for _ in 0..<8 {
            key.append(UInt8(truncatingIfNeeded: left >> 56))
            left <<= 8
        }
    }
}
