import Events
import Foundation
import Ingest
import Testing

/// Lines that others published, where they are present (`VIGIE_SUITES`, or `../shared/suites` beside the checkout): what the
/// formats have to read from them. Which of them are findings is the rules' affair, see script/suites.
@Suite("Published lines of failed sign-ins", .enabled(if: publishedSuites != nil, "the suites are not here"))
struct SuiteTests {
    struct Case: Decodable {
        struct Line: Decodable {
            var line_index: Int
            var match: Bool
            var host: String?
            var time: String?
            var unjudged: Bool?
        }

        struct Expected: Decodable {
            var ip: String
            var category: String
        }

        var `case`: String
        var format: String
        var lines: [String]
        var reference_time: String?
        var line_expect: [Line]?
        var expect: [Expected]
    }

    static func cases(_ name: String) throws -> [Case] {
        let text = try String(contentsOfFile: (publishedSuites ?? "") + "/\(name).ndjson", encoding: .utf8)
        return try text.split(separator: "\n").map { try JSONDecoder().decode(Case.self, from: Data($0.utf8)) }
    }

    private func read(_ entry: Case) throws -> [ReadEvent] {
        let formats = Shipped.formats
        let name = entry.format.hasPrefix("other:") ? "auto" : entry.format == "sshd_syslog" ? "sshd" : entry.format
        let format = try #require(LogFormat(rawValue: name))
        let reference = entry.reference_time.flatMap { Timestamp(rfc3339: $0) } ?? Timestamp(seconds: 1_900_000_000)
        var parser = BatchParser(format: format, plan: formats.set.plan, formats: formats.set)
        let text = entry.lines.joined(separator: "\n")
        let batch = LogStream.parse(text, name: entry.case, parser: &parser, reference: reference)
        return batch.copied(formats.fields, formats.logSources)
    }

    @Test("fail2ban's lines give the right address")
    func fail2ban() throws {
        for entry in try Self.cases("fail2ban") {
            let events = try read(entry)
            for line in entry.line_expect ?? [] where line.match {
                let event = events.first { $0.number == Int64(line.line_index + 1) }
                #expect(
                    event?["source.ip"] == line.host,
                    "\(entry.case) line \(line.line_index + 1): \(entry.lines[line.line_index].prefix(160))")
                // Fake search engines are told by rules on ordinary requests.
                guard entry.case != "apache-fakegooglebot", entry.case != "openhab", entry.case != "cowrie" else { continue }
                #expect(
                    event?["event.outcome"] == "failure",
                    "\(entry.case) line \(line.line_index + 1): \(event?["event.category"] ?? "-") \(entry.lines[line.line_index].prefix(160))"
                )
            }
            for line in entry.line_expect ?? [] where !line.match {
                let event = events.first { $0.number == Int64(line.line_index + 1) }
                #expect(
                    event?["event.category"] != "authentication" || event?["event.outcome"] != "failure",
                    "\(entry.case) line \(line.line_index + 1): \(entry.lines[line.line_index].prefix(160))")
            }
        }
    }

    @Test("CrowdSec's lines of failed sign-ins are failures of the right addresses")
    func crowdsec() throws {
        // Judged by requests that are no failure by themselves.
        let requests: Set<String> = ["apiscp-bf", "http-bf-wordpress-bf", "ntfy-bf", "openappsec", "whitelists"]
        for entry in try Self.cases("crowdsec") where !requests.contains(entry.case) {
            let wanted = Set(entry.expect.filter { $0.category == "brute_force" }.map(\.ip))
            guard !wanted.isEmpty else { continue }
            let failed = Set(
                try read(entry).filter { $0["event.outcome"] == "failure" || $0["http.response.status_code"] == "401" }
                    .compactMap { $0["source.ip"] })
            #expect(wanted.subtracting(failed).isEmpty, "\(entry.case): \(entry.lines.prefix(2).map { $0.prefix(300) })")
        }
    }
}

private let publishedSuites: String? = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..").standardizedFileURL
    let named = ProcessInfo.processInfo.environment["VIGIE_SUITES"] ?? root.appendingPathComponent("../shared/suites").path
    return FileManager.default.fileExists(atPath: named + "/detection/fail2ban.ndjson") ? named + "/detection" : nil
}()

/// The formats of the repository, for every field that they or the rules' well-known names fill.
enum Shipped {
    struct Loaded: Sendable {
        var fields: FieldTable
        var logSources: LogSourceTable
        var set: FormatSet
    }

    static let formats: Loaded = {
        let folder = ShippedFormatsTests.folder
        let fields = FieldTable(with: folder.definitions.flatMap(\.fieldNames))
        var logSources = LogSourceTable()
        folder.intern(into: &logSources)
        return Loaded(
            fields: fields, logSources: logSources, set: FormatSet(folder, fields: fields, logSources: logSources))
    }()
}
