import Foundation
import Fuzzing
import Watermark

/// Documents and pictures of strangers: tokens, content streams, character maps, whole files, PNG and JPEG, pictures of pages.
///
/// Laws: nothing traps; tokens follow one another within the bytes; what is written with no word moved has its words where they were; a
/// layout is the same when it is read again.
@main enum FuzzDocuments {
    static func main() {
        fuzz(examine)
    }

    private static func examine(_ data: [UInt8]) {
        guard let first = data.first else { return }
        let bytes = Array(data.dropFirst())
        switch first % 7 {
        case 0: tokens(bytes)
        case 1: document(page(content: bytes))
        case 2: document(page(content: Array("BT /F2 9 Tf 9 9 Td (ab cd) Tj <00010002> Tj ET".utf8), map: bytes))
        case 3: document(Array("%PDF-".utf8) + bytes)
        case 4: _ = try? ImageDecoder.decode(bytes)
        case 5: picture(bytes, filter: "/DCTDecode", width: 128, height: 96)
        default:
            // The predictor, then what Flate holds.
            picture(
                Array(bytes.dropFirst()), filter: "/FlateDecode", width: 128, height: 96, predictor: Int(bytes.first ?? 1) % 16)
        }
    }

    private static func tokens(_ bytes: [UInt8]) {
        var tokenizer = ContentTokenizer(bytes.span)
        var last = 0
        while let token = tokenizer.next() {
            precondition(token.range.lowerBound >= last && token.range.upperBound <= bytes.count && !token.range.isEmpty)
            if token.kind == .string { precondition(tokenizer.string(token.range).count <= token.range.count) }
            last = token.range.upperBound
        }
    }

    private static func document(_ bytes: [UInt8]) {
        var limits = LayoutLimits()
        limits.glyphs = 20_000
        limits.operations = 50_000
        limits.pages = 20
        guard let document = try? PDFDocument(bytes), let layout = try? LayoutReader.read(document, limits: limits) else {
            return
        }
        for word in layout.pages.flatMap(\.words) { precondition(word.carrier >= 0 && word.carrier < layout.carrierCount) }
        let signs = [Int8](repeating: 1, count: layout.carrierCount)
        guard (try? WordShift.embed(document, layout, signs: signs, amplitude: 0)) != nil, let copy = try? document.write(),
            let again = try? PDFDocument(copy), let after = try? LayoutReader.read(again, limits: limits)
        else { return }
        // Only a document that was whole reads the same again: what qpdf repaired may be cut elsewhere the second time.
        if after.carrierCount == layout.carrierCount {
            for (old, new) in zip(layout.pages.flatMap(\.words), after.pages.flatMap(\.words)) {
                precondition(old.carrier == new.carrier)
            }
        }
    }

    /// What is marked differs by no less than 42 decibels, and is read again.
    private static func picture(_ bytes: [UInt8], filter: String, width: Int, height: Int, predictor: Int? = nil) {
        let parameters = predictor.map { "/DecodeParms << /Predictor \($0) /Columns \(width) >>" } ?? ""
        let original = page(
            content: Array("300 0 0 300 0 0 cm /X Do".utf8),
            picture: (
                bytes,
                "/Subtype /Image /Width \(width) /Height \(height) /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter \(filter) "
                    + parameters
            ))
        guard let document = try? PDFDocument(original), let layout = try? LayoutReader.read(document) else { return }
        let found = DocumentPictures(document, layout)
        guard found.marked == [0], let before = try? found.pixels(0, in: document),
            let copy = try? ImageSpreadMethod.embed(
                original, version: "v", markingSecret: [UInt8](repeating: 1, count: 32)),
            let again = try? PDFDocument(copy), let after = try? found.pixels(0, in: again)
        else { return }
        precondition(after.decibels(to: before) >= 42)
    }

    private static func page(
        content: [UInt8], map: [UInt8] = [], picture: (bytes: [UInt8], entries: String)? = nil
    ) -> [UInt8] {
        var objects: [[UInt8]] = []
        func add(_ text: String) { objects.append(Array(text.utf8)) }
        func add(stream: [UInt8], _ entries: String) {
            objects.append(
                Array("<< \(entries) /Length \(stream.count) >>\nstream\n".utf8) + stream + Array("\nendstream".utf8))
        }
        add("<< /Type /Catalog /Pages 2 0 R >>")
        add("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
        add(
            """
            << /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> \
            /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> /F2 6 0 R >> >> >>
            """)
        add(stream: content, "")
        add(stream: picture?.bytes ?? content, picture?.entries ?? "/Subtype /Form /BBox [0 0 9 9]")
        add(
            """
            << /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /ToUnicode 7 0 R \
            /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A /W [1 [500 600] 3 9 700] >>] >>
            """)
        add(stream: map, "")
        var bytes = Array("%PDF-1.7\n".utf8)
        var table = "xref\n0 \(objects.count + 1)\n0000000000 65535 f \n"
        for (index, object) in objects.enumerated() {
            table += String(format: "%010d 00000 n \n", bytes.count)
            bytes += Array("\(index + 1) 0 obj\n".utf8) + object + Array("\nendobj\n".utf8)
        }
        let start = bytes.count
        bytes += Array("\(table)trailer\n<< /Size \(objects.count + 1) /Root 1 0 R >>\nstartxref\n\(start)\n%%EOF\n".utf8)
        return bytes
    }
}
