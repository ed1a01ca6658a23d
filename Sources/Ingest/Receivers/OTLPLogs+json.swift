import Events

extension OTLPLogs {
    /// The same as JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): names in lowerCamelCase, 64-bit numbers
    /// as strings or numbers, trace ids in hexadecimal; unknown names are passed over.
    package static func decode(json bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        let document = try JSONCursor.check(bytes, 0..<bytes.count)
        guard bytes.isObject(document) else { throw .malformed("an export of logs is a JSON object with 'resourceLogs'") }
        var request = JSONCursor(document)
        while let member = try request.member(bytes) {
            guard bytes.equals("resourceLogs", member.key), bytes.isArray(member.value) else { continue }
            var resources = JSONCursor(member.value)
            while let resourceLogs = try resources.element(bytes) {
                guard bytes.isObject(resourceLogs) else { throw .malformed("an element of 'resourceLogs' is a JSON object") }
                try decodeResource(bytes, resourceLogs, &lines)
            }
        }
    }

    private static func decodeResource(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        var resource = ReceivedRecord()
        if let resourceValue = try value(of: "resource", bytes, range),
            let attributes = try value(of: "attributes", bytes, resourceValue)
        {
            try addPairs(json: bytes, attributes, prefix: "", depth: 0, isResource: true, &resource)
        }
        guard let scopes = try value(of: "scopeLogs", bytes, range), bytes.isArray(scopes) else { return }
        var cursor = JSONCursor(scopes)
        while let scope = try cursor.element(bytes) {
            guard let records = try value(of: "logRecords", bytes, scope), bytes.isArray(records) else { continue }
            var elements = JSONCursor(records)
            while let record = try elements.element(bytes) {
                guard bytes.isObject(record) else { throw .malformed("an element of 'logRecords' is a JSON object") }
                try decodeRecord(json: bytes, record, resource, &lines)
            }
        }
    }

    private static func decodeRecord(
        json bytes: Span<UInt8>, _ range: Range<Int>, _ resource: ReceivedRecord, _ lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        var record = ReceivedRecord()
        var observed: Timestamp?
        var isLine = false
        var severity: UInt64 = 0
        var hasLevel = false
        var members = JSONCursor(range)
        while let member = try members.member(bytes) {
            switch bytes.string(member.key) {
            case "timeUnixNano": record.time = bytes.jsonNumber(member.value).flatMap(timestamp)
            case "observedTimeUnixNano": observed = bytes.jsonNumber(member.value).flatMap(timestamp)
            case "severityNumber": severity = bytes.jsonNumber(member.value) ?? 0
            case "severityText":
                if let text = bytes.jsonText(member.value), !text.isEmpty {
                    record.add("log.level", escaped: bytes, text)
                    hasLevel = true
                }
            case "traceId":
                if let text = bytes.jsonText(member.value), !text.isEmpty { record.add("trace.id", escaped: bytes, text) }
            case "spanId":
                if let text = bytes.jsonText(member.value), !text.isEmpty { record.add("span.id", escaped: bytes, text) }
            case "eventName":
                if let text = bytes.jsonText(member.value), !text.isEmpty { record.add("event.action", escaped: bytes, text) }
            case "attributes": try addPairs(json: bytes, member.value, prefix: "", depth: 0, isResource: false, &record)
            case "body": isLine = try setBody(json: bytes, member.value, &record)
            default: continue
            }
        }
        if !hasLevel, let level = level(severity: severity) { record.add("log.level", level) }
        if record.time == nil { record.time = observed }
        record.addFields(of: resource)
        if isLine { try lines.append(line: record) } else { try lines.append(fields: record) }
    }

    private static func setBody(
        json bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) -> Bool {
        guard let any = try anyValue(bytes, range) else { return false }
        switch (any.name, bytes.jsonText(any.value)) {
        case ("stringValue", .some(let text)):
            record.setMessage(escaped: bytes, text)
            return true
        // What JSON writes as a text is the message without its quotes.
        case (_, .some(let text)): record.setMessage(escaped: bytes, text)
        case (let name, nil):
            if name == "kvlistValue", let pairs = try value(of: "values", bytes, any.value) {
                try addPairs(json: bytes, pairs, prefix: "", depth: 0, isResource: false, &record)
                if try namesMessage(json: bytes, pairs) { return false }
            }
            var text = OTLPText()
            try write(json: bytes, range, depth: 0, to: &text)
            record.setMessage(text)
        }
        return false
    }

    /// Which value of an `AnyValue` is set.
    private static func anyValue(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(ReceiverRefusal) -> (name: String, value: Range<Int>)? {
        guard bytes.isObject(range) else { return nil }
        var members = JSONCursor(range)
        while let member = try members.member(bytes) {
            guard member.key.count <= 16 else { continue }
            let name = bytes.string(member.key)
            if valueNames.contains(name) { return (name, member.value) }
        }
        return nil
    }

    private static let valueNames: Set<String> = [
        "stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue",
    ]

    private static func namesMessage(json bytes: Span<UInt8>, _ pairs: Range<Int>) throws(ReceiverRefusal) -> Bool {
        guard bytes.isArray(pairs) else { return false }
        var elements = JSONCursor(pairs)
        while let pair = try elements.element(bytes) {
            guard let key = try value(of: "key", bytes, pair).flatMap({ bytes.jsonText($0) }) else { continue }
            if key.count <= 7, messageNames.contains(bytes.string(key)) { return true }
        }
        return false
    }

    /// `AnyValue` as plain JSON text.
    private static func write(
        json bytes: Span<UInt8>, _ range: Range<Int>?, depth: Int, to text: inout OTLPText
    ) throws(ReceiverRefusal) {
        guard let range, let (name, any) = try anyValue(bytes, range) else { return text.literal("null") }
        switch name {
        case "arrayValue", "kvlistValue":
            guard depth < maximumDepth else { return text.skip() }
            let isMap = name == "kvlistValue"
            text.literal(isMap ? "{" : "[")
            if let values = try value(of: "values", bytes, any), bytes.isArray(values) {
                var isFirst = true
                var elements = JSONCursor(values)
                while !text.isFull, let element = try elements.element(bytes) {
                    if !isFirst { text.literal(",") }
                    isFirst = false
                    guard isMap else {
                        try write(json: bytes, element, depth: depth + 1, to: &text)
                        continue
                    }
                    let key = try value(of: "key", bytes, element).flatMap { bytes.jsonText($0) }
                    text.string(escaped: bytes, key ?? 0..<0)
                    text.literal(":")
                    try write(json: bytes, try value(of: "value", bytes, element), depth: depth + 1, to: &text)
                }
            }
            text.literal(isMap ? "}" : "]")
        case "intValue" where bytes.jsonNumber(any) != nil:
            // A 64-bit number stands in quotes.
            text.json(bytes, bytes.jsonText(any) ?? any)
        default:
            if let string = bytes.jsonText(any) {
                text.string(escaped: bytes, string)
            } else if bytes.isObject(any) || bytes.isArray(any) {
                text.skip()
            } else {
                text.json(bytes, any)
            }
        }
    }

    /// The value of one member; `nil` where the range is no object or lacks it.
    private static func value(
        of name: StaticString, _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(ReceiverRefusal) -> Range<Int>? {
        guard bytes.isObject(range) else { return nil }
        var members = JSONCursor(range)
        while let member = try members.member(bytes) { if bytes.equals(name, member.key) { return member.value } }
        return nil
    }

    private static func addPairs(
        json bytes: Span<UInt8>, _ range: Range<Int>, prefix: String, depth: Int, isResource: Bool,
        _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) {
        guard bytes.isArray(range) else { return }
        var pairs = JSONCursor(range)
        while let pair = try pairs.element(bytes) {
            guard let key = try value(of: "key", bytes, pair).flatMap({ bytes.jsonText($0) }), !key.isEmpty,
                key.count <= ReceivedRecord.maximumNameBytes, let any = try value(of: "value", bytes, pair), bytes.isObject(any)
            else {
                record.skipField()
                continue
            }
            let name = prefix + bytes.string(key)
            if isResource, name == "service.name",
                let text = try value(of: "stringValue", bytes, any).flatMap({ bytes.jsonText($0) })
            {
                record.add("process.name", escaped: bytes, text)
            }
            try addValue(json: bytes, any, name: fieldName(name), depth: depth, &record)
        }
    }

    private static func addValue(
        json bytes: Span<UInt8>, _ range: Range<Int>, name: String, depth: Int, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) {
        guard bytes.isObject(range) else { return record.skipField() }
        var members = JSONCursor(range)
        while let member = try members.member(bytes) {
            switch bytes.string(member.key) {
            case "stringValue", "intValue":
                if let text = bytes.jsonText(member.value) {
                    record.add(name, escaped: bytes, text)
                } else if !bytes.isObject(member.value), !bytes.isArray(member.value) {
                    record.add(name, json: bytes, member.value)
                }
            case "boolValue", "doubleValue":
                if !bytes.isObject(member.value), !bytes.isArray(member.value) { record.add(name, json: bytes, member.value) }
            case "arrayValue":
                var text = OTLPText()
                try write(json: bytes, range, depth: depth, to: &text)
                record.add(name, text)
            case "bytesValue":
                if let text = bytes.jsonText(member.value) { record.add(name, escaped: bytes, text) } else { record.skipField() }
            case "kvlistValue":
                guard depth < maximumDepth else { return record.skipField() }
                guard let pairs = try value(of: "values", bytes, member.value) else { continue }
                try addPairs(json: bytes, pairs, prefix: name + ".", depth: depth + 1, isResource: false, &record)
            default: record.skipField()
            }
        }
    }
}
