import Foundation

/// A picture as bytes: what a mark changes, and what stands behind it and stays as it is.
package struct PixelPicture: Sendable {
    package let width: Int
    package let height: Int
    /// 1: brightness. 3: red, green and blue side by side.
    package let channels: Int
    /// Bytes from one row to the next.
    let stride: Int
    /// Row by row from the top; planes of colour may follow.
    package internal(set) var bytes: [UInt8]

    package init(width: Int, height: Int, channels: Int, stride: Int? = nil, bytes: [UInt8]) {
        let stride = stride ?? width * channels
        precondition(width > 0 && height > 0 && (channels == 1 || channels == 3) && stride >= width * channels)
        precondition(bytes.count >= (height - 1) * stride + width * channels)
        (self.width, self.height, self.channels, self.stride, self.bytes) = (width, height, channels, stride, bytes)
    }

    package init(_ image: GrayImage) {
        self.init(
            width: image.width, height: image.height, channels: 1,
            bytes: image.pixels.map { UInt8(min(max($0, 0), 255) + 0.5) })
    }

    /// The brightness at a place of ``bytes``, of 256; luma of Rec. 601.
    @inline(__always)
    static func luma(_ bytes: borrowing Span<UInt8>, _ index: Int, _ channels: Int) -> Int {
        channels == 1
            ? Int(bytes[index]) : (77 * Int(bytes[index]) + 150 * Int(bytes[index + 1]) + 29 * Int(bytes[index + 2])) >> 8
    }

    /// Its brightness, made so small that the longer side has about this many pixels; never larger than it is.
    ///
    /// `factor` is how many of its pixels one pixel of this picture is.
    package func gray(longerSide: Double) -> (image: GrayImage, factor: Double) {
        let longer = Double(max(width, height))
        // Whole pixels are averaged first: a page at 600 dots per inch never stands here as numbers with fractions.
        let block = max(1, Int(longer / longerSide))
        let columns = max(1, width / block)
        let rows = max(1, height / block)
        var pixels = [Float](repeating: 0, count: columns * rows)
        var sums = [Int](repeating: 0, count: columns)
        let source = bytes.span
        for row in 0..<rows {
            for column in 0..<columns { sums[column] = 0 }
            for y in (row * block)..<min((row + 1) * block, height) {
                var index = y * stride
                for column in 0..<columns {
                    var sum = 0
                    for _ in 0..<block {
                        sum += Self.luma(source, index, channels)
                        index += channels
                    }
                    sums[column] += sum
                }
            }
            for column in 0..<columns { pixels[row * columns + column] = Float(sums[column]) / Float(block * block) }
        }
        let rough = GrayImage(width: columns, height: rows, pixels: pixels)
        let rest = min(1, longerSide * Double(block) / longer)
        return (rough.scaled(by: rest), rest / Double(block))
    }

    /// Peak signal to noise ratio to another picture of this size, in the bytes that a mark changes; infinite where none differs.
    package func decibels(to other: PixelPicture) -> Double {
        guard other.width == width, other.height == height, other.channels == channels else { return 0 }
        let first = bytes.span
        let second = other.bytes.span
        var squares = 0
        for y in 0..<height {
            for x in 0..<(width * channels) {
                let difference = Int(first[y * stride + x]) - Int(second[y * other.stride + x])
                squares += difference * difference
            }
        }
        return squares == 0 ? .infinity : 10 * log10(65_025 * Double(width * height * channels) / Double(squares))
    }
}
