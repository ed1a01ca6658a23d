/// Finds how a picture lies on a page: the map from the page's pixels to the picture's.
enum Registration {
    struct Result {
        var map: Homography
        /// How many points agree.
        var inliers: Int
    }

    /// Fewer agreeing points than these happen by chance.
    static let leastInliers = 14

    /// - Parameters:
    ///   - least: how many points have to agree.
    ///   - tries: pairs of points that are tried as a beginning.
    static func find(_ pairs: [Homography.Pair], least: Int = leastInliers, tries: Int = 6_000) -> Result? {
        guard pairs.count >= least else { return nil }
        guard let seed = consensus(pairs, tries: tries) else { return nil }
        var map = seed
        // From what a tilted camera may leave of a similarity down to the corners' own accuracy.
        for (tolerance, projective) in [(14.0, false), (12, true), (8, true), (5, true), (3.5, true), (3, true)] {
            let near = inliers(pairs, map, tolerance)
            guard near.count >= least / 2, let better = Homography.fit(near, projective: projective) else { break }
            map = better
        }
        let agreed = inliers(pairs, map, 3.5).count
        return agreed >= least && isPlausible(map) ? Result(map: map, inliers: agreed) : nil
    }

    private static func inliers(_ pairs: [Homography.Pair], _ map: Homography, _ tolerance: Double) -> [Homography.Pair] {
        pairs.filter { pair in
            let (x, y) = map.apply(pair.fromX, pair.fromY)
            return (x - pair.toX) * (x - pair.toX) + (y - pair.toY) * (y - pair.toY) < tolerance * tolerance
        }
    }

    /// The similarity on which most pairs agree, of those that two pairs at a time determine (RANSAC; Fischler and Bolles, 1981).
    private static func consensus(_ pairs: [Homography.Pair], tries: Int) -> Homography? {
        var random = SmallGenerator(seed: 42)
        var best: (map: Homography, count: Int)?
        for _ in 0..<tries {
            let first = pairs[random.below(pairs.count)]
            let second = pairs[random.below(pairs.count)]
            let dx = second.fromX - first.fromX
            let dy = second.fromY - first.fromY
            let square = dx * dx + dy * dy
            guard square > 900 else { continue }
            let u = second.toX - first.toX
            let v = second.toY - first.toY
            let a = (dx * u + dy * v) / square
            let b = (dx * v - dy * u) / square
            let scale = a * a + b * b
            guard scale > 0.01, scale < 100 else { continue }
            let map = Homography.similarity(
                a, b, first.toX - a * first.fromX + b * first.fromY, first.toY - b * first.fromX - a * first.fromY)
            var count = 0
            for pair in pairs {
                let x = a * pair.fromX - b * pair.fromY + map.values[2] - pair.toX
                let y = b * pair.fromX + a * pair.fromY + map.values[5] - pair.toY
                if x * x + y * y < 144 { count += 1 }
            }
            if count > best?.count ?? 3 { best = (map, count) }
        }
        return best?.map
    }

    /// A page may be tilted, not folded: the perspective part stays small over a page of about a thousand pixels.
    private static func isPlausible(_ map: Homography) -> Bool {
        map.values.allSatisfy(\.isFinite) && abs(map.values[6]) < 6e-4 && abs(map.values[7]) < 6e-4
    }
}
