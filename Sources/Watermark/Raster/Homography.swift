/// A projective map of the plane: what a flat page undergoes on its way through scanners, cameras and windows.
package struct Homography: Sendable, Equatable {
    /// Row by row; the last is 1.
    package var values: [Double]

    package init(_ values: [Double]) {
        self.values = values
    }

    /// x' = a·x − b·y + c, y' = b·x + a·y + d
    static func similarity(_ a: Double, _ b: Double, _ c: Double, _ d: Double) -> Homography {
        Homography([a, -b, c, b, a, d, 0, 0, 1])
    }

    static func scale(_ factor: Double) -> Homography { similarity(factor, 0, 0, 0) }

    func apply(_ x: Double, _ y: Double) -> (x: Double, y: Double) {
        let w = values[6] * x + values[7] * y + values[8]
        let safe = abs(w) < 1e-9 ? 1e-9 : w
        return ((values[0] * x + values[1] * y + values[2]) / safe, (values[3] * x + values[4] * y + values[5]) / safe)
    }

    /// First this, then `other`.
    func then(_ other: Homography) -> Homography {
        var product = [Double](repeating: 0, count: 9)
        for row in 0..<3 {
            for column in 0..<3 {
                for k in 0..<3 { product[row * 3 + column] += other.values[row * 3 + k] * values[k * 3 + column] }
            }
        }
        let last = abs(product[8]) < 1e-12 ? 1 : product[8]
        return Homography(product.map { $0 / last })
    }

    /// How many target units one source unit is, around a point.
    func scale(atX x: Double, y: Double) -> Double {
        let origin = apply(x, y)
        let right = apply(x + 1, y)
        let down = apply(x, y + 1)
        let area = (right.x - origin.x) * (down.y - origin.y) - (right.y - origin.y) * (down.x - origin.x)
        return abs(area).squareRoot()
    }

    struct Pair {
        var fromX, fromY, toX, toY: Double
        var weight = 1.0
    }

    /// The affine or projective map that fits best in the mean square; nil where the pairs do not determine one.
    static func fit(_ pairs: [Pair], projective: Bool) -> Homography? {
        guard pairs.count >= (projective ? 4 : 3) else { return nil }
        // Centred and scaled, or the normal equations lose their digits.
        let from = Normalisation(pairs.map { ($0.fromX, $0.fromY) })
        let to = Normalisation(pairs.map { ($0.toX, $0.toY) })
        var solver = LeastSquares(unknowns: projective ? 8 : 6)
        for pair in pairs {
            let (x, y) = from.apply(pair.fromX, pair.fromY)
            let (u, v) = to.apply(pair.toX, pair.toY)
            let first: [Double] = [x, y, 1, 0, 0, 0]
            let second: [Double] = [0, 0, 0, x, y, 1]
            solver.add(projective ? first + [-u * x, -u * y] : first, u, weight: pair.weight)
            solver.add(projective ? second + [-v * x, -v * y] : second, v, weight: pair.weight)
        }
        guard let solution = solver.solve() else { return nil }
        let core = Homography(solution + (projective ? [1] : [0, 0, 1]))
        return from.map.then(core).then(to.inverse)
    }

    private struct Normalisation {
        let centreX, centreY, factor: Double

        init(_ points: [(Double, Double)]) {
            let count = Double(max(points.count, 1))
            let x = points.reduce(0) { $0 + $1.0 } / count
            let y = points.reduce(0) { $0 + $1.1 } / count
            let spread = points.reduce(0) { $0 + abs($1.0 - x) + abs($1.1 - y) } / count
            (centreX, centreY, factor) = (x, y, 1 / max(spread, 1e-6))
        }

        func apply(_ x: Double, _ y: Double) -> (Double, Double) { ((x - centreX) * factor, (y - centreY) * factor) }
        var map: Homography { .similarity(factor, 0, -centreX * factor, -centreY * factor) }
        var inverse: Homography { .similarity(1 / factor, 0, centreX, centreY) }
    }
}
