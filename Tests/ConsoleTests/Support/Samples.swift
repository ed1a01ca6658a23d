import Events
import Incidents

/// Incidents for the tests; `text` stands in every field that can carry an attacker's words.
enum Samples {
    static func incident(
        _ id: String = "SEC-2026-0001", severity: Severity = .high, phase: Phase = .detection, text: String = "sample",
        findings: Int = 1
    ) -> IncidentDetail {
        let entities = [
            IncidentEntity(kind: .address, value: "203.0.113.9"), IncidentEntity(kind: .account, value: text),
            IncidentEntity(kind: .account, value: nil),
        ]
        let summary = IncidentSummary(
            id: id, title: "Title \(text)", severity: severity, phase: phase, entities: entities, findingCount: findings,
            eventCount: 1284, firstSeen: noon.advanced(bySeconds: -600), lastSeen: noon.advanced(bySeconds: -60),
            openedAt: noon.advanced(bySeconds: -590), updatedAt: noon.advanced(bySeconds: -59),
            categories: ["brute_force", text],
            techniques: ["T1110.001", text])
        return IncidentDetail(
            summary: summary,
            timeline: [
                TimelineItem(
                    sequence: 7, occurredAt: noon.advanced(bySeconds: -600), recordedAt: noon.advanced(bySeconds: -590),
                    actor: text,
                    kind: text, text: "Opened \(text)")
            ],
            findings: (0..<findings).map { finding($0, text: text) })
    }

    static func finding(_ index: Int, text: String) -> FindingView {
        FindingView(
            id: "f\(index)", sequence: 50 + index, ruleID: text, ruleTitle: "Rule \(text)", ruleHash: text, level: text,
            category: text,
            severity: .high, techniques: [text], entities: [IncidentEntity(kind: .account, value: text)], count: 3,
            firstSeen: noon.advanced(bySeconds: -70), lastSeen: noon.advanced(bySeconds: -60),
            recordedAt: noon.advanced(bySeconds: -59),
            lines: (0..<9).map { EvidenceLine(file: "/var/log/\(text)", line: 100 + $0, offset: 4000, text: "line \(text)") }
                + [EvidenceLine(file: "/var/log/auth.log", line: 200, offset: 9000, text: nil)],
            grouping: "Because \(text)")
    }

    static func source(text: String = "sample") -> SourceStatus {
        var counters = SourceCounters()
        counters.bytes = 4096
        counters.lines = 20
        counters.parsed = 12
        counters.plain = 6
        counters.unparsed = 5
        counters.overlong = 1
        counters.invalidUTF8 = 2
        counters.containingNUL = 3
        counters.partial = 4
        var status = SourceStatus(
            name: "/var/log/\(text)", format: text, state: "following", problem: "Problem \(text)", counters: counters,
            lagBytes: 2048, lastEvent: noon, unparsedSamples: ["raw \(text)"])
        status.plainSamples = ["plain \(text)"]
        return status
    }
}
