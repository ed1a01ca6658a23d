import Foundation
import Testing

@testable import DocumentWorker

@Suite struct JobTests {
    private let worker: DocumentWorker = {
        var configuration = DocumentWorker.Configuration()
        configuration.spareProcesses = 0
        // Keys are derived slowly on purpose: without optimisation, on a busy machine, for longer than is allowed elsewhere.
        configuration.limits.cpuSeconds = 120
        configuration.limits.seconds = 3_600
        return DocumentWorker(configuration)
    }()
    private let document = Documents.text(pages: 2)

    private func temporary() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("job-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A marked copy, through a file.
    private func copy(_ mark: Mark, of document: DocumentSource) async throws -> (bytes: [UInt8], copy: MarkedCopy) {
        let folder = try temporary()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("copy.pdf")
        let copy = try await worker.embed(mark, in: document, to: .file(file.path))
        return ([UInt8](try Data(contentsOf: file)), copy)
    }

    @Test func methodsHaveNamesAndWords() async throws {
        let methods = try await worker.methods()
        #expect(methods.map(\.name) == ["word-shift", "image-spread", "sealed-token", "robust-xmp", "visible-stamp", "toy-eof"])
        #expect(methods.allSatisfy { $0.usage.count > 40 })
    }

    @Test func reportsSayWhatADocumentCanCarry() async throws {
        let report = try await worker.inspect(.bytes(document))
        #expect(report.pages == 2)
        #expect(report.size == document.count)
        #expect(report.words == 880)
        #expect(!report.isEncrypted && !report.isSigned && !report.isLinearized)
        #expect(report.suspicions == [])
        let shift = try #require(report.methods.first { $0.name == "word-shift" })
        #expect(shift.strength == .strong && shift.words == 880)
        #expect(shift.notes.contains { $0.contains("OCR") })
    }

    @Test func signedDocumentsAreToldAndRefused() async throws {
        let signed = Documents.file(
            Documents.textObjects(catalog: "/AcroForm << /Fields [90 0 R] >>") + [
                (90, "<< /FT /Sig /T (s) /V << /Type /Sig /Filter /Adobe.PPKLite >> >>")
            ])
        let report = try await worker.inspect(.bytes(signed))
        #expect(report.isSigned)
        #expect(report.methods.allSatisfy { !$0.isApplicable && !$0.notes.isEmpty })
        await #expect(
            throws: WorkerError.refused(
                "The document is signed, and any mark would break its signature. Mark a copy without signature.")
        ) {
            try await copy(Mark(method: "robust-xmp", secret: "s", key: "k"), of: .bytes(signed))
        }
    }

    @Test(arguments: HostileDocuments.polyglots) func polyglotsAreTold(_ hostile: HostileDocuments.Case) async throws {
        #expect(try await worker.inspect(.bytes(hostile.bytes)).suspicions.contains(.polyglot))
    }

    @Test(arguments: ["word-shift", "image-spread", "sealed-token", "robust-xmp", "toy-eof"], [false, true])
    func secretsComeBack(_ method: String, _ isTraced: Bool) async throws {
        let marksPictures = method == "image-spread"
        let document = try marksPictures ? Documents.scan() : self.document
        let tracing = isTraced ? Mark.Tracing(version: "v1", markingSecret: [UInt8](repeating: 7, count: 32)) : nil
        let mark = Mark(method: method, secret: "für Jürgen ✓", key: "correct horse", tracing: tracing)
        let (bytes, copy) = try await copy(mark, of: .bytes(document))
        // A picture may come out smaller than it was; everything else is added to.
        #expect(bytes.count == copy.size && (marksPictures || bytes.count >= document.count))
        #expect(copy.isTraceable == (isTraced || marksPictures || method == "word-shift"))
        #expect(try await worker.inspect(.bytes(bytes)).sha256 == copy.sha256)
        #expect(try await worker.read(.bytes(bytes), method: method, key: "correct horse") == "für Jürgen ✓")
        await #expect { try await worker.read(.bytes(bytes), method: method, key: "wrong") } throws: {
            ($0 as? WorkerError)?.reason == "invalid_key"
        }
        await #expect { try await worker.read(.bytes(document), method: method, key: "correct horse") } throws: {
            ($0 as? WorkerError)?.reason == "not_found"
        }
    }

    @Test func leaksAreTracedToTheirCopyAndOriginalsToNobody() async throws {
        let marking = [UInt8](repeating: 7, count: 32)
        let versions = (0..<20).map { "copy \($0)" }
        let mark = Mark(
            method: "word-shift", secret: "s", key: "k", tracing: .init(version: versions[13], markingSecret: marking))
        let (leak, _) = try await copy(mark, of: .bytes(document))
        let other = TracedOriginal(
            document: .bytes(Documents.text(pages: 1, words: 9)), markingSecret: [UInt8](repeating: 8, count: 32),
            versions: ["stranger"])
        let original = TracedOriginal(document: .bytes(document), markingSecret: marking, versions: versions)
        let report = try await worker.trace([.bytes(leak)], among: [other, original])
        #expect(report.original == 1 && report.accused.map(\.version) == ["copy 13"])
        #expect(report.accused.allSatisfy { $0.falsePositiveBound <= 1e-9 && $0.score > report.highestDecoyScore })
        #expect(report.tokens.contains("copy 13") && report.isCalibrated && report.decoys > 0)
        #expect(report.pages.map(\.leakPage) == [0, 1] && report.pages.allSatisfy { $0.words > 300 && !$0.isPicture })
        #expect(try await worker.trace([.bytes(document)], among: [other, original]).accused.isEmpty)
        let evidence = try #require(report.evidence)
        #expect(evidence.words.count > 300 && evidence.words.count { $0.agrees } > evidence.words.count * 9 / 10)
        await #expect {
            try await worker.trace([.bytes(leak), .bytes(leak)], among: [original])
        } throws: {
            ($0 as? WorkerError)?.reason == "refused"
        }
    }

    @Test func rangesOfPagesAreRenderedTogether() {
        #expect(DocumentWorker.ranges([]) == [])
        #expect(DocumentWorker.ranges([0, 1, 2, 5, 7, 8]) == [0...2, 5...5, 7...8])
    }

    /// What started a worker may be large: its memory is not the document's.
    @Test func aLargeServerMakesNoDocumentLarge() async throws {
        let ballast = [UInt8](repeating: 1, count: 600 << 20)
        #expect(try await worker.inspect(.bytes(document)).suspicions == [])
        #expect(ballast[ballast.count / 2] == 1)
    }

    @Test func stampsShowWhomTheCopyIsFor() async throws {
        let mark = Mark(method: "visible-stamp", secret: "hidden-secret", key: "k", intendedFor: "For Alice only")
        let (bytes, _) = try await copy(mark, of: .bytes(document))
        #expect(!String(decoding: bytes, as: UTF8.self).contains("hidden-secret"))
        await #expect { try await worker.read(.bytes(bytes), method: "visible-stamp", key: "k") } throws: {
            ($0 as? WorkerError)?.reason == "not_found"
        }
    }

    @Test(arguments: [
        Mark(method: "word-shift", secret: "", key: "k"), Mark(method: "no-such-method", secret: "s", key: "k"),
        Mark(method: "sealed-token", secret: String(repeating: "s", count: 321), key: "k"),
    ])
    func marksThatMakeNoSenseAreRefused(_ mark: Mark) async {
        await #expect { try await copy(mark, of: .bytes(document)) } throws: { ($0 as? WorkerError)?.reason == "refused" }
    }

    @Test(arguments: ["", String(repeating: "k", count: 5_000)]) func keysThatAreNoneAreInvalid(_ key: String) async {
        await #expect { try await copy(Mark(method: "sealed-token", secret: "s", key: key), of: .bytes(document)) } throws: {
            ($0 as? WorkerError)?.reason == "invalid_key"
        }
    }

    @Test func documentsWithTooFewWordsAreRefusedByWordShiftOnly() async throws {
        let sparse = Documents.text(words: 0)
        await #expect { try await copy(Mark(method: "word-shift", secret: "s", key: "k"), of: .bytes(sparse)) } throws: {
            ($0 as? WorkerError)?.reason == "refused"
        }
        let tracing = Mark.Tracing(version: "v", markingSecret: [UInt8](repeating: 7, count: 32))
        let mark = Mark(method: "sealed-token", secret: "s", key: "k", tracing: tracing)
        #expect(try await copy(mark, of: .bytes(sparse)).copy.isTraceable == false)
    }

    @Test func largeAndIrregularFilesAreRefused() async throws {
        var configuration = DocumentWorker.Configuration()
        configuration.spareProcesses = 0
        configuration.limits.inputBytes = 1_000
        let small = DocumentWorker(configuration)
        await #expect { try await small.inspect(.bytes(document)) } throws: { ($0 as? WorkerError)?.reason == "refused" }
        await #expect { try await worker.inspect(.file("/dev/zero")) } throws: { ($0 as? WorkerError)?.reason == "unavailable" }
        await #expect { try await worker.inspect(.file("/nowhere")) } throws: { ($0 as? WorkerError)?.reason == "unavailable" }
    }

    @Test func copiesAreNeverWrittenOverFiles() async throws {
        let folder = try temporary()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("copy.pdf")
        try Data("mine".utf8).write(to: file)
        await #expect {
            try await worker.embed(
                Mark(method: "sealed-token", secret: "s", key: "k"), in: .bytes(document), to: .file(file.path))
        } throws: { ($0 as? WorkerError)?.reason == "unavailable" }
        #expect(try Data(contentsOf: file) == Data("mine".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["copy.pdf"])
    }

    @Test func descriptorsAreReadFromTheirStartAndStayOpen() async throws {
        let folder = try temporary()
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("original.pdf")
        try Data(document).write(to: file)
        let handle = try FileHandle(forReadingFrom: file)
        try handle.seek(toOffset: 100)
        #expect(try await worker.inspect(.descriptor(handle.fileDescriptor)).pages == 2)
        #expect(try handle.offset() == 100)
        #expect(try await worker.inspect(.file(file.path)).pages == 2)
    }
}
