import Events
import HTTPTypes
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// The security log: one JSON object per line, in a file that Vigie or any other collector follows.
///
/// Recording never waits. Lines go to a queue of bounded size, one thread writes them; where the queue is full a line is dropped and
/// counted, and the count is written as soon as there is room (`events_dropped`).
public final class SecurityLog: Sendable {
    /// When the file is closed and a new one begun. Old files are renamed to `app.log.20260302T165603Z`.
    public struct Rotation: Sendable {
        /// The largest size of a file.
        public var bytes: Int
        /// The longest time that a file is written to.
        public var interval: Duration
        /// How many old files are kept.
        public var kept: Int

        /// 100 MiB, one day, 14 files unless told otherwise.
        public init(bytes: Int = 100 << 20, interval: Duration = .seconds(86_400), kept: Int = 14) {
            self.bytes = bytes
            self.interval = interval
            self.kept = kept
        }
    }

    /// When written lines are forced to the disk. Until then they survive a crash of the process, but not of the machine.
    public enum Sync: Sendable {
        /// Once a second while there is something to force: a crash of the machine costs the last second.
        case everySecond
        /// After each batch that the writing thread takes from the queue: for audit logs that must not lose a line.
        case everyBatch
        /// When the system sees fit.
        case never
    }

    /// How the log is kept.
    public struct Options: Sendable {
        /// The file; its folder is created.
        public var path: String
        /// When a new file begins.
        public var rotation: Rotation
        /// When lines reach the disk.
        public var sync: Sync
        /// The most bytes that wait to be written.
        public var queueBytes: Int
        /// Paths below which the next segment is a capability: of a path like `/api/get-version/4f0c…` only the first characters of
        /// the link are logged.
        public var capabilityPaths: [String]
        /// A part of a target with so many hexadecimal digits in a row is a capability wherever it stands: a link behind the wrong path, a
        /// token under another parameter's name. `nil` leaves them as they are.
        public var capabilityDigits: Int?

        /// `logs/app.log`, as Vigie looks for it.
        public init(
            path: String = "logs/app.log", rotation: Rotation = Rotation(), sync: Sync = .everySecond, queueBytes: Int = 8 << 20,
            capabilityPaths: [String] = [], capabilityDigits: Int? = nil
        ) {
            self.path = path
            self.rotation = rotation
            self.sync = sync
            self.queueBytes = queueBytes
            self.capabilityPaths = capabilityPaths
            self.capabilityDigits = capabilityDigits
        }
    }

    private struct Queue {
        var pending: [UInt8] = []
        /// Lines dropped and not yet written about.
        var dropped = 0
        var droppedEver = 0
        /// Whether a job of the writing thread will come by.
        var isScheduled = false
    }

    let service: String
    let redaction: Redaction
    private let options: Options
    private let queue = Mutex(Queue())
    private let file: Mutex<LogFile>
    private let logger: Logger
    private let now: @Sendable () -> Timestamp
    private let runner: @Sendable (@escaping @Sendable () -> Void) -> Void

    /// - Parameter runner: starts a job on a thread that may block; two jobs never run at a time.
    init(
        _ options: Options, service: String, logger: Logger, now: @escaping @Sendable () -> Timestamp,
        runner: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void = SecurityLog.blockingThread
    ) {
        self.options = options
        self.service = service
        self.logger = logger
        self.now = now
        self.runner = runner
        redaction = Redaction(capabilityPaths: options.capabilityPaths, capabilityDigits: options.capabilityDigits)
        file = Mutex(LogFile(path: options.path, rotation: options.rotation))
    }

    static let blockingThread: @Sendable (@escaping @Sendable () -> Void) -> Void = { job in
        NIOSingletons.posixBlockingThreadPool.submit { _ in job() }
    }

    var time: Timestamp { now() }

    /// How many lines were dropped since the start.
    public var dropped: Int { queue.withLock { $0.droppedEver } }

    /// Writes an event that belongs to no request.
    public func record(_ event: SecurityEvent) {
        append(line(event, facts: nil))
    }

    func record(_ event: SecurityEvent, facts: RequestFacts) {
        append(line(event, facts: facts))
    }

    /// Queues one line, without its end.
    func append(_ line: [UInt8]) {
        let mustSchedule = queue.withLock { queue in
            guard queue.pending.count + line.count < options.queueBytes else {
                queue.dropped += 1
                queue.droppedEver += 1
                return false
            }
            queue.pending.append(contentsOf: line)
            queue.pending.append(UInt8(ascii: "\n"))
            defer { queue.isScheduled = true }
            return !queue.isScheduled
        }
        if mustSchedule { runner { [self] in drain() } }
    }

    /// Waits until everything queued so far is written and on the disk.
    public func flush() async {
        await withCheckedContinuation { continuation in
            runner { [self] in
                drain()
                file.withLock { $0.sync() }
                continuation.resume()
            }
        }
    }

    /// Once a second: forces lines to the disk, and begins a new file when the old one's time is over.
    func tick() {
        runner { [self] in
            let moment = now()
            file.withLock { file in
                do {
                    try file.open(now: moment)
                    if file.needsRotation(adding: 0, now: moment) { try rotate(file, now: moment) }
                } catch {
                    logger.error("security log cannot be rotated", metadata: ["error": "\(error)"])
                }
                if options.sync == .everySecond { file.sync() }
            }
        }
    }

    /// Holds the file from taking a batch to having written it: lines stay in order whoever drains.
    private func drain() {
        file.withLock { file in
            while true {
                let (batch, dropped) = queue.withLock { queue in
                    let taken = (queue.pending, queue.dropped)
                    queue.pending = []
                    queue.dropped = 0
                    if taken.0.isEmpty, taken.1 == 0 { queue.isScheduled = false }
                    return taken
                }
                if batch.isEmpty, dropped == 0 { return }
                write(batch, dropped: dropped, to: file)
            }
        }
    }

    private func write(_ batch: [UInt8], dropped: Int, to file: LogFile) {
        let moment = now()
        var bytes = batch
        if dropped > 0 {
            let event = SecurityEvent(
                "events_dropped", category: "process", outcome: .failure, reason: "queue_full", level: .error
            )
            .with { $0.details["guard.dropped"] = String(dropped) }
            bytes += line(event, facts: nil) + [UInt8(ascii: "\n")]
            logger.error("security events were dropped: the log's queue was full", metadata: ["dropped": "\(dropped)"])
        }
        do {
            try file.open(now: moment)
            if file.needsRotation(adding: bytes.count, now: moment) { try rotate(file, now: moment) }
            try file.append(bytes)
            if options.sync == .everyBatch { file.sync() }
        } catch {
            // A full disk must not stop the application; what is lost is counted and said where somebody can read it.
            let lost = bytes.count { $0 == UInt8(ascii: "\n") }
            queue.withLock { $0.droppedEver += lost }
            file.close()
            logger.error("security log cannot be written; lines are lost", metadata: ["lost": "\(lost)", "error": "\(error)"])
        }
    }

    private func rotate(_ file: LogFile, now moment: Timestamp) throws {
        try file.rotate(now: moment)
        let event = SecurityEvent("log_rotation_finished", category: "process", outcome: .success)
        try file.append(line(event, facts: nil) + [UInt8(ascii: "\n")])
    }

    private func line(_ event: SecurityEvent, facts: RequestFacts?) -> [UInt8] {
        var json = JSONText()
        json.member("@timestamp", now().rfc3339)
        json.member("service.name", service)
        json.member("log.level", event.level.rawValue)
        json.member("event.category", event.category)
        json.member("event.action", event.action)
        json.member("event.outcome", event.outcome.rawValue)
        func add(_ name: String, _ value: String?) {
            if let value { json.member(name, redaction.value(value, named: name)) }
        }
        add("event.reason", event.reason)
        let subject = facts?.subject
        add("user.id", event.user ?? subject?.user)
        add("user.name", event.name)
        add("user.target.id", event.target)
        add("token.id", event.token ?? subject?.token)
        add("session.id", subject?.session)
        add("resource.type", event.resource?.type)
        add("resource.id", event.resource?.id)
        add("resource.owner.id", event.resource?.owner)
        add("resource.visibility", event.resource?.visibility)
        add("file.name", event.file)
        if let facts, let arrival = facts.arrival {
            add("source.ip", arrival.client?.description)
            json.member("http.request.id", arrival.id)
            add("trace.id", arrival.trace?.traceID)
            add("http.request.method", arrival.head.method.rawValue)
            if let target = arrival.head.path { json.member("url.original", redaction.target(target)) }
            add("user_agent.original", arrival.head.headerFields[.userAgent])
        }
        if let status = event.status { json.member("http.response.status_code", status) }
        for (name, value) in event.details.sorted(by: { $0.key < $1.key }) { add(name, value) }
        return json.finished()
    }
}
