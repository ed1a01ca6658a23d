import Testing
import Watermark

@Suite("Tracing leaks")
struct LeakTraceTests {
    private static let secret = Array("0123456789abcdef0123456789abcdef".utf8)
    private static let versions = (0..<50).map { "copy-\($0)" }

    private func issued(_ bytes: [UInt8]) -> IssuedDocument {
        IssuedDocument(bytes: bytes, markingSecret: Self.secret, versions: Self.versions)
    }

    private func copy(_ original: [UInt8], _ version: String) throws -> [UInt8] {
        try WordShiftMethod.embed(original, version: version, markingSecret: Self.secret)
    }

    @Test("A leaked copy names its version, and its original among others")
    func structure() throws {
        let originals = (0..<3).map { PDFBuilder.text(pages: 2, seed: $0).bytes() }
        let trace = try LeakTrace.trace(.document(try copy(originals[1], "copy-7")), among: originals.map(issued), decoys: 40)
        #expect(trace.original == 1)
        #expect(trace.verdict?.accused.map(\.version) == ["copy-7"])
        #expect(trace.pages.map(\.path) == [.structure, .structure])
    }

    @Test("The original itself, a copy that was never issued and another document accuse nobody")
    func nobody() throws {
        let original = PDFBuilder.text(pages: 1, seed: 9).bytes()
        let other = PDFBuilder.text(pages: 1, seed: 10).bytes()
        for leak in [original, try copy(original, "never issued"), try copy(other, "copy-1")] {
            let reading = try LeakReader(original: original).read(document: leak)
            let reader = try LeakReader(original: original)
            let code = try WordShiftMethod.code(original, reader.layout, Self.secret)
            let verdict = try Tracer(code: code, decoys: 20).trace(reading, versions: Self.versions)
            #expect(verdict.accused.isEmpty)
        }
    }

    @Test(
        "A picture of a page names its version; of the original, nobody",
        .enabled(if: PageRendering.isInstalled, "needs poppler-utils"))
    func picture() throws {
        var builder = PDFBuilder.text(pages: 1, lines: 18, wordsPerLine: 9, size: 9, seed: 4)
        builder.mediaBox = "[50 530 400 800]"
        let original = builder.bytes()
        let leak = try PageRenderer(try copy(original, "copy-3")).render(0...0, dotsPerInch: 110)
        let trace = try LeakTrace.trace(.pictures(leak), among: [issued(original)], decoys: 40)
        #expect(trace.verdict?.accused.map(\.version) == ["copy-3"])
        #expect(trace.pages.map(\.path) == [.picture])
        let plain = try PageRenderer(original).render(0...0, dotsPerInch: 110)
        #expect(try LeakTrace.trace(.pictures(plain), among: [issued(original)], decoys: 40).verdict?.accused.isEmpty ?? true)
    }

    @Test("What is neither PDF nor picture is refused")
    func refused() {
        #expect(throws: WatermarkError.self) {
            try LeakTrace.trace(try Leak(files: [Array("hello".utf8)]), among: [issued(PDFBuilder.text(pages: 1).bytes())])
        }
        #expect(throws: WatermarkError.self) { try Leak(files: [[0xFF, 0xD8, 0xFF, 0xE0], [0x89, 0x50]]) }
        #expect(throws: WatermarkError.self) { try Leak(files: []) }
    }
}
