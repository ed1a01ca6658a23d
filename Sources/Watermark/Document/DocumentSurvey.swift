/// What a document is and can carry, from one reading.
package struct DocumentSurvey: Sendable {
    /// Things in a file that are more than what it shows.
    package enum Extra: Sendable, CaseIterable {
        case polyglot, script, launch, attachment
    }

    package var pages: Int
    package var isEncrypted: Bool
    package var isLinearized: Bool
    package var isSigned: Bool
    package var words: Int
    package var hiddenWords: Int
    package var methods: [(name: String, applicability: Applicability)]
    package var extras: [Extra]

    package init(_ pdf: [UInt8]) throws(WatermarkError) {
        let document = try PDFDocument(pdf)
        pages = document.pageCount
        isEncrypted = document.isEncrypted
        isLinearized = document.isLinearized
        isSigned = Signatures.areIn(document)
        (words, hiddenWords, methods) = (0, 0, [])
        var wordShift: Applicability
        do {
            let layout = try LayoutReader.read(document)
            words = layout.carrierCount
            hiddenWords = layout.hiddenWords
            wordShift = WordShiftMethod.applicability(layout)
        } catch {
            wordShift = Applicability(strength: .none, notes: [error.message])
        }
        for method in WatermarkMethods.all {
            let applicability: Applicability =
                isSigned ? .signed : method is WordShiftMethod ? wordShift : method.applicabilityOfUnsigned
            methods.append((method.name, applicability))
        }
        extras = DocumentExtras.find(document, pdf)
    }
}

enum DocumentExtras {
    static func find(_ document: PDFDocument, _ pdf: [UInt8]) -> [DocumentSurvey.Extra] {
        var found: [DocumentSurvey.Extra] = []
        if isPolyglot(pdf) { found.append(.polyglot) }
        let root = document.root
        let names = root["/Names"]
        var actions = [root["/OpenAction"]]
        let occasions = root["/AA"]
        actions += occasions.keys.prefix(32).map { occasions[$0] }
        for index in 0..<min(document.pageCount, 100) {
            guard let page = document.page(index) else { continue }
            let occasions = page["/AA"]
            actions += occasions.keys.prefix(32).map { occasions[$0] }
        }
        let kinds = Set(actions.compactMap { $0["/S"].nameText })
        if kinds.contains("/JavaScript") || names["/JavaScript"].isDictionary { found.append(.script) }
        if kinds.contains("/Launch") { found.append(.launch) }
        if names["/EmbeddedFiles"].isDictionary { found.append(.attachment) }
        return found
    }

    /// Whether the file is also an archive, a script or a page to programs that look elsewhere than at its first bytes.
    ///
    /// Archives are opened from their end: the last record of a ZIP file, whose own length field has to fit (APPNOTE 4.3.16), in the last
    /// 65,557 bytes. Pages and scripts are looked for where no document of PDF has text in the clear: its first kilobyte, and behind its
    /// last `%%EOF`.
    static func isPolyglot(_ pdf: [UInt8]) -> Bool {
        let zipEnd: [UInt8] = [0x50, 0x4B, 0x05, 0x06]
        var index = max(0, pdf.count - 65_557)
        while index + 22 <= pdf.count {
            if pdf[index] == zipEnd[0], pdf[index..<(index + 4)].elementsEqual(zipEnd),
                index + 22 + Int(pdf[index + 20]) + Int(pdf[index + 21]) << 8 <= pdf.count
            {
                return true
            }
            index += 1
        }
        let edges = [pdf.prefix(1_024), pdf[tail(pdf)...].prefix(65_536)]
        let openings = ["<?php", "<script", "<html", "<!doctype html", "#!/"].map { Array($0.utf8) }
        return edges.contains { edge in
            let lower = edge.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
            return openings.contains { Bytes.position(of: $0, in: lower) != nil }
        }
    }

    /// Behind the last `%%EOF`.
    private static func tail(_ pdf: [UInt8]) -> Int {
        let end = Array("%%EOF".utf8)
        var index = pdf.count - end.count
        while index > 0 {
            if pdf[index] == end[0], pdf[index..<(index + end.count)].elementsEqual(end) { return index + end.count }
            index -= 1
        }
        return pdf.count
    }
}
