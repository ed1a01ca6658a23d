import ArgumentParser
import Foundation
import Ingest
import Server
import Testing

@testable import CommandLine

@Suite struct ArgumentTests {
    @Test func aLogMayNameItsFormat() throws {
        #expect(try SourceArgument.parse("combined:/srv/log/a.log") == SourceOption(path: "/srv/log/a.log", format: .combined))
        #expect(try SourceArgument.parse("/srv/log/with:colon.log") == SourceOption(path: "/srv/log/with:colon.log"))
        #expect(try SourceArgument.parse("relative.log").path.hasPrefix("/"))
    }

    @Test func anUnknownFormatNamesTheNearest() {
        let failure = #expect(throws: CommandFailure.self) { try LogFormatArgument.parse("combind", formats: FormatSet.none) }
        #expect(failure?.code == .usage)
        #expect(failure?.message.contains("Did you mean 'combined'?") == true)
    }

    @Test func aConfigurationWithAnUnknownFormatIsRefused() throws {
        let file = FileManager.default.temporaryDirectory.path + "/vigie-\(UUID().uuidString).yml"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let text = "rules: /nowhere\nsources: [{path: /var/log/a.log, format: combind}]\n"
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let failure = #expect(throws: CommandFailure.self) { try ConfigCheck.parse([file]).run() }
        #expect(failure?.code == .usage)
        #expect(failure?.message.contains("'combind', which is not known; did you mean 'combined'?") == true)
    }

    @Test(arguments: ["yesterday", "2026-02-30T00:00:00Z", "2026-03-01", ""])
    func aReferenceTimeIsRFC3339(text: String) {
        #expect(throws: CommandFailure.self) { try ReferenceTimeArgument.parse(text) }
    }

    @Test(arguments: [("--listen", "nonsense"), ("--config", "/no/such/vigie.yml")])
    func serveRefusesWhatItCannotUse(option: String, value: String) async throws {
        let command = try ServeCommand.parse([option, value, "/dev/null"])
        await #expect(throws: CommandFailure.self) { try await command.resolve() }
    }

    @Test func theCommandLineWinsOverDefaults() async throws {
        let options = try await ServeCommand.parse(["--listen", "[::1]:9000", "--data", "/srv/vigie", "json:/srv/app.jsonl"])
            .resolve()
        #expect(options.host == "::1")
        #expect(options.port == 9000)
        #expect(options.dataFolder == "/srv/vigie")
        #expect(options.playbooks == ["playbooks"])
        #expect(try await ServeCommand.parse(["--playbooks", "/a", "--playbooks", "/b"]).resolve().playbooks == ["/a", "/b"])
        #expect(options.sources == [SourceOption(path: "/srv/app.jsonl", format: .json)])
    }

    @Test func logTextNeverReachesTheTerminalRaw() {
        #expect(IncidentText.printable("a\u{1B}]0;x\u{7}b\u{202E}c") == "a\u{FFFD}]0;x\u{FFFD}b\u{FFFD}c")
    }
}
