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
        let step = (region.maxX - region.minX) * (region.maxY - region.minY) > 3_000 ? 2 : 1
        var best: Match?
        for dy in -radius...radius {
            for dx in -radius...radius {
                guard let likeness = correlation(region, baseX + dx, baseY + dy, step) else { continue }
                if likeness > best?.likeness ?? -1 {
                    best = Match(dx: Double(baseX + dx), dy: Double(baseY + dy), likeness: likeness, varianceX: 1, varianceY: 1)
                }
            }
        }
        return best
    }

    private func correlation(_ region: WordRegion, _ dx: Int, _ dy: Int, _ step: Int) -> Double? {
        guard region.minX + dx >= 0, region.minY + dy >= 0, region.maxX + dx < picture.width, region.maxY + dy < picture.height,
            region.minX >= 0, region.minY >= 0, region.maxX < reference.width, region.maxY < reference.height
        else { return nil }
        var sumA: Float = 0, sumB: Float = 0, sumAA: Float = 0, sumBB: Float = 0, sumAB: Float = 0, count: Float = 0
        for y in stride(from: region.minY, through: region.maxY, by: step) {
            let row = y * reference.width
            let other = (y + dy) * picture.width + dx
            for x in stride(from: region.minX, through: region.maxX, by: step) {
                let a = reference.pixels[row + x] - 200
                let b = picture.pixels[other + x] - 200
                sumA += a
                sumB += b
                sumAA += a * a
                sumBB += b * b
                sumAB += a * b
                count += 1
            }
        }
        let varianceA = sumAA - sumA * sumA / count
        let varianceB = sumBB - sumB * sumB / count
        // Nothing to see in one of them.
        guard varianceA > leastVariance * count, varianceB > 4 * count else { return nil }
        return Double((sumAB - sumA * sumB / count) / (varianceA * varianceB).squareRoot())
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
