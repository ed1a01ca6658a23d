/// What kind of log an event comes from, in Sigma's terms: a rule's `logsource` is held against it.
///
/// Sigma knows one category per rule; an event can have several (a sign-in that a web server logged), so they are a set.
package struct LogSource: Hashable, Sendable {
    package var categories: Set<String>
    package var product: String?
    package var service: String?

    package init(categories: Set<String> = [], product: String? = nil, service: String? = nil) {
        self.categories = categories
        self.product = product
        self.service = service
    }
}

/// A log source as a small number, carried by every event.
public struct LogSourceID: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// A line that no format could read: only rules without a log source of their own see it.
    public static var unknown: LogSourceID { LogSourceID(rawValue: 0) }
    public static var webserver: LogSourceID { LogSourceID(rawValue: 1) }
    public static var sshd: LogSourceID { LogSourceID(rawValue: 2) }
    public static var linux: LogSourceID { LogSourceID(rawValue: 3) }
    public static var sudo: LogSourceID { LogSourceID(rawValue: 4) }
    public static var su: LogSourceID { LogSourceID(rawValue: 5) }
    public static var application: LogSourceID { LogSourceID(rawValue: 6) }

    /// An application's event that may also be a request, a sign-in, or both.
    public static func application(isRequest: Bool, isAuthentication: Bool) -> LogSourceID {
        LogSourceID(rawValue: 6 + (isRequest ? 1 : 0) + (isAuthentication ? 2 : 0))
    }
}

/// Every log source that the formats or the pipelines know. Grows while they are loaded, then is only read.
///
/// The sources that built-in formats name have fixed numbers (`LogSourceID.webserver`, …).
package struct LogSourceTable: Sendable {
    private var sources: [LogSource]
    private var identifiers: [LogSource: LogSourceID]

    package init() {
        sources = LogSourceID.wellKnown
        identifiers = [:]
        for (index, source) in sources.enumerated() { identifiers[source] = LogSourceID(rawValue: UInt16(index)) }
    }

    package var count: Int { sources.count }

    package subscript(_ source: LogSourceID) -> LogSource { sources[Int(source.rawValue)] }

    package func find(_ source: LogSource) -> LogSourceID? { identifiers[source] }

    /// The number of `source`, made if it is new; `nil` once 65,535 are taken.
    package mutating func intern(_ source: LogSource) -> LogSourceID? {
        if let known = identifiers[source] { return known }
        guard sources.count < Int(UInt16.max) else { return nil }
        let made = LogSourceID(rawValue: UInt16(sources.count))
        sources.append(source)
        identifiers[source] = made
        return made
    }
}

extension LogSourceID {
    /// By `rawValue`.
    fileprivate static let wellKnown: [LogSource] = [
        LogSource(),
        LogSource(categories: ["webserver"]),
        LogSource(categories: ["authentication"], product: "linux", service: "sshd"),
        LogSource(product: "linux", service: "syslog"),
        LogSource(categories: ["authentication"], product: "linux", service: "sudo"),
        LogSource(categories: ["authentication"], product: "linux", service: "su"),
        LogSource(categories: ["application"]),
        LogSource(categories: ["application", "webserver"]),
        LogSource(categories: ["application", "authentication"]),
        LogSource(categories: ["application", "webserver", "authentication"]),
    ]
}
