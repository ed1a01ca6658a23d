/// What a document does, or carries, beyond showing its pages.
///
/// Everything that can be reached from the trailer is looked at, in object streams, too. Names are as qpdf reads them, so `/J#61vaScript`
/// is `/JavaScript`; nothing is looked for in the file's bytes. There is no limit of our own on how much that is: who reads strangers'
/// documents has limits on memory and CPU time.
struct ActiveContent {
    private(set) var found: Set<DocumentSurvey.Extra> = []
    private var seen: Set<Int> = []
    private var waiting: [Int] = []
    /// qpdf reads no deeper than 500 levels of direct objects.
    private static let deepest = 600
    /// Names of actions that do more than turn pages (ISO 32000-1 table 198).
    private static let acting: Set<String> = [
        "/JavaScript", "/Launch", "/URI", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/Rendition", "/RichMediaExecute",
        "/Sound",
        "/Movie",
    ]
    /// Occasions that come without a click on anything: a page or the document opens, is saved, printed or closed (§12.6.3).
    private static let unasked: Set<String> = ["/O", "/WC", "/WS", "/DS", "/WP", "/DP", "/PO", "/PC", "/PV", "/PI"]
    /// A page is closed. Of a field of a form it is another occasion: what somebody typed elsewhere is reckoned up.
    private static let unaskedOfPages: Set<String> = ["/C"]

    init(_ document: PDFDocument) {
        visit(document.trailer, depth: 0)
        while let id = waiting.popLast() {
            guard let object = document.object(id) else { continue }
            look(object, depth: 0)
            object.release()
        }
        for index in 0..<document.pageCount {
            guard let page = document.page(index) else { continue }
            let occasions = page["/AA"]
            judgeOccasions(occasions, Self.unaskedOfPages)
            occasions.release()
            page.release()
        }
    }

    private mutating func visit(_ object: PDFObject, depth: Int) {
        if object.isIndirect {
            let id = object.id
            if seen.insert(id).inserted { waiting.append(id) }
        } else {
            look(object, depth: depth)
        }
    }

    private mutating func look(_ object: PDFObject, depth: Int) {
        guard depth < Self.deepest else { return }
        if object.isArray {
            for index in 0..<object.count {
                let element = object[index]
                visit(element, depth: depth + 1)
                element.release()
            }
            return
        }
        let dictionary = object.isStream ? object.streamDictionary : object
        guard dictionary.isDictionary else { return }
        if object.isStream { lookForOutsideData(dictionary) }
        for key in dictionary.keys {
            let value = dictionary[key]
            judge(key, value)
            visit(value, depth: depth + 1)
            value.release()
        }
        if object.isStream { dictionary.release() }
    }

    private mutating func judge(_ key: String, _ value: PDFObject) {
        switch key {
        case "/JS", "/JavaScript": if !value.isNull { found.insert(.script) }
        case "/OpenAction": if acts(value) { found.insert(.automatic) }
        case "/AA": judgeOccasions(value, Self.unasked)
        case "/EmbeddedFiles", "/EF", "/Collection": if value.isDictionary { found.insert(.attachment) }
        case "/RichMedia", "/RichMediaContent": if !value.isNull { found.insert(.media) }
        case "/XFA": if value.isArray || value.isStream { found.insert(.formProgram) }
        case "/S": judgeAction(value.nameText)
        case "/Subtype": judgeAnnotation(value.nameText)
        case "/URI": judgeAddress(value)
        case "/F", "/UF": if leadsInside(value) { found.insert(.localLink) }
        default: break
        }
    }

    private mutating func judgeAction(_ name: String?) {
        switch name {
        case "/JavaScript": found.insert(.script)
        case "/Launch": found.insert(.launch)
        case "/SubmitForm", "/ImportData": found.insert(.submission)
        case "/RichMediaExecute", "/Sound", "/Movie": found.insert(.media)
        default: break
        }
    }

    private mutating func judgeAnnotation(_ name: String?) {
        switch name {
        case "/FileAttachment": found.insert(.attachment)
        case "/RichMedia", "/Movie", "/Sound", "/Screen", "/3D": found.insert(.media)
        default: break
        }
    }

    /// Of a link, its address; of the document, what addresses of its links begin with (§12.6.4.7).
    private mutating func judgeAddress(_ value: PDFObject) {
        guard value.isDictionary else {
            if leadsInside(value) { found.insert(.localLink) }
            return
        }
        let base = value["/Base"]
        if leadsInside(base) { found.insert(.localLink) }
        base.release()
    }

    private mutating func judgeOccasions(_ occasions: PDFObject, _ unasked: Set<String>) {
        for key in occasions.keys where unasked.contains(key) {
            let action = occasions[key]
            if acts(action) { found.insert(.automatic) }
            action.release()
        }
    }

    /// A chain of actions may be hung onto a harmless one.
    private func acts(_ action: PDFObject) -> Bool {
        let kind = action["/S"]
        let next = action["/Next"]
        defer {
            kind.release()
            next.release()
        }
        return kind.nameText.map(Self.acting.contains) == true || next.isDictionary || next.isArray
    }

    /// A stream whose bytes are in another file, which viewers fetch (ISO 32000-1 §7.3.8.2).
    private mutating func lookForOutsideData(_ dictionary: PDFObject) {
        let file = dictionary["/F"]
        if file.isString || file.isDictionary { found.insert(.localLink) }
        file.release()
    }

    /// Whether an address leads to files of the reader's machine or network, or is a program itself.
    private func leadsInside(_ address: PDFObject) -> Bool {
        guard let bytes = address.stringBytes else { return false }
        // UTF-16 is told by its mark; what matters here is ASCII in either.
        let plain = (bytes.starts(with: [0xFE, 0xFF]) ? bytes.filter { $0 != 0 }.dropFirst(2) : bytes[...]).prefix(64)
        let text = String(decoding: plain.drop { $0 <= 0x20 }, as: UTF8.self).lowercased()
        return ["file:", "javascript:", "vbscript:", "data:", "\\\\", "//"].contains(where: text.hasPrefix)
    }
}
