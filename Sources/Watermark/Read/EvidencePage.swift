/// A page as a picture of what speaks for a copy: every word or spot that was found, and whether it is as in
/// this copy.
///
/// Of a copy that had no part in the leak about half of the words do, by chance.
package struct EvidencePage: Sendable, Equatable {
    package struct Word: Sendable, Equatable {
        /// In points from the top left corner of the page.
        package var x, y: Double
        package var agrees: Bool

        package init(x: Double, y: Double, agrees: Bool) {
            (self.x, self.y, self.agrees) = (x, y, agrees)
        }
    }

    /// Both from 0.
    package var leakPage: Int
    package var originalPage: Int
    /// In points, as the page is shown.
    package var width, height: Double
    package var words: [Word]
    /// Whether these are spots of a picture, and not words.
    package var isOfSpots: Bool

    package init(leakPage: Int, originalPage: Int, width: Double, height: Double, words: [Word], isOfSpots: Bool) {
        self.leakPage = leakPage
        self.originalPage = originalPage
        self.width = width
        self.height = height
        self.words = words
        self.isOfSpots = isOfSpots
    }
}

extension EvidencePage {
    /// A picture of more words shows no more.
    package static let mostWords = 2_000

    /// The page on which most words agree; nil where nothing was measured.
    init?(_ read: [PageEvidence], _ layout: TextLayout, signs: [Int8]) {
        let pages = read.compactMap { page -> EvidencePage? in
            guard layout.pages.indices.contains(page.originalPage) else { return nil }
            let original = layout.pages[page.originalPage]
            let isTurned = original.rotation == 90 || original.rotation == 270
            let words = page.displacements.prefix(Self.mostWords).compactMap { word -> Word? in
                guard signs.indices.contains(word.place), word.x.isFinite, word.y.isFinite, word.value.isFinite else {
                    return nil
                }
                return Word(x: word.x, y: word.y, agrees: (word.value > 0) == (signs[word.place] > 0))
            }
            return EvidencePage(
                leakPage: page.leakPage, originalPage: page.originalPage,
                width: isTurned ? original.box.height : original.box.width,
                height: isTurned ? original.box.width : original.box.height, words: words, isOfSpots: page.path == .spots)
        }
        guard let best = pages.max(by: { $0.agreeing - $0.words.count / 2 < $1.agreeing - $1.words.count / 2 }),
            !best.words.isEmpty
        else { return nil }
        self = best
    }

    package var agreeing: Int { words.count(where: \.agrees) }
}
