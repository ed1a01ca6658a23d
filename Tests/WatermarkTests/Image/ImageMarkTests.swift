import Testing
import Watermark

@Suite("Marks in pictures")
struct ImageMarkTests {
    private static let secret = [UInt8](repeating: 9, count: 32)
    private static let versions = (0..<40).map { "copy-\($0)" }

    /// Something like a photograph: soft shapes with edges, and texture.
    private static func picture(_ width: Int, _ height: Int, seed: UInt64) -> GrayImage {
        var random = SeededGenerator(seed: seed)
        var image = GrayImage(width: width, height: height, filledWith: 128)
        for _ in 0..<160 {
            let centreX = Double.random(in: 0..<Double(width), using: &random)
            let centreY = Double.random(in: 0..<Double(height), using: &random)
            let radius = Double.random(in: 4..<50, using: &random)
            let level = Float.random(in: 20..<235, using: &random)
            let square = Bool.random(using: &random)
            for y in max(0, Int(centreY - radius))..<min(height, Int(centreY + radius)) {
                for x in max(0, Int(centreX - radius))..<min(width, Int(centreX + radius)) {
                    let (dx, dy) = (Double(x) - centreX, Double(y) - centreY)
                    if square || dx * dx + dy * dy < radius * radius {
                        image.pixels[y * width + x] = 0.4 * image.pixels[y * width + x] + 0.6 * level
                    }
                }
            }
        }
        for index in image.pixels.indices { image.pixels[index] += Float.random(in: -6...6, using: &random) }
        return image
    }

    private static func marked(_ image: GrayImage, _ version: String) throws -> GrayImage {
        let original = PixelPicture(image)
        let mark = try ImageMark(original)
        var copy = original
        try mark.apply(try code(mark).signs(version: version), to: &copy)
        return copy.gray(longerSide: .greatestFiniteMagnitude).image
    }

    private static func code(_ mark: ImageMark) throws -> VersionCode {
        try ImageMark.code(original: [1], picture: 0, places: mark.places, markingSecret: secret)
    }

    private static func verdict(_ leak: GrayImage, of image: GrayImage) throws -> Tracer.Verdict {
        let reader = try PictureReader(PixelPicture(image))
        let observations = reader.read(PictureReader.View(leak)) ?? reader.read(PictureReader.View(leak.mirrored())) ?? []
        return try Tracer(code: try code(reader.mark), decoys: 20).trace(
            LeakReading(alternatives: [observations]), versions: versions)
    }

    private static func crop(_ image: GrayImage, x: Int, y: Int, width: Int, height: Int) -> GrayImage {
        var pixels: [Float] = []
        for row in y..<(y + height) { pixels += image.pixels[(row * image.width + x)..<(row * image.width + x + width)] }
        return GrayImage(width: width, height: height, pixels: pixels)
    }

    @Test("A copy differs by the decibels that were asked for", arguments: [36.0, 39, 42])
    func strength(decibels: Double) throws {
        let original = PixelPicture(Self.picture(320, 240, seed: 1))
        let mark = try ImageMark(original, decibels: decibels)
        var copy = original
        try mark.apply(try Self.code(mark).signs(version: "a"), to: &copy)
        #expect(abs(copy.decibels(to: original) - decibels) < 0.7, "\(copy.decibels(to: original))")
        #expect(original.decibels(to: original) == .infinity)
    }

    enum Change: CaseIterable {
        case none, darker, part, mirrored
    }

    @Test("A copy, a part of it, a darker one and a mirrored one name their version", arguments: Change.allCases)
    func traced(change: Change) throws {
        let image = Self.picture(384, 288, seed: 2)
        let copy = try Self.marked(image, "copy-3")
        var leak = copy
        switch change {
        case .none: break
        case .darker: for index in leak.pixels.indices { leak.pixels[index] = (0.7 * leak.pixels[index] + 12).rounded() }
        case .part: leak = Self.crop(copy, x: 60, y: 40, width: 270, height: 220)
        case .mirrored:
            for y in 0..<leak.height {
                for x in 0..<leak.width { leak.pixels[y * leak.width + x] = copy.pixels[y * leak.width + leak.width - 1 - x] }
            }
        }
        let verdict = try Self.verdict(leak, of: image)
        #expect(verdict.accused.map(\.version) == ["copy-3"])
        #expect(verdict.isCalibrated)
    }

    @Test("The original, and a copy that was never issued, name nobody")
    func nobody() throws {
        let image = Self.picture(384, 288, seed: 2)
        for leak in [image, try Self.marked(image, "never issued")] {
            #expect(try Self.verdict(leak, of: image).accused.isEmpty)
        }
    }

    @Test("Pictures too small to carry a mark are refused")
    func small() {
        #expect(throws: WatermarkError.self) { try ImageMark(PixelPicture(GrayImage(width: 80, height: 300, filledWith: 9))) }
        #expect(!ImageMark.fits(width: 80, height: 300) && ImageMark.fits(width: 96, height: 96))
        #expect(throws: WatermarkError.self) { try ImageMark(PixelPicture(GrayImage(width: 100, height: 9_000, filledWith: 9))) }
    }
}
