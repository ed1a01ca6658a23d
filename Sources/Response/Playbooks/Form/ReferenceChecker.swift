import Journal

/// Whether what a document refers to is in it, and what it lists is used.
struct ReferenceChecker {
    let document: JSONValue
    private let workflow: [String: JSONValue]

    init(_ document: JSONValue) {
        self.document = document
        workflow = document["workflow"]?.objectValue ?? [:]
    }

    func problems() -> [PlaybookProblem] {
        stepReferences() + definitionReferences() + requiredSteps() + sharedUUIDs() + markingCircles() + extensions()
            + activities() + externalReferences()
    }

    private var sortedSteps: [(key: String, value: JSONValue)] { workflow.sorted { $0.key < $1.key } }

    private func stepReferences() -> [PlaybookProblem] {
        var problems: [PlaybookProblem] = []
        func need(_ value: JSONValue?, _ path: String) {
            guard let id = value?.stringValue, workflow[id] == nil else { return }
            problems.append(PlaybookProblem(.error, .missingStep, at: path, "the workflow has no step \(id)"))
        }
        need(document["workflow_start"], "/workflow_start")
        need(document["workflow_exception"], "/workflow_exception")
        for (id, step) in sortedSteps {
            let path = "/workflow/\(pointerToken(id))"
            for name in ["on_completion", "on_success", "on_failure", "on_true", "on_false"] {
                need(step[name], "\(path)/\(name)")
            }
            for (index, next) in (step["next_steps"]?.arrayValue ?? []).enumerated() { need(next, "\(path)/next_steps/\(index)") }
            for (name, next) in (step["cases"]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
                need(next, "\(path)/cases/\(pointerToken(name))")
            }
        }
        return problems
    }

    private func definitionReferences() -> [PlaybookProblem] {
        var problems: [PlaybookProblem] = []
        func need(_ value: JSONValue?, in definitions: String..., at path: String) {
            guard let id = value?.stringValue, !definitions.contains(where: { document[$0]?[id] != nil }) else { return }
            problems.append(PlaybookProblem(.error, .missingDefinition, at: path, "\(definitions[0]) has no \(id)"))
        }
        for (id, step) in sortedSteps {
            let path = "/workflow/\(pointerToken(id))"
            need(step["agent"], in: "agent_definitions", at: path + "/agent")
            for (index, target) in (step["targets"]?.arrayValue ?? []).enumerated() {
                need(target, in: "target_definitions", "agent_definitions", at: "\(path)/targets/\(index)")
            }
            for name in (step["step_extensions"]?.objectValue ?? [:]).keys.sorted() {
                need(.string(name), in: "extension_definitions", at: "\(path)/step_extensions/\(pointerToken(name))")
            }
        }
        for dictionary in ["agent_definitions", "target_definitions"] {
            for (id, entry) in (document[dictionary]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
                need(
                    entry["authentication_info"], in: "authentication_info_definitions",
                    at: "/\(dictionary)/\(pointerToken(id))/authentication_info")
                for name in (entry["agent_target_extensions"]?.objectValue ?? [:]).keys.sorted() {
                    need(
                        .string(name), in: "extension_definitions",
                        at: "/\(dictionary)/\(pointerToken(id))/agent_target_extensions")
                }
            }
        }
        for (index, marking) in (document["markings"]?.arrayValue ?? []).enumerated() {
            need(marking, in: "data_marking_definitions", at: "/markings/\(index)")
        }
        for name in (document["playbook_extensions"]?.objectValue ?? [:]).keys.sorted() {
            need(.string(name), in: "extension_definitions", at: "/playbook_extensions/\(pointerToken(name))")
        }
        return problems
    }

    /// §3.1: a start, an action or playbook action, and an end; the start is the one that workflow_start names.
    private func requiredSteps() -> [PlaybookProblem] {
        let types = Set(workflow.values.compactMap { $0["type"]?.stringValue })
        var problems: [PlaybookProblem] = []
        let missing = { (what: String) in
            problems.append(PlaybookProblem(.error, .requiredSteps, at: "/workflow", "there is no \(what) step"))
        }
        if document["workflow"] != nil {
            if !types.contains("start") { missing("start") }
            if !types.contains("end") { missing("end") }
            if types.isDisjoint(with: ["action", "playbook-action"]) { missing("action or playbook-action") }
        }
        return problems
    }

    /// §10.10: one UUID, one object, whatever its type.
    private func sharedUUIDs() -> [PlaybookProblem] {
        var seen: [String: String] = [:]
        var problems: [PlaybookProblem] = []
        func meet(_ text: String, _ path: String) {
            guard let id = Identifier(text) else { return }
            let uuid = id.uuid.lowercased()
            if let other = seen[uuid], other != text {
                problems.append(PlaybookProblem(.error, .duplicateUUID, at: path, "\(text) has the UUID of \(other)"))
            }
            seen[uuid] = text
        }
        if let id = document["id"]?.stringValue { meet(id, "/id") }
        for name in [
            "workflow", "agent_definitions", "target_definitions", "authentication_info_definitions", "extension_definitions",
            "data_marking_definitions",
        ] {
            for key in (document[name]?.objectValue ?? [:]).keys.sorted() { meet(key, "/\(name)/\(pointerToken(key))") }
        }
        return problems
    }

    /// §9: markings are never versioned, a key is its object's id, and no marking marks itself.
    private func markingCircles() -> [PlaybookProblem] {
        (document["data_marking_definitions"]?.objectValue ?? [:]).sorted { $0.key < $1.key }.compactMap { key, marking in
            guard let id = marking["id"]?.stringValue, id != key else { return nil }
            return PlaybookProblem(
                .error, .circularMarking, at: "/data_marking_definitions/\(pointerToken(key))/id", "the key names another marking"
            )
        }
    }

    private func extensions() -> [PlaybookProblem] {
        guard let members = document["playbook_extensions"]?.objectValue else { return [] }
        return members.keys.sorted().compactMap { key in
            members[key]?.objectValue == nil
                ? PlaybookProblem(.error, .valueType, at: "/playbook_extensions/\(pointerToken(key))", "an object is needed here")
                : nil
        }
    }

    /// §3.1: what the playbook says it does, some command does. A warning, although the specification says MUST: its own example
    /// of §3.1 lists an activity that none of its steps has, and a person may see it reflected in a step's description.
    private func activities() -> [PlaybookProblem] {
        let done = Set(
            workflow.values.flatMap { $0["commands"]?.arrayValue ?? [] }.compactMap { $0["playbook_activity"]?.stringValue })
        let calls = workflow.values.contains { $0["type"]?.stringValue == "playbook-action" }
        return (document["playbook_activities"]?.arrayValue ?? []).enumerated().compactMap { index, activity in
            guard let text = activity.stringValue, !done.contains(text), !calls else { return nil }
            return PlaybookProblem(
                .warning, .unlistedActivity, at: "/playbook_activities/\(index)",
                "no command of the workflow has the activity \(text)")
        }
    }

    /// §3.1: sectors and references that are used below are listed above.
    private func externalReferences() -> [PlaybookProblem] {
        var problems: [PlaybookProblem] = []
        let listed = Set((document["external_references"]?.arrayValue ?? []).map(\.description))
        for (id, step) in sortedSteps {
            let own = step["external_references"]?.arrayValue ?? []
            let commands = (step["commands"]?.arrayValue ?? []).flatMap { $0["external_references"]?.arrayValue ?? [] }
            for reference in own + commands where !listed.contains(reference.description) {
                problems.append(
                    PlaybookProblem(
                        .error, .unlistedReference, at: "/workflow/\(pointerToken(id))",
                        "the reference \(reference["name"]?.stringValue ?? "") is not in the playbook's external_references"))
            }
        }
        let sectors = Set((document["industry_sectors"]?.arrayValue ?? []).compactMap(\.stringValue))
        for dictionary in ["agent_definitions", "target_definitions"] {
            for (id, entry) in (document[dictionary]?.objectValue ?? [:]).sorted(by: { $0.key < $1.key }) {
                let used = entry["sector"]?.arrayValue ?? entry["sector"].map { [$0] } ?? []
                for sector in used.compactMap(\.stringValue) where !sectors.contains(sector) {
                    problems.append(
                        PlaybookProblem(
                            .error, .unlistedSector, at: "/\(dictionary)/\(pointerToken(id))/sector",
                            "\(sector) is not in the playbook's industry_sectors"))
                }
            }
        }
        return problems
    }
}
