extension TextPattern {
    /// Whether comparing bytes would say something else than comparing characters: a `?` stands for one character, of however many
    /// bytes, and letters beyond ASCII have two cases, too.
    var needsCharacters: Bool {
        pieces.contains { piece in
            piece.contains(nil)
                || !isCased && piece.contains { $0.map { $0 >= 0x80 } ?? false }
                    && TextPattern.text(piece).unicodeScalars.contains { !$0.isASCII && UnitSet($0.value).folded.count > 1 }
        }
    }

    /// The same as a regular expression, to be run with dots that match line feeds.
    ///
    /// Its literals are searched for like those of any other, and its time is linear in the text.
    var expression: String {
        (anyBefore ? "" : "\\A") + pieces.map(TextPattern.expression).joined(separator: ".*") + (anyAfter ? "" : "\\z")
    }

    private static func expression(_ piece: [UInt8?]) -> String {
        piece.split(separator: nil, omittingEmptySubsequences: false).map { run in
            var text = String.UnicodeScalarView()
            for scalar in TextPattern.text(run).unicodeScalars {
                if scalar.isASCII, !scalar.properties.isAlphabetic, !("0"..."9").contains(scalar) { text.append("\\") }
                text.append(scalar)
            }
            return String(text)
        }.joined(separator: ".")
    }

    /// Bytes between wildcards, which are whole characters: wildcards are ASCII.
    private static func text(_ bytes: some Sequence<UInt8?>) -> String {
        String(decoding: bytes.compactMap { $0 }, as: UTF8.self)
    }
}
