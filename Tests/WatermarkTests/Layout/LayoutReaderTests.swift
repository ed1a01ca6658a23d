import Testing
import Watermark

@Suite("Where words stand")
struct LayoutReaderTests {
    private func layout(_ builder: PDFBuilder) throws -> TextLayout {
        try LayoutReader.read(PDFDocument(builder.bytes()))
    }

    private func text(_ word: PlacedWord) -> String {
        String(String.UnicodeScalarView(word.text.compactMap(Unicode.Scalar.init)))
    }

    @Test("Words are split at blanks and at gaps, and stand where the operators put them")
    func words() throws {
        var builder = PDFBuilder()
        builder.pageContents = ["BT /F1 10 Tf 1 0 0 1 100 700 Tm [(on)-50(e t)20(wo)-300(three)] TJ ET"]
        let words = try layout(builder).pages[0].words
        #expect(words.map(text) == ["one", "two", "three"])
        // Helvetica: o, n and e are 556 wide, a blank 278; the kerning of -50 moves by 50.
        #expect(abs(words[1].x - (100 + 10 * (3 * 0.556 + 0.050 + 0.278))) < 1e-9)
        #expect(words.allSatisfy { $0.y == 700 && $0.em == 10 && $0.directionX == 1 })
    }

    @Test("The operators ' and \" move to the next line, and the latter sets spacings")
    func quotes() throws {
        var builder = PDFBuilder()
        builder.pageContents = ["BT /F1 10 Tf 12 TL 50 600 Td (first line) Tj (second) ' 5 1 (third line) \" ET"]
        let words = try layout(builder).pages[0].words
        #expect(words.map(text) == ["first", "line", "second", "third", "line"])
        #expect(words.map(\.y) == [600, 600, 588, 576, 576])
        // Letters spread by 1, blanks by 5 more.
        #expect(abs(words[4].x - (50 + 10 * (0.278 + 0.556 + 0.222 + 0.333 + 0.556 + 0.278) + 6 * 1 + 5)) < 1e-9)
    }

    @Test("Matrices, scale, rise and saved states count")
    func matrices() throws {
        var builder = PDFBuilder()
        builder.pageContents = [
            "q 0 2 -2 0 300 100 cm BT /F1 10 Tf 50 Tz 5 Ts 10 20 Td (up) Tj ET Q BT /F1 8 Tf 10 10 Td (flat) Tj ET"
        ]
        let words = try layout(builder).pages[0].words
        #expect(words.map(text) == ["up", "flat"])
        #expect(words[0].directionX == 0 && words[0].directionY == 1)
        #expect(abs(words[0].x - (300 - 2 * 25)) < 1e-9 && abs(words[0].y - 120) < 1e-9)
        #expect(words[0].em == 10 && words[0].height == 20)
    }

    @Test("Invisible text is counted apart, and carries nothing")
    func invisible() throws {
        var builder = PDFBuilder()
        builder.pageContents = ["BT /F1 10 Tf 3 Tr 50 600 Td (hidden words here) Tj 0 Tr (seen) Tj ET"]
        let layout = try layout(builder)
        #expect(layout.carrierCount == 1)
        #expect(layout.hiddenWords == 3)
    }

    @Test("A form that two pages show has its words once as carriers, and on both pages as words")
    func sharedForm() throws {
        var builder = PDFBuilder()
        builder.resources = "/XObject << /X1 5000 0 R >>"
        builder.objects = [
            PDFBuilder.stream(
                "BT /F1 10 Tf 0 0 Td (letter head) Tj ET",
                "/Type /XObject /Subtype /Form /BBox [0 0 200 50] /Matrix [1 0 0 1 7 0] /Resources << /Font << /F1 3 0 R >> >>")
        ]
        builder.pageContents = ["q 1 0 0 1 50 700 cm /X1 Do Q", "q 1 0 0 1 90 100 cm /X1 Do Q BT /F1 9 Tf 9 9 Td (own) Tj ET"]
        let layout = try layout(builder)
        #expect(layout.carrierCount == 3)
        #expect(layout.pages.map { $0.words.map(\.carrier) } == [[0, 1], [0, 1, 2]])
        #expect(layout.pages[0].words[0].x == 57 && layout.pages[1].words[0].x == 97)
    }

    @Test("A form that shows itself, directly or by another, ends")
    func loopingForms() throws {
        var builder = PDFBuilder()
        builder.resources = "/XObject << /X1 5000 0 R /X2 5001 0 R >>"
        let entries =
            "/Subtype /Form /BBox [0 0 9 9] /Resources << /Font << /F1 3 0 R >> /XObject << /X1 5000 0 R /X2 5001 0 R >> >>"
        builder.objects = [
            PDFBuilder.stream("BT /F1 10 Tf 0 0 Td (one) Tj ET /X2 Do /X1 Do", entries),
            PDFBuilder.stream("/X1 Do /X2 Do", entries),
        ]
        builder.pageContents = ["/X1 Do /X2 Do"]
        #expect(try layout(builder).carrierCount == 1)
    }

    @Test("Documents beyond the limits are refused, not read to the end")
    func limits() throws {
        var limits = LayoutLimits()
        limits.glyphs = 1_000
        let document = try PDFDocument(PDFBuilder.text(pages: 2).bytes())
        #expect(throws: WatermarkError.self) { try LayoutReader.read(document, limits: limits) }
        limits = LayoutLimits()
        limits.operations = 10
        #expect(throws: WatermarkError.self) { try LayoutReader.read(document, limits: limits) }
        limits = LayoutLimits()
        limits.pages = 1
        #expect(throws: WatermarkError.self) { try LayoutReader.read(document, limits: limits) }
    }
}
