/// How far a word of the original was found from where it belongs, along its direction of writing.
struct Displacement {
    var place: Int
    /// Where the word stands, in points from the top left corner of its page.
    var x, y: Double
    /// In units of the marking amplitude.
    var value: Double
    /// Inverse variance of the measurement, up to a factor.
    var weight: Double
}

/// Takes away what is common to neighbouring words: offsets, scales, bends of paper and lenses. The mark has no such part.
enum Trend {
    /// What remains after the mean is taken away, without what lies too far off to be a moved word.
    static func withoutMean(_ all: [Displacement], reach: Double = 4) -> [Displacement] {
        guard !all.isEmpty else { return [] }
        let middle = median(all.map(\.value))
        var kept = all.filter { abs($0.value - middle) < reach }
        let total = kept.reduce(0) { $0 + $1.weight }
        guard total > 0 else { return [] }
        let mean = kept.reduce(0) { $0 + $1.weight * $1.value } / total
        for index in kept.indices { kept[index].value -= mean }
        return kept
    }

    /// What remains after a surface of second degree, and then the mean of neighbours in and next to the line, are taken away.
    static func withoutSurface(_ all: [Displacement], reach: Double = 4, local: Bool) -> [Displacement] {
        var kept = all
        for _ in 0..<3 {
            guard kept.count >= 24, let surface = Surface(kept) else { return withoutMean(all, reach: reach) }
            kept = all.filter { abs($0.value - surface.value($0.x, $0.y)) < reach }
        }
        guard kept.count >= 24, let surface = Surface(kept) else { return withoutMean(all, reach: reach) }
        for index in kept.indices { kept[index].value -= surface.value(kept[index].x, kept[index].y) }
        return local ? withoutNeighbours(kept) : kept
    }

    private static func withoutNeighbours(_ all: [Displacement]) -> [Displacement] {
        let ordered = all.sorted { $0.y < $1.y }
        var result = ordered
        var start = 0
        for index in ordered.indices {
            let word = ordered[index]
            while ordered[start].y < word.y - 40 { start += 1 }
            var sum = 0.0
            var weight = 1e-9
            var other = start
            while other < ordered.count, ordered[other].y < word.y + 40 {
                if other != index {
                    let dx = (ordered[other].x - word.x) / 70
                    let dy = (ordered[other].y - word.y) / 16
                    let closeness = ordered[other].weight / (1 + (dx * dx + dy * dy) * (dx * dx + dy * dy))
                    sum += closeness * min(max(ordered[other].value, -2), 2)
                    weight += closeness
                }
                other += 1
            }
            result[index].value -= sum / weight
        }
        return result
    }

    static func median(_ values: [Double]) -> Double {
        guard !values.isEmpty else { return 0 }
        return values.sorted()[values.count / 2]
    }
}

/// A polynomial of second degree over a page, fitted by least squares.
struct Surface {
    private let coefficients: [Double]
    private static let scale = 1.0 / 300

    init?(_ points: [Displacement]) {
        var solver = LeastSquares(unknowns: 6)
        for point in points {
            solver.add(Self.basis(point.x, point.y), point.value, weight: point.weight)
        }
        guard let solution = solver.solve() else { return nil }
        coefficients = solution
    }

    private static func basis(_ x: Double, _ y: Double) -> [Double] {
        let u = x * scale - 1
        let v = y * scale - 1.3
        return [1, u, v, u * u, u * v, v * v]
    }

    func value(_ x: Double, _ y: Double) -> Double {
        zip(coefficients, Self.basis(x, y)).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

/// Normal equations of a small linear fit.
struct LeastSquares {
    private let unknowns: Int
    private var matrix: [Double]
    private var right: [Double]

    init(unknowns: Int) {
        self.unknowns = unknowns
        matrix = Array(repeating: 0, count: unknowns * unknowns)
        right = Array(repeating: 0, count: unknowns)
    }

    mutating func add(_ row: [Double], _ value: Double, weight: Double = 1) {
        for i in 0..<unknowns {
            let scaled = weight * row[i]
            right[i] += scaled * value
            for j in 0...i { matrix[i * unknowns + j] += scaled * row[j] }
        }
    }

    /// Takes four unknowns' equations as they were added up elsewhere.
    mutating func set(_ rows: [SIMD4<Double>], _ right: SIMD4<Double>) {
        for index in 0..<16 { matrix[index] = rows[index / 4][index % 4] }
        for index in 0..<4 { self.right[index] = right[index] }
    }

    /// Nil where the rows do not determine the unknowns.
    func solve() -> [Double]? { inverseAndSolution()?.solution }

    /// The first diagonal entries of the inverse say how well each unknown is known.
    func inverseAndSolution() -> (diagonal: [Double], solution: [Double])? {
        let n = unknowns
        let width = 2 * n + 1
        var work = [Double](repeating: 0, count: n * width)
        for i in 0..<n {
            for j in 0..<n { work[i * width + j] = matrix[max(i, j) * n + min(i, j)] }
            work[i * width + n + i] = 1
            work[i * width + 2 * n] = right[i]
        }
        for column in 0..<n {
            var pivot = column
            for row in column..<n where abs(work[row * width + column]) > abs(work[pivot * width + column]) { pivot = row }
            let value = work[pivot * width + column]
            guard abs(value) > 1e-12, value.isFinite else { return nil }
            if pivot != column { for k in 0..<width { work.swapAt(pivot * width + k, column * width + k) } }
            for k in 0..<width { work[column * width + k] /= value }
            for row in 0..<n where row != column {
                let factor = work[row * width + column]
                if factor != 0 { for k in 0..<width { work[row * width + k] -= factor * work[column * width + k] } }
            }
        }
        let diagonal = (0..<n).map { work[$0 * width + n + $0] }
        return (diagonal, (0..<n).map { work[$0 * width + 2 * n] })
    }
}
