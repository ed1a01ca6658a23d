import Events
import Incidents
import Journal
import Response

/// What an incident says about the variables of a playbook.
enum RunVariables {
    /// What was given, then what the incident knows; declared defaults are the engine's.
    static func values(of playbook: Playbook, for incident: IncidentSummary, given: [String: String]) -> [String: JSONValue] {
        let first = { (kind: IncidentEntity.Kind) in incident.entities.first { $0.kind == kind && $0.value != nil }?.value }
        var values: [String: JSONValue] = [:]
        for (name, variable) in playbook.variables where variable.isExternal {
            switch name {
            case "__incident__": values[name] = .string(incident.id)
            case "__address__": values[name] = first(.address).map { .string($0) }
            case "__account__": values[name] = first(.account).map { .string($0) }
            default: break
            }
            // The incident is what the run is of; nobody names another.
            if let text = given[name], name != "__incident__" { values[name] = .string(text) }
        }
        return values
    }

    /// Variables that whoever starts the playbook has to give.
    static func missing(_ values: [String: JSONValue], in playbook: Playbook) -> [String] {
        playbook.variables.filter { $0.value.isExternal && $0.value.value == .null && values[$0.key] == nil }.keys.sorted()
    }

    /// Whom the values of the run are about: erasing one of them blanks the run's values.
    static func subjects(of incident: IncidentSummary, _ values: [String: JSONValue]) -> [Subject] {
        var subjects = incident.entities.compactMap { entity -> Subject? in
            guard let value = entity.value, values.values.contains(.string(value)) else { return nil }
            return entity.kind == .address ? address(value) : Subject(kind: .user, value: value)
        }
        if let value = values["__address__"]?.stringValue { subjects.append(address(value)) }
        if let value = values["__account__"]?.stringValue, !value.isEmpty { subjects.append(Subject(kind: .user, value: value)) }
        var seen: Set<Subject> = []
        return subjects.filter { seen.insert($0).inserted }
    }

    /// As the rest of the journal spells it.
    private static func address(_ text: String) -> Subject {
        Subject(kind: .ip, value: IPAddress(text)?.prefix.description ?? text)
    }
}
