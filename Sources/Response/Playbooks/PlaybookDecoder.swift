import Events
package import Journal

/// Reads playbooks. Bytes come from outside: every problem is named by its path, nothing is half accepted.
package enum PlaybookDecoder {
    /// Far more than any playbook needs, and what one parse may cost.
    package static let limits = JSONValue.Limits(depth: 48, bytes: 4 << 20)

    package struct Reading: Sendable {
        /// `nil` where there is an error.
        package var playbook: Playbook?
        package var problems: [PlaybookProblem]

        package var errors: [PlaybookProblem] { problems.filter { $0.severity == .error } }
    }

    /// The form and the references of a document; what running it would do is ``PlaybookLinter``'s.
    package static func read(_ bytes: [UInt8]) -> Reading {
        do {
            return read(try JSONValue(parsing: bytes, limits: limits))
        } catch {
            return Reading(playbook: nil, problems: [PlaybookProblem(.error, .json, at: "", error.description)])
        }
    }

    package static func read(_ document: JSONValue) -> Reading {
        var checker = ShapeChecker()
        checker.check(document, .object(PlaybookShapes.playbook), at: "")
        var problems = checker.problems
        if document.objectValue != nil { problems += ReferenceChecker(document).problems() }
        let hasErrors = problems.contains { $0.severity == .error }
        return Reading(playbook: hasErrors ? nil : model(document), problems: problems)
    }

    /// The playbook; every error there is otherwise.
    package static func decode(_ bytes: [UInt8]) throws(PlaybookRefusal) -> Playbook {
        let reading = read(bytes)
        guard let playbook = reading.playbook else { throw PlaybookRefusal(problems: reading.errors) }
        return playbook
    }

    private static func model(_ json: JSONValue) -> Playbook? {
        let identifier = { (name: String) in json[name]?.stringValue.flatMap { Identifier($0) } }
        let time = { (name: String) in json[name]?.stringValue.flatMap { Timestamp(rfc3339: $0) } }
        let words = { (name: String) in (json[name]?.arrayValue ?? []).compactMap(\.stringValue) }
        guard let id = identifier("id"), let name = json["name"]?.stringValue, let creator = identifier("created_by"),
            let created = time("created"), let modified = time("modified"), let version = json["modified"]?.stringValue,
            let start = identifier("workflow_start"), let hash = try? Playbook.contentHash(of: json)
        else { return nil }
        return Playbook(
            document: json, contentHash: hash, id: id, name: name, about: json["description"]?.stringValue,
            types: words("playbook_types"),
            activities: words("playbook_activities"), createdBy: creator, version: version, created: created, modified: modified,
            isRevoked: json["revoked"]?.boolValue ?? false, validFrom: time("valid_from"), validUntil: time("valid_until"),
            impact: json["impact"]?.integerValue, priority: json["priority"]?.integerValue,
            severity: json["severity"]?.integerValue, labels: words("labels"),
            variables: Variable.dictionary(json["playbook_variables"]), start: start,
            exceptionHandler: identifier("workflow_exception"), steps: dictionary(json["workflow"]) { WorkflowStep($0, $1) },
            agents: dictionary(json["agent_definitions"]) { AgentTarget($1) },
            targets: dictionary(json["target_definitions"]) { AgentTarget($1) },
            authentications: dictionary(json["authentication_info_definitions"]) { AuthenticationInfo($1) },
            markings: (json["data_marking_definitions"]?.objectValue ?? [:]).sorted { $0.key < $1.key }.map {
                DataMarking($0.value)
            },
            signatures: json["signatures"]?.arrayValue ?? [])
    }

    private static func dictionary<Value>(_ json: JSONValue?, _ make: (Identifier, JSONValue) -> Value?) -> [Identifier: Value] {
        var result: [Identifier: Value] = [:]
        for (key, member) in json?.objectValue ?? [:] {
            guard let id = Identifier(key), let value = make(id, member) else { continue }
            result[id] = value
        }
        return result
    }
}
