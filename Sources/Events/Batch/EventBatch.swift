/// A place in a batch's bytes. 32 bits suffice: a batch is a few megabytes.
public struct ByteRange: Hashable, Sendable, BitwiseCopyable {
    public var start: Int32
    public var count: Int32

    public init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    public var bounds: Range<Int> { Int(start)..<Int(start) + Int(count) }
    public var end: Int { Int(start) + Int(count) }

    /// Written out so that other targets compare two numbers instead of calling here.
    public static func == (left: ByteRange, right: ByteRange) -> Bool { left.start == right.start && left.count == right.count }
}

/// One field of one event: which field, and where its value stands.
public struct FieldValue: Sendable, BitwiseCopyable {
    public var field: FieldID
    public var range: ByteRange

    public init(_ field: FieldID, _ range: ByteRange) {
        self.field = field
        self.range = range
    }
}

/// One event of a batch.
public struct EventRecord: Sendable, BitwiseCopyable {
    /// The raw line, without its line end.
    public var line: ByteRange
    /// Where its fields stand in `EventBatch.fields`; values of one field are neighbours.
    public var firstField: Int32
    public var fieldCount: Int32
    public var time: Timestamp
    /// False where the line carries no time and was given that of the line before it.
    public var hasOwnTime: Bool
    public var logSource: LogSourceID
    /// Byte offset of the line within its file generation, and its number from 1.
    public var offset: Int64
    public var lineNumber: Int64

    public init(
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

    public var fields: Range<Int> { Int(firstField)..<Int(firstField) + Int(fieldCount) }
}

/// One read buffer's worth of events of one source: what moves between the stages.
///
/// All bytes lie in one array (first what was read, then what was decoded from it), all fields in another, so that a
/// million lines cost no allocation each. A batch is refilled rather than made anew.
public struct EventBatch: Sendable {
    public var bytes: [UInt8]
    public var fields: [FieldValue]
    public var events: [EventRecord]
    /// Which source, and which generation of its file (a rotation starts a new one).
    public var origin: BatchOrigin

    public init(origin: BatchOrigin) {
        bytes = []
        fields = []
        events = []
        self.origin = origin
    }

    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        fields.removeAll(keepingCapacity: true)
        events.removeAll(keepingCapacity: true)
    }

    /// The first value of `field` in `event`.
    public func range(of field: FieldID, in event: EventRecord) -> ByteRange? {
        for index in event.fields where fields[index].field == field { return fields[index].range }
        return nil
    }

    /// Text for people, not for matching: broken UTF-8 is replaced.
    public func text(_ range: ByteRange) -> String {
        String(decoding: bytes[range.bounds], as: UTF8.self)
    }
}

/// Where a batch's lines come from.
public struct BatchOrigin: Sendable, Hashable {
    /// Stable over restarts: the path as configured, or the receiver's name.
    public var source: String
    /// Counts the files that have stood under that path: rotation and truncation start a new one.
    public var generation: Int

    public init(source: String, generation: Int) {
        self.source = source
        self.generation = generation
    }
}
