import Testing

@testable import Watermark

@Suite("Recognising originals")
struct DocumentFingerprintTests {
    private static func pattern(_ seed: UInt64, width: Int = 240, height: Int = 320) -> GrayImage {
        var random = SmallGenerator(seed: seed)
        var image = GrayImage(width: width, height: height, filledWith: 255)
        for _ in 0..<160 {
            let (x, y) = (random.below(width - 24), random.below(height - 12))
            for dy in 0..<(3 + random.below(7)) {
                for dx in 0..<(4 + random.below(16)) { image.pixels[(y + dy) * width + x + dx] = 20 }
            }
        }
        return image
    }

    private static func fingerprint(_ seeds: [UInt64]) -> DocumentFingerprint {
        var fingerprint = DocumentFingerprint()
        for seed in seeds { fingerprint.add(pattern(seed)) }
        return fingerprint
    }

    @Test("What is encoded is read back the same, and nothing else is read")
    func coding() throws {
        let fingerprint = Self.fingerprint([1, 2])
        let bytes = fingerprint.encoded()
        let read = try #require(DocumentFingerprint(encoded: bytes))
        #expect(read.encoded() == bytes && read.pages.count == 2)
        #expect(read.pages[1].features.points.map(\.bits) == fingerprint.pages[1].features.points.map(\.bits))
        for count in [0, 4, 6, 7, 1_030, bytes.count - 1] {
            #expect(DocumentFingerprint(encoded: Array(bytes.prefix(count))) == nil)
        }
        #expect(DocumentFingerprint(encoded: bytes + [0]) == nil)
    }

    @Test("Bytes that a worker was made to write do no harm")
    func fuzz() {
        var random = SmallGenerator(seed: 5)
        let bytes = Self.fingerprint([3]).encoded()
        for _ in 0..<400 {
            var changed = Array(bytes.prefix(1 + random.below(bytes.count)))
            for _ in 0..<(1 + random.below(8)) { changed[random.below(changed.count)] = UInt8(random.below(256)) }
            if let read = DocumentFingerprint(encoded: changed) { #expect(read.pages.count <= DocumentFingerprint.mostPages) }
        }
        let picture = Self.pattern(4)
        var hostile = bytes
        for index in stride(from: 1_040, to: hostile.count, by: 7) { hostile[index] = 0xFF }
        if let read = DocumentFingerprint(encoded: hostile) { _ = LeakMatch.rank([picture], [read]) }
    }

    @Test("A cut-out, smaller and darker, finds its document and its page")
    func rank() throws {
        let documents = [Self.fingerprint([11, 12]), Self.fingerprint([13, 14, 15]), Self.fingerprint([16])]
        let page = Self.pattern(14)
        var cut = GrayImage(width: 200, height: 200, filledWith: 0)
        for y in 0..<200 {
            for x in 0..<200 { cut.pixels[y * 200 + x] = page.pixels[(y + 60) * page.width + x + 30] * 0.8 }
        }
        let best = try #require(LeakMatch.rank([cut.scaled(by: 0.9)], documents).first)
        #expect(best.original == 1 && best.pages == [[1]])
        #expect(LeakMatch.rank([Self.pattern(99)], documents).allSatisfy { $0.score < 14 })
        #expect(LeakMatch.rank([], documents).isEmpty)
    }
}
