/// Spread spectrum for pictures: a field of faint lighter and darker spots whose signs name the copy.
///
/// Spots are as large as a 128th of the picture, so that smaller and blurred copies keep them, and stronger where the picture is busy and
/// hides them. Read against the original (``ImageReader``). Not for pictures of a few flat colours: they have nowhere to hide a mark.
package struct ImageMark: Sendable {
    /// Spots along the longer side.
    private static let spots = 128.0
    /// Spots smaller than this many pixels do not survive compression.
    private static let leastCell = 3.0

    let width: Int
    let height: Int
    /// Distance of spots in pixels of the original.
    let cell: Double
    let columns: Int
    let rows: Int
    /// Strength of each spot in grey levels.
    let amplitudes: [Float]

    /// How many signs a copy has.
    package var places: Int { columns * rows }

    /// - Parameters:
    ///   - luma: the original's brightness.
    ///   - decibels: peak signal to noise ratio of a marked copy; 42 cannot be seen.
    package init(_ luma: GrayImage, decibels: Double = 42) throws(WatermarkError) {
        guard luma.width >= 96, luma.height >= 96 else {
            throw .badInput("The picture is smaller than 96 pixels: it has no room for a mark.")
        }
        width = luma.width
        height = luma.height
        cell = max(Self.leastCell, Double(max(width, height)) / Self.spots)
        columns = Int((Double(width) / cell).rounded(.down))
        rows = Int((Double(height) / cell).rounded(.down))
        guard columns >= 16, rows >= 16 else {
            throw .badInput("The picture is too narrow for its length: it has no room for a mark.")
        }
        var strengths = [Float](repeating: 0, count: columns * rows)
        for row in 0..<rows {
            for column in 0..<columns {
                strengths[row * columns + column] = Self.activity(luma, column, row, cell)
            }
        }
        // The field between spots is interpolated: about 4/9 of a spot's power remains over its cell.
        let power = strengths.reduce(0) { $0 + $1 * $1 } / Float(strengths.count) * 4 / 9
        guard power > 0 else { throw .badInput("The picture is empty.") }
        let wanted = Float(255) * Float(255) / Self.power(decibels)
        let scale = (wanted / power).squareRoot()
        amplitudes = strengths.map { $0 * scale }
    }

    /// 10^(dB/10), by repeated roots: no C library is needed for one power.
    private static func power(_ decibels: Double) -> Float {
        // 10^0.1 = 1.258925411794167
        var result = 1.0
        var whole = Int(decibels)
        while whole > 0 {
            result *= 1.258925411794167
            whole -= 1
        }
        return Float(result * (1 + (decibels - Double(Int(decibels))) * 0.2303))
    }

    /// 1 where the picture is flat, more where it is busy; bounded, or edges would take all of the mark.
    private static func activity(_ image: GrayImage, _ column: Int, _ row: Int, _ cell: Double) -> Float {
        let left = max(0, Int(Double(column) * cell))
        let top = max(0, Int(Double(row) * cell))
        let right = min(image.width, Int(Double(column + 1) * cell) + 1)
        let bottom = min(image.height, Int(Double(row + 1) * cell) + 1)
        var sum: Float = 0
        var squares: Float = 0
        var count: Float = 0
        for y in top..<bottom {
            for x in left..<right {
                let value = image.pixels[y * image.width + x]
                sum += value
                squares += value * value
                count += 1
            }
        }
        guard count > 1 else { return 1 }
        let deviation = max(0, squares / count - sum / count * sum / count).squareRoot()
        return 1 + min(deviation / 8, 2)
    }

    /// What a copy adds to the brightness of each pixel (to each colour alike).
    package func field(signs: [Int8]) throws(WatermarkError) -> GrayImage {
        guard signs.count == places else {
            throw WatermarkError(.other, "The mark has \(signs.count) places, and the picture \(places).")
        }
        var spots = amplitudes
        for index in spots.indices where signs[index] < 0 { spots[index] = -spots[index] }
        var pixels = [Float](repeating: 0, count: width * height)
        for y in 0..<height {
            let v = min(max((Double(y) + 0.5) / cell - 0.5, 0), Double(rows - 1))
            let top = min(Int(v), rows - 2)
            let fy = Float(v - Double(top))
            for x in 0..<width {
                let u = min(max((Double(x) + 0.5) / cell - 0.5, 0), Double(columns - 1))
                let left = min(Int(u), columns - 2)
                let fx = Float(u - Double(left))
                let index = top * columns + left
                let upper = spots[index] + (spots[index + 1] - spots[index]) * fx
                let lower = spots[index + columns] + (spots[index + columns + 1] - spots[index + columns]) * fx
                pixels[y * width + x] = upper + (lower - upper) * fy
            }
        }
        return GrayImage(width: width, height: height, pixels: pixels)
    }

    /// The code of a picture: of these very bytes of the original's file.
    package func code(original digest: [UInt8], markingSecret: [UInt8]) throws(WatermarkError) -> VersionCode {
        try VersionCode(secret: markingSecret, document: [UInt8]("image/".utf8) + digest, places: places)
    }
}
