/// Which grey levels of one picture became which of another: brightness, contrast, gamma and saturation, whatever they were.
struct ToneCurve {
    private static let bins = 64
    /// A bin of fewer pixels is taken from its neighbours.
    private static let least = 40.0
    /// At the middle of each bin.
    private var levels: [Float] = []

    /// - Parameter inside: which pixels are of the picture in both.
    init(from original: GrayImage, to other: GrayImage, _ inside: [Bool]) {
        var sums = [Double](repeating: 0, count: Self.bins)
        var counts = [Double](repeating: 0, count: Self.bins)
        for index in original.pixels.indices where inside[index] {
            let bin = min(max(Int(original.pixels[index] / 4), 0), Self.bins - 1)
            sums[bin] += Double(other.pixels[index])
            counts[bin] += 1
        }
        let known = (0..<Self.bins).filter { counts[$0] >= Self.least }
        guard let first = known.first, let last = known.last else {
            levels = (0..<Self.bins).map { Float($0 * 4 + 2) }
            return
        }
        levels = (0..<Self.bins).map { bin in
            let below = known.last { $0 <= bin } ?? first
            let above = known.first { $0 >= bin } ?? last
            let (low, high) = (sums[below] / counts[below], sums[above] / counts[above])
            // Beyond what is known, as it was: a grey level more is a grey level more.
            if below == above { return Float(low + Double(4 * (bin - below))) }
            return Float(low + (high - low) * Double(bin - below) / Double(above - below))
        }
        for _ in 0..<2 { smooth() }
    }

    private mutating func smooth() {
        let before = levels
        for bin in 1..<(Self.bins - 1) { levels[bin] = (before[bin - 1] + 2 * before[bin] + before[bin + 1]) / 4 }
    }

    private func place(_ level: Float) -> (bin: Int, share: Float) {
        let position = min(max((level - 2) / 4, 0), Float(Self.bins - 1) - 0.001)
        return (Int(position), position - Float(Int(position)))
    }

    func apply(_ image: GrayImage) -> GrayImage {
        var result = image
        for index in result.pixels.indices {
            let (bin, share) = place(image.pixels[index])
            result.pixels[index] = levels[bin] + (levels[bin + 1] - levels[bin]) * share
        }
        return result
    }

    /// How much the other picture changes where the first changes by 1; never negative, and bounded.
    func slope(_ level: Float) -> Float {
        let (bin, _) = place(level)
        return min(max((levels[bin + 1] - levels[bin]) / 4, 0), 2)
    }
}
