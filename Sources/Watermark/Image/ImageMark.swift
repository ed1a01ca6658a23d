import Foundation

/// Spread spectrum for pictures: a field of faint lighter and darker spots whose signs name the copy.
///
/// Spots are as large as a 128th of the picture, so that smaller and blurred copies keep them, and stronger where the picture is busy and
/// hides them. Read against the original (``PictureReader``). Not for pictures of a few flat colours: they have nowhere to hide a mark.
package struct ImageMark: Sendable {
    /// Spots along the longer side.
    private static let spots = 128.0
    /// Spots smaller than this many pixels do not survive compression.
    private static let leastCell = 3.0
    /// Pictures need this many pixels along each side, and this many spots.
    package static let leastSide = 96
    private static let leastSpots = 16

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

    /// Whether a picture of this size has room for a mark.
    package static func fits(width: Int, height: Int) -> Bool {
        guard min(width, height) >= leastSide else { return false }
        let cell = max(leastCell, Double(max(width, height)) / spots)
        return Int(Double(min(width, height)) / cell) >= leastSpots
    }

    /// - Parameters:
    ///   - picture: the original.
    ///   - decibels: peak signal to noise ratio of a marked copy, before it is encoded.
    package init(_ picture: PixelPicture, decibels: Double = 43.1) throws(WatermarkError) {
        guard Self.fits(width: picture.width, height: picture.height) else {
            throw .badInput("The picture is smaller than \(Self.leastSide) pixels, or too narrow: it has no room for a mark.")
        }
        width = picture.width
        height = picture.height
        cell = max(Self.leastCell, Double(max(width, height)) / Self.spots)
        columns = Int((Double(width) / cell).rounded(.down))
        rows = Int((Double(height) / cell).rounded(.down))
        var strengths = [Float](repeating: 0, count: columns * rows)
        for row in 0..<rows {
            for column in 0..<columns {
                strengths[row * columns + column] = Self.activity(picture, column, row, cell)
            }
        }
        // The field between spots is interpolated: about 4/9 of a spot's power remains over its cell.
        let power = strengths.reduce(0) { $0 + $1 * $1 } / Float(strengths.count) * 4 / 9
        let scale = Float(255 / pow(10, decibels / 20)) / power.squareRoot()
        amplitudes = strengths.map { $0 * scale }
    }

    /// 1 where the picture is flat, more where it is busy; bounded, or edges would take all of the mark.
    private static func activity(_ picture: PixelPicture, _ column: Int, _ row: Int, _ cell: Double) -> Float {
        let left = max(0, Int(Double(column) * cell))
        let top = max(0, Int(Double(row) * cell))
        let right = min(picture.width, Int(Double(column + 1) * cell) + 1)
        let bottom = min(picture.height, Int(Double(row + 1) * cell) + 1)
        // A dozen samples along a side say as much as all.
        let step = max(1, Int(cell / 12))
        let bytes = picture.bytes.span
        var sum = 0
        var squares = 0
        var count = 0
        for y in stride(from: top, to: bottom, by: step) {
            for x in stride(from: left, to: right, by: step) {
                let value = PixelPicture.luma(bytes, y * picture.stride + x * picture.channels, picture.channels)
                sum += value
                squares += value * value
                count += 1
            }
        }
        guard count > 1 else { return 1 }
        let mean = Float(sum) / Float(count)
        let deviation = max(0, Float(squares) / Float(count) - mean * mean).squareRoot()
        return 1 + min(deviation / 8, 2)
    }

    /// Makes every pixel (every colour of it alike) lighter or darker, as these signs say.
    ///
    /// - Parameter strength: 1 for spots as strong as ``amplitudes``, less for fainter ones.
    package func apply(_ signs: [Int8], strength: Float = 1, to picture: inout PixelPicture) throws(WatermarkError) {
        guard signs.count == places, picture.width == width, picture.height == height else {
            throw WatermarkError(.other, "The mark is that of another picture.")
        }
        var spots = amplitudes
        for index in spots.indices { spots[index] *= signs[index] < 0 ? -strength : strength }
        var lefts: [(index: Int, share: Float)] = []
        for x in 0..<width {
            let u = min(max((Double(x) + 0.5) / cell - 0.5, 0), Double(columns - 1))
            let left = min(Int(u), columns - 2)
            lefts.append((left, Float(u - Double(left))))
        }
        var line = [Float](repeating: 0, count: columns)
        let (channels, stride) = (picture.channels, picture.stride)
        for y in 0..<height {
            let v = min(max((Double(y) + 0.5) / cell - 0.5, 0), Double(rows - 1))
            let top = min(Int(v), rows - 2)
            let share = Float(v - Double(top))
            for column in 0..<columns {
                let upper = spots[top * columns + column]
                line[column] = upper + (spots[(top + 1) * columns + column] - upper) * share
            }
            var index = y * stride
            for x in 0..<width {
                let (left, part) = lefts[x]
                // Rounds to the nearest, as nothing is below zero here.
                let added = line[left] + (line[left + 1] - line[left]) * part + 0.5
                for _ in 0..<channels {
                    picture.bytes[index] = UInt8(min(max(Float(picture.bytes[index]) + added, 0), 255))
                    index += 1
                }
            }
        }
    }

    /// The code of a picture: of these very bytes of the original's file, and of this picture in it.
    package static func code(
        original digest: [UInt8], picture: Int, places: Int, markingSecret: [UInt8]
    ) throws(WatermarkError) -> VersionCode {
        try VersionCode(
            secret: markingSecret, document: [UInt8]("image/".utf8) + digest + [UInt8]("/\(picture)".utf8), places: places)
    }
}
