import Foundation
import Programs
import Response
import Testing

@Suite struct SubprocessTests {
    private static func bash(_ text: String, environment: [String: String] = [:]) -> Subprocess {
        Subprocess("/bin/bash", ["--noprofile", "--norc", "-c", text], environment: environment)
    }

    @Test func itHasNothingOfThisProcess() async throws {
        let secret = open("/dev/null", O_RDONLY)
        defer { close(secret) }
        let outcome = try await Self.bash("/usr/bin/env; /bin/ls /proc/self/fd; echo \"$A\"", environment: ["A": "b c"]).run(
            seconds: 600)
        #expect(outcome.ending == .exited(0))
        let names = Set(outcome.text.split(separator: "\n").filter { $0.contains("=") }.map { $0.prefix { $0 != "=" } })
        // The other three are bash's own.
        #expect(names == ["A", "PWD", "SHLVL", "_"] && ProcessInfo.processInfo.environment["PATH"] != nil)
        let descriptors = outcome.text.split(separator: "\n").compactMap { Int($0) }
        // 3 is the folder that ls has open.
        #expect(descriptors.allSatisfy { $0 <= 3 })
        #expect(outcome.text.hasSuffix("b c\n"))
    }

    @Test func inputAndExitCodeAreTaken() async throws {
        let outcome = try await Subprocess("/bin/bash", ["-c", "cat; echo no >&2; exit 7"], input: Array("hello".utf8)).run(
            seconds: 600)
        #expect(outcome.ending == .exited(7))
        #expect(outcome.text == "hello")
        #expect(outcome.errorText == "no\n")
    }

    /// What it started dies with it.
    @Test func whatHangsIsKilledWithItsChildren() async throws {
        let file = FileManager.default.temporaryDirectory.path + "/vigie-subprocess-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let outcome = try await Self.bash("sleep 600 & echo $! > '\(file)'; wait").run(seconds: 10)
        #expect(outcome.ending == .timedOut)
        let child = try #require(
            pid_t(try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(await isGone(child))
    }

    /// A child that holds the output open does not hold the end up.
    @Test func whatStaysBehindIsKilled() async throws {
        let outcome = try await Self.bash("sleep 600 & echo $!").run(seconds: 600)
        #expect(outcome.ending == .exited(0))
        let child = try #require(pid_t(outcome.text.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(await isGone(child))
    }

    /// Gone, or a zombie that init has not reaped yet.
    private func isGone(_ pid: pid_t) async -> Bool {
        for _ in 0..<500 {
            guard kill(pid, 0) == 0, let status = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                !status.contains(") Z ")
            else { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return false
    }

    @Test func aFloodIsKilledAndCut() async throws {
        var flood = Self.bash("yes")
        flood.floodLimit = 4 << 20
        let outcome = try await flood.run(seconds: 600)
        #expect(outcome.ending == .flooded)
        #expect(outcome.isCut)
        #expect(outcome.output.count == flood.outputLimit)
    }

    @Test func whatIsKilledByOthersSaysSo() async throws {
        #expect(try await Self.bash("kill -SEGV $$").run(seconds: 600).ending == .killed(SIGSEGV))
    }

    @Test func cancellingKills() async throws {
        let task = Task { try await Self.bash("sleep 600").run(seconds: 600) }
        task.cancel()
        #expect(try await task.value.ending == .cancelled)
    }

    @Test func whatIsNotThereWasNotStarted() async {
        await #expect(throws: Subprocess.Failure.self) { try await Subprocess("/no/such/program", []).run(seconds: 1) }
    }
}
