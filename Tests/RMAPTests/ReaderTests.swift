import DocumentWorker
import Foundation
import Programs
import RMAP
import Testing

/// The process that reads a message: what it cannot do, and what becomes of an exchange in which it dies.
@Suite(.enabled(if: GnuPG.isHere, "gnupg is not installed"), .serialized, .people)
struct ReaderTests {
    private func keys(
        _ people: People, _ change: (inout OpenPGPKeys.Configuration) -> Void = { _ in }
    ) async throws -> OpenPGPKeys {
        var configuration = OpenPGPKeys.Configuration.patient
        change(&configuration)
        return try await OpenPGPKeys(
            serverKey: people.serverKey, passphrase: nil, clients: people.clients, configuration: configuration)
    }

    private func failure(_ probe: OpenPGPProbe, _ keys: OpenPGPKeys) async -> WorkerError? {
        do {
            Issue.record("\(probe) was allowed: \(try await keys.probe(probe))")
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [OpenPGPProbe.openFile, .openSocket, .runProgram, .startThread])
    func itCannotReachAnything(_ probe: OpenPGPProbe) async throws {
        let keys = try await keys(try #require(People.here))
        #expect(await failure(probe, keys) == .violation)
    }

    @Test func itsEndIsKnownByItsKindAndTheNextMessageIsRead() async throws {
        let people = try #require(People.here)
        // Time enough on the clock for two seconds of CPU time on a machine that has much else to do.
        let keys = try await keys(people) {
            $0.limits.seconds = 300
            $0.limits.cpuSeconds = 2
        }
        let hasty = try await self.keys(people) { $0.limits.seconds = 5 }
        #expect(await failure(.crash, keys) == .crashed(signal: SIGSEGV))
        #expect(await failure(.sleep, hasty) == .killed(.time))
        #expect(await failure(.useTime, keys) == .killed(.cpu))
        #expect(await failure(.useMemory, keys) == .killed(.memory))
        #expect(await failure(.answerGarbage, keys) == .crashed(signal: 0))
        let message = try #require(MessagePayload(try people.gnupg.encrypt("hello", to: "server"))).message
        #expect(try await keys.decrypt(message, most: 100) == Array("hello".utf8))
    }

    /// A program in the reader's place that is itself until `flag` is there, and then does what `death` says.
    private func impostor(_ folder: URL, _ death: String) throws -> (program: String, flag: URL) {
        let real = try #require(
            ([URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()]
                + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map { URL(fileURLWithPath: $0) })
                .map { $0.deletingLastPathComponent().appending(path: "tatou-openpgp").path }
                .first(where: FileManager.default.isExecutableFile))
        let (program, flag) = (folder.appending(path: "reader"), folder.appending(path: "flag"))
        let text = "#!/bin/sh\n[ -e '\(flag.path)' ] || exec '\(real)'\n\(death)\n"
        // By a program: what this process has open for writing, a neighbour's child may hold open, too, and then it cannot be run.
        let made = try Subprocess("/usr/bin/install", ["-m", "700", "/dev/stdin", program.path], input: Array(text.utf8))
            .runBlocking(seconds: 600)
        try #require(made.ending == .exited(0), "\(made.errorText)")
        return (program.path, flag)
    }

    @Test(arguments: ["kill -SEGV $$", "kill -KILL $$", "exit 0", "exec sleep 1000", "printf '\\377\\377\\377\\377' >&0"])
    func aReaderThatDiesIsTheOneRefusalAndTheNextOneReads(_ death: String) async throws {
        let people = try #require(People.here)
        let folder = FileManager.default.temporaryDirectory.appending(path: "rmap-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (program, flag) = try impostor(folder, death)
        let keys = try await keys(people) {
            $0.program = program
            // Started for each message, so that the flag decides.
            $0.spareProcesses = 0
            if death.contains("sleep") { $0.limits.seconds = 10 }
        }
        let server = RMAPServer(keys: keys)
        var random = Numbers(state: 9)
        let payload = try people.gnupg.encrypt("{\"nonceClient\": 1, \"identity\": \"Jean\"}", to: "server")
        try Data().write(to: flag)
        do {
            _ = try await server.initiate(payload, from: "c", now: 0, using: &random)
            Issue.record("a dead reader was believed")
        } catch {
            #expect(error.reason == .readerDied)
            #expect(error.description == RMAPRefusal(.notDecrypted).description)
        }
        #expect(server.pendingCount == 0)
        try FileManager.default.removeItem(at: flag)
        #expect(try await server.initiate(payload, from: "c", now: 1, using: &random).identity == "Jean")
    }

    @Test func aProgramThatIsNotThereIsToldToTheOperator() async throws {
        let people = try #require(People.here)
        await #expect(throws: OpenPGPKeys.Failure.self) { try await keys(people) { $0.program = "/nowhere/tatou-openpgp" } }
    }

    /// Many at a time, each in its own process: every one has its own answer.
    @Test func messagesDoNotWaitForEachOther() async throws {
        let people = try #require(People.here)
        let keys = try await keys(people)
        let messages = try (0..<8).map {
            try #require(MessagePayload(try people.gnupg.encrypt("hello \($0)", to: "server"))).message
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, message) in messages.enumerated() {
                group.addTask {
                    let plain = try await keys.decrypt(message, most: 100)
                    #expect(plain == Array("hello \(number)".utf8))
                }
            }
            try await group.waitForAll()
        }
    }
}
