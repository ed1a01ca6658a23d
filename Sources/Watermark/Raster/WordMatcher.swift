/// Finds words of a page on a picture that lies nearly on it: to the pixel by correlation, then to a hundredth by gradients.
struct WordMatcher {
    let reference: GrayImage
    let picture: GrayImage
    /// What is flatter is not looked for: it would be found anywhere.
    var leastVariance: Float = 25

    struct Match {
        var dx, dy: Double
        /// Correlation, 1 at best.
        var likeness: Double
        /// Variance of the displacement along x and y, up to the noise of the picture.
        var varianceX, varianceY: Double
    }

    /// The displacement within `radius` pixels at which the word correlates most.
    func search(_ region: WordRegion, radius: Int, around start: (x: Double, y: Double) = (0, 0)) -> Match? {
        let baseX = Int(start.x.rounded())
        let baseY = Int(start.y.rounded())
        guard let template = Template(reference, region, leastVariance: leastVariance) else { return nil }
        var best: Match?
        for dy in -radius...radius {
            for dx in -radius...radius {
                guard let likeness = correlation(template, region, baseX + dx, baseY + dy) else { continue }
                if likeness > best?.likeness ?? -1 {
                    best = Match(dx: Double(baseX + dx), dy: Double(baseY + dy), likeness: likeness, varianceX: 1, varianceY: 1)
                }
            }
        }
        return best
    }

    /// A word as the page shows it: what its likeness to every place is reckoned from.
    private struct Template {
        /// Every how many pixels are looked at, along both axes.
        let step: Int
        let columns, rows: Int
        /// Row by row.
        private(set) var values: [Float] = []
        private(set) var sum: Float = 0
        private(set) var variance: Float = 0
        let count: Float

        /// `nil` where there is nothing to see.
        init?(_ page: GrayImage, _ region: WordRegion, leastVariance: Float) {
            guard region.minX >= 0, region.minY >= 0, region.maxX < page.width, region.maxY < page.height,
                region.minX <= region.maxX, region.minY <= region.maxY
            else { return nil }
            step = (region.maxX - region.minX) * (region.maxY - region.minY) > 3_000 ? 2 : 1
            columns = (region.maxX - region.minX) / step + 1
            rows = (region.maxY - region.minY) / step + 1
            count = Float(columns * rows)
            values.reserveCapacity(columns * rows)
            var squares: Float = 0
            for row in 0..<rows {
                for column in 0..<columns {
                    let value = page.pixels[(region.minY + row * step) * page.width + region.minX + column * step] - 200
                    values.append(value)
                    sum += value
                    squares += value * value
                }
            }
            variance = squares - sum * sum / count
            guard variance > leastVariance * count else { return nil }
        }
    }

    private func correlation(_ template: Template, _ region: WordRegion, _ dx: Int, _ dy: Int) -> Double? {
        guard region.minX + dx >= 0, region.minY + dy >= 0, region.maxX + dx < picture.width, region.maxY + dy < picture.height
        else { return nil }
        let (values, pixels, step) = (template.values.span, picture.pixels.span, template.step)
        // Four at a time: sums of floating point numbers wait for each other otherwise.
        var sums = SIMD4<Float>(), squares = SIMD4<Float>(), products = SIMD4<Float>()
        for row in 0..<template.rows {
            var place = (region.minY + dy + row * step) * picture.width + region.minX + dx
            let start = row * template.columns
            let whole = template.columns & ~3
            for column in stride(from: 0, to: whole, by: 4) {
                let seen =
                    SIMD4(pixels[place], pixels[place + step], pixels[place + 2 * step], pixels[place + 3 * step]) - 200
                let expected = SIMD4(
                    values[start + column], values[start + column + 1], values[start + column + 2], values[start + column + 3])
                sums += seen
                squares += seen * seen
                products += expected * seen
                place += 4 * step
            }
            for column in whole..<template.columns {
                let seen = pixels[place] - 200
                sums[0] += seen
                squares[0] += seen * seen
                products[0] += values[start + column] * seen
                place += step
            }
        }
        let sum = sums.sum()
        let variance = squares.sum() - sum * sum / template.count
        // Nothing to see there.
        guard variance > 4 * template.count else { return nil }
        return Double((products.sum() - template.sum * sum / template.count) / (template.variance * variance).squareRoot())
    }

    /// Gauss–Newton for shift, contrast and brightness (Lucas and Kanade, 1981; Baker and Matthews, 2004).
    func refine(_ region: WordRegion, from start: (x: Double, y: Double)) -> Match? {
        var (dx, dy) = start
        var gain = 1.0
        var offset = 0.0
        var diagonal: [Double] = []
        var error = 0.0
        var count = 0
        for round in 0..<6 {
            var rows = (SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>(), SIMD4<Double>())
            var right = SIMD4<Double>()
            error = 0
            count = 0
            for y in region.minY...region.maxY {
                for x in region.minX...region.maxX {
                    let index = y * reference.width + x
                    let gradientX = Double(reference.pixels[index + 1] - reference.pixels[index - 1]) / 2
                    let gradientY =
                        Double(reference.pixels[index + reference.width] - reference.pixels[index - reference.width]) / 2
                    let template = Double(reference.pixels[index]) - 255
                    let value = Double(picture.sample(Double(x) + dx, Double(y) + dy)) - 255
                    let residual = gain * template + offset - value
                    let row = SIMD4<Double>(gain * gradientX, gain * gradientY, -template, -1)
                    rows.0 += row * row.x
                    rows.1 += row * row.y
                    rows.2 += row * row.z
                    rows.3 += row * row.w
                    right += row * residual
                    error += residual * residual
                    count += 1
                }
            }
            var solver = LeastSquares(unknowns: 4)
            solver.set([rows.0, rows.1, rows.2, rows.3], right)
            guard let (inverse, step) = solver.inverseAndSolution() else { return nil }
            diagonal = inverse
            dx += step[0]
            dy += step[1]
            gain += step[2]
            offset += step[3]
            guard abs(dx - start.x) < 4, abs(dy - start.y) < 4, gain > 0.02, gain < 20 else { return nil }
            if round > 0, abs(step[0]) < 0.002, abs(step[1]) < 0.01 { break }
        }
        guard count > 8, diagonal.count == 4 else { return nil }
        let noise = error / Double(count - 4)
        return Match(
            dx: dx, dy: dy, likeness: 1, varianceX: diagonal[0] * noise, varianceY: diagonal[1] * noise)
    }
}
