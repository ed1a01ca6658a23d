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

    private static func marked(_ image: GrayImage, _ mark: ImageMark, _ code: VersionCode, _ version: String) throws -> GrayImage
    {
        let field = try mark.field(signs: code.signs(version: version))
        var copy = image
        for index in copy.pixels.indices {
            copy.pixels[index] = min(max((copy.pixels[index] + field.pixels[index]).rounded(), 0), 255)
        }
        return copy
    }

    private static func crop(_ image: GrayImage, x: Int, y: Int, width: Int, height: Int) -> GrayImage {
        var pixels: [Float] = []
        for row in y..<(y + height) { pixels += image.pixels[(row * image.width + x)..<(row * image.width + x + width)] }
        return GrayImage(width: width, height: height, pixels: pixels)
    }

    @Test("A copy differs by the decibels that were asked for")
    func strength() throws {
        let image = Self.picture(320, 240, seed: 1)
        let mark = try ImageMark(image, decibels: 42)
        let code = try mark.code(original: [1], markingSecret: Self.secret)
        let field = try mark.field(signs: code.signs(version: "a"))
        let power = field.pixels.reduce(0) { $0 + $1 * $1 } / Float(field.pixels.count)
        // 42 dB are 4.1 grey levels squared.
        #expect(power > 2.9 && power < 5.8, "\(power)")
    }

    enum Change: CaseIterable {
        case none, darker, part, mirrored
    }

    @Test("A copy, a part of it, a darker one and a mirrored one name their version", arguments: Change.allCases)
    func traced(change: Change) throws {
        let image = Self.picture(384, 288, seed: 2)
        let mark = try ImageMark(image)
        let code = try mark.code(original: [1], markingSecret: Self.secret)
        let copy = try Self.marked(image, mark, code, "copy-3")
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
        let verdict = try Tracer(code: code, decoys: 20).trace(
            ImageReader.read(leak, original: image, mark: mark), versions: Self.versions)
        #expect(verdict.accused.map(\.version) == ["copy-3"])
        #expect(verdict.isCalibrated)
    }

    @Test("The original, and a copy that was never issued, name nobody")
    func nobody() throws {
        let image = Self.picture(384, 288, seed: 2)
        let mark = try ImageMark(image)
        let code = try mark.code(original: [1], markingSecret: Self.secret)
        for leak in [image, try Self.marked(image, mark, code, "never issued")] {
            let verdict = try Tracer(code: code, decoys: 20).trace(
                ImageReader.read(leak, original: image, mark: mark), versions: Self.versions)
            #expect(verdict.accused.isEmpty)
        }
    }

    @Test("Pictures too small to carry a mark are refused")
    func small() {
        #expect(throws: WatermarkError.self) { try ImageMark(GrayImage(width: 80, height: 300, filledWith: 9)) }
        #expect(throws: WatermarkError.self) { try ImageMark(GrayImage(width: 100, height: 9_000, filledWith: 9)) }
    }
}
