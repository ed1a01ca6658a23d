/// Measures words of a leaked PDF against the original by the coordinates that both files give.
///
/// Finds what kept the text as text: rewritten, repaired, printed to PDF, single pages. What was scaled, or turned into pictures or
/// outlines, is for the raster reader.
enum StructuralReader {
    /// Nearer than this many ems to its place, a word of the leak is the same word.
    private static let reach = 0.2
    private static let leastShare = 0.3

    struct PageReading {
        var originalPage: Int
        var leakPage: Int
        var displacements: [Displacement]
    }

    static func read(_ leak: TextLayout, original: TextLayout, amplitude: Double) -> [PageReading] {
        let indexes = original.pages.map(WordIndex.init)
        var readings: [PageReading] = []
        for (leakPage, page) in leak.pages.enumerated() where !page.words.isEmpty {
            // The page of the same number first: a copy of the whole is the usual case.
            var best: PageReading?
            let order = ([leakPage] + Array(original.pages.indices).filter { $0 != leakPage }).filter {
                indexes.indices.contains($0)
            }
            for candidate in order.prefix(2_000) {
                let found = match(page, original.pages[candidate], indexes[candidate], amplitude)
                let enough =
                    Double(found.count) >= leastShare * Double(min(page.words.count, original.pages[candidate].words.count))
                if enough, found.count > best?.displacements.count ?? 4 {
                    best = PageReading(originalPage: candidate, leakPage: leakPage, displacements: found)
                }
                if let best, 2 * best.displacements.count > page.words.count { break }
            }
            if let best { readings.append(best) }
        }
        return readings
    }

    private static func match(_ leak: PageLayout, _ original: PageLayout, _ index: WordIndex, _ amplitude: Double)
        -> [Displacement]
    {
        guard leak.rotation == original.rotation else { return [] }
        let scale = original.box.width / leak.box.width
        guard abs(scale - original.box.height / leak.box.height) < 0.01 * scale else { return [] }
        var found: [Displacement] = []
        for word in leak.words {
            let x = (word.x - leak.box.minX) * scale
            let y = (word.y - leak.box.minY) * scale
            guard let match = index.nearest(x, y, width: word.width * scale, reach: reach) else { continue }
            let place = original.words[match]
            let along =
                (x - (place.x - original.box.minX)) * place.directionX + (y - (place.y - original.box.minY)) * place.directionY
            found.append(
                Displacement(
                    place: place.carrier, x: place.x - original.box.minX, y: original.box.maxY - place.y,
                    value: along / (place.em * amplitude / 1000), weight: 1))
        }
        return found
    }
}

/// Words of a page by where they begin.
struct WordIndex {
    private let words: [PlacedWord]
    private let originX, originY: Double
    private var cells: [Int: [Int]] = [:]
    private static let cell = 8.0

    init(_ page: PageLayout) {
        words = page.words
        originX = page.box.minX
        originY = page.box.minY
        for (index, word) in words.enumerated() {
            cells[Self.key(word.x - originX, word.y - originY), default: []].append(index)
        }
    }

    private static func key(_ x: Double, _ y: Double) -> Int {
        let column = Int(max(-1e6, min(1e6, x / cell)).rounded(.down))
        let row = Int(max(-1e6, min(1e6, y / cell)).rounded(.down))
        return column &* 4_000_037 &+ row
    }

    /// The word that begins nearest to a point from the lower left corner of the page, and is about as wide.
    func nearest(_ x: Double, _ y: Double, width: Double, reach: Double) -> Int? {
        guard x.isFinite, y.isFinite else { return nil }
        var best: (index: Int, distance: Double)?
        for dx in -1...1 {
            for dy in -1...1 {
                for index in cells[Self.key(x + Double(dx) * Self.cell, y + Double(dy) * Self.cell)] ?? [] {
                    let word = words[index]
                    let distance = max(abs(word.x - originX - x), abs(word.y - originY - y))
                    guard distance < reach * word.em, abs(word.width - width) < 0.15 * word.em + 0.03 * width else { continue }
                    if distance < best?.distance ?? .infinity { best = (index, distance) }
                }
            }
        }
        return best?.index
    }
}
