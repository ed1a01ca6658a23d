import CZlib

/// Pixels that are compressed by Flate, with or without a predictor (ISO 32000-1 §7.4.4): decoded to exactly as many as the picture has.
enum FlatePixels {
    /// Rows of a PNG predictor begin with the number of their filter (PNG §9).
    static func decode(
        _ bytes: [UInt8], width: Int, height: Int, channels: Int, predictor: Int
    ) throws(WatermarkError) -> [UInt8] {
        let row = width * channels
        let isFiltered = predictor >= 10
        let expected = (row + (isFiltered ? 1 : 0)) * height
        // A line break more is usual; what decodes to more than that is not what it says.
        let raw = try inflate(bytes, most: expected + 4_096)
        guard raw.count >= expected else { throw damaged }
        if predictor == 2 { return horizontal(raw, row, height, channels) }
        return isFiltered ? try unfiltered(raw, row, height, channels) : Array(raw.prefix(expected))
    }

    private static let damaged = WatermarkError.badInput("A picture of the document is damaged.")

    private static func inflate(_ bytes: [UInt8], most: Int) throws(WatermarkError) -> [UInt8] {
        var count = UInt(most)
        var output = [UInt8](repeating: 0, count: most)
        guard unsafe uncompress(&output, &count, bytes, UInt(bytes.count)) == Z_OK else { throw damaged }
        output.removeLast(most - Int(count))
        return output
    }

    /// TIFF's predictor: differences to the pixel before.
    private static func horizontal(_ raw: [UInt8], _ row: Int, _ height: Int, _ channels: Int) -> [UInt8] {
        var pixels = Array(raw.prefix(row * height))
        for y in 0..<height {
            for x in (y * row + channels)..<max((y + 1) * row, y * row + channels) { pixels[x] &+= pixels[x - channels] }
        }
        return pixels
    }

    private static func unfiltered(
        _ raw: [UInt8], _ row: Int, _ height: Int, _ channels: Int
    ) throws(WatermarkError) -> [UInt8] {
        var pixels = [UInt8](repeating: 0, count: row * height)
        var source = 0
        for y in 0..<height {
            let filter = raw[source]
            source += 1
            guard filter <= 4 else { throw damaged }
            let start = y * row
            for x in 0..<row {
                let left = x >= channels ? Int(pixels[start + x - channels]) : 0
                let up = y > 0 ? Int(pixels[start + x - row]) : 0
                let predicted: Int
                switch filter {
                case 1: predicted = left
                case 2: predicted = up
                case 3: predicted = (left + up) / 2
                case 4: predicted = paeth(left, up, x >= channels && y > 0 ? Int(pixels[start + x - row - channels]) : 0)
                default: predicted = 0
                }
                pixels[start + x] = raw[source] &+ UInt8(truncatingIfNeeded: predicted)
                source += 1
            }
        }
        return pixels
    }

    private static func paeth(_ left: Int, _ up: Int, _ corner: Int) -> Int {
        let estimate = left + up - corner
        let (toLeft, toUp, toCorner) = (abs(estimate - left), abs(estimate - up), abs(estimate - corner))
        return toLeft <= toUp && toLeft <= toCorner ? left : toUp <= toCorner ? up : corner
    }

    /// With predictor 15, rows as differences to the one above: what scans compress best by. Noise, which scans mostly are, hardly gets
    /// smaller by trying harder, and the copy is not to be shorter than the original.
    static func encode(_ pixels: [UInt8], width: Int, height: Int, channels: Int) throws(WatermarkError) -> [UInt8] {
        let row = width * channels
        var filtered = [UInt8](repeating: 2, count: (row + 1) * height)
        for y in 0..<height {
            for x in 0..<row {
                let up = y > 0 ? pixels[(y - 1) * row + x] : 0
                filtered[y * (row + 1) + 1 + x] = pixels[y * row + x] &- up
            }
        }
        var count = compressBound(UInt(filtered.count))
        var output = [UInt8](repeating: 0, count: Int(count))
        guard unsafe compress2(&output, &count, filtered, UInt(filtered.count), 2) == Z_OK else {
            throw WatermarkError(.other, "A picture could not be compressed.")
        }
        output.removeLast(output.count - Int(count))
        return output
    }
}
