/// What an original's pages look like, small enough to be kept for every document: for finding the original of a scan or a photo.
///
/// Per page a thumbnail, a perceptual hash of the whole; and points with descriptors, by which also cut-outs, turned and tilted pictures are
/// recognised. Made once from pages at ``PageResolution/preview``.
package struct DocumentFingerprint: Sendable {
    struct Page: Sendable {
        /// In pixels.
        var width, height: Int
        var thumbnail: Thumbnail
        var features: Features
    }

    /// Further pages are not recognised.
    package static let mostPages = 200
    /// 1,000 points of 36 bytes: 36 kB a page.
    private static let pointsPerScale = 300
    private static let mostPoints = 1_000
    /// The smallest are for soft pictures, which have no corners at any other; a page of text has points enough before them.
    static let scales = [1.0, 0.72, 0.5, 0.35, 0.25, 0.18]

    private(set) var pages: [Page] = []

    package init() {}

    package mutating func add(_ page: GrayImage) {
        guard pages.count < Self.mostPages else { return }
        let features = Features(page, scales: Self.scales, most: Self.pointsPerScale)
        pages.append(
            Page(
                width: page.width, height: page.height, thumbnail: Thumbnail(page),
                features: Features(points: Array(features.points.prefix(Self.mostPoints)))))
    }

    mutating func append(_ page: Page) { pages.append(page) }

    /// Of all pictures that stand in `bytes` one behind the other, each held in memory only while it is looked at.
    package init(rendered bytes: [UInt8]) {
        var position = 0
        while let (image, end) = PortableGrayMap.read(bytes, from: position) {
            add(image)
            position = end
        }
    }
}

/// The brightness of 32 × 32 parts of a page.
struct Thumbnail: Sendable, Equatable {
    static let side = 32
    private(set) var values: [UInt8]

    init(_ image: GrayImage) {
        values = []
        for row in 0..<Self.side {
            for column in 0..<Self.side {
                let rows = Self.range(row, of: image.height)
                let columns = Self.range(column, of: image.width)
                var sum: Float = 0
                for y in rows {
                    for x in columns { sum += image.pixels[y * image.width + x] }
                }
                values.append(UInt8(min(max(sum / Float(max(rows.count * columns.count, 1)), 0), 255)))
            }
        }
    }

    init?(values: some Sequence<UInt8>) {
        self.values = Array(values)
        guard self.values.count == Self.side * Self.side else { return nil }
    }

    var image: GrayImage { GrayImage(width: Self.side, height: Self.side, pixels: values.map { Float($0) }) }

    private static func range(_ index: Int, of length: Int) -> Range<Int> {
        let start = index * length / side
        return start..<max(start, (index + 1) * length / side)
    }

    /// Correlation, 1 at best; 0 where one of both is flat.
    func likeness(_ other: Thumbnail) -> Double {
        let count = Double(values.count)
        var (sumA, sumB, sumAA, sumBB, sumAB) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (first, second) in zip(values, other.values) {
            let (a, b) = (Double(first), Double(second))
            sumA += a
            sumB += b
            sumAA += a * a
            sumBB += b * b
            sumAB += a * b
        }
        let (varianceA, varianceB) = (sumAA - sumA * sumA / count, sumBB - sumB * sumB / count)
        guard varianceA > count, varianceB > count else { return 0 }
        return (sumAB - sumA * sumB / count) / (varianceA * varianceB).squareRoot()
    }
}
