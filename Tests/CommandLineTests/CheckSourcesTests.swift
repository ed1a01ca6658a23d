import ArgumentParser
import Foundation
import Server
import Testing

@testable import CommandLine

@Suite("vigie check sources")
struct CheckSourcesTests {
    private let folder = RuleFolderFixture()

    private func check(_ logs: String...) async throws {
        let arguments = ["--rules", folder.path, "--data", folder.file("data")] + logs + ["--json"]
        let command = try CheckSources.parse(arguments)
        try await command.run()
    }

    private func text(_ log: String) async throws -> String {
        let options = try await ServerOptions.resolved(config: nil, data: folder.file("data"), rules: [folder.path], logs: [log])
        return try #require(try SourceCheck.run(options, now: .system).first.map(CheckSources.text))
    }

    @Test("logs whose lines are read are fine, and a pattern stands for all of its files")
    func fine() async throws {
        for name in ["a.log", "b.log"] { try folder.write(RuleFolderFixture.line("/"), to: name) }
        try await check(folder.file("*.log"))
        #expect(try await text(folder.file("*.log")).contains("2 lines: 2 parsed, 0 unparsed, 0 blank of 2 files of 2"))
    }

    @Test("one that cannot be read is named, with what to do, and ends with 1")
    func unreadable() async throws {
        let failure = await #expect(throws: CommandFailure.self) { try await check(folder.file("none.log")) }
        #expect(failure?.code == .failed && failure?.message.contains("1 of 1 sources have problems") == true)
        #expect(try await text(folder.file("none.log")).contains("check the path"))
    }

    @Test("one that is mostly unparsed ends with 1, and shows lines with the nearest format")
    func unparsed() async throws {
        try FileManager.default.createDirectory(atPath: folder.file("formats"), withIntermediateDirectories: false)
        try folder.write(
            """
            name: trial
            title: Trial
            logsource: {category: application}
            patterns: ['door {user.name:text} opened by {source.ip}']
            samples:
              - {line: 'door a opened by 192.0.2.7', fields: {source.ip: 192.0.2.7}}
            """, to: "formats/trial.yml")
        try folder.write("door a opened by nobody\nand more\n" + RuleFolderFixture.line("/"), to: "a.log")
        let failure = await #expect(throws: CommandFailure.self) { try await check(folder.file("a.log")) }
        #expect(failure?.code == .failed)
        let text = try await text(folder.file("a.log"))
        #expect(text.contains("mostly unparsed") && text.contains("nearest is trial"))
    }

    @Test("a source of which all events name one private address is warned of")
    func privateAddress() async throws {
        let line = RuleFolderFixture.line("/").replacing("192.0.2.7", with: "172.18.0.1")
        try folder.write(String(repeating: line, count: 120), to: "a.log")
        try await check(folder.file("a.log"))
        #expect(try await text(folder.file("a.log")).contains("name the same private one"))
    }

    @Test("an unknown format is refused with the nearest name")
    func unknownFormat() async throws {
        await #expect(throws: (any Error).self) { try await check("combind:" + folder.file("a.log")) }
    }
}
