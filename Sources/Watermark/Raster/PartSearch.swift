import Foundation

/// Finds a part of a picture in the whole by its shades, where there are too few corners to hold on to: in soft pictures. Of parts that
/// were not turned.
struct PartSearch {
    /// Where the part lies on the whole, in shares of the whole's width and height.
    struct Place {
        var x, y, width, height: Double
        /// Correlation, 1 at best.
        var likeness: Double

        /// Large places that fit say more than small ones, which fit somewhere by chance.
        var weight: Double { -log(max(1 - likeness * likeness, 1e-6)) * pow(width * height, 0.7) }

        func isNear(_ other: Place) -> Bool {
            abs(width / other.width - 1) < 0.12 && abs(x - other.x) < 0.1 * width && abs(y - other.y) < 0.1 * height
        }
    }

    private let whole: GrayImage
    /// Sums of values and of their squares over all above and to the left.
    private var sums: [Double]
    private var squares: [Double]

    init(_ whole: GrayImage) {
        self.whole = whole
        let side = whole.width + 1
        sums = [Double](repeating: 0, count: side * (whole.height + 1))
        squares = sums
        for y in 0..<whole.height {
            var (row, rowSquares) = (0.0, 0.0)
            for x in 0..<whole.width {
                let value = Double(whole.pixels[y * whole.width + x])
                row += value
                rowSquares += value * value
                sums[(y + 1) * side + x + 1] = sums[y * side + x + 1] + row
                squares[(y + 1) * side + x + 1] = squares[y * side + x + 1] + rowSquares
            }
        }
    }

    /// The best place for each size of the part, the likeliest first.
    ///
    /// - Parameters:
    ///   - aspect: height of the part by its width, both in pixels of the whole.
    ///   - least: pixels of the whole that each side of the part has at least.
    func places(of part: GrayImage, aspect: Double, least: Int) -> [Place] {
        var found: [Place] = []
        var width = Double(whole.width)
        while Int(width) >= least {
            let size = (Int(width.rounded()), Int((width * aspect).rounded()))
            if size.1 >= least, size.1 <= whole.height,
                let best = best(part.resized(size.0, size.1), 0...(whole.width - size.0), 0...(whole.height - size.1))
            {
                found.append(best)
            }
            width *= 0.95
        }
        var chosen: [Place] = []
        for place in found.sorted(by: { $0.weight > $1.weight }) where !chosen.contains(where: { place.isNear($0) }) {
            chosen.append(place)
        }
        return chosen
    }

    /// A place found on a coarser picture of the whole, found better on this one.
    func refined(_ place: Place, of part: GrayImage, aspect: Double) -> Place {
        var better = place
        better.likeness = -1
        for factor in [0.96, 0.98, 1, 1.02, 1.04] {
            let width = min(Int((place.width * factor * Double(whole.width)).rounded()), whole.width)
            let height = min(Int((place.width * factor * Double(whole.width) * aspect).rounded()), whole.height)
            guard width >= 8, height >= 8 else { continue }
            let x = Int((place.x + place.width * (1 - factor) / 2) * Double(whole.width))
            let y = Int((place.y + place.height / 2) * Double(whole.height) - Double(height) / 2)
            let columns = max(0, min(x - 5, whole.width - width))...max(0, min(x + 5, whole.width - width))
            let rows = max(0, min(y - 5, whole.height - height))...max(0, min(y + 5, whole.height - height))
            if let found = best(part.resized(width, height), columns, rows), found.likeness > better.likeness { better = found }
        }
        return better.likeness > 0 ? better : place
    }

    private func best(_ part: GrayImage, _ columns: ClosedRange<Int>, _ rows: ClosedRange<Int>) -> Place? {
        let count = Double(part.width * part.height)
        let mean = part.pixels.reduce(0, +) / Float(count)
        let template = part.pixels.map { $0 - mean }
        let power = Double(template.reduce(0) { $0 + $1 * $1 })
        // Nothing to see.
        guard power > 9 * count else { return nil }
        let side = whole.width + 1
        var best: Place?
        for y in rows {
            for x in columns {
                let corners = (y * side + x, y * side + x + part.width)
                let below = part.height * side
                let sum = sums[corners.1 + below] - sums[corners.0 + below] - sums[corners.1] + sums[corners.0]
                let square = squares[corners.1 + below] - squares[corners.0 + below] - squares[corners.1] + squares[corners.0]
                let variance = square - sum * sum / count
                guard variance > count else { continue }
                var product: Float = 0
                for row in 0..<part.height {
                    var index = (y + row) * whole.width + x
                    for place in (row * part.width)..<((row + 1) * part.width) {
                        product += template[place] * whole.pixels[index]
                        index += 1
                    }
                }
                let likeness = Double(product) / (variance * power).squareRoot()
                if likeness > best?.likeness ?? 0 {
                    best = Place(
                        x: Double(x) / Double(whole.width), y: Double(y) / Double(whole.height),
                        width: Double(part.width) / Double(whole.width), height: Double(part.height) / Double(whole.height),
                        likeness: likeness)
                }
            }
        }
        return best
    }
}

extension GrayImage {
    /// Of another size, whatever its proportions; what gets smaller is averaged.
    func resized(_ newWidth: Int, _ newHeight: Int) -> GrayImage {
        var result = GrayImage(width: newWidth, height: newHeight, filledWith: 255)
        guard width > 0, height > 0 else { return result }
        for y in 0..<newHeight {
            let top = y * height / newHeight
            let rows = top..<max(top + 1, (y + 1) * height / newHeight)
            for x in 0..<newWidth {
                let left = x * width / newWidth
                let columns = left..<max(left + 1, (x + 1) * width / newWidth)
                var sum: Float = 0
                for row in rows {
                    for column in columns { sum += pixels[row * width + column] }
                }
                result.pixels[y * newWidth + x] = sum / Float(rows.count * columns.count)
            }
        }
        return result
    }
}
