import Events

extension IncidentOrder.Verb {
    /// A verb as commands, the API and forms name it, with what it needs.
    ///
    /// - Parameters:
    ///   - name: `ack`, `phase`, `severity`, …
    ///   - arguments: by name, such as `to` of a phase.
    package init(_ name: String, _ arguments: [String: String]) throws(IncidentRefusal) {
        func needed(_ key: String) throws(IncidentRefusal) -> String {
            guard let value = arguments[key], !value.isEmpty else {
                throw IncidentRefusal(.invalid, "'\(key)' is missing", "say \(key) of what")
            }
            return value
        }
        func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) throws(IncidentRefusal) -> Choice
        where Choice.RawValue == String {
            let text = try needed(key).lowercased().replacing("-", with: "_")
            guard let choice = Choice(rawValue: text) else {
                let known = Choice.allCases.map(\.rawValue)
                let nearest = NearestName.find(text, among: known).map { "did you mean '\($0)'? " } ?? ""
                throw IncidentRefusal(
                    .invalid, "'\(text)' is not known", "\(nearest)Known are \(known.joined(separator: ", "))")
            }
            return choice
        }
        switch name {
        case "ack": self = .acknowledge
        case "phase": self = .phase(try choice("to", Phase.self))
        case "severity":
            guard let severity = Severity(try needed("to")) else {
                throw IncidentRefusal(.invalid, "that is no severity", "known are P0 to P3, critical, high, medium, low")
            }
            self = .severity(severity)
        case "close": self = .close(try choice("as", Resolution.self))
        case "reopen": self = .reopen
        case "note": self = .note
        case "update": self = .statusUpdate
        case "say": self = .say
        case "assign": self = .assign(role: try needed("role"), person: try needed("person"))
        case "release": self = .release(role: try needed("role"), person: try needed("person"))
        case "entity":
            self = .addEntity(IncidentEntity(kind: try choice("kind", IncidentEntity.Kind.self), value: try needed("value")))
        case "affected":
            let users = arguments["users"]
            guard users == nil || users.flatMap({ Int($0) }) != nil else {
                throw IncidentRefusal(.invalid, "that is no number of users", "give 0 or more")
            }
            self = .affected(
                users: users.flatMap { Int($0) }, data: (arguments["data"] ?? "").split(separator: ",").map { $0.trimmed })
        case "tlp":
            guard let light = TrafficLight(try needed("to")) else {
                throw IncidentRefusal(.invalid, "that is no TLP", "known are clear, green, amber, amber+strict, red")
            }
            self = .trafficLight(light)
        case "restrict": self = .restrict(readers: try needed("readers").split(separator: ",").map { $0.trimmed })
        case "unrestrict": self = .unrestrict
        case "link": self = .link(try choice("kind", LinkKind.self), to: try needed("to"))
        case "unlink": self = .unlink(try choice("kind", LinkKind.self), to: try needed("to"))
        case "merge": self = .merge(into: try needed("into"))
        case "split":
            // What they are about is read from the findings themselves.
            self = .split(
                title: try needed("title"), findings: try needed("findings").split(separator: ",").map { $0.trimmed },
                entities: [])
        case "milestone": self = .milestone(try choice("reached", Milestone.self))
        case "pause": self = .pauseClock(arguments["clock"])
        case "resume": self = .resumeClock(arguments["clock"])
        default:
            throw IncidentRefusal(.invalid, "nothing called '\(name)' can be done to an incident", "see `vigie incidents --help`")
        }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}
