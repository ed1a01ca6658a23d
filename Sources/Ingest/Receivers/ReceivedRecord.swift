package import Events

/// One event as a receiver understood it, before it becomes a line of the spool. Reused from event to event.
///
/// Text is escaped for JSON as it comes in; what is too long is cut at a character, and said to be.
package struct ReceivedRecord: Sendable {
    /// The most bytes of a message, escaped. With the fields and their frame it stays below `LineAssembler.maximumLineBytes`.
    package static let maximumMessageBytes = 48 * 1024
    /// The most bytes of all fields, escaped and with their names.
    package static let maximumFieldBytes = 12 * 1024
    static let maximumNameBytes = 200

    /// What the sender says about when it happened.
    package var time: Timestamp?
    private(set) var message: [UInt8] = []
    private(set) var fields: [UInt8] = []
    private(set) var isMessageCut = false
    private(set) var lostFields = 0
    /// The field that is being written.
    private var fieldStart = 0

    package init() {}

    package var isEmpty: Bool { message.isEmpty && fields.isEmpty }

    package mutating func reset() {
        time = nil
        message.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        isMessageCut = false
        lostFields = 0
    }

    /// Takes the fields of another record: those that all records of one stream have.
    package mutating func begin(with common: ReceivedRecord) {
        reset()
        fields.append(contentsOf: common.fields)
        lostFields = common.lostFields
    }

    /// Takes the fields of another record, behind its own: of two of one name, the first counts.
    package mutating func addFields(of common: ReceivedRecord) {
        guard fields.count + common.fields.count <= ReceivedRecord.maximumFieldBytes else {
            lostFields += 1
            return
        }
        fields.append(contentsOf: common.fields)
        lostFields += common.lostFields
    }

    /// A field that cannot be taken.
    package mutating func skipField() { lostFields += 1 }

    // MARK: The message

    package mutating func setMessage(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        message.removeAll(keepingCapacity: true)
        let end = JSONText.append(bytes, range, to: &message, room: ReceivedRecord.maximumMessageBytes)
        isMessageCut = end < range.upperBound
    }

    /// What stands between the quotes of a JSON string that has been checked.
    package mutating func setMessage(escaped bytes: Span<UInt8>, _ range: Range<Int>) {
        message.removeAll(keepingCapacity: true)
        let end = JSONText.append(escaped: bytes, range, to: &message, room: ReceivedRecord.maximumMessageBytes)
        isMessageCut = end < range.upperBound
    }

    /// The message had been cut before it was set.
    package mutating func noteCut() { isMessageCut = true }

    package mutating func setMessage(_ text: String) {
        let bytes = Array(text.utf8)
        setMessage(bytes.span, 0..<bytes.count)
    }

    // MARK: Fields

    package mutating func add(_ name: String, _ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard beginField(name) else { return }
        fields.append(UInt8(ascii: "\""))
        let room = ReceivedRecord.maximumFieldBytes - fields.count - 1
        let end = JSONText.append(bytes, range, to: &fields, room: room)
        fields.append(UInt8(ascii: "\""))
        if end < range.upperBound { loseField() }
    }

    package mutating func add(_ name: String, escaped bytes: Span<UInt8>, _ range: Range<Int>) {
        guard beginField(name) else { return }
        fields.append(UInt8(ascii: "\""))
        let room = ReceivedRecord.maximumFieldBytes - fields.count - 1
        let end = JSONText.append(escaped: bytes, range, to: &fields, room: room)
        fields.append(UInt8(ascii: "\""))
        if end < range.upperBound { loseField() }
    }

    package mutating func add(_ name: String, _ text: String) {
        let bytes = Array(text.utf8)
        add(name, bytes.span, 0..<bytes.count)
    }

    /// A number or a word of JSON, as it stands.
    package mutating func add(_ name: String, literal: String) {
        guard beginField(name) else { return }
        fields.append(contentsOf: literal.utf8)
        if fields.count > ReceivedRecord.maximumFieldBytes { loseField() }
    }

    /// A JSON value that has been checked, as it stands.
    package mutating func add(_ name: String, json bytes: Span<UInt8>, _ range: Range<Int>) {
        guard beginField(name) else { return }
        guard fields.count + range.count <= ReceivedRecord.maximumFieldBytes else { return loseField() }
        for index in range {
            // White space between values may be a line break.
            fields.append(bytes[index] < 0x20 ? 0x20 : bytes[index])
        }
    }

    private mutating func beginField(_ name: String) -> Bool {
        fieldStart = fields.count
        let name = Array(name.utf8.prefix(ReceivedRecord.maximumNameBytes + 1))
        guard !name.isEmpty, name.count <= ReceivedRecord.maximumNameBytes,
            fields.count + name.count * 6 + 8 <= ReceivedRecord.maximumFieldBytes
        else {
            lostFields += 1
            return false
        }
        fields.append(UInt8(ascii: ","))
        fields.append(UInt8(ascii: "\""))
        _ = JSONText.append(name.span, 0..<name.count, to: &fields, room: .max)
        fields.append(UInt8(ascii: "\""))
        fields.append(UInt8(ascii: ":"))
        return true
    }

    private mutating func loseField() {
        fields.removeLast(fields.count - fieldStart)
        lostFields += 1
    }
}

/// Writes JSON strings.
enum JSONText {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Appends bytes with JSON's escapes, as many as fit into `room`; bytes that are no UTF-8 stay as they are.
    ///
    /// - Returns: where it stopped; never within a character of UTF-8.
    static func append(_ bytes: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8], room: Int) -> Int {
        let limit = room == .max ? .max : output.count + room
        for index in range {
            let byte = bytes[index]
            if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
                guard output.count < limit else { return stop(bytes, range, index, &output) }
                output.append(byte)
                continue
            }
            guard output.count <= limit - 6 else { return stop(bytes, range, index, &output) }
            output.append(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
            case 0x0A: output.append(UInt8(ascii: "n"))
            case 0x09: output.append(UInt8(ascii: "t"))
            case 0x0D: output.append(UInt8(ascii: "r"))
            default:
                output.append(contentsOf: "u00".utf8)
                output.append(digits[Int(byte >> 4)])
                output.append(digits[Int(byte & 15)])
            }
        }
        return range.upperBound
    }

    /// Takes back the beginning of a character whose rest does not fit.
    private static func stop(_ bytes: Span<UInt8>, _ range: Range<Int>, _ index: Int, _ output: inout [UInt8]) -> Int {
        var end = index
        while end > range.lowerBound, index - end < 3, bytes[end] & 0xC0 == 0x80, bytes[end - 1] >= 0x80 {
            end -= 1
            output.removeLast()
        }
        return end
    }

    /// Appends what stands in a JSON string already, as much as fits into `room`, never a part of an escape.
    static func append(escaped bytes: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8], room: Int) -> Int {
        guard range.count > room else {
            for index in range { output.append(bytes[index]) }
            return range.upperBound
        }
        var index = range.lowerBound
        while index < range.upperBound {
            var size = 1
            if bytes[index] == UInt8(ascii: "\\"), index + 1 < range.upperBound {
                size = bytes[index + 1] == UInt8(ascii: "u") ? 6 : 2
            } else if bytes[index] >= 0xC0 {
                size = bytes[index] >= 0xF0 ? 4 : bytes[index] >= 0xE0 ? 3 : 2
            }
            size = min(size, range.upperBound - index)
            guard index - range.lowerBound + size <= room else { break }
            for position in index..<index + size { output.append(bytes[position]) }
            index += size
        }
        return index
    }
}
