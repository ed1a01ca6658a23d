import Foundation
import Testing

/// The `|re` patterns of the public Sigma rules, read from the suites' archive.
struct SigmaPatterns {
    struct Pattern: Hashable {
        let text: String
        let flags: String
    }

    static var archive: URL {
        let environment = ProcessInfo.processInfo.environment
        let suites =
            environment["VIGIE_SUITES"].map { URL(filePath: $0) }
            ?? (0..<5).reduce(URL(filePath: #filePath)) { url, _ in url.deletingLastPathComponent() }
            .appending(path: "shared/suites")
        return suites.appending(path: "sigma/sigma-rules.tar.gz")
    }

    /// Every use of `|re`, repetitions included.
    static func load() throws -> [Pattern] {
        let tar = Process()
        tar.executableURL = URL(filePath: "/usr/bin/env")
        tar.arguments = ["tar", "-xzOf", archive.path(percentEncoded: false), "--wildcards", "*.yml"]
        let output = Pipe()
        tar.standardOutput = output
        try tar.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0)
        return patterns(in: String(decoding: bytes, as: UTF8.self))
    }

    /// Reads `field|re…: scalar` and lists of scalars below it: the only forms that the rules use, so no YAML parser is
    /// needed.
    static func patterns(in text: String) -> [Pattern] {
        var patterns: [Pattern] = []
        /// The flags and the indentation of a key whose list is being read.
        var list: (flags: String, indent: Int)?
        for line in text.split(separator: "\n", omittingEmptySubsequences: true) {
            let indent = line.prefix { $0 == " " }.count
            var content = line.dropFirst(indent)
            if let open = list {
                if content.hasPrefix("- "), indent > open.indent {
                    patterns.append(Pattern(text: scalar(content.dropFirst(2)), flags: open.flags))
                    continue
                }
                if !content.hasPrefix("#") { list = nil }
            }
            if content.hasPrefix("- ") { content = content.dropFirst(2) }
            guard !content.hasPrefix("#"), let colon = content.firstIndex(of: ":") else { continue }
            let modifiers = content[..<colon].split(separator: "|")
            guard modifiers.dropFirst().contains("re"), !modifiers[0].contains(" ") else { continue }
            let flags = modifiers.dropFirst().filter { $0.count == 1 }.joined()
            let value = content[content.index(after: colon)...].drop { $0 == " " }
            if value.isEmpty {
                list = (flags, indent)
            } else {
                patterns.append(Pattern(text: scalar(value), flags: flags))
            }
        }
        return patterns
    }

    /// A plain or quoted YAML scalar, without the comment behind it.
    private static func scalar(_ text: Substring) -> String {
        let text = text.drop { $0 == " " }
        guard text.first == "'" else {
            return (text.range(of: " #").map { text[..<$0.lowerBound] } ?? text).trimmingCharacters(in: .whitespaces)
        }
        var result = ""
        var rest = text.dropFirst()
        while let character = rest.popFirst() {
            if character == "'" {
                guard rest.first == "'" else { break }
                rest.removeFirst()
            }
            result.append(character)
        }
        return result
    }
}
