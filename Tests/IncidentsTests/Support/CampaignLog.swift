import Detection
import Events
import Foundation
import Incidents
import Ingest

/// A log made of campaigns and of people: every line knows whose it is.
struct CampaignLog {
    private struct Line {
        var seconds: Int64
        var text: String
        var owner: String?
    }

    private var lines: [Line] = []

    /// - Parameter owner: the campaign; `nil` for people who mean no harm.
    mutating func ssh(
        _ owner: String?, from address: String, user: String, at seconds: Int64, accepted: Bool = false, isUnknown: Bool = false
    ) {
        let verb = accepted ? "Accepted" : "Failed"
        let name = isUnknown ? "invalid user \(user)" : user
        add(
            owner, seconds,
            "\(time(seconds).rfc3339) web sshd[\(1_000 + lines.count)]: \(verb) password for \(name) from \(address) port 40022 ssh2"
        )
    }

    mutating func web(
        _ owner: String?, from address: String, _ request: String, status: Int = 200, bytes: Int = 512, at seconds: Int64,
        referrer: String = "-", agent: String = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
    ) {
        raw(
            owner, from: address, request: "\(request) HTTP/1.1", status: status, bytes: bytes, at: seconds, referrer: referrer,
            agent: agent)
    }

    /// A request line that need not be one.
    mutating func raw(
        _ owner: String?, from address: String, request: String, status: Int, bytes: Int = 512, at seconds: Int64,
        referrer: String = "-", agent: String = "-"
    ) {
        let parts = time(seconds).rfc3339.split(separator: "T")
        let day = parts[0].suffix(2)
        let month = parts[0].dropFirst(5).prefix(2) == "03" ? "Mar" : "Apr"
        add(
            owner, seconds,
            "\(address) - - [\(day)/\(month)/2026:\(parts[1].prefix(8)) +0000] \"\(request)\" \(status) \(bytes) "
                + "\"\(referrer)\" \"\(agent)\"")
    }

    private mutating func add(_ owner: String?, _ seconds: Int64, _ text: String) {
        lines.append(Line(seconds: seconds, text: text, owner: owner))
    }

    private func time(_ seconds: Int64) -> Timestamp { Sample.start.advanced(bySeconds: seconds) }

    /// What became of it: the findings of the real rules, grouped.
    func run(_ rules: RuleSet, by grouping: Grouping = Grouping()) -> Outcome {
        let ordered = lines.enumerated().sorted { ($0.element.seconds, $0.offset) < ($1.element.seconds, $1.offset) }.map(
            \.element)
        var parser = BatchParser(format: .auto, plan: JSONFieldPlan(rules.fields))
        var engine = Engine(rules)
        var findings: [Finding] = []
        var outcome = Outcome()
        var book = IncidentBook()
        // In pieces, as a file that grows is read; line numbers go on.
        let size = 500
        for start in stride(from: 0, to: ordered.count, by: size) {
            let piece = ordered[start..<min(start + size, ordered.count)]
            let batch = LogStream.parse(
                piece.map(\.text).joined(separator: "\n") + "\n", name: "piece \(start)", parser: &parser,
                reference: time(40 * 86_400))
            engine.consume(batch, into: &findings)
        }
        for finding in findings {
            let owners = Set(
                finding.evidence.compactMap { reference -> String? in
                    guard let start = Int(reference.origin.source.dropFirst("piece ".count)) else { return nil }
                    return ordered[start + Int(reference.line) - 1].owner
                })
            let texts = finding.evidence.map { reference -> String? in
                Int(reference.origin.source.dropFirst("piece ".count)).map { ordered[$0 + Int(reference.line) - 1].text }
            }
            for event in grouping.events(for: finding, lines: texts, book: &book, now: Sample.start) {
                outcome.add(event)
                switch event {
                case .findingRecorded(let record): outcome.add(record, owners: owners)
                case .changed(let change): outcome.add(change)
                default: break
                }
            }
        }
        outcome.unparsed = parser.counters.unparsed
        outcome.book = book
        return outcome
    }
}

/// Findings with the incident they were put into and the campaign they are of.
struct Outcome {
    private(set) var placed: [(incident: String, owner: String)] = []
    /// Incidents that people are told may belong together.
    private(set) var links: Set<Set<String>> = []
    /// About several campaigns at once: no pair with them is right or wrong.
    private(set) var mixed = 0
    /// About people who mean no harm.
    private(set) var falseAlarms = 0
    private(set) var harmless: [FindingRecord] = []
    private(set) var addresses: Set<String> = []
    var unparsed = 0
    /// As it is at the end.
    var book = IncidentBook()
    /// The worst severity that each incident has had, and when it was opened by the first event behind it.
    private(set) var severities: [String: Severity] = [:]
    private(set) var opened: [String: Timestamp] = [:]
    private(set) var findings: [FindingRecord] = []
    /// Every raise, with its reason.
    private(set) var raises: [SeverityChange] = []

    /// The levels of the rules that spoke in an incident, by category, as the tables have them.
    func levels(of incident: String) -> [String: Set<String>] {
        findings.reduce(into: [:]) { levels, finding in
            guard finding.incident == incident, finding.silence == nil else { return }
            levels[finding.category, default: []].insert(finding.level)
        }
    }

    mutating func add(_ event: IncidentEvent) {
        switch event {
        case .opened(let opened):
            severities[opened.incident] = opened.severity
            self.opened[opened.incident] = opened.firstSeen
        case .severityChanged(let change):
            raises.append(change)
            severities[change.incident] = max(severities[change.incident] ?? .low, change.to)
        case .findingRecorded(let record): findings.append(record)
        default: break
        }
    }

    mutating func add(_ record: FindingRecord, owners: Set<String>) {
        addresses.formUnion([record.address].compactMap { $0 })
        switch owners.count {
        case 0:
            falseAlarms += 1
            harmless.append(record)
        case 1: placed.append((record.incident ?? "none", owners.first ?? ""))
        default: mixed += 1
        }
    }

    mutating func add(_ change: IncidentChange) {
        if case .link(_, let other) = change.action { links.insert([change.incident, other]) }
    }

    var incidents: Int { Set(placed.map(\.incident)).count }

    /// Of all pairs of findings in one incident, how many are of one campaign; of all pairs of one campaign, how many are in one incident.
    var quality: (precision: Double, recall: Double) { quality(withLinks: false) }

    /// - Parameter withLinks: pairs across a link count as together.
    func quality(withLinks: Bool) -> (precision: Double, recall: Double) {
        var together = 0
        var related = 0
        var both = 0
        for (index, left) in placed.enumerated() {
            for right in placed[..<index] {
                let isTogether =
                    left.incident == right.incident || withLinks && links.contains([left.incident, right.incident])
                let isRelated = left.owner == right.owner
                together += isTogether ? 1 : 0
                related += isRelated ? 1 : 0
                both += isTogether && isRelated ? 1 : 0
            }
        }
        return (together == 0 ? 1 : Double(both) / Double(together), related == 0 ? 1 : Double(both) / Double(related))
    }
}

enum Repository {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The rules that are shipped.
    static let rules = RuleFolder(paths: [root.appendingPathComponent("rules").path]).compile()
}
