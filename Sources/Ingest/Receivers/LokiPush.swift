import Events

/// Loki's push API: `POST /loki/api/v1/push`, as snappy-compressed protobuf or as JSON
/// (<https://grafana.com/docs/loki/latest/reference/loki-http-api/#ingest-logs>).
package enum LokiPush {
    /// Decodes `logproto.PushRequest`: 1 streams {1 labels, 2 entries {1 timestamp, 2 line, 3 structured metadata}}.
    package static func decode(protobuf bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        var request = ProtobufReader(0..<bytes.count)
        var record = ReceivedRecord()
        while let field = try request.next(bytes) {
            guard field.number == 1, let stream = field.range else { continue }
            try decodeStream(bytes, stream, &record, &lines)
        }
    }

    private static func decodeStream(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord, _ lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        // Labels may stand behind the entries: fields of protobuf have no order.
        var labels = LokiLabels()
        var search = ProtobufReader(range)
        while let field = try search.next(bytes) {
            if field.number == 1, let text = field.range { try labels.read(bytes, text) }
        }
        var stream = ProtobufReader(range)
        while let field = try stream.next(bytes) {
            guard field.number == 2, let entry = field.range else { continue }
            record.begin(with: labels.record)
            var format = labels.format
            var reader = ProtobufReader(entry)
            while let field = try reader.next(bytes) {
                switch (field.number, field.range) {
                case (1, let time?): record.time = try timestamp(bytes, time)
                case (2, let line?): record.setMessage(bytes, line)
                case (3, let pair?): try addMetadata(bytes, pair, &record, &format)
                default: continue
                }
            }
            try lines.append(line: record, format: format)
        }
    }

    /// `google.protobuf.Timestamp`: 1 seconds, 2 nanoseconds.
    private static func timestamp(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(ReceiverRefusal) -> Timestamp? {
        var seconds: Int64 = 0
        var nanoseconds: Int64 = 0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            guard case .varint(let value) = field.value else { continue }
            if field.number == 1 { seconds = Int64(bitPattern: value) }
            if field.number == 2 { nanoseconds = Int64(bitPattern: value) }
        }
        guard (0..<1_000_000_000).contains(nanoseconds), abs(seconds / 2) < 4_000_000_000 else { return nil }
        return Timestamp(nanoseconds: seconds * 1_000_000_000 + nanoseconds)
    }

    private static func addMetadata(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord, _ format: inout LogFormat?
    ) throws(ReceiverRefusal) {
        var name = 0..<0
        var value = 0..<0
        var reader = ProtobufReader(range)
        while let field = try reader.next(bytes) {
            if field.number == 1 { name = field.range ?? name }
            if field.number == 2 { value = field.range ?? value }
        }
        let label = bytes.string(name)
        if LokiLabels.namesFormat(label) { format = LogFormat(rawValue: bytes.string(value)) ?? format }
        record.add(LokiLabels.fieldName(label), bytes, value)
    }

    /// Decodes `{"streams":[{"stream":{…},"values":[["nanoseconds","line",{…}], …]}]}`.
    package static func decode(json bytes: Span<UInt8>, into lines: inout ReceivedLines) throws(ReceiverRefusal) {
        let document = try JSONCursor.check(bytes, 0..<bytes.count)
        guard bytes.isObject(document) else { throw .malformed("a push is a JSON object with 'streams'") }
        var record = ReceivedRecord()
        var request = JSONCursor(document)
        while let member = try request.member(bytes) {
            guard bytes.equals("streams", member.key), bytes.isArray(member.value) else { continue }
            var streams = JSONCursor(member.value)
            while let stream = try streams.element(bytes) {
                guard bytes.isObject(stream) else { throw .malformed("a stream is a JSON object") }
                try decodeStream(json: bytes, stream, &record, &lines)
            }
        }
    }

    private static func decodeStream(
        json bytes: Span<UInt8>, _ range: Range<Int>, _ record: inout ReceivedRecord, _ lines: inout ReceivedLines
    ) throws(ReceiverRefusal) {
        var labels = LokiLabels()
        var values: Range<Int>?
        var stream = JSONCursor(range)
        while let member = try stream.member(bytes) {
            if bytes.equals("stream", member.key), bytes.isObject(member.value) {
                try labels.read(json: bytes, member.value)
            } else if bytes.equals("values", member.key), bytes.isArray(member.value) {
                values = member.value
            }
        }
        guard let values else { return }
        var cursor = JSONCursor(values)
        while let value = try cursor.element(bytes) {
            guard bytes.isArray(value) else { throw .malformed("an entry is an array of a time and a line") }
            record.begin(with: labels.record)
            var format = labels.format
            var parts = JSONCursor(value)
            if let time = try parts.element(bytes), let nanoseconds = bytes.jsonNumber(time),
                let signed = Int64(exactly: nanoseconds)
            {
                record.time = Timestamp(nanoseconds: signed)
            }
            guard let line = try parts.element(bytes), let text = bytes.jsonText(line) else {
                lines.reject("an entry without a line")
                continue
            }
            record.setMessage(escaped: bytes, text)
            if let metadata = try parts.element(bytes), bytes.isObject(metadata) {
                var members = JSONCursor(metadata)
                while let member = try members.member(bytes) {
                    guard let text = bytes.jsonText(member.value) else { continue }
                    let label = bytes.string(member.key)
                    if LokiLabels.namesFormat(label) { format = LogFormat(rawValue: bytes.string(text)) ?? format }
                    record.add(LokiLabels.fieldName(label), escaped: bytes, text)
                }
            }
            try lines.append(line: record, format: format)
        }
    }
}

/// What the labels of one stream say, as fields that all its entries have.
struct LokiLabels {
    private(set) var record = ReceivedRecord()
    private(set) var format: LogFormat?

    /// Labels that name the format of the stream's lines.
    static func namesFormat(_ label: String) -> Bool { label == "vigie_format" || label == "format" }

    /// ECS's name where there is one; anything else stays apart, so that no label passes for what a line says.
    static func fieldName(_ label: String) -> String {
        switch label {
        case "host", "hostname", "nodename", "node_name": "host.name"
        case "app", "service_name", "program", "syslog_identifier": "process.name"
        case "level", "detected_level", "severity": "log.level"
        case "filename": "log.file.path"
        case "container", "container_name": "container.name"
        default: "labels.\(label)"
        }
    }

    /// `{name="value", …}`, with the escapes of Go's strings.
    mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>) throws(ReceiverRefusal) {
        var index = range.lowerBound
        let end = range.upperBound
        func skip() { while index < end, bytes[index] == 0x20 || bytes[index] == UInt8(ascii: ",") { index += 1 } }
        guard index < end, bytes[index] == UInt8(ascii: "{"), bytes[end - 1] == UInt8(ascii: "}") else {
            throw .malformed("a stream's labels are not {name=\"value\", …}")
        }
        index += 1
        skip()
        while index < end - 1 {
            guard let equals = bytes.firstIndex(of: UInt8(ascii: "="), from: index, to: end), equals + 1 < end,
                bytes[equals + 1] == UInt8(ascii: "\"")
            else { throw .malformed("a stream's labels are not {name=\"value\", …}") }
            let name = bytes.string(index..<equals)
            var close = equals + 2
            var value: [UInt8] = []
            while close < end, bytes[close] != UInt8(ascii: "\"") {
                if bytes[close] == UInt8(ascii: "\\"), close + 1 < end {
                    close += 1
                    switch bytes[close] {
                    case UInt8(ascii: "n"): value.append(0x0A)
                    case UInt8(ascii: "t"): value.append(0x09)
                    case UInt8(ascii: "r"): value.append(0x0D)
                    default: value.append(bytes[close])
                    }
                } else {
                    value.append(bytes[close])
                }
                close += 1
            }
            guard close < end else { throw .malformed("a label's value does not end") }
            if LokiLabels.namesFormat(name) { format = LogFormat(rawValue: String(decoding: value, as: UTF8.self)) }
            record.add(LokiLabels.fieldName(name), value.span, 0..<value.count)
            index = close + 1
            skip()
        }
    }

    mutating func read(json bytes: Span<UInt8>, _ range: Range<Int>) throws(ReceiverRefusal) {
        var members = JSONCursor(range)
        while let member = try members.member(bytes) {
            guard let text = bytes.jsonText(member.value) else { continue }
            let name = bytes.string(member.key)
            if LokiLabels.namesFormat(name) { format = LogFormat(rawValue: bytes.string(text)) }
            record.add(LokiLabels.fieldName(name), escaped: bytes, text)
        }
    }
}
