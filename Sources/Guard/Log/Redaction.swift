import Events

/// What never reaches a log, whatever an event says. Applied at one point: where a line is written.
struct Redaction: Sendable {
    /// Paths below which the next segment opens something by itself, as `/api/get-version/`.
    let capabilityPaths: [String]
    /// As many hexadecimal digits in a row open something, wherever in a target they stand.
    var capabilityDigits: Int?
    /// Longer values are cut: one line is never longer than a reader takes.
    static let longestValue = 2048
    static let mark = "***"

    /// Names that sound secret. `token.id` and `session.id` are identifiers.
    private static let secretWords = [
        "password", "passwd", "passphrase", "secret", "authorization", "cookie", "credential", "private_key", "api_key", "apikey",
        "access_token", "refresh_token", "reset_token",
    ]
    private static let secretParameters: Set<String> = [
        "token", "key", "auth", "signature", "sig", "code", "password", "secret", "access_token", "refresh_token", "api_key",
        "apikey",
        "session", "jwt",
    ]

    func value(_ text: String, named name: String) -> String {
        let lowered = name.lowercased()
        if lowered == "token" || lowered == "key" || lowered.hasSuffix(".token") || lowered.hasSuffix(".key")
            || Self.secretWords.contains(where: lowered.contains)
        {
            return Self.mark
        }
        return Self.cut(free(text))
    }

    /// A target as clients send it: values of secret parameters and capability links are taken out.
    func target(_ text: String) -> String {
        let path = text.prefix { $0 != "?" }
        let result = withoutCapabilities(path)
        guard path.endIndex < text.endIndex else { return Self.cut(free(withoutLongDigits(result))) }
        let query = text[text.index(after: path.endIndex)...].split(separator: "&", omittingEmptySubsequences: false).map {
            pair in
            let name = pair.prefix { $0 != "=" }
            guard name.endIndex < pair.endIndex else { return String(pair) }
            // A name may be escaped to look like another; decoded names are compared.
            let plain = RoutePattern.decoded(name).lowercased()
            return Self.secretParameters.contains(plain) ? "\(name)=\(Self.mark)" : String(pair)
        }
        return Self.cut(free(withoutLongDigits(result + "?" + query.joined(separator: "&"))))
    }

    /// Finds the link in every spelling that a router accepts: empty segments, escapes, either case.
    private func withoutCapabilities(_ path: Substring) -> String {
        guard !capabilityPaths.isEmpty else { return String(path) }
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let filled = parts.indices.filter { !parts[$0].isEmpty && parts[$0] != "." }
        let segments = filled.map { RoutePattern.decoded(parts[$0]).lowercased() }
        for prefix in capabilityPaths.map(RoutePattern.segments(of:))
        where segments.count > prefix.count && segments.starts(with: prefix) {
            let link = filled[prefix.count]
            // Enough to tell links apart, too little to use one.
            parts[link] = parts[link].prefix(6) + (parts[link].count > 6 ? Self.mark : "")
        }
        return parts.joined(separator: "/")
    }

    private func withoutLongDigits(_ target: String) -> String {
        guard let capabilityDigits else { return target }
        var result = ""
        var part = ""
        func close() {
            result += Self.hasRun(of: capabilityDigits, in: RoutePattern.decoded(part)) ? part.prefix(6) + Self.mark : part
            part = ""
        }
        for character in target {
            if "/?&=".contains(character) {
                close()
                result.append(character)
            } else {
                part.append(character)
            }
        }
        close()
        return result
    }

    private static func hasRun(of digits: Int, in text: String) -> Bool {
        var run = 0
        for byte in text.utf8 {
            run = hexadecimalValue(byte) == nil ? 0 : run + 1
            if run >= digits { return true }
        }
        return false
    }

    /// Takes bearer credentials and JSON Web Tokens out of a text.
    private func free(_ text: String) -> String {
        guard text.contains("eyJ") || text.contains("earer ") || text.contains("asic ") else { return text }
        var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        for index in words.indices {
            let previous = index > 0 ? words[index - 1].lowercased() : ""
            if previous.hasSuffix("bearer") || previous.hasSuffix("basic") {
                words[index] = Self.mark
            } else if let start = words[index].firstRange(of: "eyJ"),
                words[index][start.lowerBound...].utf8.count(where: { $0 == 0x2E }) >= 2
            {
                words[index] = words[index][..<start.lowerBound] + Self.mark
            }
        }
        return words.joined(separator: " ")
    }

    private static func cut(_ text: String) -> String {
        guard text.utf8.count > longestValue else { return text }
        var cut = text.prefix(longestValue)
        while cut.utf8.count > longestValue { cut = cut.dropLast() }
        return cut + "…"
    }
}
