/// Texts, character by character.
enum NaiveText {
    /// Sigma's wildcards, by trying everything.
    static func glob(_ pattern: String, _ text: String, isCased: Bool = false) -> Bool {
        match(
            Array((isCased ? pattern : pattern.lowercased()).unicodeScalars)[...],
            Array((isCased ? text : text.lowercased()).unicodeScalars)[...])
    }

    private static func match(_ pattern: ArraySlice<Unicode.Scalar>, _ text: ArraySlice<Unicode.Scalar>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == "*" { return match(rest, text) || (!text.isEmpty && match(pattern, text.dropFirst())) }
        if first == "?" { return !text.isEmpty && match(rest, text.dropFirst()) }
        if first == "\\", let next = rest.first, next == "*" || next == "?" || next == "\\" {
            return text.first == next && match(rest.dropFirst(), text.dropFirst())
        }
        return text.first == first && match(rest, text.dropFirst())
    }

    /// The text as Sigma writes it where nothing in it means anything.
    static func escaped(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.flatMap { "\\*?".unicodeScalars.contains($0) ? ["\\", $0] : [$0] }))
    }

    /// The pattern with something before and behind it: a backslash at its end stays one.
    static func between(_ before: String, _ pattern: String, _ after: String) -> String {
        var rest = pattern.unicodeScalars[...]
        while let first = rest.popFirst() {
            guard first == "\\" else { continue }
            guard let next = rest.first else { return before + pattern + "\\" + after }
            if "\\*?".unicodeScalars.contains(next) { rest.removeFirst() }
        }
        return before + pattern + after
    }

    /// What Sigma's exact text means: the other way round.
    static func meant(_ text: String) -> String {
        var meant = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let first = rest.popFirst() {
            if first == "\\", let next = rest.first, "\\*?".unicodeScalars.contains(next) {
                meant.append(rest.removeFirst())
            } else {
                meant.append(first)
            }
        }
        return String(meant)
    }

    /// JSON's escapes taken out, one after the other; those that the tests write.
    static func unescaped(_ line: String) -> String {
        var text = String.UnicodeScalarView()
        var rest = line.unicodeScalars[...]
        while let first = rest.popFirst() {
            guard first == "\\", let kind = rest.popFirst() else {
                text.append(first)
                continue
            }
            if kind == "u", let code = UInt32(String(rest.prefix(4)), radix: 16), let scalar = Unicode.Scalar(code) {
                text.append(scalar)
                rest = rest.dropFirst(4)
            } else {
                text.append(kind == "n" ? "\n" : kind == "t" ? "\t" : kind)
            }
        }
        return String(text)
    }
}
