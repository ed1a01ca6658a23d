import Testing

@testable import Watermark

@Suite("Blurring")
struct BlurTests {
    @Test("is the convolution as it is written down, at the borders, too", arguments: [(1, 1), (3, 40), (40, 3), (33, 21)])
    func convolution(width: Int, height: Int) {
        var random = SmallGenerator(seed: UInt64(width * 1_000 + height))
        let image = GrayImage(width: width, height: height, pixels: (0..<width * height).map { _ in Float(random.below(256)) })
        for deviation in [0.4, 0.8, 1.6, 4] {
            let blurred = image.blurred(deviation)
            let flat = GrayImage(width: width, height: height, filledWith: 100).blurred(deviation)
            #expect(flat.pixels.allSatisfy { abs($0 - 100) < 0.001 })
            // A kernel is what a single white pixel becomes.
            let side = 41
            var point = GrayImage(width: side, height: side, filledWith: 0)
            point.pixels[20 * side + 20] = 1
            let kernel = point.blurred(deviation)
            for y in 0..<height {
                for x in 0..<width {
                    var sum: Float = 0
                    for dy in -12...12 {
                        for dx in -12...12 {
                            let row = min(max(y + dy, 0), height - 1)
                            let column = min(max(x + dx, 0), width - 1)
                            sum += kernel.pixels[(20 + dy) * side + 20 + dx] * image.pixels[row * width + column]
                        }
                    }
                    #expect(abs(blurred.pixels[y * width + x] - sum) < 0.01)
                }
            }
        }
    }
}
