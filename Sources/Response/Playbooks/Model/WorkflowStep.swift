import Journal

/// One step of a workflow (§4).
package struct WorkflowStep: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case start
        case end
        case action(Action)
        case playbook(PlaybookCall)
        case parallel([Identifier])
        case conditional(condition: String, onTrue: Identifier, onFalse: Identifier?)
        case loop(condition: String, onTrue: Identifier)
        case choice(over: String, cases: [String: Identifier])
    }

    /// §4.5
    package struct Action: Hashable, Sendable {
        package var commands: [Command]
        package var agent: Identifier
        package var targets: [Identifier]
        package var arguments: [String]
        package var results: [String]
    }

    /// §4.6
    package struct PlaybookCall: Hashable, Sendable {
        package var playbook: Identifier
        /// The `modified` of the version wanted; `nil` for the newest.
        package var version: String?
        package var arguments: [String]
        package var results: [String]
    }

    package var id: Identifier
    package var kind: Kind
    package var type: String
    package var name: String?
    package var about: String?
    /// Milliseconds.
    package var delay: Int64
    /// Milliseconds; `nil` where the author leaves it to the executor.
    package var timeout: Int64?
    package var variables: [String: Variable]
    package var owner: Identifier?
    package var onCompletion: Identifier?
    package var onSuccess: Identifier?
    package var onFailure: Identifier?
    /// What Vigie's own extension says about the step.
    package var response: ResponseExtension

    /// What people call it: its name, else its kind.
    package var title: String { name ?? type }

    /// The first steps of the branches that this step begins.
    package var branches: [Identifier] {
        switch kind {
        case .parallel(let steps): steps
        case .conditional(_, let onTrue, let onFalse): [onTrue] + (onFalse.map { [$0] } ?? [])
        case .loop(_, let onTrue): [onTrue]
        case .choice(_, let cases): cases.sorted { $0.key < $1.key }.map(\.value)
        case .start, .end, .action, .playbook: []
        }
    }

    /// Where it goes from here once it is done.
    package var successors: [Identifier] { [onCompletion, onSuccess, onFailure].compactMap { $0 } }

    init?(_ id: Identifier, _ json: JSONValue) {
        let step = { (name: String) in json[name]?.stringValue.flatMap { Identifier($0) } }
        let names = { (name: String) in (json[name]?.arrayValue ?? []).compactMap(\.stringValue) }
        let steps = { (name: String) in (json[name]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { Identifier($0) } } }
        type = json["type"]?.stringValue ?? ""
        switch type {
        case "start": kind = .start
        case "end": kind = .end
        case "action":
            guard let agent = step("agent") else { return nil }
            kind = .action(
                Action(
                    commands: (json["commands"]?.arrayValue ?? []).map { Command($0) }, agent: agent, targets: steps("targets"),
                    arguments: names("in_args"), results: names("out_args")))
        case "playbook-action":
            guard let playbook = step("playbook_id") else { return nil }
            kind = .playbook(
                PlaybookCall(
                    playbook: playbook, version: json["playbook_version"]?.stringValue, arguments: names("in_args"),
                    results: names("out_args")))
        case "parallel": kind = .parallel(steps("next_steps"))
        case "if-condition":
            guard let condition = json["condition"]?.stringValue, let onTrue = step("on_true") else { return nil }
            kind = .conditional(condition: condition, onTrue: onTrue, onFalse: step("on_false"))
        case "while-condition":
            guard let condition = json["condition"]?.stringValue, let onTrue = step("on_true") else { return nil }
            kind = .loop(condition: condition, onTrue: onTrue)
        case "switch-condition":
            guard let over = json["switch"]?.stringValue else { return nil }
            kind = .choice(
                over: over,
                cases: (json["cases"]?.objectValue ?? [:]).compactMapValues { $0.stringValue.flatMap { Identifier($0) } })
        default: return nil
        }
        self.id = id
        name = json["name"]?.stringValue
        about = json["description"]?.stringValue
        delay = json["delay"]?.integerValue ?? 0
        timeout = json["timeout"]?.integerValue
        variables = Variable.dictionary(json["step_variables"])
        owner = step("owner")
        onCompletion = step("on_completion")
        onSuccess = step("on_success")
        onFailure = step("on_failure")
        response = ResponseExtension(json["step_extensions"]?[ResponseExtension.id])
    }
}
