/// Which original pictures may be of, and which of its pages each: by looks alone, before anything is measured.
package struct LeakMatch: Sendable, Equatable {
    /// Index among the fingerprints.
    package var original: Int
    /// Points that agree, over the pictures that were looked at; thumbnails that are alike count for a few.
    package var score: Int
    /// Per picture, counted from 0, the likeliest first; empty where none fits.
    package var pages: [[Int]]

    package init(original: Int, score: Int, pages: [[Int]]) {
        self.original = original
        self.score = score
        self.pages = pages
    }
}

extension LeakMatch {
    /// Fewer points agree between pages that have nothing in common but letters, as a rule: what is let through is measured, and says
    /// nothing then.
    private static let leastInliers = 8
    /// As many points leave no doubt.
    private static let certain = 60
    private static let leastLikeness = 0.8
    private static let mostOriginals = 3
    private static let pagesPerPicture = 3
    private static let sampledPictures = 3

    /// The likeliest originals, best first: three at most.
    package static func rank(_ pictures: [GrayImage], _ fingerprints: [DocumentFingerprint]) -> [LeakMatch] {
        let views = pictures.map(View.init)
        let samples = Set(
            [0, pictures.count / 2, pictures.count - 1].filter { pictures.indices.contains($0) }.prefix(sampledPictures))
        var found: [LeakMatch] = []
        for (index, fingerprint) in fingerprints.enumerated() {
            var match = LeakMatch(original: index, score: 0, pages: Array(repeating: [], count: pictures.count))
            for sample in samples.sorted() {
                let ranked = views[sample].pages(in: fingerprint)
                match.score += min(ranked.first?.score ?? 0, 3 * certain)
                match.pages[sample] = ranked.map(\.page)
            }
            if match.score > 0 { found.append(match) }
        }
        found.sort { ($1.score, $0.original) < ($0.score, $1.original) }
        return found.prefix(mostOriginals).map { match in
            var match = match
            for picture in pictures.indices where !samples.contains(picture) {
                // Leaked pages follow each other, as a rule.
                let expected = (match.pages[..<picture].last { !$0.isEmpty }?.first).map { $0 + 1 }
                match.pages[picture] = views[picture].pages(in: fingerprints[match.original], first: expected).map(\.page)
            }
            return match
        }
    }

    /// A picture of a leak, as it is compared with pages.
    private struct View {
        let width, height: Int
        let features: Features
        let thumbnail: Thumbnail
        let small: GrayImage

        init(_ picture: GrayImage) {
            let small = picture.scaled(by: min(1, 1_400 / Double(max(picture.width, picture.height, 1))))
            (width, height) = (small.width, small.height)
            features = Features(small, scales: DocumentFingerprint.scales, most: 400)
            thumbnail = Thumbnail(small)
            self.small = small.scaled(by: min(1, 256 / Double(max(small.width, small.height, 1))))
        }

        func pages(in fingerprint: DocumentFingerprint, first: Int? = nil) -> [(page: Int, score: Int)] {
            var found: [(page: Int, score: Int)] = []
            var order = Array(fingerprint.pages.indices)
            if let first, order.contains(first) {
                order.remove(at: first)
                order.insert(first, at: 0)
            }
            for page in order {
                let pairs = fingerprint.pages[page].features.matches(features)
                let inliers = Registration.find(pairs, least: leastInliers, tries: 1_000)?.inliers ?? 0
                if inliers > 0 { found.append((page, inliers)) }
                if inliers >= certain, first != nil { break }
            }
            if found.isEmpty { found = alike(fingerprint) }
            if found.isEmpty { found = partsAlike(fingerprint) }
            return Array(found.sorted { ($1.score, $0.page) < ($0.score, $1.page) }.prefix(pagesPerPicture))
        }

        /// Pages that look the same somewhere, from afar: for parts of soft pictures.
        private func partsAlike(_ fingerprint: DocumentFingerprint) -> [(page: Int, score: Int)] {
            fingerprint.pages.enumerated().compactMap { index, page in
                // Thumbnails are square whatever the page's proportions.
                let aspect = Double(height) / Double(max(width, 1)) * Double(page.width) / Double(max(page.height, 1))
                let whole = PartSearch(page.thumbnail.image)
                let likeness = whole.places(of: small, aspect: aspect, least: 8).first?.likeness ?? 0
                return likeness > Self.leastPartLikeness ? (index, 1) : nil
            }
        }

        private static let leastPartLikeness = 0.85

        /// Whole pages that look the same from afar: for those with too little to hold on to.
        private func alike(_ fingerprint: DocumentFingerprint) -> [(page: Int, score: Int)] {
            fingerprint.pages.enumerated().compactMap { index, page in
                let ratio = Double(page.width * height) / Double(max(page.height * width, 1))
                let likeness = abs(ratio - 1) < 0.02 ? page.thumbnail.likeness(thumbnail) : 0
                // 1 to 5: fewer than any points that agree.
                return likeness > leastLikeness ? (index, 1 + Int((likeness - leastLikeness) * 20)) : nil
            }
        }
    }
}
