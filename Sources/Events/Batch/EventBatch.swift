/// A place in a batch's bytes. 32 bits suffice: a batch is a few megabytes.
package struct ByteRange: Hashable, Sendable, BitwiseCopyable {
    package var start: Int32
    package var count: Int32

    package init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    package var bounds: Range<Int> { Int(start)..<Int(start) + Int(count) }
    package var end: Int { Int(start) + Int(count) }
}

/// One field of one event: which field, and where its value stands.
package struct FieldValue: Sendable, BitwiseCopyable {
    package var field: FieldID
    package var range: ByteRange

    package init(_ field: FieldID, _ range: ByteRange) {
        self.field = field
        self.range = range
    }
}

/// One event of a batch.
package struct EventRecord: Sendable, BitwiseCopyable {
    /// The raw line, without its line end.
    package var line: ByteRange
    /// Where its fields stand in `EventBatch.fields`; values of one field are neighbours.
    package var firstField: Int32
    package var fieldCount: Int32
    package var time: Timestamp
    /// False where the line carries no time and was given that of the line before it.
    package var hasOwnTime: Bool
    package var logSource: LogSourceID
    /// Byte offset of the line within its file generation, and its number from 1.
    package var offset: Int64
    package var lineNumber: Int64

    package init(
        line: ByteRange, firstField: Int, fieldCount: Int, time: Timestamp, hasOwnTime: Bool, logSource: LogSourceID,
        offset: Int64, lineNumber: Int64
    ) {
        self.line = line
        self.firstField = Int32(truncatingIfNeeded: firstField)
        self.fieldCount = Int32(truncatingIfNeeded: fieldCount)
        self.time = time
        self.hasOwnTime = hasOwnTime
        self.logSource = logSource
        self.offset = offset
        self.lineNumber = lineNumber
    }

    package var fields: Range<Int> { Int(firstField)..<Int(firstField) + Int(fieldCount) }
}

/// One read buffer's worth of events of one source: what moves between the stages.
///
/// All bytes lie in one array (first what was read, then what was decoded from it), all fields in another, so that a
/// million lines cost no allocation each. A batch is refilled rather than made anew.
package struct EventBatch: Sendable {
    package var bytes: [UInt8]
    package var fields: [FieldValue]
    package var events: [EventRecord]
    /// Which source, and which generation of its file (a rotation starts a new one).
    package var origin: BatchOrigin

    package init(origin: BatchOrigin) {
        bytes = []
        fields = []
        events = []
        self.origin = origin
    }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }

    /// The first value of `field` in `event`.
    package func range(of field: FieldID, in event: EventRecord) -> ByteRange? {
        for index in event.fields where fields[index].field == field { return fields[index].range }
        return nil
    }

    /// Text for people, not for matching: broken UTF-8 is replaced.
    package func text(_ range: ByteRange) -> String {
        String(decoding: bytes[range.bounds], as: UTF8.self)
    }
}

/// Where a batch's lines come from.
package struct BatchOrigin: Sendable, Hashable {
    /// Stable over restarts: the path as configured, or the receiver's name.
    package var source: String
    /// Counts the files that have stood under that path: rotation and truncation start a new one.
    package var generation: Int

    package init(source: String, generation: Int) {
        self.source = source
        self.generation = generation
    }
}
