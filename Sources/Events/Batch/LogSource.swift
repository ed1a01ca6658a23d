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
package struct LogSourceID: Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// A line that no format could read: only rules without a log source of their own see it.
    package static let unknown = LogSourceID(rawValue: 0)
    package static let webserver = LogSourceID(rawValue: 1)
    package static let sshd = LogSourceID(rawValue: 2)
    package static let linux = LogSourceID(rawValue: 3)
    package static let sudo = LogSourceID(rawValue: 4)
    package static let su = LogSourceID(rawValue: 5)
    package static let application = LogSourceID(rawValue: 6)

    /// An application's event that may also be a request, a sign-in, or both.
    package static func application(isRequest: Bool, isAuthentication: Bool) -> LogSourceID {
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
