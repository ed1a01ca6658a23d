@testable import Detection

/// Correlates the slow and obvious way: keeps every event of every group, and looks at all of them each time.
///
/// Shares the parser with the engine and nothing after it. Events may be out of order by at most one timespan, and no
/// window may hold more than `Finding.maximumEvidence` events of an order or an absence: beyond that the engine forgets.
struct NaiveCorrelation {
    struct Event {
        var time: Int64
        var line: Int64
        var fields: [String: String]
        /// The lines behind it: its own, or those of a finding.
        var lines: [Int64]
        var firstSeen: Int64
    }

    struct Found: Equatable, Comparable {
        var time: Int64
        var title: String
        var count: Int
        var firstSeen: Int64
        var lastSeen: Int64
        var lines: [Int64]

        static func < (left: Found, right: Found) -> Bool {
            left.time != right.time
                ? left.time < right.time
                : left.title != right.title ? left.title < right.title : left.lines.lexicographicallyPrecedes(right.lines)
        }
    }

    private struct Group {
        /// In the order of their times; where those are the same, of their arrival.
        var events: [(event: Event, member: Int)] = []
        var newest = Int64.min
        var silentUntil = Int64.min
        var isRaised = false
    }

    let title: String
    let rule: SigmaCorrelation
    private var groups: [[String?]: Group] = [:]
    private(set) var late = 0

    init(title: String, rule: SigmaCorrelation) {
        self.title = title
        self.rule = rule
    }

    private var lateness: Int64 { rule.lateness ?? (rule.kind == .absence ? 0 : rule.timespan) }
    private var suppression: Int64 { rule.suppression ?? (rule.clear.isEmpty ? rule.timespan : 0) }

    private func key(_ event: Event, _ name: String) -> [String?]? {
        var key: [String?] = []
        for field in rule.groupBy {
            let value = event.fields[rule.aliases[field]?[name] ?? field]
            if value == nil, rule.missing == .ignore { return nil }
            key.append(value)
        }
        return key
    }

    /// The value that is counted; `nil` when the event has none.
    private func value(_ event: Event, _ name: String) -> String? {
        let fields: [String]
        switch rule.kind {
        case .eventCount, .temporal, .absence: return ""
        case .valueCount(let names): fields = names
        case .sum(let field), .average(let field), .median(let field), .percentile(let field, _): fields = [field]
        }
        var parts: [String] = []
        for field in fields {
            guard let value = event.fields[rule.aliases[field]?[name] ?? field] else { return nil }
            parts.append(value)
        }
        if case .valueCount = rule.kind { return parts.joined(separator: "\u{0}") }
        return Double(parts[0]).map { "\($0)" }
    }

    mutating func count(_ event: Event, as name: String) -> Found? {
        guard let member = rule.rules.firstIndex(of: name), value(event, name) != nil, let key = key(event, name) else {
            return nil
        }
        var group = groups[key] ?? Group()
        defer { groups[key] = group }
        guard group.newest == .min || event.time >= group.newest - lateness else {
            late += 1
            return nil
        }
        group.newest = max(group.newest, event.time)
        let horizon = group.newest - rule.timespan
        let before = window(group, horizon)
        if group.isRaised, before.isEmpty || rule.clear.allSatisfy({ $0.holds(number(before)) }) { group.isRaised = false }
        let place = group.events.firstIndex { $0.event.time > event.time } ?? group.events.count
        group.events.insert((event, member), at: place)
        let now = window(group, horizon)
        if group.isRaised {
            if rule.clear.allSatisfy({ $0.holds(number(now)) }) { group.isRaised = false }
            return nil
        }
        guard event.time >= group.silentUntil, isMet(now) else { return nil }
        group.silentUntil = event.time + suppression
        group.isRaised = !rule.clear.isEmpty
        return found(now, at: event.time)
    }

    private func found(_ window: [(event: Event, member: Int)], at time: Int64) -> Found {
        var lines: [Int64] = []
        for event in window.map(\.event) { for line in event.lines where !lines.contains(line) { lines.append(line) } }
        let isOrdered = rule.kind == .temporal(isOrdered: true)
        return Found(
            time: time, title: title, count: isOrdered ? Set(window.map(\.member)).count : window.count,
            firstSeen: window.suffix(64).map(\.event.firstSeen).reduce(window[0].event.time, min),
            lastSeen: window[window.count - 1].event.time,
            lines: Array(window.suffix(64).count == window.count ? lines.suffix(64) : lines.suffix(64)))
    }

    /// What of the group counts: for distinct values and rules, the newest of each.
    private func window(_ group: Group, _ horizon: Int64) -> [(event: Event, member: Int)] {
        let all = group.events.filter { $0.event.time >= horizon }
        let kind: ((event: Event, member: Int)) -> String
        switch rule.kind {
        case .valueCount: kind = { value($0.event, rule.rules[$0.member]) ?? "" }
        case .temporal(isOrdered: false): kind = { "\($0.member)" }
        default: return all
        }
        return all.enumerated().filter { index, one in !all[(index + 1)...].contains { kind($0) == kind(one) } }.map(\.element)
    }

    private func number(_ window: [(event: Event, member: Int)]) -> Double {
        let values = window.compactMap { value($0.event, rule.rules[$0.member]).flatMap(Double.init) }.sorted()
        switch rule.kind {
        case .eventCount, .valueCount, .temporal(isOrdered: false), .absence: return Double(window.count)
        case .temporal: return Double(longest(window.map(\.member), from: -1))
        case .sum: return values.reduce(0, +)
        case .average: return values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
        case .median:
            if values.isEmpty { return 0 }
            return (values[(values.count - 1) / 2] + values[values.count / 2]) / 2
        case .percentile(_, let rank):
            // Nearest rank: the smallest value that at least so many percent of all do not exceed.
            return values.first { value in
                Double(values.count { $0 <= value }) * 100 >= rank * Double(values.count)
            } ?? 0
        }
    }

    /// By trying every way to go on.
    private func longest(_ members: [Int], from last: Int) -> Int {
        var best = 0
        for wanted in Set(members) where wanted > last {
            guard let place = members.firstIndex(of: wanted) else { continue }
            best = max(best, 1 + longest(Array(members[(place + 1)...]), from: wanted))
        }
        return best
    }

    private func isMet(_ window: [(event: Event, member: Int)]) -> Bool {
        guard let expression = rule.expression else { return rule.bounds.allSatisfy { $0.holds(number(window)) } }
        let seen = Set(window.map { rule.rules[$0.member] })
        guard holds(expression, seen) else { return false }
        guard rule.kind == .temporal(isOrdered: true) else { return true }
        let wanted = positive(expression).intersection(seen)
        return longest(window.map(\.member).filter { wanted.contains(rule.rules[$0]) }, from: -1) == wanted.count
    }

    private func holds(_ condition: SigmaCondition, _ seen: Set<String>) -> Bool {
        switch condition {
        case .search(let name): seen.contains(name)
        case .not(let inner): !holds(inner, seen)
        case .and(let parts): parts.allSatisfy { holds($0, seen) }
        case .or(let parts): parts.contains { holds($0, seen) }
        case .quantified: false
        }
    }

    private func positive(_ condition: SigmaCondition) -> Set<String> {
        switch condition {
        case .search(let name): [name]
        case .not, .quantified: []
        case .and(let parts), .or(let parts): parts.reduce(into: []) { $0.formUnion(positive($1)) }
        }
    }

    // MARK: Absences

    /// What has waited long enough when it is `now`, before the event of that time is looked at.
    mutating func unanswered(before now: Int64) -> [Found] {
        var all: [Found] = []
        while true {
            var due: (deadline: Int64, line: Int64, key: [String?], place: Int)?
            for (key, group) in groups {
                for (place, entry) in group.events.enumerated() where entry.member == 0 {
                    let deadline = entry.event.time + rule.timespan
                    guard deadline + lateness < now else { continue }
                    if due.map({ (deadline, entry.event.line) < ($0.deadline, $0.line) }) ?? true {
                        due = (deadline, entry.event.line, key, place)
                    }
                }
            }
            guard let due, var group = groups[due.key] else { return all }
            let waiting = group.events.filter { $0.member == 0 }
            if due.deadline >= group.silentUntil {
                all.append(found(waiting, at: due.deadline))
                group.silentUntil = due.deadline + suppression
            }
            group.events.remove(at: due.place)
            groups[due.key] = group
        }
    }

    mutating func wait(_ event: Event, as name: String, now: Int64) {
        guard let member = rule.rules.firstIndex(of: name), let key = key(event, name) else { return }
        guard event.time + rule.timespan + lateness >= now else {
            late += 1
            return
        }
        var group = groups[key] ?? Group()
        defer { groups[key] = group }
        if member == 1 {
            group.events.removeAll {
                $0.member == 0 && $0.event.time <= event.time && event.time <= $0.event.time + rule.timespan
            }
        } else if group.events.contains(where: {
            $0.member == 1 && $0.event.time >= event.time && $0.event.time <= event.time + rule.timespan
        }) {
            return
        }
        group.events.insert((event, member), at: group.events.firstIndex { $0.event.time > event.time } ?? group.events.count)
    }
}
