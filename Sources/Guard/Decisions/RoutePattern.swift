import Events

/// Which requests a maintenance stops: one path and what is below it, of one method or of all.
///
/// Compared as the router might read the path, and more generously: without empty segments, escapes decoded, letters in lower case.
/// Stopping a path that no route has harms nobody; a spelling that slips past a stopped one would.
struct RoutePattern: Sendable, Equatable {
    /// `nil` for every method. `GET` stops `HEAD`, too.
    let method: String?
    /// Empty for everything.
    let segments: [String]

    init(method: String?, path: String) {
        self.method = method?.uppercased()
        segments = Self.segments(of: path)
    }

    static func segments(of path: String) -> [String] {
        decoded(path).lowercased().split(separator: "/").filter { $0 != "." }.map(String.init)
    }

    func matches(method: String, segments given: [String]) -> Bool {
        if let wanted = self.method, wanted != method, !(wanted == "GET" && method == "HEAD") { return false }
        return given.starts(with: segments)
    }

    /// Percent escapes (RFC 3986 section 2.1) decoded; what is no escape stays.
    static func decoded(_ text: some StringProtocol) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = hexadecimalValue(rest[rest.startIndex]),
                let low = hexadecimalValue(rest[rest.index(after: rest.startIndex)])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
