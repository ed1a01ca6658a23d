import Archive
import Events
import Foundation
import Ingest
import Testing

@testable import Server

@Suite("Sources all of whose lines are security events", .timeLimit(.minutes(20)))
struct SecuritySourcesTests {
    private static let sources = """
        sources: [/l/auth.log, {path: '/srv/*/app.log'}, l/own.log]
        receivers: {syslog: {listen: 127.0.0.1:5514, transport: tcp}, http: {}}

        """

    @Test(
        "they are named as sources are, by a file of a pattern, or by the receiver",
        arguments: [
            "/l/auth.log", "/l/../l/auth.log", "/srv/*/app.log", "/srv/one/app.log", "l/own.log", "./l/own.log",
            "syslog-tcp-127.0.0.1-5514", "loki", "journald", "/data/detection/receivers/events.jsonl",
            "/data/detection/journald.jsonl",
        ])
    func known(name: String) throws {
        let text = Self.sources + "archive: {security_sources: ['\(name)']}"
        #expect(try Configuration(parsing: text, file: "").archive?.securitySources == [name])
    }

    @Test(
        "a name that is no source is refused, wherever it stands, with the nearest that is one",
        arguments: [
            ("/l/auht.log", "did you mean '/l/auth.log'?"),
            ("syslog-tcp-127.0.0.1-514", "did you mean 'syslog-tcp-127.0.0.1-5514'?"),
            ("/srv/one/two/app.log", "known: "), ("/srv/.one/app.log", "known: "), ("auth.log", "'auth.log' is no source"),
        ])
    func unknown(name: String, said: String) {
        let before = "archive: {security_sources: [/l/auth.log, '\(name)']}\n" + Self.sources
        let behind = Self.sources + "archive: {security_sources: '\(name)'}"
        for text in [before, behind] {
            let error = #expect(throws: ConfigurationError.self) { try Configuration(parsing: text, file: "vigie.yml") }
            #expect(error?.reason.contains("'\(name)' is no source") == true && error?.reason.contains(said) == true)
            #expect(error?.line ?? 0 > 0)
        }
    }

    @Test("what the command line has instead of the configuration's sources is looked at when the server starts")
    func unknownAtStart() {
        var options = ServerOptions(sources: [SourceOption(path: "/l/auth.log")])
        options.archive.securitySources = ["/l/auth.log", "/l/other.log", "loki"]
        #expect(SecuritySources.unknown(options) == ["/l/other.log", "loki"])
    }

    @Test("receivers are known by the spools they fill")
    func spools() {
        var options = ServerOptions(dataFolder: "/d")
        options.receivers.http = [HTTPReceiverOptions(listen: ListenAddress(host: "127.0.0.1", port: 1))]
        options.archive.securitySources = ["loki", "journald"]
        let paths = SecuritySources.paths(options, DataFolder(path: "/d"))
        #expect(
            paths.isSuperset(of: [
                "/d/detection/receivers/loki.jsonl", "/d/detection/receivers/journald.jsonl", "/d/detection/journald.jsonl",
            ]))
    }

    @Test(
        "lines of such a source are marked in the archive, however it is written",
        arguments: [
            ("access.log", "access.log", true), ("access.log", "rules/../access.log", true), ("*.log", "*.log", true),
            ("*.log", "access.log", true), ("access.log", "other.log", false),
        ])
    func marked(source: String, name: String, isSecurity: Bool) async throws {
        let world = try World()
        try world.append([Line.web("GET /", status: 200, at: 1), Line.attack(2)])
        var options = world.options
        options.sources = [SourceOption(path: "\(world.path)/\(source)", format: .combined)]
        options.archive.securitySources = ["\(world.path)/\(name)"]
        try await withServer(world, options) { running in _ = try await running.findings(1) }
        let reader = ArchiveReader(folder: world.data.archive)
        let all = try reader.segments()
        let blocks = try all.compactMap { try reader.open($0, of: all) }.flatMap(\.blocks).filter { $0.header.kind == .lines }
        #expect(!blocks.isEmpty && blocks.allSatisfy { $0.header.hasSecurityLines == isSecurity })
    }
}
