/// A picture of one channel, row by row from the top, 0 black to 255 white.
package struct GrayImage: Sendable {
    package let width: Int
    package let height: Int
    package var pixels: [Float]

    package init(width: Int, height: Int, pixels: [Float]) {
        precondition(width >= 0 && height >= 0 && pixels.count == width * height)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    package init(width: Int, height: Int, filledWith value: Float) {
        self.init(width: width, height: height, pixels: Array(repeating: value, count: width * height))
    }

    /// The value between pixels; beyond the border, white: paper goes on.
    func sample(_ x: Double, _ y: Double) -> Float {
        guard x >= 0, y >= 0, x < Double(width - 1), y < Double(height - 1) else { return 255 }
        let column = Int(x)
        let row = Int(y)
        let fx = Float(x - Double(column))
        let fy = Float(y - Double(row))
        let index = row * width + column
        let top = pixels[index] + (pixels[index + 1] - pixels[index]) * fx
        let bottom = pixels[index + width] + (pixels[index + width + 1] - pixels[index + width]) * fx
        return top + (bottom - top) * fy
    }

    /// Smaller or larger by `factor`; what gets smaller is averaged first, so that fine strokes do not alias.
    func scaled(by factor: Double) -> GrayImage {
        if factor > 0.999, factor < 1.001 { return self }
        if factor < 0.5 { return halved().scaled(by: factor * 2) }
        let source = factor < 1 ? blurred(0.35 / factor) : self
        let newWidth = max(1, Int(Double(width) * factor))
        let newHeight = max(1, Int(Double(height) * factor))
        var result = [Float](repeating: 255, count: newWidth * newHeight)
        for row in 0..<newHeight {
            let y = min((Double(row) + 0.5) / factor - 0.5, Double(height) - 1.001)
            for column in 0..<newWidth {
                let x = min((Double(column) + 0.5) / factor - 0.5, Double(width) - 1.001)
                result[row * newWidth + column] = source.sample(max(0, x), max(0, y))
            }
        }
        return GrayImage(width: newWidth, height: newHeight, pixels: result)
    }

    private func halved() -> GrayImage {
        let newWidth = max(1, width / 2)
        let newHeight = max(1, height / 2)
        guard width >= 2, height >= 2 else { return self }
        var result = [Float](repeating: 0, count: newWidth * newHeight)
        for row in 0..<newHeight {
            for column in 0..<newWidth {
                let index = 2 * row * width + 2 * column
                result[row * newWidth + column] =
                    (pixels[index] + pixels[index + 1] + pixels[index + width] + pixels[index + width + 1]) / 4
            }
        }
        return GrayImage(width: newWidth, height: newHeight, pixels: result)
    }

    /// Convolved with a Gaussian of this standard deviation, in pixels.
    func blurred(_ deviation: Double) -> GrayImage {
        guard deviation > 0.05 else { return self }
        let radius = max(1, Int((deviation * 2.5).rounded(.up)))
        var kernel = (-radius...radius).map { Float(gaussian(Double($0) / deviation)) }
        let sum = kernel.reduce(0, +)
        for index in kernel.indices { kernel[index] /= sum }
        return blurredRows(kernel, radius).blurredColumns(kernel, radius)
    }

    private func gaussian(_ value: Double) -> Double {
        // exp(-v²/2) without a C library: (1 + x/256)^256 is exact to 1 % where it matters, and blurring needs no more.
        var power = 1 - value * value / 512
        guard power > 0 else { return 0 }
        for _ in 0..<8 { power *= power }
        return power
    }

    private func blurredRows(_ kernel: [Float], _ radius: Int) -> GrayImage {
        var result = [Float](repeating: 0, count: pixels.count)
        for row in 0..<height {
            let start = row * width
            let inside = radius..<max(radius, width - radius)
            for column in 0..<width where !inside.contains(column) {
                for (offset, weight) in kernel.enumerated() {
                    result[start + column] += weight * pixels[start + min(max(column + offset - radius, 0), width - 1)]
                }
            }
            for (offset, weight) in kernel.enumerated() where !inside.isEmpty {
                let source = start + inside.lowerBound + offset - radius
                GrayImage.add(
                    weight, times: pixels, from: source, to: &result, at: start + inside.lowerBound, count: inside.count)
            }
        }
        return GrayImage(width: width, height: height, pixels: result)
    }

    /// Row by row all the same: a column's pixels lie far apart in memory.
    private func blurredColumns(_ kernel: [Float], _ radius: Int) -> GrayImage {
        var result = [Float](repeating: 0, count: pixels.count)
        for row in 0..<height {
            for (offset, weight) in kernel.enumerated() {
                let source = min(max(row + offset - radius, 0), height - 1) * width
                GrayImage.add(weight, times: pixels, from: source, to: &result, at: row * width, count: width)
            }
        }
        return GrayImage(width: width, height: height, pixels: result)
    }

    /// Adds neighbours in memory, weighed: where the bounds are known beforehand, several at a time.
    @inline(__always)
    private static func add(
        _ weight: Float, times source: [Float], from first: Int, to target: inout [Float], at place: Int, count: Int
    ) {
        precondition(place >= 0 && place + count <= target.count)
        let values = source.span.extracting(first..<first + count)
        var sums = target.mutableSpan
        // In both, as has just been looked at.
        for index in 0..<count { unsafe sums[unchecked: place &+ index] += weight * values[unchecked: index] }
    }
}
