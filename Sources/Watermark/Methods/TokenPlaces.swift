/// Where tokens stand in a document, written and read.
enum TokenPlaces {
    enum Place: CaseIterable {
        /// The document's XMP packet. Lost when metadata is stripped, and to page extraction by most tools.
        case metadata
        /// Private data of each page (ISO 32000-1 §14.5).
        case pieceInfo
        /// A key of each page that no standard knows.
        case pageKey
        /// Text of each page that is not painted. Comes along when text is copied out.
        case invisibleText
    }

    private static let application = "/Vigie"
    private static let pageKey = "/VigieToken"
    private static let font = "/VigieTokenFont"

    static func write(_ token: String, to document: PDFDocument, at places: Set<Place>) {
        if places.contains(.metadata) { writeMetadata(token, document) }
        let bytes = [UInt8](token.utf8)
        for index in 0..<document.pageCount {
            guard let page = document.page(index) else { continue }
            if places.contains(.pieceInfo) {
                let data = document.dictionary()
                // A date is asked for; a fixed one keeps copies the same from day to day.
                data.replaceKey("/LastModified", with: document.string([UInt8]("D:20000101000000Z".utf8)))
                data.replaceKey("/Private", with: document.string(bytes))
                let info = page["/PieceInfo"].shallowCopy()
                info.replaceKey(application, with: data)
                page.replaceKey("/PieceInfo", with: info)
            }
            if places.contains(.pageKey) { page.replaceKey(pageKey, with: document.string(bytes)) }
            if places.contains(.invisibleText) {
                let text = "/Artifact BMC BT \(font) 1 Tf 3 Tr 1 0 0 1 0 0 Tm (\(token)) Tj ET EMC"
                page.append(content: [UInt8](text.utf8), font: font)
            }
        }
    }

    private static func writeMetadata(_ token: String, _ document: PDFDocument) {
        let description = """
            <rdf:Description rdf:about="" xmlns:vigie="urn:vigie:watermark:1"><vigie:token>\(token)</vigie:token></rdf:Description>

            """
        let root = document.root
        let known = root["/Metadata"].streamBytes
        var packet: [UInt8]
        if let end = Bytes.position(of: [UInt8]("</rdf:RDF>".utf8), in: known) {
            packet = known
            packet.insert(contentsOf: description.utf8, at: end)
        } else if known.isEmpty {
            packet = [UInt8](
                """
                <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
                <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
                \(description)</rdf:RDF></x:xmpmeta>
                <?xpacket end="w"?>
                """.utf8)
        } else {
            // Metadata in a form that is not understood stays as it is.
            return
        }
        let stream = document.stream(packet)
        stream.replaceKey("/Type", with: document.name("/Metadata"))
        stream.replaceKey("/Subtype", with: document.name("/XML"))
        root.replaceKey("/Metadata", with: document.indirect(stream))
    }

    /// Whatever looks like a token, each once.
    static func read(_ document: PDFDocument) -> [String] {
        var found = SealedToken.candidates(in: document.root["/Metadata"].streamBytes)
        for index in 0..<min(document.pageCount, LayoutLimits().pages) {
            guard let page = document.page(index) else { continue }
            for value in [page["/PieceInfo"][application]["/Private"], page[pageKey]] {
                if let bytes = value.stringBytes { found += SealedToken.candidates(in: bytes) }
            }
            found += SealedToken.candidates(in: shownText(document.content(ofPage: page)))
            if found.count > 256 { break }
        }
        var seen: Set<String> = []
        return found.filter { seen.insert($0).inserted }
    }

    /// All strings of a content stream, one after the other: other programs split them.
    private static func shownText(_ content: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        var tokenizer = ContentTokenizer(content.span)
        while let token = tokenizer.next() {
            if token.kind == .string { text += tokenizer.string(token.range) }
        }
        return text
    }
}

enum Bytes {
    static func position(of pattern: [UInt8], in bytes: [UInt8]) -> Int? {
        guard let first = pattern.first, bytes.count >= pattern.count else { return nil }
        for index in 0...(bytes.count - pattern.count)
        where bytes[index] == first && bytes[index..<(index + pattern.count)].elementsEqual(pattern) {
            return index
        }
        return nil
    }
}

extension PDFObject {
    /// Adds content behind a page's own, in the page's default state, with Helvetica under the given name.
    func append(content: [UInt8], font name: String) {
        let own = document.content(ofPage: self)
        let whole = [UInt8]("q\n".utf8) + own + [UInt8]("\nQ\n".utf8) + content + [UInt8]("\n".utf8)
        let resources = inherited("/Resources").shallowCopy()
        let fonts = resources["/Font"].shallowCopy()
        let font = document.dictionary()
        font.replaceKey("/Type", with: document.name("/Font"))
        font.replaceKey("/Subtype", with: document.name("/Type1"))
        font.replaceKey("/BaseFont", with: document.name("/Helvetica"))
        font.replaceKey("/Encoding", with: document.name("/WinAnsiEncoding"))
        fonts.replaceKey(name, with: font)
        resources.replaceKey("/Font", with: fonts)
        replaceKey("/Resources", with: resources)
        replaceKey("/Contents", with: document.indirect(document.stream(whole)))
    }
}
