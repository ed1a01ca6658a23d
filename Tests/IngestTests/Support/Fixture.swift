import Events
import Foundation
import Ingest
import Testing

/// A line and what is to be read from it: `Fixtures/<format>/<case>.case`.
///
/// The file holds the line, a line `----`, and what is expected, one `field = value` per line; several values of a field
/// are several lines. `field absent` says that there is none; other fields are not looked at. `time`, `logsource` and
/// `reference` stand for what is not a field; `unparsed` alone for a line that the format refuses.
struct Fixture: CustomTestStringConvertible, Sendable {
    var name: String
    var line: [UInt8]
    var expected: [(key: String, value: String?)]

    var testDescription: String { name }

    static func all(_ folder: String) -> [Fixture] {
        let place = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fixtures/\(folder)")
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []).filter { $0.hasSuffix(".case") }
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: place.appendingPathComponent(name))).map {
                Fixture(name: String(name.dropLast(5)), bytes: Array($0))
            }
        }
    }

    private init(name: String, bytes: [UInt8]) {
        self.name = name
        let mark = Array("\n----\n".utf8)
        let cut = bytes.indices.first { bytes[$0...].starts(with: mark) } ?? bytes.count
        line = Array(bytes[..<cut])
        expected = String(decoding: bytes[cut...].dropFirst(mark.count), as: UTF8.self).split(separator: "\n").map { entry in
            if let equals = entry.range(of: " = ") {
                return (String(entry[..<equals.lowerBound]), String(entry[equals.upperBound...]))
            }
            return (entry.split(separator: " ").first.map(String.init) ?? "", nil)
        }
    }

    /// Reads the line in `format` and holds the outcome against what is expected.
    func check(_ format: LogFormat) throws {
        let reference = expected.first { $0.key == "reference" }?.value.flatMap { Timestamp(rfc3339: $0) }
        let reading = Reading(line + [0x0A], format, reference: reference ?? Reading.reference)
        try #require(!expected.isEmpty, "the fixture expects nothing")
        if expected.contains(where: { $0.key == "unparsed" }) {
            #expect(reading.counters.unparsed == 1)
            #expect(reading.events.first?.fields["message"] == [String(decoding: line, as: UTF8.self)])
            return
        }
        #expect(reading.counters.parsed == 1)
        let event = try #require(reading.events.first)
        var wanted: [String: [String]] = [:]
        for (key, value) in expected where key != "reference" { wanted[key, default: []] += value.map { [$0] } ?? [] }
        for (key, values) in wanted.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "time": #expect(event.hasOwnTime ? [event.time.rfc3339] == values : values.isEmpty, "\(event.time.rfc3339)")
            case "logsource": #expect([describe(event.logSource)] == values)
            default: #expect(event.fields[key, default: []] == values, "\(key)")
            }
        }
    }

    private func describe(_ source: LogSource) -> String {
        (source.categories.sorted() + [source.product, source.service].compactMap { $0 }).joined(separator: " ")
    }
}
