/// How often something may be asked for: a number of requests, regained evenly over a period.
public struct RateLimit: Sendable, Hashable {
    /// The policy's name in the `RateLimit` headers and in events. Limits of the same name count together.
    public var name: String
    /// How many requests may come at once.
    public var requests: Int
    /// The time in which all of them are regained.
    public var period: Duration

    /// `requests` in `period`: five in a minute is one every twelve seconds, and five at once after a pause.
    public init(_ name: String, requests: Int, per period: Duration) {
        self.name = name
        self.requests = max(requests, 1)
        self.period = max(period, .milliseconds(1))
    }

    /// Nanoseconds in which one request is regained.
    var interval: Int64 { max(window / Int64(requests), 1) }

    /// ``period`` in nanoseconds; a year at most.
    var window: Int64 {
        let parts = period.components
        guard parts.seconds < 31_536_000 else { return 31_536_000_000_000_000 }
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }
}

/// What a limit says about one request.
struct Quota: Sendable, Equatable {
    let limit: RateLimit
    let isExceeded: Bool
    let remaining: Int
    /// Nanoseconds until one more is allowed where it is exceeded, else until everything is regained.
    let wait: Int64

    /// Whole seconds, rounded up: a client that waits so long is served.
    var seconds: Int { Int((wait + 999_999_999) / 1_000_000_000) }

    /// Item of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10 section 3).
    var policyField: String {
        let seconds = max(limit.window / 1_000_000_000, 1)
        return "\"\(Self.quoted(limit.name))\";q=\(limit.requests);w=\(seconds)"
    }

    /// Item of `RateLimit` (section 4 of the draft).
    var field: String { "\"\(Self.quoted(limit.name))\";r=\(remaining);t=\(seconds)" }

    /// A string of RFC 9651 section 3.3.3 holds printable ASCII; quotes and backslashes are escaped.
    private static func quoted(_ name: String) -> String {
        var text = ""
        for scalar in name.unicodeScalars where scalar.isASCII && scalar.value >= 0x20 && scalar.value != 0x7F {
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text
    }
}

/// The generic cell rate algorithm (ITU-T I.371): one number per key says when everything would be regained.
enum CellRate {
    /// - Parameter fullAt: when everything is regained; zero for a key that is not known. Changed where the request is allowed.
    static func take(_ limit: RateLimit, fullAt: inout Int64, now: Int64) -> Quota {
        let interval = limit.interval
        let capacity = interval * Int64(limit.requests)
        // More than the capacity ahead cannot be of this clock: counted as empty, not as blocked for ever.
        let owed = min(max(fullAt - now, 0), capacity)
        if owed + interval > capacity {
            return Quota(limit: limit, isExceeded: true, remaining: 0, wait: owed + interval - capacity)
        }
        fullAt = now + owed + interval
        return Quota(
            limit: limit, isExceeded: false, remaining: Int((capacity - owed - interval) / interval), wait: owed + interval)
    }
}
