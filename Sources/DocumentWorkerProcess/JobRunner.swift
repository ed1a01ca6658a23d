import Confinement
import DocumentWorker
import Glibc
import Watermark

/// Does one job, behind the walls.
struct JobRunner {
    let request: JobRequest
    let descriptors: [Int32]
    let surroundings: String
    let memory: PeakMemory

    func run() -> JobAnswer {
        do {
            return try answer()
        } catch {
            switch error.code {
            case .badInput where isShortOfMemory: return .failed(.memory, "")
            case .badInput, .other: return .failed(.refused, error.message)
            case .notFound: return .failed(.notFound, error.message)
            case .invalidKey: return .failed(.invalidKey, error.message)
            }
        }
    }

    private func answer() throws(WatermarkError) -> JobAnswer {
        switch request.job {
        case .methods: return .methods(WatermarkMethods.all.map { MarkMethod(name: $0.name, usage: $0.usage) })
        case .inspect: return .report(try report(try document(0)))
        case .embed(let mark): return try embed(mark)
        case .read(let method, let key): return .secret(try CopyMark.read(try document(0), method: method, key: key))
        case .trace(let originals): return .trace(try trace(originals))
        case .fingerprint: return try fingerprint()
        case .identify(let pictures): return .matches(try identify(pictures))
        case .measure(let copies, let match, let pictures, let rendered, let among):
            return .trace(try measure(copies, match, pictures, rendered, among))
        // Another program has taken this process's place by now.
        case .render: return .failed(.refused, "Pages are not rendered here.")
        case .probe(let probe), .probeRenderer(let probe):
            return ProbeRunner(descriptors: descriptors, surroundings: surroundings).run(probe)
        }
    }

    /// qpdf reports memory that it did not get as damage of the document; documents of people that are damaged need far less.
    private var isShortOfMemory: Bool { memory.bytes > request.limits.memory / 3 }

    func document(_ index: Int) throws(WatermarkError) -> [UInt8] {
        guard index < descriptors.count, index < request.sizes.count else { throw .badInput("There is no document.") }
        let size = request.sizes[index]
        var position = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while position < size {
                let got = pread(
                    descriptors[index], buffer.baseAddress?.advanced(by: position), size - position, position)
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { break }
                position += got
            }
            count = position
        }
        guard bytes.count == size else { throw .badInput("The document changed while it was read. Try again.") }
        return bytes
    }

    // MARK: - Jobs

    private func report(_ pdf: [UInt8]) throws(WatermarkError) -> DocumentReport {
        let survey = try DocumentSurvey(pdf)
        // Pages that were too large to be decoded count as empty. What needs 200 MB and is small was made for it.
        let isBomb = memory.bytes > max(200 << 20, 20 * pdf.count)
        return DocumentReport(
            size: pdf.count, sha256: DocumentDescription.digest(pdf), pages: survey.pages, isEncrypted: survey.isEncrypted,
            isLinearized: survey.isLinearized, isSigned: survey.isSigned, words: survey.words, hiddenWords: survey.hiddenWords,
            methods: survey.methods.map { name, applicability in
                DocumentReport.Method(
                    name: name, strength: DocumentReport.Method.Strength(rawValue: applicability.strength.rawValue) ?? .none,
                    words: applicability.carriers, notes: applicability.notes)
            },
            suspicions: survey.extras.map(Self.suspicion) + (isBomb ? [.bomb] : []))
    }

    private static func suspicion(_ extra: DocumentSurvey.Extra) -> DocumentReport.Suspicion {
        switch extra {
        case .polyglot: .polyglot
        case .script: .script
        case .launch: .launch
        case .attachment: .attachment
        case .automatic: .automatic
        case .localLink: .localLink
        case .submission: .submission
        case .formProgram: .formProgram
        case .media: .media
        }
    }

    private func embed(_ mark: Mark) throws(WatermarkError) -> JobAnswer {
        guard descriptors.count == 2 else { throw .badInput("There is no place for the copy.") }
        var digest = DocumentDigest()
        let isTraceable = try CopyMark(
            method: mark.method, secret: mark.secret, key: mark.key, position: mark.position, recipient: mark.intendedFor,
            tracing: mark.tracing.map { CopyMark.Tracing(version: $0.version, markingSecret: $0.markingSecret) }
        ).apply(to: try document(0)) { piece in
            digest.add(piece)
            piece.withUnsafeBytes { WorkerSocket.write($0, to: descriptors[1]) }
        }
        return .copy(MarkedCopy(size: digest.count, sha256: digest.hexadecimal, isTraceable: isTraceable))
    }
}
