/// A field name as a small number: what rules, formats and batches share instead of strings.
///
/// Public, like everything that every line touches (`EventBatch`, `Timestamp`, …), although nobody outside the package
/// uses it: Swift 6.3 does not inline `package` declarations into other targets, and a call per comparison was a third of
/// the time of reading a line.
public struct FieldID: Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Written out so that other targets compare two numbers instead of calling here: once per field of every line.
    public static func == (left: FieldID, right: FieldID) -> Bool { left.rawValue == right.rawValue }

    /// For `case .message:`, which would otherwise go through the generic operator, unspecialised.
    public static func ~= (pattern: FieldID, value: FieldID) -> Bool { pattern.rawValue == value.rawValue }
}

/// Every field name that the loaded rules or the formats know. Grows while rules are compiled, then is only read.
///
/// Names are ECS names. The fields that formats fill themselves have fixed numbers (`FieldID.sourceIP`, …).
package struct FieldTable: Sendable {
    package private(set) var names: [String]
    private var identifiers: [String: FieldID]

    /// What every JSON event could have, and has only where a rule asks for it: its line with the escapes decoded, in which keywords are
    /// sought, too.
    package static let decodedLine = "vigie.line.decoded"

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
    public static var message: FieldID { FieldID(rawValue: 0) }
    public static var eventAction: FieldID { FieldID(rawValue: 1) }
    public static var eventOutcome: FieldID { FieldID(rawValue: 2) }
    public static var eventCategory: FieldID { FieldID(rawValue: 3) }
    public static var eventReason: FieldID { FieldID(rawValue: 4) }
    public static var sourceIP: FieldID { FieldID(rawValue: 5) }
    public static var sourcePort: FieldID { FieldID(rawValue: 6) }
    public static var userName: FieldID { FieldID(rawValue: 7) }
    public static var hostName: FieldID { FieldID(rawValue: 8) }
    public static var processName: FieldID { FieldID(rawValue: 9) }
    public static var processID: FieldID { FieldID(rawValue: 10) }
    public static var requestMethod: FieldID { FieldID(rawValue: 11) }
    public static var requestLine: FieldID { FieldID(rawValue: 12) }
    public static var urlOriginal: FieldID { FieldID(rawValue: 13) }
    public static var urlPath: FieldID { FieldID(rawValue: 14) }
    public static var urlQuery: FieldID { FieldID(rawValue: 15) }
    public static var httpVersion: FieldID { FieldID(rawValue: 16) }
    public static var statusCode: FieldID { FieldID(rawValue: 17) }
    public static var responseBytes: FieldID { FieldID(rawValue: 18) }
    public static var referrer: FieldID { FieldID(rawValue: 19) }
    public static var userAgent: FieldID { FieldID(rawValue: 20) }
    /// Request target, referrer and user agent, decoded: what an attacker wrote, whatever the encoding. Several values.
    public static var decodedRequest: FieldID { FieldID(rawValue: 21) }
    public static var decodedURL: FieldID { FieldID(rawValue: 22) }
    public static var decodedPath: FieldID { FieldID(rawValue: 23) }
    /// Derived where it is asked for, never stored: see `IPAddress.prefix`.
    public static var sourcePrefix: FieldID { FieldID(rawValue: 24) }
    public static var logLevel: FieldID { FieldID(rawValue: 25) }
    public static var urlDomain: FieldID { FieldID(rawValue: 26) }
    public static var timestamp: FieldID { FieldID(rawValue: 27) }
    /// `X-Forwarded-For`, as the client or its proxies sent it.
    public static var forwardedFor: FieldID { FieldID(rawValue: 28) }
    /// Likewise `Forwarded` (RFC 7239).
    public static var forwarded: FieldID { FieldID(rawValue: 29) }

    fileprivate static let wellKnownNames = [
        "message", "event.action", "event.outcome", "event.category", "event.reason", "source.ip", "source.port",
        "user.name", "host.name", "process.name", "process.pid", "http.request.method", "http.request.line",
        "url.original", "url.path", "url.query", "http.version", "http.response.status_code",
        "http.response.body.bytes", "http.request.referrer", "user_agent.original", "vigie.request.decoded",
        "vigie.url.decoded", "vigie.path.decoded", "vigie.source.prefix", "log.level", "url.domain", "@timestamp",
        "http.request.forwarded_for", "http.request.forwarded",
    ]
}
