import Foundation

/// Points of a picture that can be found again in another picture of the same thing, whatever its size and rotation.
///
/// Corners by the segment test (Rosten and Drummond, "Machine learning for high-speed corner detection", 2006), turned by their
/// centre of mass, described by comparisons of pixels (Calonder et al., "BRIEF", 2010; Rublee et al., "ORB", 2011).
struct Features: Sendable {
    struct Point: Sendable {
        /// In pixels of the picture that was given.
        var x, y: Double
        var bits: SIMD4<UInt64>
    }

    private(set) var points: [Point] = []

    init(points: [Point]) { self.points = points }

    private static let patch = 15
    private static let border = 20
    /// How much lighter or darker a corner's surroundings are, in grey levels. Soft pictures have few such corners: fainter ones are taken
    /// there.
    private static let thresholds: [Float] = [18, 8, 4]

    /// - Parameters:
    ///   - scales: at which sizes the picture is looked at; 1 is as given.
    ///   - most: points kept per scale, spread over the picture.
    init(_ image: GrayImage, scales: [Double], most: Int) {
        for scale in scales {
            let level = image.scaled(by: scale).blurred(0.8)
            guard level.width > 3 * Self.border, level.height > 3 * Self.border else { continue }
            let smooth = level.blurred(1.6)
            for corner in Self.corners(level, most: most) {
                let angle = Self.orientation(smooth, corner.x, corner.y)
                let bits = Self.describe(smooth, corner.x, corner.y, angle)
                points.append(
                    Point(x: (Double(corner.x) + 0.5) / scale - 0.5, y: (Double(corner.y) + 0.5) / scale - 0.5, bits: bits))
            }
        }
    }

    private struct Corner {
        var x, y: Int
        var strength: Float
    }

    /// A circle of radius 3 around a pixel.
    private static let circle = [
        (0, -3), (1, -3), (2, -2), (3, -1), (3, 0), (3, 1), (2, 2), (1, 3), (0, 3), (-1, 3), (-2, 2), (-3, 1), (-3, 0), (-3, -1),
        (-2, -2), (-1, -3),
    ]

    private static func corners(_ image: GrayImage, most: Int) -> [Corner] {
        var found: [Corner] = []
        for threshold in thresholds {
            found = corners(image, most: most, threshold)
            if found.count >= most / 3 { break }
        }
        return found
    }

    private static func corners(_ image: GrayImage, most: Int, _ threshold: Float) -> [Corner] {
        let offsets = circle.map { $0.1 * image.width + $0.0 }
        var strengths = [Float](repeating: 0, count: image.pixels.count)
        for y in border..<(image.height - border) {
            for x in border..<(image.width - border) {
                let index = y * image.width + x
                strengths[index] = strength(image.pixels, index, offsets, threshold)
            }
        }
        let cell = max(16, Int((Double(image.width * image.height) / Double(most) * 3).squareRoot()))
        var cells: [Int: [Corner]] = [:]
        let columns = image.width / cell + 1
        for y in border..<(image.height - border) {
            for x in border..<(image.width - border) {
                let index = y * image.width + x
                let value = strengths[index]
                guard value > 0, value >= strengths[index - 1], value > strengths[index + 1],
                    value >= strengths[index - image.width], value > strengths[index + image.width],
                    value >= strengths[index - image.width - 1], value > strengths[index + image.width + 1],
                    value >= strengths[index - image.width + 1], value > strengths[index + image.width - 1]
                else { continue }
                cells[y / cell * columns + x / cell, default: []].append(Corner(x: x, y: y, strength: value))
            }
        }
        let kept = cells.keys.sorted().flatMap { key in
            (cells[key] ?? []).sorted { $0.strength > $1.strength }.prefix(5)
        }
        return Array(kept.sorted { $0.strength > $1.strength }.prefix(most))
    }

    /// Nine neighbours on the circle that are all lighter, or all darker, by the threshold; 0 where there are not.
    private static func strength(_ pixels: [Float], _ index: Int, _ offsets: [Int], _ threshold: Float) -> Float {
        let centre = pixels[index]
        let high = centre + threshold
        let low = centre - threshold
        // Of four points a quarter apart, at least two have to differ the same way.
        let north = pixels[index + offsets[0]]
        let east = pixels[index + offsets[4]]
        let south = pixels[index + offsets[8]]
        let west = pixels[index + offsets[12]]
        let lighter = (north > high ? 1 : 0) + (east > high ? 1 : 0) + (south > high ? 1 : 0) + (west > high ? 1 : 0)
        let darker = (north < low ? 1 : 0) + (east < low ? 1 : 0) + (south < low ? 1 : 0) + (west < low ? 1 : 0)
        guard lighter >= 2 || darker >= 2 else { return 0 }
        var above: UInt32 = 0
        var below: UInt32 = 0
        var sum: Float = 0
        for step in 0..<16 {
            let value = pixels[index + offsets[step]]
            if value > high { above |= 1 << UInt32(step) }
            if value < low { below |= 1 << UInt32(step) }
            sum += abs(value - centre)
        }
        return hasNineInARow(above) || hasNineInARow(below) ? sum : 0
    }

    /// Whether 9 neighbouring bits of 16, taken as a ring, are set.
    private static func hasNineInARow(_ ring: UInt32) -> Bool {
        let doubled = ring | ring << 16
        let two = doubled & doubled >> 1
        let four = two & two >> 2
        let eight = four & four >> 4
        return eight & doubled >> 8 != 0
    }

    private static func orientation(_ image: GrayImage, _ x: Int, _ y: Int) -> Double {
        var momentX: Float = 0
        var momentY: Float = 0
        for dy in -patch...patch {
            for dx in -patch...patch where dx * dx + dy * dy <= patch * patch {
                let ink = 255 - image.pixels[(y + dy) * image.width + x + dx]
                momentX += Float(dx) * ink
                momentY += Float(dy) * ink
            }
        }
        return atan2(Double(momentY), Double(momentX))
    }

    /// 256 pairs of points within the patch; drawn once, the same in every process.
    private static let pairs: [(Double, Double, Double, Double)] = {
        var random = SmallGenerator(seed: 0x5EED)
        func coordinate() -> Double {
            // About normal, by a sum of uniforms.
            let sum = (0..<6).reduce(0.0) { partial, _ in partial + random.unit() } - 3
            return min(max(sum * 8.5, -13), 13)
        }
        return (0..<256).map { _ in (coordinate(), coordinate(), coordinate(), coordinate()) }
    }()

    private static func describe(_ image: GrayImage, _ x: Int, _ y: Int, _ angle: Double) -> SIMD4<UInt64> {
        let cosine = cos(angle)
        let sine = sin(angle)
        var bits = SIMD4<UInt64>()
        for (index, pair) in pairs.enumerated() {
            let firstX = Int((cosine * pair.0 - sine * pair.1).rounded())
            let firstY = Int((sine * pair.0 + cosine * pair.1).rounded())
            let secondX = Int((cosine * pair.2 - sine * pair.3).rounded())
            let secondY = Int((sine * pair.2 + cosine * pair.3).rounded())
            let first = image.pixels[(y + firstY) * image.width + x + firstX]
            let second = image.pixels[(y + secondY) * image.width + x + secondX]
            if first < second { bits[index >> 6] |= 1 << UInt64(index & 63) }
        }
        return bits
    }

    /// Points of `self` with the point of `other` that looks most alike, where no other looks nearly as much alike.
    func matches(_ other: Features) -> [Homography.Pair] {
        var found: [Homography.Pair] = []
        for point in points {
            var best = 257
            var second = 257
            var match = -1
            for (index, candidate) in other.points.enumerated() {
                let distance = Int((point.bits ^ candidate.bits).nonzeroBitCount.wrappedSum())
                if distance < best {
                    // The same corner at the next scale is no rival.
                    if match < 0 || abs(other.points[match].x - candidate.x) + abs(other.points[match].y - candidate.y) > 6 {
                        second = best
                    }
                    best = distance
                    match = index
                } else if distance < second, match >= 0,
                    abs(other.points[match].x - candidate.x) + abs(other.points[match].y - candidate.y) > 6
                {
                    second = distance
                }
            }
            if match >= 0, best < 72, Double(best) < 0.88 * Double(second) {
                found.append(
                    Homography.Pair(fromX: point.x, fromY: point.y, toX: other.points[match].x, toY: other.points[match].y))
            }
        }
        return found
    }
}

/// Numbers that look random and are the same every time. For sampling only: it keeps no secret.
struct SmallGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea and Flood, 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(max(count, 1))) }
}
