/// A line at the foot of every page that says whom the copy is for: to deter, not to trace.
package struct VisibleStampMethod: WatermarkMethod {
    package let name = "visible-stamp"
    package let usage = """
        Prints the secret as a small grey line at the foot of every page. Everyone sees it, and can remove it. The key is not used. \
        Characters outside Latin-1 are shown as question marks. It is not read by machine.
        """

    private static let font = "/VigieStampFont"

    package init() {}

    package func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        Signatures.areIn(try PDFDocument(pdf)) ? .signed : applicabilityOfUnsigned
    }

    package var applicabilityOfUnsigned: Applicability {
        Applicability(strength: .weak, notes: ["Everyone sees the line, and can cover or remove it."])
    }

    package func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8] {
        try check(secret: secret, key: key)
        return try Self.stamp(pdf, secret)
    }

    package static func stamp(_ pdf: [UInt8], _ text: String) throws(WatermarkError) -> [UInt8] {
        let document = try PDFDocument(pdf)
        guard !Signatures.areIn(document) else {
            throw .badInput("The document is signed, and any mark would break its signature. Mark a copy without signature.")
        }
        stamp(document, text)
        return try document.write()
    }

    static func stamp(_ document: PDFDocument, _ text: String) {
        let characters = text.unicodeScalars.map { scalar -> UInt8 in
            switch scalar.value {
            case 0x20...0x7E, 0xA1...0xFF: UInt8(scalar.value)
            default: UInt8(ascii: "?")
            }
        }
        for index in 0..<document.pageCount {
            guard let page = document.page(index) else { continue }
            var content = [UInt8]("q BT \(font) 8 Tf 0.45 g ".utf8)
            for value in matrix(page) {
                ContentWriter.append(number: value, to: &content)
                content.append(0x20)
            }
            content += [UInt8]("Tm ".utf8)
            ContentWriter.append(string: characters[...], to: &content)
            content += [UInt8](" Tj ET Q".utf8)
            page.append(content: content, font: font)
        }
    }

    /// 36 pt from the left and 18 pt from the foot of the page as it is shown.
    private static func matrix(_ page: PDFObject) -> [Double] {
        let box = LayoutReader.mediaBox(page)
        return switch LayoutReader.rotation(page) {
        case 90: [0, 1, -1, 0, box.maxX - 18, box.minY + 36]
        case 180: [-1, 0, 0, -1, box.maxX - 36, box.maxY - 18]
        case 270: [0, -1, 1, 0, box.minX + 18, box.maxY - 36]
        default: [1, 0, 0, 1, box.minX + 36, box.minY + 18]
        }
    }

    package func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String {
        throw .notFound("A visible stamp is read by eye.")
    }
}
