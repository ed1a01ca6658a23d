/// ``ImageSpread`` behind the interface that all methods have: the key is the marking secret, the secret names the copy.
package struct ImageSpreadMethod: WatermarkMethod {
    package let name = "image-spread"
    package let usage = """
        Makes spots of pictures and scanned pages lighter or darker by about two of 256 levels; which spot is which names the copy. \
        Survives rewriting, printing to PDF, rendering, compressing, resizing, turning a little, and cutting out a tenth of a page of \
        text; small parts of soft photographs may be lost. Does not survive recognition of the text (OCR), or drawing it anew. \
        Read against the original: with tatou-wm trace, or extract --original --candidates.
        """

    package init() {}

    package func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        let document = try PDFDocument(pdf)
        if Signatures.areIn(document) { return .signed }
        return Self.applicability(DocumentPictures(document, try LayoutReader.read(document)))
    }

    /// Nothing is said about documents whose pictures were not looked for.
    package var applicabilityOfUnsigned: Applicability { Applicability(strength: .none, notes: []) }

    package static func applicability(_ found: DocumentPictures) -> Applicability {
        let marked = found.marked.map { found.pictures[$0] }
        var notes: [String] = []
        let best = marked.map { $0.share * min(1, $0.megapixels) }.max() ?? 0
        let strength: Applicability.Strength =
            switch best {
            case 0: .none
            case ..<0.1: .weak
            case ..<0.4: .fair
            default: .strong
            }
        if marked.isEmpty {
            notes.append(
                found.pictures.isEmpty
                    ? "No page shows a picture that covers a tenth of it." : "None of its pictures can be marked.")
        } else {
            let pages = Set(marked.flatMap { $0.places.map(\.page) }).count
            let megapixels = (marked.reduce(0) { $0 + $1.megapixels } * 10).rounded() / 10
            let shown = pages == 1 ? "1 page" : "\(pages) pages"
            notes.append("\(counted(marked.count)) of \(megapixels) megapixels in all, on \(shown), will be marked.")
            notes.append(
                strength == .weak
                    ? "A clean copy of a picture can be traced; a small or blurred one may not be: pictures are small."
                    : "Copies, screenshots and cut-outs can be traced: a tenth of a page of text, more of soft photographs.")
        }
        let unchosen = found.pictures.count { $0.obstacle == nil && !$0.isChosen }
        if unchosen > 0 {
            notes.append("\(counted(unchosen)) more are left as they are: the document has too many for one copy.")
        }
        for obstacle in PictureObstacle.allCases {
            let count = found.pictures.count { $0.obstacle == obstacle }
            if count > 0 { notes.append("\(counted(count)) cannot be marked: they \(obstacle.words).") }
        }
        if strength != .none {
            notes.append("Does not survive recognition of the text (OCR), drawing it anew, or black and white without grey.")
        }
        return Applicability(strength: strength, notes: notes)
    }

    private static func counted(_ count: Int) -> String { count == 1 ? "1 picture" : "\(count) pictures" }

    package func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8] {
        try check(secret: secret, key: key)
        return try Self.embed(pdf, version: secret, markingSecret: try markingSecret(key))
    }

    /// A copy for `version`, marked under a secret of at least 16 bytes.
    package static func embed(_ pdf: [UInt8], version: String, markingSecret: [UInt8]) throws(WatermarkError) -> [UInt8] {
        let document = try PDFDocument(pdf)
        guard !Signatures.areIn(document) else {
            throw .badInput("The document is signed, and any mark would break its signature. Mark a copy without signature.")
        }
        try embed(
            document, DocumentPictures(document, try LayoutReader.read(document)), original: WordShiftMethod.digest(pdf),
            version: version,
            markingSecret: markingSecret)
        return try document.write()
    }

    static func embed(
        _ document: PDFDocument, _ pictures: DocumentPictures, original digest: [UInt8], version: String, markingSecret: [UInt8]
    ) throws(WatermarkError) {
        let applicability = applicability(pictures)
        guard applicability.isApplicable else { throw .badInput(applicability.notes.joined(separator: " ")) }
        guard
            try ImageSpread.embed(document, pictures, original: digest, version: version, markingSecret: markingSecret) > 0
        else { throw .badInput("The document's pictures are damaged. Export it again from where it came from.") }
    }

    package func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String {
        throw .notFound("This mark is read against the original: use trace, or give the original and the candidates.")
    }
}
