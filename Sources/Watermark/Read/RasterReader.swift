/// Measures words on a picture of a page against the picture of the original's page.
///
/// Keeps what it made of the original's pages: one reader serves all pictures of one leak.
final class RasterReader {
    struct PageReading {
        var originalPage: Int
        var map: Homography
        var displacements: [Displacement]
        /// Points that fixed the picture to the page; 0 where it was taken to be the whole page.
        var inliers: Int
        /// Median correlation of words.
        var likeness: Double
        var dotsPerInch: Double
    }

    private let layout: TextLayout
    private let pictures: any PagePictures
    private let amplitude: Double
    private var previews: [Int: GrayImage] = [:]
    private var features: [Int: Features] = [:]

    private static let scales = [1.0, 0.72, 0.5, 0.35]
    private static let enoughInliers = 60

    init(_ pictures: any PagePictures, layout: TextLayout, amplitude: Double) {
        self.pictures = pictures
        self.layout = layout
        self.amplitude = amplitude
    }

    /// - Parameter candidates: the pages that it may be, the likeliest first.
    func read(_ picture: GrayImage, pages candidates: [Int]) throws(WatermarkError) -> PageReading? {
        guard picture.width >= 64, picture.height >= 64 else { return nil }
        let factor = min(1, 1400 / Double(max(picture.width, picture.height)))
        let small = picture.scaled(by: factor)
        let found = Features(small, scales: Self.scales, most: 700)
        var best: (page: Int, result: Registration.Result)?
        for page in candidates where layout.pages.indices.contains(page) && layout.pages[page].words.count >= 4 {
            guard let features = try pageFeatures(page), let result = Registration.find(features.matches(found)) else { continue }
            if result.inliers > best?.result.inliers ?? 0 { best = (page, result) }
            if result.inliers >= Self.enoughInliers { break }
        }
        if let best, let reading = try measure(picture, best.page, best.result.map.then(.scale(1 / factor)), best.result.inliers)
        {
            return reading
        }
        // A picture with too little to hold on to may still be a whole page.
        for page in candidates where layout.pages.indices.contains(page) {
            guard let preview = try self.preview(page) else { continue }
            let scale = Double(picture.width) / Double(preview.width)
            guard abs(scale / (Double(picture.height) / Double(preview.height)) - 1) < 0.02 else { continue }
            if let reading = try measure(picture, page, .scale(scale), 0) { return reading }
        }
        return nil
    }

    private func preview(_ page: Int) throws(WatermarkError) -> GrayImage? {
        if let known = previews[page] { return known }
        let made = try pictures.page(page)?.scaled(by: PageResolution.preview / PageResolution.measured)
        previews[page] = made
        return made
    }

    private func pageFeatures(_ page: Int) throws(WatermarkError) -> Features? {
        if let known = features[page] { return known }
        let made = try preview(page).map { Features($0, scales: Self.scales, most: 600) }
        features[page] = made
        return made
    }

    // MARK: - Measuring

    private func measure(
        _ picture: GrayImage, _ page: Int, _ coarse: Homography, _ inliers: Int
    ) throws(WatermarkError) -> PageReading? {
        guard let preview = try self.preview(page), let map = align(picture, page, preview, coarse) else { return nil }
        let scale = map.scale(atX: Double(preview.width) / 2, y: Double(preview.height) / 2)
        let dotsPerInch = min(max((PageResolution.preview * scale).rounded(), 72), PageResolution.measured)
        guard let reference = try pictures.page(page)?.scaled(by: dotsPerInch / PageResolution.measured) else { return nil }
        // Pixel centres stand at half coordinates on both sides.
        let ratio = PageResolution.preview / dotsPerInch
        let toPreview = Homography.similarity(ratio, 0, ratio / 2 - 0.5, ratio / 2 - 0.5)
        let whole = toPreview.then(map)
        let softened = 0.6
        let matcher = WordMatcher(
            reference: reference.blurred(softened),
            picture: Self.warp(picture, whole, width: reference.width, height: reference.height).blurred(softened))
        let geometry = PageGeometry(layout.pages[page], dotsPerInch: dotsPerInch)
        let regions = layout.pages[page].words.compactMap {
            WordRegion($0, geometry, amplitude: amplitude, limitX: reference.width, limitY: reference.height)
        }
        let starts = Self.starts(regions, matcher, radius: 2)
        var displacements: [Displacement] = []
        var likenesses: [Double] = []
        for (region, start) in zip(regions, starts) {
            guard let start, let match = matcher.refine(region, from: (start.dx, start.dy)) else { continue }
            let along = match.dx * region.directionX + match.dy * region.directionY
            let variance =
                match.varianceX * region.directionX * region.directionX + match.varianceY * region.directionY * region.directionY
            let relative = variance / (region.amplitude * region.amplitude)
            likenesses.append(start.likeness)
            displacements.append(
                Displacement(
                    place: region.place, x: region.pointX, y: region.pointY, value: along / region.amplitude,
                    weight: 1 / (0.3 + min(relative, 100))))
        }
        guard displacements.count >= 8 else { return nil }
        return PageReading(
            originalPage: page, map: map, displacements: displacements, inliers: inliers, likeness: Trend.median(likenesses),
            dotsPerInch: dotsPerInch)
    }

    /// Each word's shift to the pixel, kept near to what its neighbours show: lines look alike, and a word may lock to the next one.
    private static func starts(_ regions: [WordRegion], _ matcher: WordMatcher, radius: Int) -> [WordMatcher.Match?] {
        let first = regions.map { region in
            matcher.search(region, radius: radius + 1).flatMap { $0.likeness > 0.45 ? $0 : nil }
        }
        let middleX = Trend.median(first.compactMap { $0?.dx })
        let middleY = Trend.median(first.compactMap { $0?.dy })
        return first.map { match in
            guard let match, abs(match.dx - middleX) <= 3, abs(match.dy - middleY) <= 3 else { return nil }
            return match
        }
    }

    /// The coarse map, corrected by where words are found; nil where too few are.
    private func align(_ picture: GrayImage, _ page: Int, _ preview: GrayImage, _ coarse: Homography) -> Homography? {
        let geometry = PageGeometry(layout.pages[page], dotsPerInch: PageResolution.preview)
        let regions = layout.pages[page].words.compactMap {
            WordRegion($0, geometry, amplitude: amplitude, limitX: preview.width, limitY: preview.height)
        }
        let reference = preview.blurred(0.7)
        var map = coarse
        for radius in [6, 4, 2] {
            let warped = Self.warp(picture, map, width: preview.width, height: preview.height).blurred(0.7)
            let matcher = WordMatcher(reference: reference, picture: warped)
            var pairs: [Homography.Pair] = []
            for region in regions {
                guard let match = matcher.search(region, radius: radius), match.likeness > 0.5 else { continue }
                let target = map.apply(region.centreX + match.dx, region.centreY + match.dy)
                pairs.append(
                    Homography.Pair(
                        fromX: region.centreX, fromY: region.centreY, toX: target.x, toY: target.y, weight: match.likeness))
            }
            guard pairs.count >= 8 else { return nil }
            for tolerance in [1000.0, 4, 2, 1.5] {
                let scale = map.scale(atX: pairs[0].fromX, y: pairs[0].fromY)
                let near = pairs.filter { pair in
                    let (x, y) = map.apply(pair.fromX, pair.fromY)
                    return max(abs(x - pair.toX), abs(y - pair.toY)) < tolerance * max(scale, 0.5)
                }
                // Few words do not determine the tilt.
                guard near.count >= 8, let better = Homography.fit(near, projective: near.count >= 40) else { break }
                map = better
            }
        }
        return map
    }

    /// The picture as it would lie on the page.
    static func warp(_ picture: GrayImage, _ map: Homography, width: Int, height: Int) -> GrayImage {
        let scale = map.scale(atX: Double(width) / 2, y: Double(height) / 2)
        // Finer pictures are averaged before they are sampled.
        let source = scale > 1.3 ? picture.blurred(0.4 * scale) : picture
        var pixels = [Float](repeating: 255, count: width * height)
        let (a, b, d, e, g, h) = (
            map.values[0], map.values[1], map.values[3], map.values[4], map.values[6], map.values[7]
        )
        for y in 0..<height {
            let row = Double(y)
            let (startX, startY) = (b * row + map.values[2], e * row + map.values[5])
            let startW = h * row + map.values[8]
            for x in 0..<width {
                let column = Double(x)
                let w = g * column + startW
                let safe = abs(w) < 1e-9 ? 1e-9 : w
                pixels[y * width + x] = source.sample((a * column + startX) / safe, (d * column + startY) / safe)
            }
        }
        return GrayImage(width: width, height: height, pixels: pixels)
    }
}
