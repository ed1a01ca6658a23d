import Events
import Yams

/// One clock: what starts and stops it, and how long it may run.
package struct ClockDefinition: Sendable, Equatable {
    package var id: String
    package var title: String
    package var starts: Milestone
    package var stops: Milestone
    /// Seconds; a severity that is missing has no such clock.
    package var within: [Severity: Int64]
    /// The same of what somebody reported by mail; `nil` where it is the same time.
    package var withinReported: [Severity: Int64]?
    /// The name of a calendar; `nil` where it runs all the time.
    package var calendar: String?
    /// It begins anew each time it is stopped, until the incident is closed.
    package var repeats = false
    /// It is there only where users are affected.
    package var needsAffectedUsers = false
    /// Who is told when it was missed: targets as escalation has them.
    package var tells: [PageTarget] = []
}

/// The clocks of incidents, and the calendars they go by.
package struct ClockPolicy: Sendable, Equatable {
    package var clocks: [ClockDefinition] = []
    package var calendars: [String: BusinessCalendar] = [:]

    package init() {}

    func check(clock: String) throws(IncidentRefusal) {
        guard clocks.contains(where: { $0.id == clock }) else {
            throw IncidentRefusal(
                .invalid, "there is no clock '\(clock)'", "there are \(clocks.map(\.id).joined(separator: ", "))")
        }
    }

    /// Reads `clocks.yml`: several tables of clocks, and which of them is in force.
    init(_ node: Node?, _ reader: PolicyReader, calendars: [String: BusinessCalendar]) throws(PolicyError) {
        self.calendars = calendars
        guard let node else { return }
        let members = try reader.members(node, known: ["use", "tables"], needed: ["use", "tables"])
        var tables: [String: [ClockDefinition]] = [:]
        if let node = members["tables"] {
            for table in try reader.mapping(node) {
                var clocks: [ClockDefinition] = []
                for clock in try reader.mapping(table.value) {
                    clocks.append(try ClockPolicy.clock(clock.name, clock.value, reader, calendars))
                }
                tables[table.name] = clocks
            }
        }
        guard let use = members["use"] else { return }
        guard let chosen = tables[try reader.text(use)] else {
            throw reader.unknown(use, "table", try reader.text(use), known: tables.keys.sorted())
        }
        clocks = chosen
    }

    private static func clock(
        _ id: String, _ node: Node, _ reader: PolicyReader, _ calendars: [String: BusinessCalendar]
    ) throws(PolicyError) -> ClockDefinition {
        let members = try reader.members(
            node,
            known: [
                "title", "starts", "stops", "within", "within_reported", "hours", "repeats", "needs_affected_users", "tells",
            ],
            needed: ["title", "starts", "stops", "within"])
        var clock = ClockDefinition(id: id, title: id, starts: .opened, stops: .closed, within: [:])
        for (name, value) in members {
            switch name {
            case "title": clock.title = try reader.text(value)
            case "starts": clock.starts = try reader.choice(value, "milestone", Milestone.self)
            case "stops": clock.stops = try reader.choice(value, "milestone", Milestone.self)
            case "within": clock.within = try within(value, reader)
            case "within_reported": clock.withinReported = try within(value, reader)
            case "hours":
                let name = try reader.text(value)
                guard calendars[name] != nil else {
                    throw reader.unknown(value, "calendar", name, known: calendars.keys.sorted())
                }
                clock.calendar = name
            case "repeats": clock.repeats = try reader.flag(value)
            case "needs_affected_users": clock.needsAffectedUsers = try reader.flag(value)
            default: clock.tells = try PageTarget.list(value, reader)
            }
        }
        return clock
    }

    /// One duration for all severities, or one for each that has the clock.
    private static func within(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> [Severity: Int64] {
        guard node.mapping != nil else {
            let seconds = try reader.duration(node)
            return Dictionary(uniqueKeysWithValues: Severity.allCases.map { ($0, seconds) })
        }
        var within: [Severity: Int64] = [:]
        for pair in try reader.mapping(node) {
            guard let severity = Severity(pair.name) else { throw reader.error(pair.key, "a severity is P0 to P3") }
            within[severity] = try reader.duration(pair.value)
        }
        return within
    }

    static func calendars(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) -> [String: BusinessCalendar] {
        guard let node, let list = try reader.members(node, known: ["calendars"])["calendars"] else { return [:] }
        var calendars: [String: BusinessCalendar] = [:]
        for entry in try reader.mapping(list) {
            let members = try reader.members(entry.value, known: ["zone", "hours", "holidays"], needed: ["zone", "hours"])
            guard let zone = members["zone"], let hours = members["hours"] else { continue }
            var calendar = BusinessCalendar(zone: try reader.zone(zone), hours: Array(repeating: [], count: 7))
            for day in try reader.mapping(hours) {
                guard let weekday = weekdays.firstIndex(of: day.name) else {
                    throw reader.unknown(day.key, "weekday", day.name, known: weekdays)
                }
                calendar.hours[weekday] = try ranges(day.value, reader)
            }
            guard calendar.hours.contains(where: { !$0.isEmpty }) else { throw reader.error(hours, "it is never open") }
            for date in try members["holidays"].map(reader.list) ?? [] { calendar.holidays.insert(try reader.date(date)) }
            calendars[entry.name] = calendar
        }
        return calendars
    }

    private static let weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// `["09:00-12:00", "13:00-17:00"]`.
    private static func ranges(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> [Range<Int64>] {
        var ranges: [Range<Int64>] = []
        for element in try reader.list(node) {
            let sides = try reader.text(element).split(separator: "-")
            guard sides.count == 2 else { throw reader.error(element, "hours like 09:00-17:00 are expected here") }
            let (start, end) = (try reader.timeOfDay(sides[0], element), try reader.timeOfDay(sides[1], element))
            guard start < end, start >= ranges.last?.upperBound ?? 0 else {
                throw reader.error(element, "hours have to follow each other; what goes past midnight is two ranges")
            }
            ranges.append(start..<end)
        }
        return ranges
    }
}
