package import Events

/// The format that reads the most of a line which no format reads.
package struct NearestFormat: Sendable, Equatable {
    package var format: String
    /// The pattern as its file has it; for a built-in format what its lines are.
    package var pattern: String
    /// How many bytes of the line fit it.
    package var position: Int
    /// What should have followed.
    package var expected: String
}

extension FormatSet {
    /// Why a line is not read: the pattern that got furthest, and what it missed there.
    package func nearestFormat(_ line: String, reference: Timestamp) -> NearestFormat? {
        let bytes = Array(line.utf8)
        let text = bytes.span
        let whole = FormatMatcher.trimmed(text, 0..<bytes.count)
        let builtIn = BuiltInNearest(text, whole)
        if let builtIn, builtIn.isCertain { return builtIn.nearest }
        var best: NearestFormat?
        for pattern in patterns where !pattern.isHeaderOnly {
            var sink = FieldSink()
            for start in starts(formats[pattern.format], text, whole, reference) {
                let reached = pattern.line.progress(
                    text, start..<whole.upperBound, literals.span, reference: reference, into: &sink)
                guard reached.position > best?.position ?? 0 else { continue }
                let expected =
                    reached.element < pattern.expectations.count ? pattern.expectations[reached.element] : "the end of the line"
                best = NearestFormat(
                    format: formats[pattern.format].name, pattern: pattern.text, position: reached.position, expected: expected)
            }
        }
        guard let builtIn, builtIn.position >= best?.position ?? 0 else { return best }
        return builtIn.nearest
    }

    /// Where the message may begin: at once, or behind a header that fits.
    private func starts(_ format: Format, _ text: Span<UInt8>, _ whole: Range<Int>, _ reference: Timestamp) -> [Int] {
        var starts = format.headers.isEmpty ? [whole.lowerBound] : []
        for header in format.headers {
            var sink = FieldSink()
            guard header.match(text, whole, literals.span, reference: reference, into: &sink) != nil else { continue }
            if let message = sink.range(of: .message) { starts.append(Int(message.start)) }
        }
        return starts
    }
}
