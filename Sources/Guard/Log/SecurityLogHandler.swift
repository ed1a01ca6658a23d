import Events
public import Logging

/// Sends the application's own log lines to the security log's file, too, with the request's identifier in each.
///
/// ```swift
/// LoggingSystem.bootstrap({ label, provider in
///     SecurityLogHandler(label: label, log: protection.log, metadataProvider: provider)
/// }, metadataProvider: Protection.requestMetadata)
/// ```
public struct SecurityLogHandler: LogHandler {
    /// The least level that is written.
    public var logLevel: Logger.Level
    /// Metadata of each line.
    public var metadata: Logger.Metadata = [:]
    /// Adds the request's identifier to lines written by libraries.
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let log: SecurityLog

    /// A handler that writes to `log`.
    public init(label: String, log: SecurityLog, logLevel: Logger.Level = .info, metadataProvider: Logger.MetadataProvider? = nil)
    {
        self.label = label
        self.log = log
        self.logLevel = logLevel
        self.metadataProvider = metadataProvider
    }

    /// One value of ``metadata``.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Queues a line; never waits.
    public func log(event: LogEvent) {
        var members = metadata
        if let provided = metadataProvider?.get() { members.merge(provided) { _, new in new } }
        if let given = event.metadata { members.merge(given) { _, new in new } }
        var json = JSONText()
        json.member("@timestamp", log.time.rfc3339)
        json.member("service.name", log.service)
        json.member("log.level", "\(event.level)")
        json.member("log.logger", label)
        json.member("message", log.redaction.value(event.message.description, named: "message"))
        // Hummingbird's name for the identifier of a request; ECS's for readers of the file.
        if let id = members.removeValue(forKey: "hb.request.id") { members["http.request.id"] = id }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            json.member(name, log.redaction.value(value.description, named: name))
        }
        log.append(json.finished())
    }
}
