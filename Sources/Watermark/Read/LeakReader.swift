/// What was leaked: a PDF, or pictures of pages.
package enum Leak: Sendable {
    case document([UInt8])
    case pictures([GrayImage])
}

extension Leak {
    /// More pages of a leak than these are not looked at.
    package static let mostPictures = 40

    /// One PDF, or pictures of pages in the order given; pages that were rendered beforehand count as pictures.
    package init(files: [[UInt8]]) throws(WatermarkError) {
        if files.count == 1, let only = files.first, !ImageDecoder.isImage(only), !PortableGrayMap.isPicture(only) {
            self = .document(only)
            return
        }
        var pictures: [GrayImage] = []
        for file in files {
            if PortableGrayMap.isPicture(file) {
                pictures += PortableGrayMap.images(file, most: Self.mostPictures)
            } else {
                pictures.append(try ImageDecoder.decode(file))
            }
        }
        guard !pictures.isEmpty else { throw .badInput("There is no leak to trace. Give a PDF, or pictures of pages.") }
        self = .pictures(pictures)
    }
}

/// Where a leak was read, and how.
package struct PageEvidence: Sendable {
    package enum Path: String, Sendable {
        /// By the coordinates in the file.
        case structure
        /// By the picture of the page.
        case picture
        /// Spots of the pages' pictures, not their words.
        case spots
    }

    package var path: Path
    /// Both from 0.
    package var originalPage: Int
    package var leakPage: Int
    /// Words that were found, or spots.
    package var words: Int
    /// What was measured of each word, without what is common to its neighbours.
    var displacements: [Displacement] = []
}

/// Everything that was measured of a leak against one original: alternatives, each of which names copies on its own.
package struct LeakReading: Sendable {
    package var alternatives: [[Observation]] = []
    package var pages: [PageEvidence] = []

    package init(alternatives: [[Observation]] = [], pages: [PageEvidence] = []) {
        self.alternatives = alternatives
        self.pages = pages
    }
}

/// Reads a leak against its original.
package struct LeakReader {
    package let layout: TextLayout
    private let amplitude: Double

    package init(original: [UInt8], amplitude: Double = WordShift.amplitude) throws(WatermarkError) {
        self.amplitude = amplitude
        layout = try LayoutReader.read(PDFDocument(original))
    }

    /// By what the file says: quick, and nothing where its pages are pictures. Nothing measured gives no alternatives.
    package func read(document: [UInt8]) throws(WatermarkError) -> LeakReading {
        read(try LayoutReader.read(PDFDocument(document)))
    }

    func read(_ leak: TextLayout) -> LeakReading {
        var reading = LeakReading()
        readStructure(leak, into: &reading)
        return reading
    }

    /// By pictures of pages, held against the original's.
    ///
    /// - Parameter candidates: for each picture the pages that it may be, the likeliest first.
    package func read(
        pictures: [GrayImage], candidates: [[Int]], against pages: any PagePictures
    ) throws(WatermarkError) -> LeakReading {
        var reading = LeakReading()
        let reader = RasterReader(pages, layout: layout, amplitude: amplitude)
        var plain: [Displacement] = []
        var local: [Displacement] = []
        for (index, picture) in pictures.enumerated() where index < candidates.count {
            guard let page = try reader.read(picture, pages: candidates[index]) else { continue }
            plain += Trend.withoutSurface(page.displacements, reach: 6, local: false)
            let flattened = Trend.withoutSurface(page.displacements, reach: 6, local: true)
            local += flattened
            reading.pages.append(
                PageEvidence(
                    path: .picture, originalPage: page.originalPage, leakPage: index, words: page.displacements.count,
                    displacements: flattened))
        }
        guard !plain.isEmpty else { return reading }
        reading.alternatives = [Self.observations(plain), Self.observations(local)]
        return reading
    }

    private func readStructure(_ leak: TextLayout, into reading: inout LeakReading) {
        let pages = StructuralReader.read(leak, original: layout, amplitude: amplitude)
        guard !pages.isEmpty else { return }
        for page in pages {
            reading.pages.append(
                PageEvidence(
                    path: .structure, originalPage: page.originalPage, leakPage: page.leakPage, words: page.displacements.count,
                    displacements: Trend.withoutSurface(page.displacements, reach: 8, local: true)))
        }
        reading.alternatives.append(Self.observations(pages.flatMap { Trend.withoutMean($0.displacements) }))
        reading.alternatives.append(
            Self.observations(pages.flatMap { Trend.withoutSurface($0.displacements, reach: 8, local: true) }))
    }

    /// One observation per place: what was measured twice is averaged, or its evidence would count twice.
    private static func observations(_ displacements: [Displacement]) -> [Observation] {
        var sums: [Int: (value: Double, weight: Double)] = [:]
        for word in displacements {
            let clipped = min(max(word.value, -1.6), 1.6)
            let known = sums[word.place] ?? (0, 0)
            sums[word.place] = (known.value + clipped * word.weight, known.weight + word.weight)
        }
        return sums.keys.sorted().compactMap { place in
            guard let sum = sums[place], sum.weight > 0 else { return nil }
            return Observation(place: place, value: sum.value / sum.weight * min(1, sum.weight))
        }
    }
}
