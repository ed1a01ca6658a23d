/// A leak that was held against originals: which one it is of, and which copy.
package struct LeakTrace: Sendable {
    /// Index among the originals; nil where none was recognised.
    package var original: Int?
    package var verdict: Tracer.Verdict?
    package var pages: [PageEvidence]
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
    private struct Candidate {
        var index: Int
        var reader: LeakReader
        /// How much of the leak's text is in this original.
        var share: Double
    }

    /// Looks for the original by what the files say, then, where that does not decide, by pictures of pages; stops at the first copy
    /// that is accused, else reports the original of which most was read.
    ///
    /// An original that cannot be read is passed over: it is not the leak's.
    ///
    /// - Parameter paths: the ways of reading that are tried, in this order.
    package static func trace(
        _ leak: Leak, among originals: [IssuedDocument], decoys: Int = 400,
        by paths: [LeakReader.Path] = [.structure, .pictures]
    ) throws(WatermarkError) -> LeakTrace {
        var best = LeakTrace(original: nil, verdict: nil, pages: [], tokens: [])
        var text: Shingles?
        if case .document(let bytes) = leak {
            text = Shingles(try LayoutReader.read(PDFDocument(bytes)))
            for secret in Set(originals.map(\.markingSecret)) { best.tokens += try SealedTokenMethod.texts(bytes, key: secret) }
        }
        var candidates: [Candidate] = []
        for (index, original) in originals.enumerated() {
            do {
                let reader = try LeakReader(original: original.bytes, amplitude: original.amplitude)
                let share = text.map { $0.share(in: Shingles(reader.layout)) } ?? 0
                candidates.append(Candidate(index: index, reader: reader, share: share))
            } catch  where error.code == .badInput {
                continue
            }
        }
        candidates.sort { ($1.share, $0.index) < ($0.share, $1.index) }
        let tokens = best.tokens
        var mostWords = 0
        for path in paths {
            for candidate in candidates {
                let original = originals[candidate.index]
                let reading = try candidate.reader.read(leak, by: path)
                guard !reading.alternatives.isEmpty else { continue }
                let code = try WordShiftMethod.code(original.bytes, candidate.reader.layout, original.markingSecret)
                // Every original is a try, and so is every path.
                let verdict = try Tracer(code: code, decoys: decoys).trace(
                    reading, versions: original.versions, limit: Tracer.limit / Double(paths.count * originals.count))
                let found = LeakTrace(original: candidate.index, verdict: verdict, pages: reading.pages, tokens: tokens)
                if !verdict.accused.isEmpty { return found }
                if verdict.words > mostWords { (best, mostWords) = (found, verdict.words) }
            }
        }
        return best
    }
}
