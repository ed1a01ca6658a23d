import Events

/// Turns `field|modifiers: values` into an expression.
struct ValueCompiler {
    struct Failure: Error {
        var reason: String
    }

    static let knownModifiers: Set<String> = [
        "contains", "startswith", "endswith", "all", "exists", "cased", "neq", "windash", "re", "i", "ignorecase", "m",
        "multiline", "s", "dotall", "base64", "base64offset", "wide", "utf16", "utf16le", "utf16be", "lt", "lte", "gt", "gte",
        "cidr", "fieldref", "expand", "minute", "hour", "day", "week", "month", "year",
    ]

    /// How many texts one value may become by its dashes and placeholders.
    static let maximumSpellings = 4_096

    /// What the value of a reference or of a placeholder means to the rule at hand.
    struct Surroundings {
        var placeholders: [String: [SigmaValue]]
        var fields: (String) throws(Failure) -> [FieldID]
        /// Keeps an expression for the engine.
        var keepRegex: (String, BoundedRegex.Options, Predicate.Subject) throws(RegexError) -> Int
    }

    private let modifiers: Set<String>
    /// Those that encode the value, in their order: each works on what the one before it made.
    private let encodings: [String]
    /// There are no modifiers but those that say where in a text the value stands: what most values are.
    private let isPlain: Bool
    private let anchor: TextPattern.Anchor
    /// A name may stand for several fields; any of them may match.
    private let subjects: [Predicate.Subject]
    private let surroundings: Surroundings

    init(subjects: [Predicate.Subject], modifiers: [String], in surroundings: Surroundings) throws(Failure) {
        self.subjects = subjects
        self.surroundings = surroundings
        self.modifiers = Set(modifiers)
        encodings = modifiers.filter(ValueCompiler.encodingModifiers.contains)
        isPlain = self.modifiers.isSubset(of: ValueCompiler.plainModifiers)
        let (starts, ends) = (modifiers.contains("startswith"), modifiers.contains("endswith"))
        anchor =
            modifiers.contains("contains") || starts && ends || subjects.contains(.line)
            ? .contains : starts ? .startsWith : ends ? .endsWith : .equals
        for modifier in modifiers where !ValueCompiler.knownModifiers.contains(modifier) {
            let nearest = NearestName.find(modifier, among: ValueCompiler.knownModifiers)
            throw Failure(reason: "modifier '\(modifier)' is not known" + (nearest.map { "; did you mean '\($0)'?" } ?? ""))
        }
        if !isPlain {
            if isKeyword { try refuseForKeywords() }
            try refuseContradictions()
        }
    }

    private static let plainModifiers: Set<String> = ["contains", "startswith", "endswith", "all", "cased", "neq"]
    private static let encodingModifiers: Set<String> = ["base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"]

    /// What a request may leave out: servers write `-` or nothing for what was not sent and for what was sent empty, so that either is
    /// what a rule means by an empty text.
    private var isHeader: Bool {
        let headers: [FieldID] = [.userAgent, .referrer, .userName]
        return subjects.allSatisfy { subject in headers.contains { subject == .field($0) } }
    }

    private var isKeyword: Bool { subjects.contains(.line) }

    private func has(_ names: String...) -> Bool { names.contains { modifiers.contains($0) } }

    /// Modifiers that make different kinds of value cannot stand together: one of them would silently be ignored.
    private func refuseContradictions() throws(Failure) {
        let kinds: [Set<String>] = [
            ["re"], ["cidr"], ["exists"], ["fieldref"],
            ["lt", "lte", "gt", "gte", "minute", "hour", "day", "week", "month", "year"],
            ValueCompiler.encodingModifiers, ["windash"],
        ]
        let used = kinds.flatMap { $0.intersection(modifiers).sorted().prefix(1) }
        if used.count > 1 { throw Failure(reason: "'\(used[0])' and '\(used[1])' cannot stand together") }
        let comparisons = modifiers.intersection(["lt", "lte", "gt", "gte"]).sorted()
        if comparisons.count > 1 { throw Failure(reason: "'\(comparisons[0])' and '\(comparisons[1])' cannot stand together") }
        // An expression is found anywhere as it is, and has a letter for case.
        let manners = modifiers.intersection(["contains", "startswith", "endswith", "cased"]).subtracting(
            has("re") ? ["contains"] : [])
        if let manner = manners.min(), let kind = used.first, !["fieldref", "windash"].contains(kind), !kinds[5].contains(kind) {
            throw Failure(reason: "'\(manner)' and '\(kind)' cannot stand together")
        }
        let wide = encodings.filter { !$0.hasPrefix("base64") }
        if wide.count > 1 { throw Failure(reason: "'\(wide[0])' and '\(wide[1])' cannot stand together") }
        if let place = encodings.firstIndex(of: "base64offset"), place != encodings.count - 1 {
            throw Failure(reason: "nothing can be encoded after 'base64offset', which stands for parts of a text")
        }
        for flag in ["i", "ignorecase", "m", "multiline", "s", "dotall"] where has(flag) && !has("re") {
            throw Failure(reason: "'\(flag)' stands behind 're'")
        }
    }

    /// Keywords are words that stand somewhere in the event: a field has numbers, networks, dates; a whole event has none.
    private func refuseForKeywords() throws(Failure) {
        let ofFields = ["cidr", "exists", "fieldref", "lt", "lte", "gt", "gte"] + TimePart.allCases.map(\.rawValue)
        guard let modifier = ofFields.first(where: modifiers.contains) else { return }
        throw Failure(reason: "'\(modifier)' asks about a field; keywords are sought in the whole event")
    }

    func expression(_ values: [SigmaValue]) throws(Failure) -> Expression {
        var parts: [Expression] = []
        for value in values {
            var meant: [Expression] = []
            for value in has("expand") ? try expanded(value) : [value] { meant.append(try expression(value)) }
            parts.append(Expression.any(of: meant))
        }
        let joined: Expression = parts.count == 1 ? parts[0] : has("all") ? .all(parts) : .any(parts)
        return has("neq") ? .not(joined) : joined
    }

    private var comparison: Comparison? {
        for name in ["lt", "lte", "gt", "gte"] where modifiers.contains(name) { return Comparison(rawValue: name) }
        return nil
    }

    /// The test on any of the fields.
    private func test(_ test: Predicate.Test) -> Expression {
        Expression.any(of: subjects(for: test).map { .predicate(Predicate(subject: $0, test: test)) })
    }

    /// A time is no text.
    private func subjects(for test: Predicate.Test) -> [Predicate.Subject] {
        switch test {
        case .timePart, .exists, .isNull: subjects
        default: subjects.filter { $0 != .time }
        }
    }

    /// The test on all of the fields: that there is nothing.
    private func testEach(_ test: Predicate.Test) -> Expression {
        let parts = subjects(for: test).map { Expression.predicate(Predicate(subject: $0, test: test)) }
        return parts.count == 1 ? parts[0] : .all(parts)
    }

    private func expression(_ value: SigmaValue) throws(Failure) -> Expression {
        if value.text == nil, isKeyword {
            throw Failure(reason: "null asks about a field; keywords are sought in the whole event")
        }
        if isPlain {
            guard let text = value.text else { return testEach(.isNull) }
            let equal = try plain([text])
            return text.isEmpty && anchor == .equals && isHeader ? .any([equal, testEach(.isNull)]) : equal
        }
        if has("exists") {
            guard case .boolean(let flag) = value else { throw Failure(reason: "'exists' takes true or false") }
            return flag ? test(.exists(true)) : testEach(.exists(false))
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
        case .null: return testEach(.isNull)
        case .boolean(let flag): return try expression(String(flag))
        case .number(let text), .text(let text): return try expression(text)
        }
    }

    private func expression(_ text: String) throws(Failure) -> Expression {
        if has("re") {
            var options: BoundedRegex.Options = has("i", "ignorecase") ? .caseInsensitive : []
            if has("m", "multiline") { options.insert(.multiline) }
            if has("s", "dotall") { options.insert(.dotMatchesNewline) }
            return try regex(text, options)
        }
        if has("cidr") {
            guard let block = AddressBlock(text) else { throw Failure(reason: "'\(text)' is no network: 192.0.2.0/24") }
            return test(.block(block))
        }
        if has("fieldref") {
            return Expression.any(of: try surroundings.fields(text).map { test(.field($0, anchor, isCased: has("cased"))) })
        }
        if !encodings.isEmpty {
            let isBase64 = has("base64", "base64offset")
            let patterns = try encoded(text).map { bytes in
                TextPattern(
                    literal: bytes, anchor: has("base64offset") ? .contains : anchor, isCased: isBase64 || has("cased"))
            }
            return Expression.any(of: patterns.map { test(.text($0)) })
        }
        return try plain(has("windash") ? try WindowsDash.spellings(text) : [text])
    }

    private func plain(_ spellings: [String]) throws(Failure) -> Expression {
        let patterns = spellings.map { TextPattern(wildcards: $0, anchor: anchor, isCased: modifiers.contains("cased")) }
        var parts: [Expression] = []
        for pattern in patterns { parts.append(try expression(pattern)) }
        if isKeyword {
            // A line that is no JSON may hold some, with what the rule has not escaped.
            for pattern in patterns.compactMap(\.escapedAsJSON) {
                parts.append(.predicate(Predicate(subject: .line, test: .text(pattern))))
            }
        }
        return Expression.any(of: parts)
    }

    /// Bytes are compared where that says the same; characters where it does not.
    private func expression(_ pattern: TextPattern) throws(Failure) -> Expression {
        guard pattern.needsCharacters else { return test(.text(pattern)) }
        return try regex(pattern.expression, pattern.isCased ? .dotMatchesNewline : [.dotMatchesNewline, .caseInsensitive])
    }

    private func regex(_ text: String, _ options: BoundedRegex.Options) throws(Failure) -> Expression {
        do {
            var parts: [Expression] = []
            for subject in subjects where subject != .time {
                let index = try surroundings.keepRegex(text, options, subject)
                parts.append(.predicate(Predicate(subject: subject, test: .regex(index))))
            }
            return Expression.any(of: parts)
        } catch {
            throw Failure(reason: "regular expression '\(text)': \(error)")
        }
    }

    /// The bytes to look for once the text has been encoded as the modifiers say.
    private func encoded(_ text: String) throws(Failure) -> [[UInt8]] {
        let exact = TextPattern(wildcards: text, anchor: .equals, isCased: true)
        guard let literal = exact.literal, !exact.anyBefore, !exact.anyAfter else {
            throw Failure(reason: "'\(text)' has wildcards, and what is to be encoded must be exact; write \\* for an asterisk")
        }
        var bytes = literal
        for encoding in encodings {
            let units = String(decoding: bytes, as: UTF8.self).utf16
            switch encoding {
            case "base64": bytes = Base64Text.encode(bytes)
            case "base64offset":
                // Of a single byte nothing is certain where it lies across two characters: it would be found in every text.
                guard bytes.count >= 2 else { throw Failure(reason: "'base64offset' needs at least two bytes") }
                return Base64Text.offsets(bytes)
            case "utf16be": bytes = units.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
            case "utf16": bytes = [0xFF, 0xFE] + units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
            default: bytes = units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
            }
        }
        return [bytes]
    }

    /// The value with each of its placeholders' values in their place.
    private func expanded(_ value: SigmaValue) throws(Failure) -> [SigmaValue] {
        guard case .text(let text) = value else { return [value] }
        let parts = try Placeholders.parts(text)
        guard parts.contains(where: \.isPlaceholder) else { return [.text(parts.map(\.text).joined())] }
        var texts = [""]
        for part in parts {
            var values = [part.text]
            if part.isPlaceholder {
                guard let known = surroundings.placeholders[part.text] else {
                    throw Failure(
                        reason: "placeholder '%\(part.text)%' has no values; give them under 'placeholders' in a pipeline")
                }
                values = known.compactMap(\.text)
            }
            guard texts.count * values.count <= ValueCompiler.maximumSpellings else {
                throw Failure(
                    reason: "the placeholders of '\(text)' stand for more than \(ValueCompiler.maximumSpellings) values")
            }
            texts = texts.flatMap { text in values.map { text + $0 } }
        }
        return texts.map { .text($0) }
    }
}

extension Expression {
    static func any(of parts: [Expression]) -> Expression {
        parts.count == 1 ? parts[0] : .any(parts)
    }
}

extension SigmaValue {
    /// What it is compared as; `nil` for null.
    var text: String? {
        switch self {
        case .text(let text), .number(let text): text
        case .boolean(let flag): String(flag)
        case .null: nil
        }
    }
}

extension TextPattern {
    /// The same text as it stands in a JSON string; `nil` where that makes no difference.
    fileprivate var escapedAsJSON: TextPattern? {
        let escaped = pieces.map { piece in
            piece.flatMap { byte in
                byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "\"") ? [UInt8(ascii: "\\"), byte] : [byte]
            }
        }
        guard escaped != pieces else { return nil }
        return TextPattern(pieces: escaped, anyBefore: anyBefore, anyAfter: anyAfter, isCased: isCased)
    }
}
