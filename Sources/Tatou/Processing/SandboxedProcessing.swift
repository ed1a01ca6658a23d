package import DocumentWorker

/// Documents read by workers: each in a process of its own that may do next to nothing.
package struct SandboxedProcessing: DocumentProcessing {
    private let worker: DocumentWorker

    package init(_ worker: DocumentWorker) { self.worker = worker }

    package func methods() async throws(ProcessingFailure) -> [MarkingMethod] {
        try await asked { worker async throws(WorkerError) in
            try await worker.methods().map { MarkingMethod(name: $0.name, usage: $0.usage) }
        }
    }

    package func inspect(_ file: StoredFile) async throws(ProcessingFailure) -> DocumentInspection {
        let report = try await asked(of: file) { worker, document async throws(WorkerError) in
            try await worker.inspect(document)
        }
        guard !report.suspicions.contains(.bomb) else {
            throw ProcessingFailure(
                .tooLarge, "The document decodes to far more than it is. Export it again from where it came from.")
        }
        return DocumentInspection(
            pages: report.pages, isSigned: report.isSigned,
            methods: report.methods.map {
                .init(name: $0.name, isApplicable: $0.isApplicable, strength: $0.strength.rawValue, notes: $0.notes)
            },
            isPolyglot: report.suspicions.contains(.polyglot),
            content: ContentFinding.allCases.filter { finding in report.suspicions.contains { ContentFinding($0) == finding } })
    }

    package func embed(
        _ order: MarkingOrder, in file: StoredFile, to destination: String
    ) async throws(ProcessingFailure) -> MarkedFile {
        let mark = Mark(
            method: order.method, secret: order.secret, key: order.key, intendedFor: order.intendedFor, position: order.position,
            tracing: .init(version: order.version, markingSecret: order.markingSecret))
        let copy = try await asked(of: file) { worker, document async throws(WorkerError) in
            try await worker.embed(mark, in: document, to: .file(destination))
        }
        return MarkedFile(size: copy.size, sha256: copy.sha256)
    }

    package func readSecret(_ file: StoredFile, method: String, key: String) async throws(ProcessingFailure) -> String {
        try await asked(of: file) { worker, document async throws(WorkerError) in
            try await worker.read(document, method: method, key: key)
        }
    }

    package func trace(
        _ file: StoredFile, among originals: [TraceableOriginal]
    ) async throws(ProcessingFailure) -> TraceVerdict {
        let traced = originals.map {
            TracedOriginal(
                document: .file($0.path), markingSecret: $0.markingSecret, versions: $0.versions, fingerprint: $0.fingerprintPath)
        }
        let report = try await asked(of: file) { worker, document async throws(WorkerError) in
            try await worker.trace([document], among: traced)
        }
        return TraceVerdict(
            isRecognised: report.original != nil,
            accused: report.accused.map {
                .init(version: $0.version, score: $0.score, falsePositiveBound: $0.falsePositiveBound)
            },
            pages: report.pages.map {
                .init(number: $0.leakPage + 1, words: $0.words, isPicture: $0.isPicture, isOfSpots: $0.isOfSpots)
            },
            decoys: report.decoys, highestDecoyScore: report.highestDecoyScore,
            evidence: report.evidence.map { page in
                .init(
                    number: page.leakPage + 1, width: page.width, height: page.height,
                    words: page.words.map { .init(x: $0.x, y: $0.y, agrees: $0.agrees) }, isOfSpots: page.isOfSpots)
            })
    }

    private func asked<Answer>(
        of file: StoredFile, _ work: (DocumentWorker, DocumentSource) async throws(WorkerError) -> Answer
    ) async throws(ProcessingFailure) -> Answer {
        // Its descriptor is closed with it.
        defer { withExtendedLifetime(file) {} }
        return try await asked { worker async throws(WorkerError) in try await work(worker, .descriptor(file.descriptor)) }
    }

    private func asked<Answer>(
        _ work: (DocumentWorker) async throws(WorkerError) -> Answer
    ) async throws(ProcessingFailure) -> Answer {
        do {
            return try await work(worker)
        } catch {
            throw ProcessingFailure(error)
        }
    }
}

extension ContentFinding {
    /// `nil` for what refuses a document whatever the policy.
    init?(_ suspicion: DocumentReport.Suspicion) {
        switch suspicion {
        case .polyglot, .bomb: return nil
        case .launch: self = .launch
        case .script: self = .script
        case .automatic: self = .automatic
        case .localLink: self = .localLink
        case .submission: self = .submission
        case .formProgram: self = .formProgram
        case .media: self = .media
        case .attachment: self = .attachment
        }
    }
}

extension ProcessingFailure {
    init(_ error: WorkerError) {
        let kind: Kind =
            switch error {
            case .refused: .refused
            case .notFound: .notFound
            case .invalidKey: .invalidKey
            case .killed(.cpu): .tooSlow
            // Time on the clock passes on a machine that has too much to do, too: nobody is accused for that.
            case .killed(.time): .busy
            case .killed(.memory), .killed(.output): .tooLarge
            case .crashed, .violation: .crashed
            case .busy: .busy
            case .unavailable: .unavailable
            }
        self.init(kind, error.description)
    }
}
