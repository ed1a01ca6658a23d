import ArgumentParser
import Foundation
import Glibc
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

    @Test("lines of which only the words are known are said to be plain text, and shown")
    func plain() async throws {
        let lines = (0..<5).map { "Mar  1 10:00:0\($0) web thing: word \($0) for 192.0.2.7\n" }.joined()
        try folder.write(lines, to: "a.log")
        try await check(folder.file("a.log"))
        let text = try await text(folder.file("a.log"))
        #expect(text.contains("5 of the parsed as plain text") && text.contains("most of its lines are plain text"))
        #expect(text.contains("plain     ") && text.contains("word 4"))
    }

    @Test("a source of which all events name one private address is warned of")
    func privateAddress() async throws {
        let line = RuleFolderFixture.line("/").replacing("192.0.2.7", with: "172.18.0.1")
        try folder.write(String(repeating: line, count: 120), to: "a.log")
        try await check(folder.file("a.log"))
        #expect(try await text(folder.file("a.log")).contains("name the same private one"))
    }

    /// On a port that the kernel chose, which is taken for as long as the socket is held.
    private static func held() throws -> (descriptor: Int32, port: Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let outcome = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, size) == 0 && listen(descriptor, 1) == 0 && getsockname(descriptor, $0, &size) == 0
            }
        }
        try #require(outcome)
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }

    @Test("receivers of the configuration are listed: a port that is taken and a certificate that cannot be read end with 1")
    func receivers() async throws {
        try folder.write(RuleFolderFixture.line("/"), to: "a.log")
        func configure(_ receivers: String) throws {
            try folder.write("sources: ['\(folder.file("a.log"))']\nreceivers: {\(receivers)}\n", to: "vigie.yml")
        }
        func options() async throws -> ServerOptions {
            try await ServerOptions.resolved(
                config: folder.file("vigie.yml"), data: folder.file("data"), rules: [folder.path], logs: [])
        }
        // Port 0 is any that is free.
        try configure("http: {listen: '127.0.0.1:0'}, syslog: [{listen: '127.0.0.1:0'}, {listen: '[::1]:0', transport: tcp}]")
        let free = try ReceiverCheck.run(try await options())
        #expect(free.map(\.name) == ["http://127.0.0.1:0", "syslog over udp on 127.0.0.1:0", "syslog over tcp on [::1]:0"])
        #expect(free.first?.problem == nil && free.first?.port == .free)
        #expect(CheckSources.text(try #require(free.first)) == "receiver http://127.0.0.1:0: the port is free")
        let command = ["--config", folder.file("vigie.yml"), "--rules", folder.path, "--data", folder.file("data")]
        let held = try Self.held()
        defer { close(held.descriptor) }
        try configure("http: {listen: '127.0.0.1:\(held.port)'}")
        let taken = await #expect(throws: CommandFailure.self) { try await CheckSources.parse(command).run() }
        #expect(taken?.code == .failed && taken?.message.contains("1 of 1 receivers have problems") == true)
        #expect(try ReceiverCheck.run(try await options()).first?.problem?.contains("taken by another program") == true)
        try configure("http: {listen: '127.0.0.1:0', tls: {certificate: /nowhere/a.pem, key: /nowhere/b.pem}}")
        let unreadable = try #require(try ReceiverCheck.run(try await options()).first)
        #expect(unreadable.name.hasPrefix("https://") && unreadable.problem?.contains("/nowhere/a.pem") == true)
        let refused = await #expect(throws: CommandFailure.self) { try await CheckSources.parse(command).run() }
        #expect(refused?.code == .failed)
    }

    @Test("an unknown format is refused with the nearest name")
    func unknownFormat() async throws {
        await #expect(throws: (any Error).self) { try await check("combind:" + folder.file("a.log")) }
    }
}
