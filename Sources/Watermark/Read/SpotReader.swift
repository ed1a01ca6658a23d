/// Reads pictures of a leak's pages against the pictures that an original's pages show, and were marked.
struct SpotReader {
    private let document: PDFDocument
    private let layout: TextLayout
    private let pictures: DocumentPictures
    private let digest: [UInt8]

    /// More pictures of a leak than these add nothing that is not certain already.
    private static let mostReadings = 12
    /// Pictures on one page that are looked for, the largest first.
    private static let mostOnPage = 4

    /// What was seen of a document's pictures.
    struct Reading {
        var observations: [Observation] = []
        /// The pictures that spoke, in the order of their places in ``observations``.
        var marks: [(picture: Int, mark: ImageMark)] = []
        var pages: [PageEvidence] = []
    }

    init(_ original: [UInt8], _ layout: TextLayout) throws(WatermarkError) {
        document = try PDFDocument(original)
        self.layout = layout
        pictures = DocumentPictures(document, layout)
        digest = WordShiftMethod.digest(original)
    }

    /// - Parameter candidates: for each picture of the leak the pages that it may be, the likeliest first.
    func read(_ leaks: [GrayImage], candidates: [[Int]]) throws(WatermarkError) -> Reading {
        guard !pictures.marked.isEmpty else { return Reading() }
        var readers = MadeOnce<PictureReader>()
        var seen: [(leak: Int, page: Int, picture: Int, observations: [Observation])] = []
        for (index, leak) in leaks.enumerated() where index < candidates.count && seen.count < Self.mostReadings {
            var found: (page: Int, picture: Int, observations: [Observation])?
            for isMirrored in [false, true] where found == nil && candidates[index].contains(where: { !shown(on: $0).isEmpty }) {
                let view = PictureReader.View(isMirrored ? leak.mirrored() : leak)
                for page in candidates[index] where found == nil {
                    for picture in shown(on: page) {
                        guard let reader = readers.value(of: picture, make: newReader),
                            let observations = reader.read(view, placements: placements(picture, page, reader, leak)),
                            observations.count > found?.observations.count ?? 0
                        else { continue }
                        found = (page, picture, observations)
                    }
                }
            }
            if let found { seen.append((index, found.page, found.picture, found.observations)) }
        }
        return join(seen, readers.made)
    }

    /// Nil for a picture that is damaged: it was not marked.
    private func newReader(_ picture: Int) -> PictureReader? {
        try? PictureReader(pictures.pixels(picture, in: document))
    }

    private func shown(on page: Int) -> [Int] {
        let here = pictures.marked.filter { pictures.pictures[$0].places.contains { $0.page == page } }
        return Array(here.sorted { pictures.pictures[$0].share > pictures.pictures[$1].share }.prefix(Self.mostOnPage))
    }

    /// Where the picture lies on the leak if that is the whole page.
    private func placements(_ picture: Int, _ page: Int, _ reader: PictureReader, _ leak: GrayImage) -> [Homography] {
        guard let matrix = pictures.pictures[picture].places.first(where: { $0.page == page })?.matrix,
            layout.pages.indices.contains(page)
        else { return [] }
        let content = layout.pages[page]
        let isTurned = content.rotation == 90 || content.rotation == 270
        let across = isTurned ? content.box.height : content.box.width
        let down = isTurned ? content.box.width : content.box.height
        let pixelsPerPoint = Double(leak.width) / across
        guard abs(pixelsPerPoint * down / Double(leak.height) - 1) < 0.02 else { return [] }
        let geometry = PageGeometry(content, dotsPerInch: 72 * pixelsPerPoint)
        let (width, height) = (Double(reader.reference.width), Double(reader.reference.height))
        let pairs = [(0.0, 0.0), (width, 0), (0, height), (width, height)].map { x, y in
            let point = matrix.apply((x + 0.5) / width, 1 - (y + 0.5) / height)
            let pixel = geometry.pixel(point.x, point.y)
            return Homography.Pair(fromX: x, fromY: y, toX: pixel.x - 0.5, toY: pixel.y - 0.5)
        }
        return Homography.fit(pairs, projective: false).map { [$0] } ?? []
    }

    /// One observation per place: what several leaked pictures show of the same spot is averaged, or it would count twice.
    private func join(
        _ seen: [(leak: Int, page: Int, picture: Int, observations: [Observation])], _ readers: [Int: PictureReader]
    ) -> Reading {
        var reading = Reading()
        var offset = 0
        for picture in Set(seen.map(\.picture)).sorted() {
            guard let mark = readers[picture]?.mark else { continue }
            var sums = [Int: (sum: Double, count: Double)]()
            for observation in seen.filter({ $0.picture == picture }).flatMap(\.observations) {
                let known = sums[observation.place] ?? (0, 0)
                sums[observation.place] = (known.sum + observation.value, known.count + 1)
            }
            reading.observations += sums.keys.sorted().compactMap { place in
                sums[place].map { Observation(place: offset + place, value: $0.sum / $0.count) }
            }
            reading.marks.append((picture, mark))
            for one in seen where one.picture == picture {
                reading.pages.append(
                    PageEvidence(
                        path: .spots, originalPage: one.page, leakPage: one.leak, words: one.observations.count,
                        displacements: displacements(one, mark, offset)))
            }
            offset += mark.places
        }
        reading.pages.sort { $0.leakPage < $1.leakPage }
        return reading
    }

    /// Spots where they stand on their page, the clearest first.
    private func displacements(
        _ seen: (leak: Int, page: Int, picture: Int, observations: [Observation]), _ mark: ImageMark, _ offset: Int
    ) -> [Displacement] {
        guard let matrix = pictures.pictures[seen.picture].places.first(where: { $0.page == seen.page })?.matrix else {
            return []
        }
        let geometry = PageGeometry(layout.pages[seen.page], dotsPerInch: 72)
        return seen.observations.sorted { abs($0.value) > abs($1.value) }.prefix(EvidencePage.mostWords).map { spot in
            let column = Double(spot.place % mark.columns) + 0.5
            let row = Double(spot.place / mark.columns) + 0.5
            let point = matrix.apply(column * mark.cell / Double(mark.width), 1 - row * mark.cell / Double(mark.height))
            let (x, y) = geometry.pixel(point.x, point.y)
            return Displacement(place: offset + spot.place, x: x, y: y, value: spot.value, weight: 1)
        }
    }

    func code(_ reading: Reading, _ markingSecret: [UInt8]) throws(WatermarkError) -> JoinedCode {
        var parts: [VersionCode] = []
        for (picture, mark) in reading.marks {
            parts.append(
                try ImageMark.code(original: digest, picture: picture, places: mark.places, markingSecret: markingSecret))
        }
        return JoinedCode(parts)
    }
}
