import Events

extension CorrelationTrace {
    /// What is counted: an event, or the finding of a correlation.
    struct Cause {
        /// The event at hand; none where time was up.
        var event: EventRecord?
        var time: Timestamp
        var place: StoredPlace
        var address: IPAddress?
        /// For findings: the group that they were found in, and whom they name.
        var key: [KeyPart] = []
        var sourceIP: String?
        var userName: String?
    }

    /// A part of a group's key, or a value that is counted, and where it was read.
    struct KeyPart: Sendable {
        /// Under the name that events have.
        var field: FieldID
        /// Read from the group of the finding that is counted, not from an event.
        var component: Int?
        /// As the key has it; `nil` where it is missing.
        var bytes: [UInt8]?
        var isPrefix = false
    }
}

extension CorrelationTrace.KeyPart {
    init(_ place: CompiledCorrelation.MemberField, _ cause: CorrelationTrace.Cause, _ batch: EventBatch) {
        field = place.field
        component = place.component
        if let component {
            if component < cause.key.count {
                bytes = cause.key[component].bytes
                isPrefix = cause.key[component].isPrefix
            } else {
                // Behind the key of an absence stand its address and its user.
                bytes = (component == cause.key.count ? cause.sourceIP : cause.userName).map { Array($0.utf8) }
            }
        } else if place.field == .sourcePrefix, let prefix = cause.address?.prefix {
            bytes = [prefix.high, prefix.low].flatMap { CorrelationTrace.KeyPart.bigEndian($0, count: 8) }
            isPrefix = true
        } else if let event = cause.event,
            let range = batch.range(of: place.field == .sourcePrefix ? .sourceIP : place.field, in: event)
        {
            bytes = Array(batch.bytes[range.bounds])
        }
    }

    /// The key that the engine makes of the parts; `nil` where one is missing that may not be.
    static func key(_ parts: [Self], groupsMissing: Bool) -> [UInt8]? {
        var key: [UInt8] = []
        for part in parts {
            guard let bytes = part.bytes else {
                guard groupsMissing, part.component == nil else { return nil }
                key += bigEndian(UInt64(UInt32.max), count: 4)
                continue
            }
            key += bigEndian(UInt64(bytes.count), count: 4) + bytes
        }
        return key
    }

    /// Whether the engine takes it for what this kind of correlation counts or adds up.
    func isCounted(by kind: CompiledCorrelation.Kind) -> Bool {
        guard let bytes else { return false }
        switch kind {
        case .sum, .average, .median, .percentile:
            guard bytes.count <= 40 || component != nil, let number = Double(String(decoding: bytes, as: UTF8.self)) else {
                return false
            }
            return abs(number) < CorrelationState.maximumMagnitude
        case .eventCount, .valueCount, .temporal, .temporalOrdered, .absence: return true
        }
    }

    /// For people.
    var text: String? {
        guard let bytes else { return nil }
        guard isPrefix, bytes.count == 16 else { return EventReader.shown(String(decoding: bytes, as: UTF8.self)) }
        let number = { (part: ArraySlice<UInt8>) in part.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
        return IPAddress(high: number(bytes[..<8]), low: number(bytes[8...])).description
    }

    private static func bigEndian(_ number: UInt64, count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }
}
