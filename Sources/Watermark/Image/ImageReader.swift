/// Reads the mark of a leaked picture against its original.
///
/// The picture is registered to the original (scale, rotation, tilt, crop, mirror), local contrast and brightness are fitted, and what is left
/// at each spot is its observation.
package enum ImageReader {
    /// Both are compared at this size of the longer side: spots are 8 pixels then.
    private static let workingSide = 1024.0

    package static func read(_ leak: GrayImage, original: GrayImage, mark: ImageMark) throws(WatermarkError) -> LeakReading {
        guard leak.width >= 32, leak.height >= 32, original.width == mark.width, original.height == mark.height else {
            return LeakReading()
        }
        let factor = min(1, workingSide / Double(max(original.width, original.height)))
        let reference = original.scaled(by: factor)
        for mirrored in [false, true] {
            let picture = mirrored ? leak.mirrored() : leak
            guard let map = register(picture, to: reference) else { continue }
            let observations = observe(picture, reference, map, mark, cell: mark.cell * factor)
            guard observations.count >= 64 else { continue }
            return LeakReading(
                alternatives: [observations],
                pages: [PageEvidence(path: .picture, originalPage: 0, leakPage: 0, words: observations.count)])
        }
        return LeakReading()
    }

    // MARK: - Registration

    private static func register(_ leak: GrayImage, to reference: GrayImage) -> Homography? {
        let factor = min(1, 1200 / Double(max(leak.width, leak.height)))
        let small = leak.scaled(by: factor)
        let scales = [1.0, 0.72, 0.5, 0.35]
        let pairs = Features(reference, scales: scales, most: 500).matches(Features(small, scales: scales, most: 600))
        if let found = Registration.find(pairs), let map = align(leak, reference, found.map.then(.scale(1 / factor))) {
            return map
        }
        // A picture with few corners may still be the whole, smaller or larger.
        let scale = Double(leak.width) / Double(reference.width)
        guard abs(scale * Double(reference.height) / Double(leak.height) - 1) < 0.02 else { return nil }
        return align(leak, reference, .similarity(scale, 0, scale / 2 - 0.5, scale / 2 - 0.5))
    }

    /// The map corrected by patches: to the pixel twice, then to a fraction; nil where too few agree.
    private static func align(_ leak: GrayImage, _ reference: GrayImage, _ coarse: Homography) -> Homography? {
        let soft = reference.blurred(0.8)
        let patches = WordRegion.patches(width: reference.width, height: reference.height, side: 28, margin: 8)
        var map = coarse
        for (radius, fine) in [(5, false), (3, false), (2, true)] {
            let warped = RasterReader.warp(leak, map, width: reference.width, height: reference.height).blurred(0.8)
            let matcher = WordMatcher(reference: soft, picture: warped)
            var pairs: [Homography.Pair] = []
            for patch in patches {
                guard var match = matcher.search(patch, radius: radius), match.likeness > 0.7 else { continue }
                if fine {
                    guard let better = matcher.refine(patch, from: (match.dx, match.dy)) else { continue }
                    match = better
                }
                let target = map.apply(patch.centreX + match.dx, patch.centreY + match.dy)
                pairs.append(Homography.Pair(fromX: patch.centreX, fromY: patch.centreY, toX: target.x, toY: target.y))
            }
            for tolerance in [1000.0, 3, 1.5] {
                let near = pairs.filter { pair in
                    let (x, y) = map.apply(pair.fromX, pair.fromY)
                    let scale = max(map.scale(atX: pair.fromX, y: pair.fromY), 0.3)
                    return max(abs(x - pair.toX), abs(y - pair.toY)) < tolerance * scale
                }
                guard near.count >= 6, let better = Homography.fit(near, projective: near.count >= 30) else { return nil }
                map = better
            }
        }
        return map
    }

    // MARK: - Observing

    private static func observe(
        _ leak: GrayImage, _ reference: GrayImage, _ map: Homography, _ mark: ImageMark, cell: Double
    ) -> [Observation] {
        let (width, height) = (reference.width, reference.height)
        let scale = map.scale(atX: Double(width) / 2, y: Double(height) / 2)
        let warped = RasterReader.warp(leak, map, width: width, height: height)
        // The original as blurred as a smaller leak is.
        let compared = scale < 0.8 ? reference.blurred(0.45 / scale) : reference
        let inside = (0..<(width * height)).map { index -> Bool in
            let (x, y) = map.apply(Double(index % width), Double(index / width))
            return x > 1 && y > 1 && x < Double(leak.width - 2) && y < Double(leak.height - 2)
        }
        let residual = difference(warped, compared, inside, window: Int(cell * 6))
        let flattened = zip(residual.pixels, residual.blurred(cell * 1.5).pixels).map { $0 - $1 }
        var found: [(place: Int, value: Float, noise: Float)] = []
        let reach = Int(cell.rounded(.up))
        for row in 0..<mark.rows {
            for column in 0..<mark.columns {
                let centreX = (Double(column) + 0.5) * cell - 0.5
                let centreY = (Double(row) + 0.5) * cell - 0.5
                var sum: Float = 0
                var weights: Float = 0
                var squares: Float = 0
                var covered = true
                for y in max(0, Int(centreY) - reach)...min(height - 1, Int(centreY) + reach) where covered {
                    for x in max(0, Int(centreX) - reach)...min(width - 1, Int(centreX) + reach) {
                        let weight =
                            Float(max(0, 1 - abs(Double(x) - centreX) / cell))
                            * Float(max(0, 1 - abs(Double(y) - centreY) / cell))
                        guard weight > 0 else { continue }
                        guard inside[y * width + x] else {
                            covered = false
                            break
                        }
                        let value = flattened[y * width + x]
                        sum += weight * value
                        squares += weight * value * value
                        weights += weight
                    }
                }
                guard covered, weights > 0 else { continue }
                let place = row * mark.columns + column
                let amplitude = mark.amplitudes[place]
                found.append((place, sum / weights / (0.4 * amplitude), squares / weights / (amplitude * amplitude)))
            }
        }
        // Spots where much else differs (edges that moved, blocks of compression) say less.
        return found.map {
            Observation(place: $0.place, value: Double(min(max($0.value, -1.5), 1.5) / (0.5 + min($0.noise, 50))))
        }
    }

    /// What is left of the leak when local contrast and brightness of the original are fitted to it.
    private static func difference(_ leak: GrayImage, _ original: GrayImage, _ inside: [Bool], window: Int) -> GrayImage {
        let (width, height) = (original.width, original.height)
        let side = max(window, 24)
        var result = GrayImage(width: width, height: height, filledWith: 0)
        var top = 0
        while top < height {
            var left = 0
            while left < width {
                let rows = top..<min(top + side, height)
                let columns = left..<min(left + side, width)
                var sumA = 0.0, sumB = 0.0, sumAA = 0.0, sumAB = 0.0, count = 0.0
                for y in rows {
                    for x in columns where inside[y * width + x] {
                        let a = Double(original.pixels[y * width + x])
                        let b = Double(leak.pixels[y * width + x])
                        sumA += a
                        sumB += b
                        sumAA += a * a
                        sumAB += a * b
                        count += 1
                    }
                }
                if count > 32 {
                    let variance = sumAA - sumA * sumA / count
                    // A flat window says nothing of contrast.
                    let gain = variance > 4 * count ? (sumAB - sumA * sumB / count) / variance : 1
                    let offset = (sumB - gain * sumA) / count
                    let divisor = Float(max(abs(gain), 0.2))
                    for y in rows {
                        for x in columns where inside[y * width + x] {
                            let index = y * width + x
                            result.pixels[index] =
                                (leak.pixels[index] - Float(gain) * original.pixels[index] - Float(offset)) / divisor
                        }
                    }
                }
                left += side
            }
            top += side
        }
        return result
    }
}

extension GrayImage {
    /// Left and right exchanged.
    func mirrored() -> GrayImage {
        var result = self
        for y in 0..<height {
            for x in 0..<width { result.pixels[y * width + x] = pixels[y * width + width - 1 - x] }
        }
        return result
    }
}
