package import Events

/// What a receiver has made of one request or one read: whole lines for the spool, ready to be written.
///
/// A line is a JSON object. An event whose message is a line of some program's own log looks like this, and `BatchParser` reads the
/// message as that program's format has it, and takes from the rest what the message does not say:
///
///     {"vigie.received":"auto","event.ingested":…,"message":"203.0.113.9 - - […","@timestamp":…,"host.name":"web1"}
///
/// One that is made of fields begins with `event.ingested`, and is read like any other JSON line. Times are nanoseconds since 1970.
package struct ReceivedLines: Sendable {
    package private(set) var bytes: [UInt8] = []
    /// Lines in `bytes`.
    package private(set) var count = 0
    package private(set) var counters = ReceivedCounters()
    /// Whether every event says itself when it happened, and one of them more exactly than to the second: then two requests that are the
    /// same are one that was sent twice.
    package var isRecognisable: Bool { count > 0 && !lacksTime && hasExactTime }
    private var lacksTime = false
    private var hasExactTime = false
    /// When it was received; forged times are told by their distance from it.
    package let received: Timestamp
    /// The format of messages for which the sender names none.
    package let format: LogFormat

    /// How old an event may say it is. Agents send what they could not send before for a week at most.
    package static let maximumSecondsBehind: Int64 = 7 * 86_400
    /// The most bytes that one request may become: labels are repeated on each line, so a small one may become large.
    package static let maximumBytes = 32 << 20
    /// The key by which a wrapped line is told.
    static let wrapper: StaticString = "{\"vigie.received\":\""

    package init(received: Timestamp, format: LogFormat = .auto) {
        self.received = received
        self.format = format
    }

    /// Whether a sender's word about the time can be true.
    package static func isPlausible(_ time: Timestamp, received: Timestamp) -> Bool {
        time <= received.advanced(bySeconds: BatchParser.maximumSecondsAhead)
            && time >= received.advanced(bySeconds: -maximumSecondsBehind)
    }

    /// An event whose message is a line of its own.
    ///
    /// - Parameter format: what the sender says the message is.
    /// - Throws: when the request has become too large.
    package mutating func append(line record: ReceivedRecord, format: LogFormat? = nil) throws(ReceiverRefusal) {
        let known = format ?? self.format
        let name: String = if case .windows = known { "json" } else { known.rawValue }
        bytes.append(contentsOf: "{\"vigie.received\":\"\(name)\",\"event.ingested\":\(received.nanoseconds),\"message\":\"".utf8)
        bytes.append(contentsOf: record.message)
        bytes.append(UInt8(ascii: "\""))
        try finish(record)
    }

    /// An event that is made of fields; its message is one of them.
    ///
    /// - Throws: when the request has become too large.
    package mutating func append(fields record: ReceivedRecord) throws(ReceiverRefusal) {
        bytes.append(contentsOf: "{\"event.ingested\":\(received.nanoseconds)".utf8)
        if !record.message.isEmpty {
            bytes.append(contentsOf: ",\"message\":\"".utf8)
            bytes.append(contentsOf: record.message)
            bytes.append(UInt8(ascii: "\""))
        }
        try finish(record)
    }

    private mutating func finish(_ record: ReceivedRecord) throws(ReceiverRefusal) {
        var time = record.time
        if let time { hasExactTime = hasExactTime || time.nanoseconds % 1_000_000_000 != 0 } else { lacksTime = true }
        if let claimed = time, !ReceivedLines.isPlausible(claimed, received: received) {
            counters.implausibleTimes += 1
            bytes.append(contentsOf: ",\"event.created\":\(claimed.nanoseconds)".utf8)
            time = nil
        }
        bytes.append(contentsOf: ",\"@timestamp\":\((time ?? received).nanoseconds)".utf8)
        bytes.append(contentsOf: record.fields)
        bytes.append(contentsOf: "}\n".utf8)
        count += 1
        if record.isMessageCut { counters.cutMessages += 1 }
        counters.lostFields += record.lostFields
        guard bytes.count <= ReceivedLines.maximumBytes else {
            throw ReceiverRefusal(
                .tooLarge, "the events take more than \(ReceivedLines.maximumBytes >> 20) MiB; send fewer at a time")
        }
    }

    /// An event that is not taken; the others are.
    package mutating func reject(_ reason: String) {
        counters.rejected += 1
        if counters.firstRejection == nil { counters.firstRejection = reason }
    }

    /// An event that is known already.
    package mutating func skipRepeated() { counters.repeated += 1 }

    /// These lines have been taken before.
    package mutating func skipRepeated(first number: Int) {
        guard number > 0 else { return }
        var end = 0
        for _ in 0..<min(number, count) {
            end = bytes.span.firstIndex(of: 0x0A, from: end, to: bytes.count).map { $0 + 1 } ?? bytes.count
        }
        bytes.removeFirst(end)
        count -= min(number, count)
        counters.repeated += number
    }

    /// What was counted has been reported.
    package mutating func resetCounters() { counters = ReceivedCounters() }

    /// Empties the buffer; counters go on.
    package mutating func take() -> (bytes: [UInt8], count: Int) {
        defer {
            bytes.removeAll(keepingCapacity: true)
            count = 0
        }
        return (bytes, count)
    }
}

/// What was not taken as it came.
package struct ReceivedCounters: Sendable, Equatable {
    /// Messages that were longer than a line may be; their beginning was taken.
    package var cutMessages = 0
    /// Fields left out for lack of room.
    package var lostFields = 0
    /// Events whose time lay too far from their reception, which counts instead.
    package var implausibleTimes = 0
    /// Events refused by themselves.
    package var rejected = 0
    package var firstRejection: String?
    /// Events that had been taken before.
    package var repeated = 0

    package init() {}

    package static func += (left: inout ReceivedCounters, right: ReceivedCounters) {
        left.cutMessages += right.cutMessages
        left.lostFields += right.lostFields
        left.implausibleTimes += right.implausibleTimes
        left.rejected += right.rejected
        left.firstRejection = left.firstRejection ?? right.firstRejection
        left.repeated += right.repeated
    }
}
