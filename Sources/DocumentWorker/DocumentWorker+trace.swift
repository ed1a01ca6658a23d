extension DocumentWorker {
    /// More pages of a leak than these are not looked at as pictures, and more of an original than these not recognised.
    private static let mostLeaked = 40
    private static let mostRecognised = 200
    /// Of few pictures, every page that each may be is rendered; of many, the likeliest.
    private static let fewPictures = 8

    /// The copy that a leak comes from: one PDF, or PNG and JPEG pictures of pages.
    ///
    /// By what a PDF says first. Where that does not tell, or there are pictures only, by pictures of pages: a confined renderer
    /// makes them of a leaked PDF and of the originals that look like it, and a worker measures. Nobody certain enough is an empty
    /// ``TraceReport/accused``, not an error. Takes seconds; memory and time of each step are what ``Configuration/limits`` says times
    /// four. At most 100 originals.
    package func trace(_ leak: [DocumentSource], among originals: [TracedOriginal]) async throws(WorkerError) -> TraceReport {
        guard !leak.isEmpty, leak.count <= 64, originals.count <= 100 else {
            throw .refused("A leak is one PDF or up to 64 pictures, and is held against up to 100 originals at a time.")
        }
        guard let first = leak.first, try InputFiles.begins(first, with: Array("%PDF-".utf8)) else {
            return try await traceByPictures(leak, among: originals)
        }
        guard leak.count == 1 else { throw .refused("A leak is one PDF or several pictures. Trace one PDF after the other.") }
        let copies = originals.map { TracedCopies(markingSecret: $0.markingSecret, versions: $0.versions) }
        let answer = try await run(.trace(copies), leak + originals.map(\.document))
        guard case .trace(let structural) = answer else { throw .crashed(signal: 0) }
        guard structural.accused.isEmpty, !originals.isEmpty else { return structural }
        let pages = try OutputFile()
        do {
            try await render(first, 0...(Self.mostLeaked - 1), dotsPerInch: 150, to: pages.descriptor)
        } catch {
            // What can be said without pictures stands, unless the leak made the renderer die.
            guard !error.isSuspicious, error != .busy else { throw error }
            return structural
        }
        var pictorial = try await traceByPictures([.descriptor(pages.descriptor)], among: originals)
        if pictorial.accused.isEmpty, pictorial.words < structural.words { return structural }
        pictorial.tokens = structural.tokens
        return pictorial
    }

    /// Writes what a document looks like, small: by it ``trace(_:among:)`` finds the original of pictures.
    package func fingerprint(_ document: DocumentSource, to destination: DocumentDestination) async throws(WorkerError) {
        let pages = try OutputFile()
        try await render(document, 0...(Self.mostRecognised - 1), dotsPerInch: 100, to: pages.descriptor)
        var output = try OutputFile(destination)
        guard case .done = try await run(.fingerprint, [.descriptor(pages.descriptor)], output: output.descriptor),
            output.size > 0
        else { throw .crashed(signal: 0) }
        try output.commit()
    }

    /// Appends pages as pictures, as far as there are so many.
    private func render(
        _ document: DocumentSource, _ pages: ClosedRange<Int>, dotsPerInch: Double, to output: Int32
    ) async throws(WorkerError) {
        let range = RenderedRange(first: pages.lowerBound, last: pages.upperBound, dotsPerInch: dotsPerInch)
        guard case .done = try await run(.render(range), [document], output: output) else { throw .crashed(signal: 0) }
    }

    private func traceByPictures(
        _ pictures: [DocumentSource], among originals: [TracedOriginal]
    ) async throws(WorkerError) -> TraceReport {
        var best = TraceReport(
            original: nil, accused: [], tokens: [], pages: [], words: 0, decoys: 0, highestDecoyScore: 0, isCalibrated: true)
        // One original that cannot be rendered says nothing of the others; it is told when none of them answers.
        var failure: WorkerError?
        var known: [(index: Int, fingerprint: DocumentSource)] = []
        var held: [FingerprintFile] = []
        for (index, original) in originals.enumerated() {
            do {
                let file = try await fingerprint(of: original)
                held.append(file)
                known.append((index, file.source))
            } catch {
                guard error.isOfDocument else { throw error }
                failure = error
            }
        }
        guard !known.isEmpty else {
            if let failure { throw failure }
            return best
        }
        let answer = try await run(.identify(pictures: pictures.count), pictures + known.map(\.fingerprint))
        guard case .matches(let matches) = answer else { throw .crashed(signal: 0) }
        for match in matches where known.indices.contains(match.original) {
            let index = known[match.original].index
            do {
                var report = try await measure(pictures, match, of: originals[index], among: originals.count)
                report.original = report.original.map { _ in index }
                if !report.accused.isEmpty { return report }
                if report.words > best.words { best = report }
            } catch {
                guard error.isOfDocument else { throw error }
                failure = error
            }
        }
        if best.original == nil, let failure { throw failure }
        return best
    }

    private func measure(
        _ pictures: [DocumentSource], _ match: PictureMatch, of original: TracedOriginal, among originals: Int
    ) async throws(WorkerError) -> TraceReport {
        var match = match
        if match.pages.count > Self.fewPictures { match.pages = match.pages.map { Array($0.prefix(1)) } }
        let rendering = try OutputFile()
        var rendered: [Int] = []
        for range in Self.ranges(Set(match.pages.joined()).sorted()) {
            try await render(original.document, range, dotsPerInch: 170, to: rendering.descriptor)
            rendered += range
        }
        let copies = TracedCopies(markingSecret: original.markingSecret, versions: original.versions)
        let answer = try await run(
            .measure(copies, match, pictures: pictures.count, rendered: rendered, among: originals),
            pictures + [original.document, .descriptor(rendering.descriptor)])
        guard case .trace(let report) = answer else { throw .crashed(signal: 0) }
        return report
    }

    /// Neighbours together: most of a rendering of one page is starting the program.
    static func ranges(_ pages: [Int]) -> [ClosedRange<Int>] {
        var ranges: [ClosedRange<Int>] = []
        for page in pages {
            if let last = ranges.last, last.upperBound + 1 == page {
                ranges[ranges.count - 1] = last.lowerBound...page
            } else {
                ranges.append(page...page)
            }
        }
        return ranges
    }

    // MARK: - Fingerprints

    /// Where a fingerprint stands: under its name, or in memory for as long as this lives.
    private final class FingerprintFile {
        let source: DocumentSource
        private let memory: OutputFile?

        init(path: String) {
            source = .file(path)
            memory = nil
        }

        init(_ memory: consuming OutputFile) {
            source = .descriptor(memory.descriptor)
            self.memory = consume memory
        }
    }

    private func fingerprint(of original: TracedOriginal) async throws(WorkerError) -> FingerprintFile {
        guard let path = original.fingerprint else {
            let memory = try OutputFile()
            try await fingerprint(original.document, to: .descriptor(memory.descriptor))
            return FingerprintFile(memory)
        }
        if !InputFiles.exists(path) {
            do {
                try await fingerprint(original.document, to: .file(path))
            } catch {
                // Another trace may have been faster.
                guard InputFiles.exists(path) else { throw error }
            }
        }
        return FingerprintFile(path: path)
    }
}

extension WorkerError {
    /// A matter of one document, not of the machine.
    fileprivate var isOfDocument: Bool {
        switch self {
        case .refused, .notFound, .invalidKey, .killed, .crashed, .violation: true
        case .busy, .unavailable: false
        }
    }
}
