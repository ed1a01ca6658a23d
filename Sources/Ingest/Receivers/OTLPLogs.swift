import Events

/// OpenTelemetry's logs over HTTP: `POST /v1/logs` with an `ExportLogsServiceRequest`
/// (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), here as protobuf.
package enum OTLPLogs {
    /// How deep maps within maps are followed.
    static let maximumDepth = 8

    package static func decode(protobuf bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        var request = ProtobufReader(0..<bytes.count)
        while let field = try request.next(bytes) {
            guard field.number == 1, let resourceLogs = field.range else { continue }
            var resource = ReceivedRecord()
            // The resource may stand behind its records: fields of protobuf have no order.
            var search = ProtobufReader(resourceLogs)
            while let field = try search.next(bytes) {
                guard field.number == 1, let range = field.range else { continue }
                var attributes = ProtobufReader(range)
                while let attribute = try attributes.next(bytes) {
                    guard attribute.number == 1, let pair = attribute.range else { continue }
                    try addPair(bytes, pair, prefix: "", depth: 0, isResource: true, &resource)
                }
            }
            var reader = ProtobufReader(resourceLogs)
            while let field = try reader.next(bytes) {
                guard field.number == 2, let scopeLogs = field.range else { continue }
                var scope = ProtobufReader(scopeLogs)
                while let field = try scope.next(bytes) {
                    guard field.number == 2, let record = field.range else { continue }
                    try decodeRecord(bytes, record, resource, &lines)
                }
            }
        }
    }

    private static func decodeRecord(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ resource: ReceivedRecord, _ lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        var record = ReceivedRecord()
        var observed: Timestamp?
        var isLine = false
        var severity: UInt64 = 0
        var hasLevel = false
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.value) {
            case (1, .fixed64(let time)): record.time = timestamp(time)
            case (11, .fixed64(let time)): observed = timestamp(time)
            case (2, .varint(let number)): severity = number
            case (3, .bytes(let text)) where !text.isEmpty:
                record.add("log.level", bytes, text)
                hasLevel = true
            case (5, .bytes(let body)): isLine = try setBody(bytes, body, &record)
            case (6, .bytes(let pair)): try addPair(bytes, pair, prefix: "", depth: 0, isResource: false, &record)
            case (9, .bytes(let identifier)) where !identifier.isEmpty && identifier.count <= 16:
                record.add("trace.id", hexadecimal(bytes, identifier))
            case (10, .bytes(let identifier)) where !identifier.isEmpty && identifier.count <= 8:
                record.add("span.id", hexadecimal(bytes, identifier))
            case (12, .bytes(let name)) where !name.isEmpty: record.add("event.action", bytes, name)
            default: continue
            }
        }
        if !hasLevel, let level = level(severity: severity) { record.add("log.level", level) }
        if record.time == nil { record.time = observed }
        record.addFields(of: resource)
        if isLine { try lines.append(line: record) } else { try lines.append(fields: record) }
    }

    /// `AnyValue` as the body; true when it is a text, which may be a line of any log. What is none is the message all the same, and a map
    /// becomes fields as well.
    private static func setBody(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) -> Bool {
        guard let field = try value(bytes, range) else { return false }
        switch (field.number, field.value) {
        case (1, .bytes(let text)):
            record.setMessage(bytes, text)
            return true
        case (7, .bytes(let data)): record.setMessage(base64(bytes, data))
        default:
            if field.number == 6, let map = field.range {
                try addPairs(bytes, map, prefix: "", depth: 0, &record)
                if try namesMessage(bytes, map) { return false }
            }
            var text = OTLPText()
            try write(bytes, field, depth: 0, to: &text)
            record.setMessage(text)
        }
        return false
    }

    /// The value that is set; of several the last one, as in any `oneof`.
    private static func value(
        _ bytes: Span<UInt8>, _ range: Range<Int>
    ) throws(ReceiverRefusal) -> ProtobufReader.Field? {
        var last: ProtobufReader.Field?
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) { if (1...7).contains(field.number) { last = field } }
        return last
    }

    private static func namesMessage(_ bytes: Span<UInt8>, _ map: Range<Int>) throws(ReceiverRefusal) -> Bool {
        var pairs = ProtobufReader(map)
        while let pair = try pairs.next(bytes) {
            guard pair.number == 1, let range = pair.range, let key = try text(bytes, range) else { continue }
            if key.count <= 7, messageNames.contains(bytes.string(key)) { return true }
        }
        return false
    }

    /// `AnyValue` as JSON text.
    private static func write(
        _ bytes: Span<UInt8>, _ field: ProtobufReader.Field?, depth: Int, to text: inout OTLPText
    ) throws(ReceiverRefusal) {
        guard let field else { return text.literal("null") }
        switch (field.number, field.value) {
        case (1, .bytes(let string)): text.string(bytes, string)
        case (2, .varint(let flag)): text.literal(flag == 0 ? "false" : "true")
        case (3, .varint(let number)): text.literal(String(Int64(bitPattern: number)))
        case (4, .fixed64(let pattern)): text.number(Double(bitPattern: pattern))
        case (7, .bytes(let data)): text.string(base64(bytes, data))
        case (5, .bytes(let list)), (6, .bytes(let list)):
            guard depth < maximumDepth else { return text.skip() }
            let isMap = field.number == 6
            text.literal(isMap ? "{" : "[")
            var isFirst = true
            var elements = ProtobufReader(list)
            while !text.isFull, let element = try elements.next(bytes) {
                guard element.number == 1, let range = element.range else { continue }
                if !isFirst { text.literal(",") }
                isFirst = false
                if isMap {
                    try writePair(bytes, range, depth: depth + 1, to: &text)
                } else {
                    try write(bytes, try value(bytes, range), depth: depth + 1, to: &text)
                }
            }
            text.literal(isMap ? "}" : "]")
        default: text.literal("null")
        }
    }

    private static func writePair(
        _ bytes: Span<UInt8>, _ range: Range<Int>, depth: Int, to text: inout OTLPText
    ) throws(ReceiverRefusal) {
        var key = 0..<0
        var any = 0..<0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 { key = field.range ?? key }
            if field.number == 2 { any = field.range ?? any }
        }
        text.string(bytes, key)
        text.literal(":")
        try write(bytes, try value(bytes, any), depth: depth, to: &text)
    }

    private static func addPairs(
        _ bytes: Span<UInt8>, _ range: Range<Int>, prefix: String, depth: Int, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) {
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard field.number == 1, let pair = field.range else { continue }
            try addPair(bytes, pair, prefix: prefix, depth: depth, isResource: false, &record)
        }
    }

    /// `KeyValue`: 1 key, 2 value.
    private static func addPair(
        _ bytes: Span<UInt8>, _ range: Range<Int>, prefix: String, depth: Int, isResource: Bool, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) {
        var key = 0..<0
        var value = 0..<0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 { key = field.range ?? key }
            if field.number == 2 { value = field.range ?? value }
        }
        guard !key.isEmpty, key.count <= ReceivedRecord.maximumNameBytes else { return record.skipField() }
        let name = prefix + bytes.string(key)
        if isResource, name == "service.name", let text = try text(bytes, value) { record.add("process.name", bytes, text) }
        try addValue(bytes, value, name: fieldName(name), depth: depth, &record)
    }

    private static func text(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(ReceiverRefusal) -> Range<Int>? {
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) { if field.number == 1 { return field.range } }
        return nil
    }

    private static func addValue(
        _ bytes: Span<UInt8>, _ range: Range<Int>, name: String, depth: Int, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) {
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.value) {
            case (1, .bytes(let text)): record.add(name, bytes, text)
            case (2, .varint(let flag)): record.add(name, literal: flag == 0 ? "false" : "true")
            case (3, .varint(let number)): record.add(name, literal: String(Int64(bitPattern: number)))
            case (4, .fixed64(let pattern)):
                let number = Double(bitPattern: pattern)
                if number.isFinite { record.add(name, literal: "\(number)") } else { record.skipField() }
            case (5, .bytes):
                // Each element counts as a value of the field.
                var text = OTLPText()
                try write(bytes, field, depth: depth, to: &text)
                record.add(name, text)
            case (7, .bytes(let data)): record.add(name, base64(bytes, data))
            case (6, .bytes(let map)):
                guard depth < maximumDepth else { return record.skipField() }
                try addPairs(bytes, map, prefix: name + ".", depth: depth + 1, &record)
            default: record.skipField()
            }
        }
    }

    static func timestamp(_ nanoseconds: UInt64) -> Timestamp? {
        guard nanoseconds > 0, let signed = Int64(exactly: nanoseconds) else { return nil }
        return Timestamp(nanoseconds: signed)
    }

    private static func hexadecimal(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        range.map { index in
            let text = String(bytes[index], radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    /// ECS's name where OpenTelemetry's differs; older names of OpenTelemetry, too.
    static func fieldName(_ name: String) -> String {
        switch name {
        case "client.address", "source.address", "http.client_ip": "source.ip"
        case "client.port": "source.port"
        case "enduser.id", "user.id": "user.name"
        case "http.method": "http.request.method"
        case "http.status_code": "http.response.status_code"
        case "http.target", "url.full", "http.url": "url.original"
        case "http.user_agent": "user_agent.original"
        case "http.response.body.size": "http.response.body.bytes"
        case "event.name": "event.action"
        default: name
        }
    }
}
