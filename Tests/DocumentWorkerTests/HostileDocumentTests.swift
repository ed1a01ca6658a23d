import DocumentWorker
import Foundation
import Testing

@Suite struct HostileDocumentTests {
    private let worker: DocumentWorker = {
        var configuration = DocumentWorker.Configuration()
        configuration.limits.cpuSeconds = 5
        configuration.limits.seconds = 3_600
        return DocumentWorker(configuration)
    }()

    /// Any end but these is one the worker is made for.
    private func check(_ error: WorkerError, _ job: String) {
        switch error {
        case .refused, .notFound, .invalidKey, .killed: break
        case .crashed, .violation, .busy, .unavailable: Issue.record("\(job): \(error.reason): \(error)")
        }
    }

    @Test(arguments: HostileDocuments.all) func everyJobEnds(_ hostile: HostileDocuments.Case) async {
        defer { worker.stop() }
        do {
            let report = try await worker.inspect(.bytes(hostile.bytes))
            #expect(report.pages > 0)
        } catch {
            check(error, "inspect")
        }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hostile-\(UUID().uuidString)").path
        let tracing = Mark.Tracing(version: "v", markingSecret: [UInt8](repeating: 7, count: 32))
        do {
            let mark = Mark(method: "sealed-token", secret: "s", key: "k", position: "text", tracing: tracing)
            _ = try await worker.embed(mark, in: .bytes(hostile.bytes), to: .file(folder))
            try? FileManager.default.removeItem(atPath: folder)
        } catch {
            check(error, "embed")
            #expect(!FileManager.default.fileExists(atPath: folder))
        }
        do {
            _ = try await worker.read(.bytes(hostile.bytes), method: "word-shift", key: "k")
        } catch {
            check(error, "read")
        }
    }

    /// Bytes of a fine document, changed at random places.
    @Test func damagedDocumentsEnd() async {
        defer { worker.stop() }
        var random = Numbers(state: 7)
        let fine = Documents.text(pages: 1)
        for _ in 0..<60 {
            var bytes = fine
            for _ in 0..<Int.random(in: 1...40, using: &random) {
                bytes[Int.random(in: 9..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                _ = try await worker.inspect(.bytes(bytes))
            } catch {
                check(error, "inspect")
            }
        }
    }
}

struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
