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
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            switch (field.number, field.value) {
            case (1, .fixed64(let time)): record.time = timestamp(time)
            case (11, .fixed64(let time)): observed = timestamp(time)
            case (3, .bytes(let text)) where !text.isEmpty: record.add("log.level", bytes, text)
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
        if record.time == nil { record.time = observed }
        record.addFields(of: resource)
        if isLine { try lines.append(line: record) } else { try lines.append(fields: record) }
    }

    /// `AnyValue` as the body; true when it is a text.
    private static func setBody(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord
    ) throws(ReceiverRefusal) -> Bool {
        var isText = false
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard let value = field.range else { continue }
            if field.number == 1 {
                record.setMessage(bytes, value)
                isText = true
            } else if field.number == 6 {
                try addPairs(bytes, value, prefix: "", depth: 0, &record)
            }
        }
        return isText
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
            case (5, .bytes(let array)):
                // The first text or number stands for the array: a field has one value here.
                var elements = ProtobufReader(array)
                if depth < maximumDepth, let element = try elements.next(bytes), element.number == 1, let first = element.range {
                    try addValue(bytes, first, name: name, depth: depth + 1, &record)
                }
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
