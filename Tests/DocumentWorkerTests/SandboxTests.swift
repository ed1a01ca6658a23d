import DocumentWorker
import Testing

/// What a worker that was taken over can do: nothing. And how its death is told.
@Suite struct SandboxTests {
    private func worker(_ change: (inout WorkerLimits) -> Void = { _ in }) -> DocumentWorker {
        var configuration = DocumentWorker.Configuration()
        configuration.spareProcesses = 0
        change(&configuration.limits)
        return DocumentWorker(configuration)
    }

    private func error(_ probe: SandboxProbe, _ change: (inout WorkerLimits) -> Void = { _ in }) async -> WorkerError? {
        do {
            let text = try await worker(change).probe(probe)
            Issue.record("\(probe.rawValue): \(text)")
            return nil
        } catch {
            return error
        }
    }

    @Test func itHasOneThreadThreeDescriptorsAndFourVariables() async throws {
        let text = try await worker().probe(.describe)
        #expect(
            text == #"threads 1; descriptors [0, 1, 2]; environment ["LC_ALL", "MALLOC_ARENA_MAX", "SWIFT_BACKTRACE", "TZ"]"#)
    }

    @Test(arguments: [
        SandboxProbe.openFile, .createFile, .openSocket, .runProgram, .fork, .startThread, .signalParent, .mapExecutable,
    ])
    func theKernelEndsWhatAsksForMore(_ probe: SandboxProbe) async {
        #expect(await error(probe) == .violation)
    }

    @Test func memoryIsBounded() async {
        #expect(await error(.useMemory) == .killed(.memory))
    }

    @Test func processorTimeIsBounded() async {
        #expect(await error(.useTime) { $0.cpuSeconds = 1 } == .killed(.cpu))
    }

    @Test func whatOnlyWaitsIsEndedByTheClock() async {
        #expect(await error(.sleep) { $0.seconds = 0.5 } == .killed(.time))
    }

    @Test func resultsAreBounded() async {
        #expect(await error(.writeTooMuch) { $0.outputBytes = 4 << 20 } == .killed(.output))
    }

    @Test func deathsAreToldByTheirSignal() async {
        #expect(await error(.crash) == .crashed(signal: 11))
        #expect(await error(.abort) == .crashed(signal: 6))
        #expect(await error(.overflowStack) == .crashed(signal: 11))
    }

    @Test(arguments: [SandboxProbe.answerGarbage, .answerTooLong, .answerWithoutEnd, .answerNothing])
    func answersThatMakeNoSenseAreDeaths(_ probe: SandboxProbe) async {
        #expect(await error(probe) == .crashed(signal: 0))
    }

    @Test func onlyTheFirstAnswerCounts() async throws {
        #expect(try await worker().probe(.answerTwice) == "first")
    }

    @Test func eachProbeHasATest() {
        #expect(SandboxProbe.allCases.count == 24)
    }

    /// What a renderer that was taken over can do: read fonts and libraries.
    @Test(arguments: [
        SandboxProbe.readElsewhere, .createFile, .writeElsewhere, .renameElsewhere, .runProgram,
    ])
    func aRendererIsRefusedOtherFiles(_ probe: SandboxProbe) async throws {
        #expect(try await worker().probe(probe, asRenderer: true) == "refused by an error")
    }

    @Test(arguments: [SandboxProbe.openSocket, .fork, .startThread, .signalParent])
    func aRendererThatAsksForMoreIsEnded(_ probe: SandboxProbe) async {
        await #expect(throws: WorkerError.violation) { try await worker().probe(probe, asRenderer: true) }
    }

    @Test func aMissingProgramIsSaid() async {
        var configuration = DocumentWorker.Configuration()
        configuration.program = "/nowhere/tatou-worker"
        await #expect { try await DocumentWorker(configuration).methods() } throws: { error in
            (error as? WorkerError)?.reason == "unavailable" && "\(error)".contains("/nowhere/tatou-worker")
        }
    }
}
