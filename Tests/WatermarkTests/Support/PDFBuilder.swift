/// Writes small documents for tests: pages, their content, and any other objects.
struct PDFBuilder {
    var pageContents: [String] = []
    /// Entries of every page's resources, beside the fonts.
    var resources = ""
    /// Entries of the catalog.
    var catalog = ""
    var mediaBox = "[0 0 595 842]"
    /// Objects from number 100 on, each as it stands between `obj` and `endobj`.
    var objects: [String] = []

    static func stream(_ text: String, _ entries: String = "") -> String {
        "<< \(entries) /Length \(text.utf8.count) >>\nstream\n\(text)\nendstream"
    }

    func bytes() -> [UInt8] {
        var bodies: [(Int, String)] = []
        let pages = pageContents.indices.map { "\(10 + 2 * $0) 0 R" }.joined(separator: " ")
        bodies.append((1, "<< /Type /Catalog /Pages 2 0 R \(catalog) >>"))
        bodies.append((2, "<< /Type /Pages /Kids [\(pages)] /Count \(pageContents.count) >>"))
        bodies.append((3, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"))
        for (index, content) in pageContents.enumerated() {
            let number = 10 + 2 * index
            bodies.append(
                (
                    number,
                    """
                    << /Type /Page /Parent 2 0 R /MediaBox \(mediaBox) /Contents \(number + 1) 0 R \
                    /Resources << /Font << /F1 3 0 R >> \(resources) >> >>
                    """
                ))
            bodies.append((number + 1, Self.stream(content)))
        }
        for (index, object) in objects.enumerated() { bodies.append((5000 + index, object)) }
        var text = "%PDF-1.7\n"
        var offsets: [(Int, Int)] = []
        for (number, body) in bodies {
            offsets.append((number, text.utf8.count))
            text += "\(number) 0 obj\n\(body)\nendobj\n"
        }
        let start = text.utf8.count
        text += "xref\n0 1\n0000000000 65535 f \n"
        for (number, offset) in offsets {
            let digits = String(offset)
            text += "\(number) 1\n\(String(repeating: "0", count: 10 - digits.count))\(digits) 00000 n \n"
        }
        text += "trailer\n<< /Size 9999 /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n"
        return Array(text.utf8)
    }

    private static let vocabulary = [
        "watermark", "leak", "copy", "page", "a", "the", "recipient", "of", "trace", "paper", "moved", "word", "evidence", "to",
        "signal", "sealed", "journal", "is", "in", "light", "margin", "letter", "printed", "and", "found", "scanner", "quiet",
    ]

    /// Pages of running text, the same for the same seed.
    static func text(pages: Int, lines: Int = 40, wordsPerLine: Int = 11, size: Int = 11, seed: UInt64 = 1) -> PDFBuilder {
        var random = SeededGenerator(seed: seed)
        var builder = PDFBuilder()
        for _ in 0..<pages {
            var content = "BT /F1 \(size) Tf \(size + 4) TL 60 780 Td\n"
            for _ in 0..<lines {
                let words = (0..<wordsPerLine).map { _ in vocabulary.randomElement(using: &random) ?? "word" }
                content += "(\(words.joined(separator: " "))) Tj T*\n"
            }
            builder.pageContents.append(content + "ET\n")
        }
        return builder
    }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
