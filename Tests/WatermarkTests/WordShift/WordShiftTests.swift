import Foundation
import Testing
import Watermark

@Suite("Moving words")
struct WordShiftTests {
    /// Everything that shows text at once: strings in parts, kerning, `'`, `"`, forms, invisible text, escapes.
    static func mixed() -> PDFBuilder {
        var builder = PDFBuilder.text(pages: 2, lines: 12, wordsPerLine: 9)
        builder.resources = "/XObject << /X1 5000 0 R >>"
        builder.objects = [
            PDFBuilder.stream(
                "BT /F1 10 Tf 0 0 Td [(let)30(ter)-400(head)] TJ ET",
                "/Subtype /Form /BBox [0 0 200 50] /Resources << /Font << /F1 3 0 R >> >>")
        ]
        builder.pageContents[0] += """
            BT /F1 10 Tf 12 TL 50 200 Td (first \\(line\\)) Tj (second line) ' 5 1 (third line) " (after it) ' ET
            BT /F1 10 Tf 3 Tr 50 120 Td (hidden) Tj 0 Tr [(spl) 0 (it w)-20(ord)-250 -250 <6C617374>] TJ ET
            q 1 0 0 1 50 100 cm /X1 Do Q
            """
        builder.pageContents[1] += "q 1 0 0 1 50 90 cm /X1 Do Q"
        return builder
    }

    private func embed(_ original: [UInt8], amplitude: Double, signs: (Int) -> Int8) throws -> [UInt8] {
        let document = try PDFDocument(original)
        let layout = try LayoutReader.read(document)
        try WordShift.embed(document, layout, signs: (0..<layout.carrierCount).map(signs), amplitude: amplitude)
        return try document.write()
    }

    @Test("Every word moves by its own sign along its line, and nothing else moves", arguments: [0.0, 5, 12, 30])
    func wordsMove(amplitude: Double) throws {
        let original = Self.mixed().bytes()
        let before = try LayoutReader.read(PDFDocument(original))
        let copy = try embed(original, amplitude: amplitude) { $0 % 3 == 0 ? 1 : -1 }
        let after = try LayoutReader.read(PDFDocument(copy))
        #expect(after.carrierCount == before.carrierCount && before.carrierCount > 200)
        for (old, new) in zip(before.pages.flatMap(\.words), after.pages.flatMap(\.words)) {
            #expect(old.carrier == new.carrier && old.text == new.text)
            let expected = (old.carrier % 3 == 0 ? 1 : -1) * amplitude / 1000 * old.em
            let moved = (new.x - old.x) * old.directionX + (new.y - old.y) * old.directionY
            #expect(abs(moved - expected) < 1e-4, "word \(old.carrier)")
            #expect(abs(new.width - old.width) < 1e-4)
        }
    }

    @Test("An amplitude of 0 leaves every pixel as it was", .enabled(if: PageRendering.isInstalled, "needs poppler-utils"))
    func pixelIdentical() throws {
        let original = Self.mixed().bytes()
        let copy = try embed(original, amplitude: 0) { _ in 1 }
        let first = try PageRenderer(original).render(0...1, dotsPerInch: 120)
        let second = try PageRenderer(copy).render(0...1, dotsPerInch: 120)
        for (page, other) in zip(first, second) { #expect(page.pixels == other.pixels) }
        let moved = try PageRenderer(try embed(original, amplitude: 12) { _ in 1 }).render(0...1, dotsPerInch: 120)
        #expect(moved[0].pixels != first[0].pixels)
    }

    @Test("The same input gives the same bytes")
    func deterministic() throws {
        let original = Self.mixed().bytes()
        let method = WordShiftMethod()
        let first = try method.embed(original, secret: "copy 1", key: "key", position: nil)
        #expect(try method.embed(original, secret: "copy 1", key: "key", position: nil) == first)
        #expect(try method.embed(original, secret: "copy 2", key: "key", position: nil) != first)
        #expect(try method.embed(original, secret: "copy 1", key: "other", position: nil) != first)
    }

    @Test("A signed document is refused, with and without a form that says so")
    func signed() throws {
        var builder = PDFBuilder.text(pages: 1)
        builder.catalog = "/AcroForm << /SigFlags 3 /Fields [5000 0 R] >>"
        builder.objects = ["<< /FT /Sig /T (s) /V << /Type /Sig /Filter /Adobe.PPKLite /Contents <00> >> >>"]
        let bytes = builder.bytes()
        #expect(try WordShiftMethod().applicability(bytes).strength == .none)
        #expect(throws: WatermarkError.self) { try WordShiftMethod().embed(bytes, secret: "s", key: "k", position: nil) }
        // A field that waits for a signature is none.
        builder.objects = ["<< /FT /Sig /T (s) >>"]
        #expect(try WordShiftMethod().applicability(builder.bytes()).isApplicable)
    }

    @Test("What is no PDF, has no pages, too few words, or no secret or key is refused with the right code")
    func refused() throws {
        func code(_ pdf: [UInt8], secret: String = "s", key: String = "k") -> WatermarkError.Code? {
            do throws(WatermarkError) {
                _ = try WordShiftMethod().embed(pdf, secret: secret, key: key, position: nil)
                return nil
            } catch { return error.code }
        }
        let fine = PDFBuilder.text(pages: 1).bytes()
        #expect(code(Array("hello".utf8)) == .badInput)
        #expect(code([]) == .badInput)
        #expect(code(PDFBuilder().bytes()) == .badInput)
        #expect(code(PDFBuilder.text(pages: 1, lines: 2).bytes()) == .badInput)
        #expect(code(fine, secret: "") == .badInput)
        #expect(code(fine, secret: String(repeating: "x", count: 321)) == .badInput)
        #expect(code(fine, key: "") == .invalidKey)
        #expect(code(fine) == nil)
    }

    @Test("Documents cut off or with bytes changed are marked or refused, and never end the process", arguments: 0..<60)
    func damaged(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        var bytes = Self.mixed().bytes()
        if seed % 3 == 0 {
            bytes.removeLast(Int.random(in: 1..<bytes.count - 5, using: &random))
        } else {
            for _ in 0..<(1 << (seed % 7)) {
                bytes[Int.random(in: 5..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
        }
        do throws(WatermarkError) {
            let document = try PDFDocument(bytes)
            let layout = try LayoutReader.read(document)
            try WordShift.embed(document, layout, signs: Array(repeating: 1, count: layout.carrierCount))
            _ = try LayoutReader.read(PDFDocument(try document.write()))
        } catch {
            #expect(error.code == .badInput)
        }
    }
}

enum PageRendering {
    static let isInstalled = ["/usr/bin/pdftoppm", "/usr/local/bin/pdftoppm"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }
}
