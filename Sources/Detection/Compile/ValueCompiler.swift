import Events

/// Turns `field|modifiers: values` into an expression.
struct ValueCompiler {
    struct Failure: Error {
        var reason: String
    }

    static let knownModifiers: Set<String> = [
        "contains", "startswith", "endswith", "all", "exists", "cased", "neq", "windash", "re", "i", "ignorecase", "m",
        "multiline",
        "s", "dotall", "base64", "base64offset", "wide", "utf16", "utf16le", "utf16be", "lt", "lte", "gt", "gte", "cidr",
        "fieldref",
        "minute", "hour", "day", "week", "month", "year",
    ]

    let modifiers: Set<String>
    let subject: Predicate.Subject
    /// Makes numbers for fields, and keeps regular expressions for the engine.
    let intern: (String) throws(Failure) -> FieldID
    let keepRegex: (BoundedRegex) -> Int

    init(
        subject: Predicate.Subject, modifiers: [String], intern: @escaping (String) throws(Failure) -> FieldID,
        keepRegex: @escaping (BoundedRegex) -> Int
    ) throws(Failure) {
        self.subject = subject
        self.intern = intern
        self.keepRegex = keepRegex
        self.modifiers = Set(modifiers)
        for modifier in modifiers where !ValueCompiler.knownModifiers.contains(modifier) {
            if modifier == "expand" {
                throw Failure(reason: "'expand' needs values for its placeholders, and none are configured")
            }
            let nearest = NearestName.find(modifier, among: ValueCompiler.knownModifiers)
            throw Failure(reason: "modifier '\(modifier)' is not known" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
        }
    }

    private func has(_ names: String...) -> Bool { names.contains { modifiers.contains($0) } }

    func expression(_ values: [SigmaValue]) throws(Failure) -> Expression {
        var parts: [Expression] = []
        for value in values { parts.append(try expression(value)) }
        let joined: Expression = parts.count == 1 ? parts[0] : has("all") ? .all(parts) : .any(parts)
        return has("neq") && comparison == nil ? .not(joined) : joined
    }

    private var comparison: Comparison? {
        for name in ["lt", "lte", "gt", "gte"] where modifiers.contains(name) { return Comparison(rawValue: name) }
        return nil
    }

    private var anchor: TextPattern.Anchor {
        has("contains")
            ? .contains : has("startswith") ? .startsWith : has("endswith") ? .endsWith : subject == .line ? .contains : .equals
    }

    private func test(_ test: Predicate.Test) -> Expression { .predicate(Predicate(subject: subject, test: test)) }

    private func expression(_ value: SigmaValue) throws(Failure) -> Expression {
        if has("exists") {
            guard case .boolean(let flag) = value else { throw Failure(reason: "'exists' takes true or false") }
            return test(.exists(flag))
        }
        if let part = TimePart.allCases.first(where: { modifiers.contains($0.rawValue) }) {
            guard case .number(let text) = value, let number = Int(text) else {
                throw Failure(reason: "'\(part.rawValue)' takes a whole number")
            }
            return test(.timePart(part, comparison ?? .eq, number))
        }
        if let comparison {
            guard case .number(let text) = value, let number = Double(text) else {
                throw Failure(reason: "'\(comparison.rawValue)' takes a number")
            }
            return test(.compare(comparison, number))
        }
        switch value {
        case .null: return test(.isNull)
        case .boolean(let flag):
            return test(.text(TextPattern(literal: Array(String(flag).utf8), anchor: .equals, isCased: false)))
        case .number(let text), .text(let text): return try expression(text)
        }
    }

    private func expression(_ text: String) throws(Failure) -> Expression {
        if has("re") {
            var options: BoundedRegex.Options = has("i", "ignorecase") ? .caseInsensitive : []
            if has("m", "multiline") { options.insert(.multiline) }
            if has("s", "dotall") { options.insert(.dotMatchesNewline) }
            do {
                return test(.regex(keepRegex(try BoundedRegex(text, options: options))))
            } catch {
                throw Failure(reason: "regular expression '\(text)': \(error)")
            }
        }
        if has("cidr") {
            guard let block = AddressBlock(text) else { throw Failure(reason: "'\(text)' is no network: 192.0.2.0/24") }
            return test(.block(block))
        }
        if has("fieldref") { return test(.field(try intern(text), anchor)) }
        if has("base64", "base64offset", "wide", "utf16", "utf16le", "utf16be") {
            return .any(
                try encoded(text).map {
                    test(.text(TextPattern(literal: $0, anchor: has("base64offset") ? .contains : anchor, isCased: true)))
                })
        }
        let spellings = has("windash") ? WindowsDash.spellings(text) : [text]
        let tests = spellings.map { test(.text(TextPattern(wildcards: $0, anchor: anchor, isCased: has("cased")))) }
        return tests.count == 1 ? tests[0] : .any(tests)
    }

    /// The bytes to look for once the text has been encoded as the modifiers say.
    private func encoded(_ text: String) throws(Failure) -> [[UInt8]] {
        var bytes = Array(text.utf8)
        if has("wide", "utf16le") { bytes = text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }
        if has("utf16be") { bytes = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } }
        if has("utf16") { bytes = [0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] } }
        if has("base64offset") {
            guard bytes.count >= 3 else { throw Failure(reason: "'base64offset' needs at least three bytes") }
            return Base64Text.offsets(bytes)
        }
        return [has("base64") ? Base64Text.encode(bytes) : bytes]
    }
}

/// `windash`: the characters that Windows programs take for a dash, and the slash.
private enum WindowsDash {
    static let forms: [Character] = ["-", "/", "\u{2013}", "\u{2014}", "\u{2015}"]

    static func spellings(_ text: String) -> [String] {
        guard
            let dash = text.indices.first(where: { index in
                (text[index] == "-" || text[index] == "/")
                    && (index == text.startIndex || text[text.index(before: index)].isWhitespace)
            })
        else { return [text] }
        return forms.map { form in
            var spelled = text
            spelled.replaceSubrange(dash...dash, with: [form])
            return spelled
        }
    }
}

/// Base64 (RFC 4648 §4) of what an attacker may have encoded.
enum Base64Text {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let second = index + 1 < bytes.count ? bytes[index + 1] : 0
            let third = index + 2 < bytes.count ? bytes[index + 2] : 0
            let word = UInt32(bytes[index]) << 16 | UInt32(second) << 8 | UInt32(third)
            for shift in [18, 12, 6, 0] { result.append(alphabet[Int(word >> UInt32(shift) & 63)]) }
            index += 3
        }
        let padding = (3 - bytes.count % 3) % 3
        for position in 0..<padding { result[result.count - 1 - position] = UInt8(ascii: "=") }
        return result
    }

    /// What is certain of the three ways the bytes can lie in a longer encoded text.
    static func offsets(_ bytes: [UInt8]) -> [[UInt8]] {
        [0, 2, 3].enumerated().map { offset, start in
            let padded = [UInt8](repeating: 0x20, count: offset) + bytes
            let end = [0, 3, 2][padded.count % 3]
            return Array(encode(padded).dropFirst(start).dropLast(end))
        }
    }
}
