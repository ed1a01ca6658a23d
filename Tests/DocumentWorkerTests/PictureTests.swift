import DocumentWorker
import Foundation
import Testing

/// Leaks whose pages are pictures: rendered originals, behind walls.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/pdftoppm"), "needs poppler-utils"))
struct PictureTests {
    private static let marking = [UInt8](repeating: 7, count: 32)
    private static let versions = (0..<20).map { "copy \($0)" }

    private let worker: DocumentWorker = {
        var configuration = DocumentWorker.Configuration()
        configuration.spareProcesses = 0
        // Without optimisation, on a busy machine.
        configuration.limits.cpuSeconds = 120
        configuration.limits.seconds = 3_600
        return DocumentWorker(configuration)
    }()

    /// A page of small size: rendered and read in little time.
    private static let document = Documents.small(seed: 7)

    private func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("picture-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    /// A marked copy as a picture that a program makes which is not ours.
    private func picture(
        of version: String, _ method: String = "word-shift", of document: [UInt8] = PictureTests.document, in folder: URL,
        _ arguments: [String]
    ) async throws -> URL {
        let copy = folder.appendingPathComponent("copy.pdf")
        let marked = try await worker.embed(
            Mark(method: method, secret: "s", key: "k", tracing: .init(version: version, markingSecret: Self.marking)),
            in: .bytes(document), to: .file(copy.path))
        #expect(marked.isTraceable)
        return try picture(of: copy, as: "leak", arguments)
    }

    private func picture(of document: URL, as name: String, _ arguments: [String]) throws -> URL {
        let folder = document.deletingLastPathComponent()
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/pdftoppm")
        process.arguments = arguments + ["-singlefile", document.path, folder.appendingPathComponent(name).path]
        try process.run()
        process.waitUntilExit()
        return try #require(
            try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil).first {
                $0.lastPathComponent.hasPrefix("\(name).") && $0.pathExtension != "pdf"
            })
    }

    @Test func aPictureOfAPageIsTracedAndWhatTheOriginalLooksLikeIsKept() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let leak = try await picture(of: Self.versions[13], in: folder, ["-jpeg", "-r", "110"])
        let kept = folder.appendingPathComponent("fingerprint").path
        let originals = [
            TracedOriginal(
                document: .bytes(Documents.small(seed: 99)), markingSecret: [UInt8](repeating: 8, count: 32),
                versions: ["stranger"]),
            TracedOriginal(
                document: .bytes(Self.document), markingSecret: Self.marking, versions: Self.versions, fingerprint: kept),
        ]
        let report = try await worker.trace([.file(leak.path)], among: originals)
        #expect(report.original == 1 && report.accused.map(\.version) == ["copy 13"])
        #expect(report.pages.first?.isPicture == true)
        let evidence = try #require(report.evidence)
        #expect(evidence.words.count > 60 && evidence.words.count { $0.agrees } > evidence.words.count * 8 / 10)
        #expect(try Data(contentsOf: URL(fileURLWithPath: kept)).starts(with: Data("VGFP1".utf8)))
    }

    /// It has no words: what names the copy are the spots of its picture, which the worker marks and reads behind its walls.
    @Test func aScanIsTracedByItsPictureAndItsOriginalToNobody() async throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let scan = try Documents.scan()
        let original = TracedOriginal(document: .bytes(scan), markingSecret: Self.marking, versions: Self.versions)
        let other = TracedOriginal(
            document: .bytes(Self.document), markingSecret: [UInt8](repeating: 8, count: 32), versions: ["stranger"])
        let leak = try await picture(of: Self.versions[13], "image-spread", of: scan, in: folder, ["-jpeg", "-r", "110"])
        let report = try await worker.trace([.file(leak.path)], among: [other, original])
        #expect(report.original == 1 && report.accused.map(\.version) == ["copy 13"])
        #expect(report.accused.allSatisfy { $0.falsePositiveBound <= 1e-9 && $0.score > report.highestDecoyScore })
        #expect(report.pages.map(\.isOfSpots) == [true] && report.pages.map(\.isPicture) == [true])
        let evidence = try #require(report.evidence)
        #expect(evidence.isOfSpots && evidence.words.count { $0.agrees } > evidence.words.count * 6 / 10)

        let file = folder.appendingPathComponent("original.pdf")
        try Data(scan).write(to: file)
        let innocent = try picture(of: file, as: "innocent", ["-jpeg", "-r", "110"])
        #expect(try await worker.trace([.file(innocent.path)], among: [other, original]).accused.isEmpty)
    }

    @Test func whatCannotBeRenderedOrDecodedIsRefused() async throws {
        let original = TracedOriginal(document: .bytes(Self.document), markingSecret: Self.marking, versions: Self.versions)
        await #expect { try await worker.trace([.bytes([0xFF, 0xD8, 0xFF, 0xE0, 1, 2])], among: [original]) } throws: {
            ($0 as? WorkerError)?.reason == "refused"
        }
        await #expect { try await worker.trace([.bytes(Array("hello".utf8))], among: [original]) } throws: {
            ($0 as? WorkerError)?.reason == "refused"
        }
        let damaged = TracedOriginal(
            document: .bytes(Array("%PDF-1.7 no more".utf8)), markingSecret: Self.marking, versions: ["v"])
        await #expect { try await worker.trace([.bytes([0xFF, 0xD8, 0xFF, 0xE0])], among: [damaged]) } throws: {
            ($0 as? WorkerError)?.reason == "refused"
        }
    }

    /// A page of a square mile: the renderer is killed, and nobody else.
    @Test func aRendererThatIsKilledIsTold() async throws {
        var objects = Documents.textObjects()
        for index in objects.indices {
            objects[index].1 = objects[index].1.replacingOccurrences(of: "[0 0 595 842]", with: "[0 0 14400 14400]")
        }
        var configuration = DocumentWorker.Configuration()
        configuration.spareProcesses = 0
        configuration.limits.outputBytes = 1 << 20
        let folder = try folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("fingerprint").path
        await #expect {
            try await DocumentWorker(configuration).fingerprint(.bytes(Documents.file(objects)), to: .file(path))
        } throws: {
            ($0 as? WorkerError)?.isSuspicious == true
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }
}
