package import Events

/// Which keys of a JSON line are wanted, and what field each becomes.
///
/// A key is the path to a value, joined by full stops, so that `{"source":{"ip":…}}` and `{"source.ip":…}` are the same.
/// Paths are looked up by a 64-bit FNV-1a hash that grows with the path while the line is scanned, and then compared:
/// an attacker who can choose keys gains nothing by making hashes collide.
package struct JSONFieldPlan: Sendable {
    struct Entry {
        var path: [UInt8]
        var field: FieldID
    }

    static let hashSeed: UInt64 = 0xCBF2_9CE4_8422_2325

    let entries: [Entry]
    /// Wanted of every line, whatever its keys: see `FieldTable.decodedLine`.
    let decodedLine: FieldID?
    /// The fields that what `AbsentValue` knows leaves out, as `FieldSink.bit` tells them; none where fields are a format's keys.
    let optional: UInt64
    /// The same for Windows events, whose names are not paths.
    let windows: WindowsFieldPlan
    /// Open addressing; -1 is free. At most half full.
    private let buckets: [Int32]
    private let mask: Int

    /// The plan for every field in `fields`, under its own name and under the names that programs commonly use for it.
    ///
    /// - Parameter taxonomy: what the pipelines say of Windows events.
    package init(_ fields: FieldTable, taxonomy: EventTaxonomy = EventTaxonomy()) {
        var entries: [Entry] = []
        var taken: Set<String> = []
        func add(_ name: String, _ field: FieldID) {
            if taken.insert(name).inserted { entries.append(Entry(path: Array(name.utf8), field: field)) }
        }
        let decodedLine = fields.find(FieldTable.decodedLine)
        var derived: Set<FieldID> = [.decodedRequest, .decodedURL, .decodedPath, .sourcePrefix]
        if let decodedLine { derived.insert(decodedLine) }
        for (index, name) in fields.names.enumerated() where !derived.contains(FieldID(rawValue: UInt16(index))) {
            add(name, FieldID(rawValue: UInt16(index)))
        }
        for (field, names) in JSONFieldPlan.commonNames {
            for name in names { add(name, field) }
        }
        self.init(
            entries: entries, optional: FieldSink.bit(.referrer) | FieldSink.bit(.userAgent) | FieldSink.bit(.userName),
            windows: WindowsFieldPlan(fields, taxonomy), decodedLine: decodedLine)
    }

    /// A plan for these paths and no others; the first of two that are the same counts.
    init(entries: [(path: String, field: FieldID)]) {
        self.init(
            entries: entries.map { Entry(path: Array($0.path.utf8), field: $0.field) }, optional: 0,
            windows: JSONFieldPlan.noWindows)
    }

    private static let noWindows = WindowsFieldPlan(FieldTable(), EventTaxonomy())

    private init(entries: [Entry], optional: UInt64, windows: WindowsFieldPlan, decodedLine: FieldID? = nil) {
        var size = 16
        while size < entries.count * 2 { size *= 2 }
        var buckets = [Int32](repeating: -1, count: size)
        for (index, entry) in entries.enumerated() {
            var bucket = Int(truncatingIfNeeded: JSONFieldPlan.hash(entry.path)) & (size - 1)
            while buckets[bucket] >= 0 { bucket = (bucket + 1) & (size - 1) }
            buckets[bucket] = Int32(index)
        }
        self.entries = entries
        self.decodedLine = decodedLine
        self.optional = optional
        self.windows = windows
        self.buckets = buckets
        mask = size - 1
    }

    /// The field that this path becomes.
    func field(named path: String) -> FieldID? {
        let bytes = Array(path.utf8)
        return entry(hash: JSONFieldPlan.hash(bytes)) { $0 == bytes }.map { entries[$0].field }
    }

    static func hash(_ path: [UInt8]) -> UInt64 {
        path.reduce(hashSeed) { extend($0, $1) }
    }

    @inline(__always)
    static func extend(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }

    /// The entry of the path with this hash that `isEqual` confirms.
    @inline(__always)
    func entry(hash: UInt64, isEqual: ([UInt8]) -> Bool) -> Int? {
        var bucket = Int(truncatingIfNeeded: hash) & mask
        while buckets[bucket] >= 0 {
            let entry = Int(buckets[bucket])
            if isEqual(entries[entry].path) { return entry }
            bucket = (bucket + 1) & mask
        }
        return nil
    }

    /// What programs call the fields that ECS names otherwise: nginx, Caddy, Traefik, gunicorn, Docker, and the web
    /// frameworks' usual JSON loggers. The first name found in a line wins.
    private static let commonNames: [(FieldID, [String])] = [
        (
            .sourceIP,
            [
                "client.ip", "remote_addr", "remote_ip", "remoteip", "remote_address", "remoteAddr", "client_ip", "clientip",
                "clientIp",
                "ClientHost", "request.remote_ip", "request.client_ip", "source_ip", "src_ip", "ip", "ip_address", "ipAddress",
                "remote", "visitor_ip", "request_ip", "downstream_remote_address", "clientAddress", "req.ip", "peer", "host_ip",
            ]
        ),
        (.sourcePort, ["client.port", "remote_port", "request.remote_port", "ClientPort", "src_port"]),
        (
            .userName,
            [
                "user", "username", "user_name", "userName", "remote_user", "email", "user_email", "account", "login",
                "ClientUsername",
            ]
        ),
        (
            .statusCode,
            [
                "status", "status_code", "statusCode", "response_status", "DownstreamStatus", "response.status", "http_status",
                "response_code", "responseCode", "res.statusCode",
            ]
        ),
        (.requestLine, ["request", "request_line", "requestLine"]),
        (
            .requestMethod,
            ["method", "request_method", "requestMethod", "RequestMethod", "request.method", "http_method", "verb", "req.method"]
        ),
        (
            .urlOriginal,
            [
                "request_uri", "requestURI", "uri", "RequestPath", "request.uri", "path", "url", "http.url", "url.full",
                "request_path", "http_path", "x-envoy-origin-path", "req.url", "requestPath",
            ]
        ),
        (.responseBytes, ["body_bytes_sent", "bytes_sent", "size", "DownstreamContentSize", "response_size"]),
        (
            .userAgent,
            [
                "http_user_agent", "user_agent", "userAgent", "request_User-Agent", "request.headers.User-Agent", "agent",
                "http_user_agent_string", "ua",
            ]
        ),
        (.referrer, ["http_referer", "referer", "referrer", "request_Referer", "request.headers.Referer"]),
        (
            .forwardedFor,
            [
                "http_x_forwarded_for", "x_forwarded_for", "xForwardedFor", "request_X-Forwarded-For",
                "request.headers.X-Forwarded-For", "headers.x-forwarded-for", "forwarded_for",
            ]
        ),
        (
            .forwarded,
            ["forwarded", "http_forwarded", "request_Forwarded", "request.headers.Forwarded", "headers.forwarded"]
        ),
        (.urlDomain, ["host", "server_name", "request.host", "RequestHost", "http_host", "vhost"]),
        (.message, ["msg", "log", "MESSAGE", "text", "error"]),
        (.eventAction, ["event", "action", "event_type", "eventType", "type", "event_name"]),
        (.eventOutcome, ["outcome", "result"]),
        (.eventReason, ["reason", "error_code"]),
        (.logLevel, ["level", "severity", "levelname"]),
        (.processName, ["logger", "service", "program", "SYSLOG_IDENTIFIER"]),
        (.hostName, ["hostname", "_HOSTNAME"]),
        (.processID, ["pid", "_PID"]),
        (
            .timestamp,
            [
                "__REALTIME_TIMESTAMP", "timestamp", "time", "ts", "datetime", "date", "time_iso8601", "StartUTC", "asctime",
                "created", "msec", "t",
            ]
        ),
    ]
}
