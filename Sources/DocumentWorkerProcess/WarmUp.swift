import DocumentWorker
import Watermark

/// Does, before anything untrusted is there, what the job will do: so that libraries have opened and looked up what they want to, and
/// tables are made, while that is still allowed. A worker that waits for its job has this behind it.
enum WarmUp {
    /// - Throws: where it cannot be done with a document that is as it should be. A library that is broken would else be taken for an
    ///   attack by the first document of somebody.
    static func run() throws {
        let document = Array(text.utf8)
        _ = try DocumentSurvey(document)
        let mark = CopyMark(
            method: "visible-stamp", secret: "warm", key: "up",
            tracing: CopyMark.Tracing(version: "warm", markingSecret: [UInt8](repeating: 1, count: 32)))
        let copy = try mark.apply(to: document).copy
        _ = try SealedTokenMethod.texts(copy, key: [UInt8](repeating: 1, count: 32))
        // It is refused, or guessed at: what either takes has been looked up then.
        _ = try? DocumentSurvey(Array(document.prefix(document.count / 2)))
        try PictureWarmUp.run()
        let report = DocumentReport(
            size: 0, sha256: DocumentDescription.digest(copy), pages: 0, isEncrypted: false, isLinearized: false, isSigned: false,
            words: 0,
            hiddenWords: 0, methods: [], suspicions: [])
        _ = try Frame.encode(JobAnswer.report(report))
    }

    /// One page of eighty words.
    private static var text: String {
        let words = (0..<80).map { "word\($0)" }.joined(separator: " ")
        let content = "BT /F1 4 Tf 20 700 Td (\(words)) Tj ET"
        return """
            %PDF-1.7
            1 0 obj
            << /Type /Catalog /Pages 2 0 R >>
            endobj
            2 0 obj
            << /Type /Pages /Kids [3 0 R] /Count 1 >>
            endobj
            3 0 obj
            << /Type /Page /Parent 2 0 R /MediaBox [0 0 2000 800] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>
            endobj
            4 0 obj
            << /Length \(content.utf8.count) >>
            stream
            \(content)
            endstream
            endobj
            5 0 obj
            << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>
            endobj
            trailer
            << /Size 6 /Root 1 0 R >>
            %%EOF
            """
    }
}
