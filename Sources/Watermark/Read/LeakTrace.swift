/// A leak that was held against originals: which one it is of, and which copy.
package struct LeakTrace: Sendable {
    /// Index among the originals; nil where none was recognised.
    package var original: Int?
    package var verdict: Tracer.Verdict?
    package var pages: [PageEvidence]
    /// The page that said most for the first copy that is accused, word by word.
    package var evidence: EvidencePage?
    /// Versions that tokens in the leak name. A hint: tokens can be moved from one copy to another.
    package var tokens: [String]
}

/// An original, the secret its copies are marked under, and the copies.
package struct IssuedDocument: Sendable {
    package var bytes: [UInt8]
    package var markingSecret: [UInt8]
    package var versions: [String]
    package var amplitude: Double

    package init(bytes: [UInt8], markingSecret: [UInt8], versions: [String], amplitude: Double = WordShift.amplitude) {
        self.bytes = bytes
        self.markingSecret = markingSecret
        self.versions = versions
        self.amplitude = amplitude
    }
}

extension LeakTrace {
    static let nothing = LeakTrace(original: nil, verdict: nil, pages: [], tokens: [])

    /// Ways of reading that are tried in all, each with every original: the bound on accusing an innocent pays for them.
    private static let ways = 3

    private static func limit(originals: Int) -> Double { Tracer.limit / Double(ways * max(originals, 1)) }

    private struct Candidate {
        var index: Int
        var reader: LeakReader
        /// How much of the leak's text is in this original.
        var share: Double
    }

    /// By what the files say: stops at the first copy that is accused, else reports the original of which most was read.
    ///
    /// An original that cannot be read is passed over: it is not the leak's.
    package static func trace(
        document leak: [UInt8], among originals: [IssuedDocument], decoys: Int = 400
    ) throws(WatermarkError) -> LeakTrace {
        var best = nothing
        let layout = try LayoutReader.read(PDFDocument(leak))
        for secret in Set(originals.map(\.markingSecret)) { best.tokens += try SealedTokenMethod.texts(leak, key: secret) }
        let text = Shingles(layout)
        var candidates: [Candidate] = []
        for (index, original) in originals.enumerated() {
            do {
                let reader = try LeakReader(original: original.bytes, amplitude: original.amplitude)
                candidates.append(Candidate(index: index, reader: reader, share: text.share(in: Shingles(reader.layout))))
            } catch  where error.code == .badInput {
                continue
            }
        }
        candidates.sort { ($1.share, $0.index) < ($0.share, $1.index) }
        let tokens = best.tokens
        for candidate in candidates {
            let reading = candidate.reader.read(layout)
            var found = try verdict(
                reading, candidate.reader, originals[candidate.index], limit: limit(originals: originals.count), decoys: decoys)
            found.original = candidate.index
            found.tokens = tokens
            if found.isDecided { return found }
            if found.words > best.words { best = found }
        }
        return best
    }

    /// By pictures of pages, against one original whose pages they seem to be.
    ///
    /// - Parameters:
    ///   - candidates: as ``LeakMatch/pages``.
    ///   - among: how many originals the leak was compared with to find this one.
    package static func trace(
        pictures: [GrayImage], candidates: [[Int]], of original: IssuedDocument, pages: any PagePictures, among originals: Int,
        decoys: Int = 400
    ) throws(WatermarkError) -> LeakTrace {
        let reader = try LeakReader(original: original.bytes, amplitude: original.amplitude)
        let reading = try reader.read(pictures: pictures, candidates: candidates, against: pages)
        let words = try verdict(reading, reader, original, limit: limit(originals: originals), decoys: decoys)
        if words.isDecided { return words }
        let spots = try verdict(
            of: pictures, candidates, reader.layout, original, limit: limit(originals: originals), decoys: decoys)
        return spots.isDecided || words.words == 0 ? spots : words
    }

    /// By spots of the pictures that the original's pages show.
    private static func verdict(
        of pictures: [GrayImage], _ candidates: [[Int]], _ layout: TextLayout, _ original: IssuedDocument, limit: Double,
        decoys: Int
    ) throws(WatermarkError) -> LeakTrace {
        let reader = try SpotReader(original.bytes, layout)
        let reading = try reader.read(pictures, candidates: candidates)
        guard !reading.observations.isEmpty else { return nothing }
        let code = try reader.code(reading, original.markingSecret)
        let verdict = try Tracer(code: code, decoys: decoys).trace(
            LeakReading(alternatives: [reading.observations]), versions: original.versions, limit: limit)
        var trace = LeakTrace(original: nil, verdict: verdict, pages: reading.pages, tokens: [])
        if let accused = verdict.accused.first {
            trace.evidence = EvidencePage(reading.pages, layout, signs: try code.signs(version: accused.version))
        }
        return trace
    }

    /// All of it, with renderings made here: by what the files say, then, where that does not decide, by pictures of pages.
    ///
    /// - Parameter fingerprint: the fingerprint of the original at an index, where it is known.
    package static func trace(
        _ leak: Leak, among originals: [IssuedDocument], decoys: Int = 400,
        fingerprint: ((Int, PageRenderer) throws(WatermarkError) -> DocumentFingerprint)? = nil
    ) throws(WatermarkError) -> LeakTrace {
        var best = nothing
        let pictures: [GrayImage]
        switch leak {
        case .pictures(let given): pictures = given
        case .document(let bytes):
            best = try trace(document: bytes, among: originals, decoys: decoys)
            if best.isDecided { return best }
            let last = min(try PDFDocument(bytes).pageCount, Leak.mostPictures) - 1
            pictures = try PageRenderer(bytes).render(0...last, dotsPerInch: PageResolution.leaked)
        }
        var renderers: [PageRenderer] = []
        var fingerprints: [DocumentFingerprint] = []
        for (index, original) in originals.enumerated() {
            let renderer = try PageRenderer(original.bytes)
            renderers.append(renderer)
            if let fingerprint {
                fingerprints.append(try fingerprint(index, renderer))
            } else {
                fingerprints.append(try renderer.fingerprint())
            }
        }
        for match in LeakMatch.rank(pictures, fingerprints) {
            var found = try trace(
                pictures: pictures, candidates: match.pages, of: originals[match.original], pages: renderers[match.original],
                among: originals.count, decoys: decoys)
            found.original = match.original
            found.tokens = best.tokens
            if found.isDecided { return found }
            if found.words > best.words { best = found }
        }
        return best
    }

    /// Whether a copy is accused.
    private var isDecided: Bool { verdict?.accused.isEmpty == false }

    private var words: Int { verdict?.words ?? 0 }

    private static func verdict(
        _ reading: LeakReading, _ reader: LeakReader, _ original: IssuedDocument, limit: Double, decoys: Int
    ) throws(WatermarkError) -> LeakTrace {
        guard !reading.alternatives.isEmpty else { return nothing }
        let code = try WordShiftMethod.code(original.bytes, reader.layout, original.markingSecret)
        let verdict = try Tracer(code: code, decoys: decoys).trace(reading, versions: original.versions, limit: limit)
        var trace = LeakTrace(original: nil, verdict: verdict, pages: reading.pages, tokens: [])
        if let accused = verdict.accused.first {
            trace.evidence = EvidencePage(reading.pages, reader.layout, signs: try code.signs(version: accused.version))
        }
        return trace
    }
}
