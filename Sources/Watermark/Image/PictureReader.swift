/// Reads the mark of a picture that was leaked, or of a picture of a page that shows it, against the original.
///
/// The leak is registered to the original (scale, rotation, tilt, crop, mirror), local contrast and brightness are fitted, and what is left
/// at each spot is its observation. Keeps what it made of the original: one reader serves all leaks.
package struct PictureReader {
    /// The original is compared at this size of the longer side: spots are 8 pixels then.
    private static let workingSide = 1024.0
    private static let scales = [1.0, 0.72, 0.5, 0.35, 0.25, 0.18]
    /// Finer for the leak, whose size says nothing: a corner looks the same within a tenth.
    private static let leakScales = [1.0, 0.85, 0.72, 0.61, 0.5, 0.42, 0.35, 0.29, 0.25, 0.21, 0.18]

    package let mark: ImageMark
    /// Pixels of ``reference`` to one of the original.
    let factor: Double
    let reference: GrayImage
    private let features: Features
    /// The reference at two sizes, for parts without corners.
    private let coarse: PartSearch
    private let finer: PartSearch

    package init(_ original: PixelPicture) throws(WatermarkError) {
        mark = try ImageMark(original)
        (reference, factor) = original.gray(longerSide: Self.workingSide)
        features = Features(reference, scales: Self.scales, most: 500)
        let longer = Double(max(reference.width, reference.height))
        coarse = PartSearch(reference.scaled(by: min(1, 96 / longer)))
        finer = PartSearch(reference.scaled(by: min(1, 384 / longer)))
    }

    /// A picture of a leak, prepared once for all that it is held against.
    package struct View {
        let image: GrayImage
        let features: Features
        /// For comparing shades.
        let small: GrayImage

        package init(_ image: GrayImage) {
            self.image = image
            small = image.scaled(by: min(1, 512 / Double(max(image.width, image.height, 1))))
            let factor = min(1, 1_200 / Double(max(image.width, image.height, 1)))
            let found = Features(image.scaled(by: factor), scales: PictureReader.leakScales, most: 500)
            features = Features(
                points: found.points.map {
                    Features.Point(x: ($0.x + 0.5) / factor - 0.5, y: ($0.y + 0.5) / factor - 0.5, bits: $0.bits)
                })
        }
    }

    /// What is seen of each spot; nil where this is not the picture, or too little of it.
    ///
    /// - Parameter placements: where it may lie, from pixels of ``reference`` to those of the leak, if its looks do not say.
    package func read(_ view: View, placements: [Homography] = []) -> [Observation]? {
        let leak = view.image
        guard leak.width >= 32, leak.height >= 32 else { return nil }
        var starts: [Homography] = []
        // Few points are enough to begin with: what does not fit fails at the patches.
        if let found = Registration.find(features.matches(view.features), least: 8) { starts.append(found.map) }
        let scale = Double(leak.width) / Double(reference.width)
        if abs(scale * Double(reference.height) / Double(leak.height) - 1) < 0.02 {
            starts.append(.similarity(scale, 0, scale / 2 - 0.5, scale / 2 - 0.5))
        }
        for start in starts + placements {
            if let observations = observe(leak, from: start) { return observations }
        }
        for start in parts(view) {
            if let observations = observe(leak, from: start) { return observations }
        }
        return nil
    }

    private func observe(_ leak: GrayImage, from start: Homography) -> [Observation]? {
        for side in [28, 56, 84] {
            guard let map = align(leak, start, side: side) else { continue }
            let observations = observe(leak, map)
            if observations.count >= 64 { return observations }
        }
        return nil
    }

    /// Where the leak may be a part of the picture, by its shades.
    private func parts(_ view: View) -> [Homography] {
        let aspect = Double(view.small.height) / Double(view.small.width)
        let likely = coarse.places(of: view.small, aspect: aspect, least: 12).filter { $0.likeness > 0.8 }.prefix(5)
        return likely.map { place in
            let place = finer.refined(place, of: view.small, aspect: aspect)
            let scale = Double(view.image.width) / (place.width * Double(reference.width))
            let (left, top) = (place.x * Double(reference.width), place.y * Double(reference.height))
            return .similarity(scale, 0, (0.5 - left) * scale - 0.5, (0.5 - top) * scale - 0.5)
        }
    }

    // MARK: - Registration

    /// The map corrected by patches: to the pixel twice, then to a fraction; nil where too few agree.
    ///
    /// - Parameter side: of the patches; soft pictures show nothing in small ones.
    private func align(_ leak: GrayImage, _ coarse: Homography, side: Int) -> Homography? {
        let soft = reference.blurred(0.8)
        let patches = WordRegion.patches(width: reference.width, height: reference.height, side: side, margin: 8)
        var map = coarse
        for (radius, fine) in [(5, false), (3, false), (2, true)] {
            let warped = RasterReader.warp(leak, map, width: reference.width, height: reference.height).blurred(0.8)
            let matcher = WordMatcher(reference: soft, picture: warped, leastVariance: side > 28 ? 6 : 25)
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

    private func observe(_ leak: GrayImage, _ map: Homography) -> [Observation] {
        let (width, height) = (reference.width, reference.height)
        let cell = mark.cell * factor
        let scale = map.scale(atX: Double(width) / 2, y: Double(height) / 2)
        let warped = RasterReader.warp(leak, map, width: width, height: height)
        // The original as blurred as a smaller leak is.
        let compared = scale < 0.8 ? reference.blurred(0.45 / scale) : reference
        let inside = (0..<(width * height)).map { index -> Bool in
            let (x, y) = map.apply(Double(index % width), Double(index / width))
            return x > 1 && y > 1 && x < Double(leak.width - 2) && y < Double(leak.height - 2)
        }
        let curve = ToneCurve(from: compared, to: warped, inside)
        let residual = Self.difference(warped, curve.apply(compared), inside, window: Int(cell * 6))
        let flattened = zip(residual.pixels, residual.blurred(cell * 1.5).pixels).map { $0 - $1 }
        // What a grey level more in the original makes in the leak: nothing where white has become whiter than white.
        let slopes = compared.pixels.map(curve.slope)
        var found: [(place: Int, value: Float, noise: Float)] = []
        let reach = Int(cell.rounded(.up))
        for row in 0..<mark.rows {
            for column in 0..<mark.columns {
                let centreX = (Double(column) + 0.5) * cell - 0.5
                let centreY = (Double(row) + 0.5) * cell - 0.5
                let rows = max(0, Int(centreY) - reach)...max(0, min(height - 1, Int(centreY) + reach))
                let columns = max(0, Int(centreX) - reach)...max(0, min(width - 1, Int(centreX) + reach))
                var sum: Float = 0
                var weights: Float = 0
                var power: Float = 0
                var squares: Float = 0
                var covered = true
                for y in rows where covered {
                    for x in columns {
                        let weight =
                            Float(max(0, 1 - abs(Double(x) - centreX) / cell))
                            * Float(max(0, 1 - abs(Double(y) - centreY) / cell))
                        guard weight > 0 else { continue }
                        let index = y * width + x
                        guard inside[index] else {
                            covered = false
                            break
                        }
                        let value = flattened[index]
                        let slope = slopes[index]
                        sum += weight * slope * value
                        power += weight * slope * slope
                        squares += weight * value * value
                        weights += weight
                    }
                }
                guard covered, weights > 0, power > 0.01 * weights else { continue }
                let place = row * mark.columns + column
                let amplitude = mark.amplitudes[place]
                found.append((place, sum / power / (0.4 * amplitude), squares / power / (amplitude * amplitude)))
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
        for top in stride(from: 0, to: height, by: side) {
            for left in stride(from: 0, to: width, by: side) {
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
                guard count > 32 else { continue }
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
        }
        return result
    }
}

extension GrayImage {
    /// Left and right exchanged.
    package func mirrored() -> GrayImage {
        var result = self
        for y in 0..<height {
            for x in 0..<width { result.pixels[y * width + x] = pixels[y * width + width - 1 - x] }
        }
        return result
    }
}
