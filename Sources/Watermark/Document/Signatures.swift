/// Whether a document carries a digital signature. Any change to it breaks the signature, so marked copies are refused.
enum Signatures {
    /// More fields than this are not looked through.
    private static let most = 20_000

    static func areIn(_ document: PDFDocument) -> Bool {
        let root = document.root
        if root["/Perms"]["/DocMDP"].isDictionary || root["/Perms"]["/UR3"].isDictionary { return true }
        return hasSignedField(root["/AcroForm"])
    }

    private static func hasSignedField(_ form: PDFObject) -> Bool {
        var waiting = children(form["/Fields"])
        var seen = 0
        while let field = waiting.popLast(), seen < most {
            seen += 1
            if field["/FT"].nameText == "/Sig", field["/V"].isDictionary { return true }
            waiting += children(field["/Kids"])
        }
        return false
    }

    private static func children(_ array: PDFObject) -> [PDFObject] {
        (0..<min(array.count, most)).map { array[$0] }
    }
}
