import Confinement
import DocumentWorker
import Watermark

/// Steps of tracing a leak. What has to be rendered in between is rendered by ``Renderer``, in processes of its own.
extension JobRunner {
    /// By what the files say.
    func trace(_ originals: [TracedCopies]) throws(WatermarkError) -> TraceReport {
        guard descriptors.count == originals.count + 1 else { throw .badInput("There is no leak.") }
        var issued: [IssuedDocument] = []
        for (index, original) in originals.enumerated() {
            issued.append(
                IssuedDocument(
                    bytes: try document(index + 1), markingSecret: original.markingSecret, versions: original.versions))
        }
        return TraceReport(try LeakTrace.trace(document: try document(0), among: issued))
    }

    func fingerprint() throws(WatermarkError) -> JobAnswer {
        guard descriptors.count == 2 else { throw .badInput("There is no place for the fingerprint.") }
        WorkerSocket.write(DocumentFingerprint(rendered: try document(0)).encoded(), to: descriptors[1])
        return .done
    }

    func identify(_ pictures: Int) throws(WatermarkError) -> [PictureMatch] {
        var fingerprints: [DocumentFingerprint] = []
        for index in pictures..<max(pictures, descriptors.count) {
            // One that is damaged recognises nothing.
            fingerprints.append(DocumentFingerprint(encoded: try document(index)) ?? DocumentFingerprint())
        }
        return LeakMatch.rank(try leaked(pictures), fingerprints).map {
            PictureMatch(original: $0.original, score: $0.score, pages: $0.pages)
        }
    }

    func measure(
        _ copies: TracedCopies, _ match: PictureMatch, _ pictures: Int, _ rendered: [Int], _ among: Int
    ) throws(WatermarkError) -> TraceReport {
        guard descriptors.count == pictures + 2 else { throw .badInput("There is no original.") }
        let original = IssuedDocument(
            bytes: try document(pictures), markingSecret: copies.markingSecret, versions: copies.versions)
        var found = try LeakTrace.trace(
            pictures: try leaked(pictures), candidates: match.pages, of: original,
            pages: RenderedPages(try document(pictures + 1), pages: rendered), among: among)
        found.original = found.pages.isEmpty ? nil : 0
        return TraceReport(found)
    }

    private func leaked(_ count: Int) throws(WatermarkError) -> [GrayImage] {
        var files: [[UInt8]] = []
        for index in 0..<count { files.append(try document(index)) }
        guard case .pictures(let pictures) = try Leak(files: files) else {
            throw .badInput("The leak is neither a PDF document nor a PNG or JPEG picture. Convert it to one of them.")
        }
        return Array(pictures.prefix(64))
    }
}

extension TraceReport {
    fileprivate init(_ found: LeakTrace) {
        self.init(
            original: found.original,
            accused: (found.verdict?.accused ?? []).map {
                .init(version: $0.version, score: $0.score.z, falsePositiveBound: $0.falsePositiveBound)
            },
            tokens: found.tokens,
            pages: found.pages.map {
                .init(
                    leakPage: $0.leakPage, originalPage: $0.originalPage, words: $0.words, isPicture: $0.path != .structure,
                    isOfSpots: $0.path == .spots)
            },
            words: found.verdict?.words ?? 0, decoys: found.verdict?.decoys ?? 0,
            highestDecoyScore: found.verdict?.highestDecoy ?? 0, isCalibrated: found.verdict?.isCalibrated ?? true,
            evidence: found.evidence.map { page in
                .init(
                    leakPage: page.leakPage, originalPage: page.originalPage, width: page.width, height: page.height,
                    words: page.words.map {
                        .init(x: ($0.x * 10).rounded() / 10, y: ($0.y * 10).rounded() / 10, agrees: $0.agrees)
                    }, isOfSpots: page.isOfSpots)
            })
    }
}
