import Events
import Foundation
import Incidents
import Testing

/// One line of `Fixtures/clocks.jsonl`, which `script/lib/clock_cases.py` counts minute by minute.
private struct ClockCase: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var zone: String
    var start: String
    var minutes: Int
    var hours: [String: [String]]
    var holidays: [String]
    var pauses: [[String?]]
    var due: String?

    var testDescription: String { name }

    static let all: [ClockCase] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/clocks.jsonl")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(ClockCase.self, from: Data($0.utf8)) }
    }()

    func policies() throws -> Policies {
        let days = hours.map { day, ranges in "\(day): [\(ranges.map { "\"\($0)\"" }.joined(separator: ", "))]" }
        let calendar =
            "calendars: {c: {zone: \(zone), hours: {\(days.joined(separator: ", "))}, holidays: [\(holidays.joined(separator: ", "))]}}"
        let clock = "{title: T, starts: opened, stops: acknowledged, within: \(minutes)m\(hours.isEmpty ? "" : ", hours: c")}"
        return try Policies(
            files: [
                "calendars.yml": hours.isEmpty ? "" : calendar, "clocks.yml": "use: t\ntables: {t: {k: \(clock)}}",
            ], folder: "policies")
    }
}

@Suite("When clocks are due")
struct ClockCaseTests {
    @Test("there are more than 200 cases")
    func count() {
        #expect(ClockCase.all.count > 200)
    }

    @Test("as counted minute by minute", arguments: ClockCase.all)
    fileprivate func due(_ test: ClockCase) throws {
        let time = { (text: String) in try #require(Timestamp(rfc3339: text)) }
        let start = try time(test.start)
        var desk = Desk(policies: try test.policies())
        try desk.open(at: start)
        for pause in test.pauses {
            let change = { (action: IncidentChange.Action, at: Timestamp) in
                IncidentEvent.changed(IncidentChange(incident: "SEC-2026-0001", at: at, author: Desk.ana, action: action))
            }
            let id = try #require(desk.ledger.incidents.keys.first)
            for (index, text) in pause.enumerated() {
                guard let text else { continue }
                var event = change(index == 0 ? .pauseClock(nil) : .resumeClock(nil), try time(text))
                if case .changed(var inner) = event {
                    inner.incident = id
                    event = .changed(inner)
                }
                desk.apply([event], at: start)
            }
        }
        let state = try #require(desk.ledger.incidents.values.first)
        let status = try #require(desk.policies.clocks.statuses(of: state).first)
        #expect(status.due?.rfc3339 == test.due)
    }
}
