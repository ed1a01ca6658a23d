package import Journal

/// What a command said: which values it gives to variables, and what a person may read of it.
package enum CommandOutput {
    /// Of one value.
    package static let maximumValueBytes = 16_384
    /// Of what is kept in the journal for people.
    package static let maximumDetailBytes = 2_048

    /// Of a program: with one result the whole text without its last line breaks, with several the lines `__name__=value`.
    package static func values(_ text: String, _ results: [String]) -> [String: JSONValue] {
        guard let first = results.first else { return [:] }
        if results.count == 1 {
            var value = Substring(text)
            while value.last?.isNewline == true { value.removeLast() }
            return value.utf8.count <= maximumValueBytes ? [first: .string(String(value))] : [:]
        }
        var values: [String: JSONValue] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, results.contains(String(parts[0])), parts[1].utf8.count <= maximumValueBytes else { continue }
            values[String(parts[0])] = .string(String(parts[1]))
        }
        return values
    }

    /// Of an answer in JSON: with one result the member of its name, else the whole; with several the members of their names, without
    /// the underscores.
    package static func values(_ json: JSONValue, _ results: [String]) -> [String: JSONValue] {
        guard json != .null else { return [:] }
        var values: [String: JSONValue] = [:]
        for name in results {
            let plain = String(name.dropFirst(2).dropLast(2))
            guard let member = json[plain] ?? (results.count == 1 ? json : nil) else { continue }
            let value: JSONValue = if case .string = member { member } else { .string(member.description) }
            if value.description.utf8.count <= maximumValueBytes { values[name] = value }
        }
        return values
    }

    /// Without secrets and control characters, and cut.
    package static func detail(_ text: String, secrets: [String] = []) -> String {
        // What somebody else's program says is looked through as far as it can be shown, and no further. Of a word at the cut nobody
        // can tell whether it is a secret's beginning.
        var shown = Substring(text)
        if text.utf8.count > 2 * maximumDetailBytes {
            shown = Substring(String(decoding: text.utf8.prefix(2 * maximumDetailBytes), as: UTF8.self))
            shown = shown[..<(shown.lastIndex(where: \.isWhitespace) ?? shown.startIndex)]
            if shown.isEmpty { return "… (a word of \(text.utf8.count) bytes)" }
        }
        let isCut = shown.utf8.count < text.utf8.count
        var text = redacted(String(shown), secrets: secrets)
        text = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map {
                    $0.properties.generalCategory == .control && $0 != "\n" && $0 != "\t" ? "\u{FFFD}" : $0
                }))
        guard text.utf8.count > maximumDetailBytes else { return isCut ? text + " … (cut)" : text }
        var cut = text.prefix(maximumDetailBytes)
        while cut.utf8.count > maximumDetailBytes { cut.removeLast(max(1, (cut.utf8.count - maximumDetailBytes) / 4)) }
        return cut + " … (cut)"
    }

    static let mark = "***"

    /// Secrets that are known, and what looks like one: credentials of HTTP, JSON Web Tokens, private keys, values of names that
    /// sound secret.
    package static func redacted(_ text: String, secrets: [String] = []) -> String {
        var text = text
        for secret in secrets where secret.utf8.count >= 4 { text = text.replacing(secret, with: mark) }
        text = text.replacing(#/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/#, with: mark)
        text = text.replacing(#/(?i)\b(bearer|basic)[ \t]+[A-Za-z0-9._~+\/=-]{6,}/#) { "\($0.output.1) \(mark)" }
        text = text.replacing(#/eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/#, with: mark)
        return text.replacing(
            #/(?i)((?:password|passwd|passphrase|secret|credential|private_key|api_?key|access_token|refresh_token|authorization|cookie)["']?[ \t]*[:=][ \t]*)("[^"\n]*"|'[^'\n]*'|[^\s,;&"']+)/#
        ) { "\($0.output.1)\(mark)" }
    }
}
