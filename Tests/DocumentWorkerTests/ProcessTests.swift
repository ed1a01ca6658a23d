import DocumentWorker
import Foundation
import Programs
import Testing

/// Processes come and go: none stays, none is waited for in vain.
@Suite struct ProcessTests {
    /// Children of this process that run this copy of the program, or are zombies of it.
    private func children(of program: String) -> [String] {
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        let name = String(URL(fileURLWithPath: program).lastPathComponent.prefix(15))
        let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return numbers.filter { number in
            guard Int(number) != nil, let status = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8),
                let end = status.lastIndex(of: ")")
            else { return false }
            let fields = status[end...].split(separator: " ")
            return fields.count > 2 && fields[2] == own && status.contains("(\(name))")
        }
    }

    /// A name of its own for the worker: other tests run workers at the same time.
    private func configuration(_ name: String) throws -> (DocumentWorker.Configuration, folder: URL) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("worker-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let program = [CommandLine.arguments[0], own]
            .map { URL(fileURLWithPath: $0).deletingLastPathComponent().appendingPathComponent("tatou-worker") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        let link = folder.appendingPathComponent(name)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: try #require(program))
        var configuration = DocumentWorker.Configuration()
        configuration.program = link.path
        configuration.spareProcesses = 0
        return (configuration, folder)
    }

    /// Nobody's document is to blame for a worker that fails on its own.
    @Test func aWorkerThatFailsOnItsOwnDocumentIsAMatterOfTheInstallation() async throws {
        var (configuration, folder) = try configuration("never-warm")
        defer { try? FileManager.default.removeItem(at: folder) }
        let program = folder.appendingPathComponent("broken")
        // By a program: what this process has open for writing, a neighbour's child may hold open, too, and then it cannot be run.
        let made = try Subprocess(
            "/usr/bin/install", ["-m", "700", "/dev/stdin", program.path],
            input: Array("#!/bin/sh\nexit \(WorkerExit.couldNotWarmUp)\n".utf8)
        ).runBlocking(seconds: 600)
        try #require(made.ending == .exited(0), "\(made.errorText)")
        configuration.program = program.path
        let worker = DocumentWorker(configuration)
        await #expect { try await worker.inspect(.bytes(Documents.text())) } throws: {
            ($0 as? WorkerError)?.reason == "unavailable" && "\($0)".contains("document of its own")
        }
        let output = folder.appendingPathComponent("fingerprint").path
        await #expect { try await worker.fingerprint(.bytes(Documents.text()), to: .file(output)) } throws: {
            ($0 as? WorkerError)?.reason == "unavailable"
        }
    }

    @Test func deathsLeaveNeitherProcessNorFile() async throws {
        let (configuration, folder) = try configuration("leaves-nothing")
        defer { try? FileManager.default.removeItem(at: folder) }
        let worker = DocumentWorker(configuration)
        for probe in [SandboxProbe.crash, .openFile, .answerGarbage, .answerTwice] { _ = try? await worker.probe(probe) }
        let output = folder.appendingPathComponent("copy.pdf").path
        await #expect(throws: WorkerError.self) {
            try await worker.embed(
                Mark(method: "sealed-token", secret: "s", key: "k"), in: .bytes(Array("%PDF-1.7 no".utf8)), to: .file(output))
        }
        #expect(children(of: "leaves-nothing") == [])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["leaves-nothing"])
    }

    @Test(.timeLimit(.minutes(20))) func aCancelledJobEndsItsProcess() async throws {
        var (configuration, folder) = try configuration("is-cancelled")
        defer { try? FileManager.default.removeItem(at: folder) }
        configuration.limits.seconds = 3_600
        let worker = DocumentWorker(configuration)
        let job = Task { try await worker.probe(.sleep) }
        while children(of: "is-cancelled").isEmpty { await Task.yield() }
        job.cancel()
        await #expect(throws: WorkerError.self) { try await job.value }
        #expect(children(of: "is-cancelled") == [])
    }

    @Test(.timeLimit(.minutes(20))) func jobsBeyondThoseThatMayWaitAreRefused() async throws {
        var (configuration, folder) = try configuration("is-busy")
        defer { try? FileManager.default.removeItem(at: folder) }
        configuration.concurrentJobs = 1
        configuration.waitingJobs = 0
        configuration.limits.seconds = 3_600
        let worker = DocumentWorker(configuration)
        let job = Task { try await worker.probe(.sleep) }
        while children(of: "is-busy").isEmpty { await Task.yield() }
        await #expect(throws: WorkerError.busy) { try await worker.methods() }
        job.cancel()
        _ = try? await job.value
        #expect(try await worker.methods().isEmpty == false)
    }

    @Test func manyJobsAtOnceAreAllDone() async throws {
        var configuration = DocumentWorker.Configuration()
        configuration.limits.seconds = 3_600
        let worker = DocumentWorker(configuration)
        defer { worker.stop() }
        let document = Documents.text()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<24 { group.addTask { try await worker.inspect(.bytes(document)).words } }
            for try await words in group { #expect(words == 440) }
        }
    }
}
