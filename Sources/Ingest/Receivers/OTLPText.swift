/// An `AnyValue` of OpenTelemetry as JSON text, as far as a message has room; beyond that nothing more is written.
struct OTLPText {
    /// One more than a message keeps tells that it is cut.
    private static let maximumBytes = ReceivedRecord.maximumMessageBytes + 1

    private(set) var bytes: [UInt8] = []
    /// Values that are nested too deep.
    private(set) var lost = 0

    private var isCut = false

    var isFull: Bool { isCut || bytes.count >= OTLPText.maximumBytes }

    mutating func literal(_ text: String) {
        if !isFull { bytes.append(contentsOf: text.utf8) }
    }

    mutating func string(_ text: Span<UInt8>, _ range: Range<Int>) {
        guard !isFull else { return }
        bytes.append(UInt8(ascii: "\""))
        let room = max(0, OTLPText.maximumBytes - bytes.count)
        let end = JSONText.append(text, range, to: &bytes, room: room)
        isCut = end < range.upperBound
        bytes.append(UInt8(ascii: "\""))
    }

    /// What stands between the quotes of a JSON string that has been checked.
    mutating func string(escaped text: Span<UInt8>, _ range: Range<Int>) {
        guard !isFull else { return }
        bytes.append(UInt8(ascii: "\""))
        let room = max(0, OTLPText.maximumBytes - bytes.count)
        let end = JSONText.append(escaped: text, range, to: &bytes, room: room)
        isCut = end < range.upperBound
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func string(_ text: String) {
        let text = Array(text.utf8)
        string(text.span, 0..<text.count)
    }

    /// JSON has no word for numbers that are none.
    mutating func number(_ value: Double) {
        if value.isFinite { literal("\(value)") } else { literal("\"\(value)\"") }
    }

    /// A value of JSON that has been checked, as it stands.
    mutating func json(_ text: Span<UInt8>, _ range: Range<Int>) {
        for index in range.prefix(OTLPText.maximumBytes) where !isFull { bytes.append(text[index]) }
    }

    mutating func skip() {
        lost += 1
        literal("null")
    }
}

extension ReceivedRecord {
    /// As the message; what was left out of it is counted.
    mutating func setMessage(_ text: OTLPText) {
        setMessage(text.bytes.span, 0..<text.bytes.count)
        if text.isFull { noteCut() }
        for _ in 0..<text.lost { skipField() }
    }

    /// As the value of a field, whole or not at all: half of a text is no JSON.
    mutating func add(_ name: String, _ text: OTLPText) {
        guard !text.isFull else { return skipField() }
        add(name, json: text.bytes.span, 0..<text.bytes.count)
        for _ in 0..<text.lost { skipField() }
    }
}

extension OTLPLogs {
    /// The names that say themselves what the message is, in a body that is a map.
    static let messageNames: Set<String> = ["message", "msg", "log", "MESSAGE", "text"]

    /// What a severity's number means where it has no text
    /// (<https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber>).
    static func level(severity number: UInt64) -> String? {
        switch number {
        case 1...4: "TRACE"
        case 5...8: "DEBUG"
        case 9...12: "INFO"
        case 13...16: "WARN"
        case 17...20: "ERROR"
        case 21...24: "FATAL"
        default: nil
        }
    }

    static func base64(_ bytes: Span<UInt8>, _ range: Range<Int>) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        // More than a message keeps is not written: three bytes become four.
        let range = range.prefix(ReceivedRecord.maximumMessageBytes)
        var text: [UInt8] = []
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 3) {
            let count = min(3, range.upperBound - start)
            var word = UInt32(0)
            for place in 0..<3 { word = word << 8 | (place < count ? UInt32(bytes[start + place]) : 0) }
            for place in 0..<4 {
                text.append(place <= count ? alphabet[Int(word >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
