/// A field name as a small number: what rules, formats and batches share instead of strings.
package struct FieldID: Hashable, Sendable, BitwiseCopyable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) {
        self.rawValue = rawValue
    }
}

/// Every field name that the loaded rules or the formats know. Grows while rules are compiled, then is only read.
///
/// Names are ECS names. The fields that formats fill themselves have fixed numbers (`FieldID.sourceIP`, …).
package struct FieldTable: Sendable {
    package private(set) var names: [String]
    private var identifiers: [String: FieldID]

    package init() {
        names = FieldID.wellKnownNames
        identifiers = [:]
        for (index, name) in names.enumerated() {
            identifiers[name] = FieldID(rawValue: UInt16(index))
        }
    }

    package var count: Int { names.count }

    package subscript(_ field: FieldID) -> String { names[Int(field.rawValue)] }

    package func find(_ name: String) -> FieldID? { identifiers[name] }

    /// The number of `name`, made if it is new; `nil` once 65,535 names are taken.
    package mutating func intern(_ name: String) -> FieldID? {
        if let known = identifiers[name] { return known }
        guard names.count < Int(UInt16.max) else { return nil }
        let field = FieldID(rawValue: UInt16(names.count))
        names.append(name)
        identifiers[name] = field
        return field
    }
}

extension FieldID {
    package static let message = FieldID(rawValue: 0)
    package static let eventAction = FieldID(rawValue: 1)
    package static let eventOutcome = FieldID(rawValue: 2)
    package static let eventCategory = FieldID(rawValue: 3)
    package static let eventReason = FieldID(rawValue: 4)
    package static let sourceIP = FieldID(rawValue: 5)
    package static let sourcePort = FieldID(rawValue: 6)
    package static let userName = FieldID(rawValue: 7)
    package static let hostName = FieldID(rawValue: 8)
    package static let processName = FieldID(rawValue: 9)
    package static let processID = FieldID(rawValue: 10)
    package static let requestMethod = FieldID(rawValue: 11)
    package static let requestLine = FieldID(rawValue: 12)
    package static let urlOriginal = FieldID(rawValue: 13)
    package static let urlPath = FieldID(rawValue: 14)
    package static let urlQuery = FieldID(rawValue: 15)
    package static let httpVersion = FieldID(rawValue: 16)
    package static let statusCode = FieldID(rawValue: 17)
    package static let responseBytes = FieldID(rawValue: 18)
    package static let referrer = FieldID(rawValue: 19)
    package static let userAgent = FieldID(rawValue: 20)
    /// Request target, referrer and user agent, decoded: what an attacker wrote, whatever the encoding. Several values.
    package static let decodedRequest = FieldID(rawValue: 21)
    package static let decodedURL = FieldID(rawValue: 22)
    package static let decodedPath = FieldID(rawValue: 23)
    /// Derived where it is asked for, never stored: see `IPAddress.prefix`.
    package static let sourcePrefix = FieldID(rawValue: 24)
    package static let logLevel = FieldID(rawValue: 25)
    package static let urlDomain = FieldID(rawValue: 26)
    package static let timestamp = FieldID(rawValue: 27)

    fileprivate static let wellKnownNames = [
        "message", "event.action", "event.outcome", "event.category", "event.reason", "source.ip", "source.port",
        "user.name", "host.name", "process.name", "process.pid", "http.request.method", "http.request.line",
        "url.original", "url.path", "url.query", "http.version", "http.response.status_code",
        "http.response.body.bytes", "http.request.referrer", "user_agent.original", "vigie.request.decoded",
        "vigie.url.decoded", "vigie.path.decoded", "vigie.source.prefix", "log.level", "url.domain", "@timestamp",
    ]
}
