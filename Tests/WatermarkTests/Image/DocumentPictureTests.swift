import Foundation
import Testing
import Watermark

@Suite("Marks in the pictures of documents")
struct DocumentPictureTests {
    private static let secret = [UInt8](repeating: 5, count: 32)
    private static let versions = (0..<30).map { "copy-\($0)" }
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../Fixtures")

    private static func fixture(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name)))
    }

    /// Pages that all show one picture, within margins.
    struct Scan {
        var width = 420
        var height = 594
        var entries = "/ColorSpace /DeviceGray /BitsPerComponent 8"
        var filter: String? = "/DCTDecode"
        var bytes: [UInt8]
        var pages = 1
        var catalog = ""

        func document() throws -> [UInt8] {
            var builder = PDFBuilder()
            builder.mediaBox = "[0 0 320 440]"
            builder.pageContents = Array(repeating: "q 300 0 0 420 10 10 cm /P Do Q", count: pages)
            builder.resources = "/XObject << /P 5000 0 R >>"
            builder.catalog = catalog
            builder.objects = [
                PDFBuilder.stream("x", "/Type /XObject /Subtype /Image /Width \(width) /Height \(height) \(entries)")
            ]
            let document = try PDFDocument(builder.bytes())
            let picture = try #require(document.object(5000 << 16))
            if let filter { picture.replaceStreamData(encoded: bytes, filter: filter) } else { picture.replaceStreamData(bytes) }
            return try document.write()
        }
    }

    private static func scan(pages: Int = 1) throws -> [UInt8] { try Scan(bytes: fixture("scan.jpg"), pages: pages).document() }

    /// The same in colours, compressed by Flate.
    private static func colours() throws -> [UInt8] {
        let gray = try ImageDecoder.decode(fixture("scan.jpg"))
        let bytes = gray.pixels.flatMap { value in [UInt8(value), UInt8(value * 0.97), UInt8(value * 0.9)] }
        return try Scan(entries: "/ColorSpace /DeviceRGB /BitsPerComponent 8", filter: nil, bytes: bytes).document()
    }

    private static func pictures(_ pdf: [UInt8]) throws -> (found: DocumentPictures, document: PDFDocument) {
        let document = try PDFDocument(pdf)
        return (DocumentPictures(document, try LayoutReader.read(document)), document)
    }

    private static func pixels(_ pdf: [UInt8]) throws -> PixelPicture {
        let (found, document) = try pictures(pdf)
        return try found.pixels(0, in: document)
    }

    private static func copy(_ original: [UInt8], _ version: String, _ secret: [UInt8] = secret) throws -> [UInt8] {
        try ImageSpreadMethod.embed(original, version: version, markingSecret: secret)
    }

    private static func issued(_ original: [UInt8]) -> IssuedDocument {
        IssuedDocument(bytes: original, markingSecret: secret, versions: versions)
    }

    enum Original: CaseIterable {
        case jpeg, flate

        func bytes() throws -> [UInt8] { try self == .jpeg ? scan() : colours() }
    }

    @Test("A copy differs by no less than 42 decibels, and is in the form that the original was", arguments: Original.allCases)
    func strength(original: Original) throws {
        let bytes = try original.bytes()
        let copy = try Self.copy(bytes, "copy-1")
        let decibels = try Self.pixels(copy).decibels(to: Self.pixels(bytes))
        #expect(decibels >= 42 && decibels < 45, "\(decibels)")
        let picture = try #require(try PDFDocument(copy).object(Self.pictures(copy).found.pictures[0].id))
        #expect(picture["/Filter"].nameText == (original == .jpeg ? "/DCTDecode" : "/FlateDecode"))
    }

    /// Signs that all agree leave twice the power between spots that those of a code do: as strong as a mark can get.
    @Test("A copy differs by no less than 42 decibels whatever its signs are", arguments: Original.allCases)
    func strongest(original: Original) throws {
        let bytes = try original.bytes()
        let before = try Self.pixels(bytes)
        for sign: Int8 in [1, -1] {
            let (found, document) = try Self.pictures(bytes)
            try found.mark(0, in: document) { [Int8](repeating: sign, count: $0) }
            let decibels = try found.pixels(0, in: document).decibels(to: before)
            #expect(decibels >= 42 && decibels < 50, "\(decibels)")
        }
    }

    @Test("The same input gives the same copy, and another version another one")
    func deterministic() throws {
        let original = try Self.scan()
        let copy = try Self.copy(original, "copy-1")
        #expect(try copy == Self.copy(original, "copy-1"))
        #expect(try copy != Self.copy(original, "copy-2"))
        #expect(try copy != Self.copy(original, "copy-1", [UInt8](repeating: 6, count: 32)))
    }

    @Test("Everything beside the picture stays as it was")
    func rest() throws {
        let original = try Self.scan(pages: 3)
        let (before, after) = (try PDFDocument(original), try PDFDocument(try Self.copy(original, "copy-1")))
        #expect(after.pageCount == 3)
        for index in 0..<3 {
            let (old, new) = (try #require(before.page(index)), try #require(after.page(index)))
            #expect(before.content(ofPage: old) == after.content(ofPage: new))
            #expect(old.keys.sorted() == new.keys.sorted())
        }
    }

    @Test("A picture on several pages is marked once")
    func shared() throws {
        let found = try Self.pictures(try Self.scan(pages: 3)).found
        #expect(found.pictures.count == 1 && found.pictures[0].places.map(\.page) == [0, 1, 2])
        #expect(found.marked == [0])
    }

    @Test(
        "A picture of a page names its version; of the original, of another secret and of a copy never issued, nobody",
        .enabled(if: PageRendering.isInstalled, "needs poppler-utils"))
    func traced() throws {
        let original = try Self.scan()
        func verdict(_ leak: [UInt8]) throws -> LeakTrace {
            let pages = try PageRenderer(leak).render(0...0, dotsPerInch: 100)
            return try LeakTrace.trace(.pictures(pages), among: [Self.issued(original)], decoys: 40)
        }
        let found = try verdict(try Self.copy(original, "copy-3"))
        #expect(found.verdict?.accused.map(\.version) == ["copy-3"])
        #expect(found.pages.map(\.path) == [.spots])
        let evidence = try #require(found.evidence)
        #expect(evidence.isOfSpots && evidence.agreeing > evidence.words.count * 6 / 10)
        #expect(evidence.words.allSatisfy { (0...evidence.width).contains($0.x) && (0...evidence.height).contains($0.y) })
        for innocent in [
            original, try Self.copy(original, "never issued"),
            try Self.copy(original, "copy-3", [UInt8](repeating: 6, count: 32)),
        ] {
            #expect(try verdict(innocent).verdict?.accused.isEmpty ?? true)
        }
    }

    @Test(
        "A leaked document in colours is traced by its pages", .enabled(if: PageRendering.isInstalled, "needs poppler-utils"))
    func document() throws {
        let original = try Self.colours()
        let found = try LeakTrace.trace(.document(try Self.copy(original, "copy-9")), among: [Self.issued(original)], decoys: 40)
        #expect(found.verdict?.accused.map(\.version) == ["copy-9"])
    }

    @Test("A platform's copy of a scan can be traced whatever method was asked for", arguments: ["image-spread", "robust-xmp"])
    func platform(method: String) throws {
        let original = try Self.scan()
        let mark = CopyMark(
            method: method, secret: "s", key: "k", tracing: CopyMark.Tracing(version: "copy-2", markingSecret: Self.secret))
        let (copy, isTraceable) = try mark.apply(to: original)
        #expect(isTraceable)
        #expect(try Self.pixels(copy).bytes == Self.pixels(try Self.copy(original, "copy-2")).bytes)
        #expect(try CopyMark.read(copy, method: method, key: "k") == "s")
    }

    @Test("A signed document is refused")
    func signed() throws {
        let original = try Scan(
            bytes: Self.fixture("scan.jpg"), catalog: "/AcroForm << /Fields [<< /FT /Sig /V << /Type /Sig >> >>] >>"
        ).document()
        #expect(
            throws: WatermarkError.badInput(
                "The document is signed, and any mark would break its signature. Mark a copy without signature.")
        ) { try Self.copy(original, "copy-1") }
        #expect(try ImageSpreadMethod().applicability(original).strength == .none)
    }

    // MARK: - What is not marked

    struct Refusal: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var entries: String
        var width = 420
        var filter: String? = "/FlateDecode"
        var obstacle: PictureObstacle
    }

    static let refusals: [Refusal] = [
        Refusal(
            testDescription: "black and white", entries: "/ColorSpace /DeviceGray /BitsPerComponent 1", obstacle: .blackAndWhite),
        Refusal(testDescription: "a stencil", entries: "/ImageMask true", obstacle: .blackAndWhite),
        Refusal(
            testDescription: "fax", entries: "/ColorSpace /DeviceGray /BitsPerComponent 1", filter: "/CCITTFaxDecode",
            obstacle: .blackAndWhite),
        Refusal(
            testDescription: "JPEG 2000", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8", filter: "/JPXDecode",
            obstacle: .otherCompression),
        Refusal(testDescription: "CMYK", entries: "/ColorSpace /DeviceCMYK /BitsPerComponent 8", obstacle: .cmyk),
        Refusal(
            testDescription: "a palette", entries: "/ColorSpace [/Indexed /DeviceRGB 1 <000000FFFFFF>] /BitsPerComponent 8",
            obstacle: .palette),
        Refusal(testDescription: "16 bits", entries: "/ColorSpace /DeviceGray /BitsPerComponent 16", obstacle: .notEightBits),
        Refusal(
            testDescription: "inverted", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8 /Decode [1 0]", obstacle: .inverted
        ),
        Refusal(
            testDescription: "colours that are clear", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8 /Mask [0 4]",
            obstacle: .masked),
        Refusal(
            testDescription: "too narrow", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8", width: 95, obstacle: .tooSmall),
        Refusal(
            testDescription: "too large", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8", width: 1_000_000,
            obstacle: .tooLarge),
        Refusal(
            testDescription: "a width that overflows", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8",
            width: .max / 2, obstacle: .tooLarge),
        Refusal(
            testDescription: "no JPEG", entries: "/ColorSpace /DeviceGray /BitsPerComponent 8", filter: "/DCTDecode",
            obstacle: .damaged),
    ]

    @Test("What cannot be marked says why, and is refused", arguments: refusals)
    func refused(refusal: Refusal) throws {
        let original = try Scan(
            width: refusal.width, entries: refusal.entries, filter: refusal.filter, bytes: Array("nothing".utf8)
        ).document()
        #expect(try Self.pictures(original).found.pictures.map(\.obstacle) == [refusal.obstacle])
        let applicability = try ImageSpreadMethod().applicability(original)
        #expect(!applicability.isApplicable && applicability.notes.contains { $0.contains(refusal.obstacle.words) })
        let thrown = #expect(throws: WatermarkError.self) { try Self.copy(original, "copy-1") }
        #expect(thrown?.code == .badInput && thrown?.message.contains(refusal.obstacle.words) == true)
    }

    @Test("A JPEG of another size than its dictionary says is damaged, whichever is larger", arguments: [96, 421, 2_000])
    func sizes(width: Int) throws {
        let original = try Scan(width: width, height: 594, bytes: Self.fixture("scan.jpg")).document()
        #expect(try Self.pictures(original).found.pictures.map(\.obstacle) == [.damaged])
    }

    @Test("A picture that ends early, or decodes to more than it is, is left as it was")
    func damaged() throws {
        let jpeg = try Self.fixture("scan.jpg")
        var broken = [try Scan(bytes: Array(jpeg.prefix(jpeg.count / 2))).document()]
        for count in [100, 420 * 594 - 1, 40 << 20] {
            broken.append(try Scan(filter: nil, bytes: [UInt8](repeating: 200, count: count)).document())
        }
        for original in broken {
            // Nothing about it is wrong until it is decoded.
            #expect(try Self.pictures(original).found.pictures.map(\.obstacle) == [nil])
            #expect(
                throws: WatermarkError.badInput(
                    "The document's pictures are damaged. Export it again from where it came from.")
            ) { try Self.copy(original, "copy-1") }
        }
    }

    @Test("Predictors of PNG and TIFF decode to the same pixels")
    func predictors() throws {
        // A gradient under each filter of PNG, and as TIFF's differences.
        let (width, height) = (96, 96)
        let plain = (0..<(width * height)).map { UInt8(truncatingIfNeeded: $0 % width * 2 + $0 / width) }
        func at(_ x: Int, _ y: Int) -> Int { x < 0 || y < 0 ? 0 : Int(plain[y * width + x]) }
        var filtered: [UInt8] = []
        var differences: [UInt8] = []
        for y in 0..<height {
            let filter = y % 5
            filtered.append(UInt8(filter))
            for x in 0..<width {
                let (left, up, corner) = (at(x - 1, y), at(x, y - 1), at(x - 1, y - 1))
                let nearest = [left, up, corner].min { abs(left + up - corner - $0) < abs(left + up - corner - $1) } ?? 0
                let predicted = [0, left, up, (left + up) / 2, nearest][filter]
                filtered.append(UInt8(truncatingIfNeeded: at(x, y) - predicted))
                differences.append(UInt8(truncatingIfNeeded: at(x, y) - left))
            }
        }
        for (predictor, bytes) in [(15, filtered), (2, differences), (1, plain)] {
            // Compressed by qpdf first, then told what they are.
            let document = try PDFDocument(
                try Scan(width: width, height: height, filter: nil, bytes: bytes).document())
            let layout = try LayoutReader.read(document)
            let picture = try #require(document.object(layout.pages[0].pictures[0].id))
            let parameters = document.dictionary()
            parameters.replaceKey("/Predictor", with: document.integer(predictor))
            parameters.replaceKey("/Columns", with: document.integer(width))
            picture.replaceKey("/DecodeParms", with: parameters)
            #expect(try Self.pixels(try document.write()).bytes == plain, "predictor \(predictor)")
        }
    }

    @Test("A picture file is marked and comes back as one", arguments: ["scan.jpg", "photo.jpg"])
    func files(name: String) throws {
        let file = try Self.fixture(name)
        let original = try PictureDocument.wrap(file)
        #expect(try original == PictureDocument.wrap(file))
        let marked = try PictureDocument.unwrap(try Self.copy(original, "copy-4"))
        #expect(marked != file && ImageDecoder.isImage(marked))
        let (before, after) = (PixelPicture(try ImageDecoder.decode(file)), PixelPicture(try ImageDecoder.decode(marked)))
        #expect(after.decibels(to: before) >= 42)
        // What says how the picture is to be shown stays.
        let orientation: [UInt8] = [0xFF, 0xE1, 0, 8, 0x45, 0x78, 0x69, 0x66, 0, 0]
        let tagged = Array(file.prefix(20)) + orientation + file.dropFirst(20)
        let again = try PictureDocument.unwrap(try Self.copy(try PictureDocument.wrap(tagged), "copy-4"))
        #expect(again.prefix(64).contains(0xE1) && Array(again[20..<30]) == orientation)
        for (broken, message) in [
            (
                Array(file.prefix(100)),
                "The JPEG picture is damaged, or in colours that are not marked. Convert it to RGB or grey."
            ),
            (Array("%PDF-1.7".utf8), "This is no PNG or JPEG picture, or it is damaged. Convert it to one of them."),
            ([], "This is no PNG or JPEG picture, or it is damaged. Convert it to one of them."),
        ] {
            #expect(throws: WatermarkError.badInput(message)) { try PictureDocument.wrap(broken) }
        }
    }

    @Test("A picture that was leaked as a file names its version", .enabled(if: PageRendering.isInstalled, "needs poppler-utils"))
    func leakedFile() throws {
        let original = try PictureDocument.wrap(try Self.fixture("scan.jpg"))
        let leak = try ImageDecoder.decode(try PictureDocument.unwrap(try Self.copy(original, "copy-8")))
        let found = try LeakTrace.trace(.pictures([leak]), among: [Self.issued(original)], decoys: 40)
        #expect(found.verdict?.accused.map(\.version) == ["copy-8"])
    }

    @Test("Documents with more pictures than one copy can have marked say so")
    func many() throws {
        var builder = PDFBuilder()
        builder.pageContents = (0..<30).map { "q 500 0 0 700 0 0 cm /P\($0) Do Q" }
        builder.resources = "/XObject << \((0..<30).map { "/P\($0) \(5000 + $0) 0 R" }.joined(separator: " ")) >>"
        builder.objects = (0..<30).map { _ in
            PDFBuilder.stream(
                "x", "/Subtype /Image /Width 4000 /Height 5000 /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode")
        }
        let document = try PDFDocument(builder.bytes())
        let found = DocumentPictures(document, try LayoutReader.read(document))
        #expect(found.pictures.count == 30)
        #expect((5...8).contains(found.marked.count))
        let applicability = ImageSpreadMethod.applicability(found)
        #expect(applicability.strength == .strong && applicability.notes.contains { $0.contains("left as they are") })
    }

    @Test("A document without large pictures is refused")
    func none() throws {
        let original = PDFBuilder.text(pages: 1).bytes()
        #expect(try !ImageSpreadMethod().applicability(original).isApplicable)
        #expect(throws: WatermarkError.badInput("No page shows a picture that covers a tenth of it.")) {
            try Self.copy(original, "copy-1")
        }
    }
}
