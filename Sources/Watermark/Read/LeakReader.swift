/// What was leaked: a PDF, or pictures of pages.
package enum Leak: Sendable {
    case document([UInt8])
    case pictures([GrayImage])
}

extension Leak {
    /// One PDF, or pictures of pages in the order given.
    package init(files: [[UInt8]]) throws(WatermarkError) {
        if files.count == 1, let only = files.first, !ImageDecoder.isImage(only) {
            self = .document(only)
            return
        }
        var pictures: [GrayImage] = []
        for file in files { pictures.append(try ImageDecoder.decode(file)) }
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
    }

    package var path: Path
    /// Both from 0.
    package var originalPage: Int
    package var leakPage: Int
    package var words: Int
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
    private let original: [UInt8]
    package let layout: TextLayout
    private let amplitude: Double

    package init(original: [UInt8], amplitude: Double = WordShift.amplitude) throws(WatermarkError) {
        self.original = original
        self.amplitude = amplitude
        layout = try LayoutReader.read(PDFDocument(original))
    }

    package enum Path: Sendable {
        /// What the file says: quick, and nothing where the leak is pictures.
        case structure
        /// Pictures of its pages, rendered where it is a file.
        case pictures
    }

    /// More pages of a leak than these are not rendered.
    private static let mostRendered = 40

    /// Nothing measured gives no alternatives.
    package func read(_ leak: Leak, by path: Path) throws(WatermarkError) -> LeakReading {
        var reading = LeakReading()
        switch (leak, path) {
        case (.pictures, .structure): break
        case (.pictures(let pictures), .pictures): try readPictures(pictures, into: &reading)
        case (.document(let bytes), .structure):
            readStructure(try LayoutReader.read(PDFDocument(bytes)), into: &reading)
        case (.document(let bytes), .pictures):
            let last = min(try PDFDocument(bytes).pageCount, Self.mostRendered) - 1
            try readPictures(try PageRenderer(bytes).render(0...last, dotsPerInch: 150), into: &reading)
        }
        return reading
    }

    private func readStructure(_ leak: TextLayout, into reading: inout LeakReading) {
        let pages = StructuralReader.read(leak, original: layout, amplitude: amplitude)
        guard !pages.isEmpty else { return }
        for page in pages {
            reading.pages.append(
                PageEvidence(
                    path: .structure, originalPage: page.originalPage, leakPage: page.leakPage, words: page.displacements.count))
        }
        reading.alternatives.append(Self.observations(pages.flatMap { Trend.withoutMean($0.displacements) }))
        reading.alternatives.append(
            Self.observations(pages.flatMap { Trend.withoutSurface($0.displacements, reach: 8, local: true) }))
    }

    private func readPictures(_ pictures: [GrayImage], into reading: inout LeakReading) throws(WatermarkError) {
        let reader = try RasterReader(original: original, layout: layout, amplitude: amplitude)
        var plain: [Displacement] = []
        var local: [Displacement] = []
        for (index, picture) in pictures.enumerated() {
            guard let page = try reader.read(picture, pages: [index]) else { continue }
            reading.pages.append(
                PageEvidence(
                    path: .picture, originalPage: page.originalPage, leakPage: index, words: page.displacements.count))
            plain += Trend.withoutSurface(page.displacements, reach: 6, local: false)
            local += Trend.withoutSurface(page.displacements, reach: 6, local: true)
        }
        guard !plain.isEmpty else { return }
        reading.alternatives.append(Self.observations(plain))
        reading.alternatives.append(Self.observations(local))
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
