package import Events
package import Journal

/// How a run's events are written to the journal and read from it.
///
/// Values of variables and what commands said are about people: they are sealed under the run's subjects. Where a run has none,
/// nobody is known whom they are about, and they stay as they are.
extension RunEvent {
    /// - Parameters:
    ///   - incident: the run's; on every entry, so that who may not know of the incident is not shown its entries.
    ///   - subjects: whom the run's values are about, as its start says.
    package func draft(
        run: String, incident: String? = nil, at time: Timestamp, actor: String, subjects: [Subject]
    ) -> EntryDraft {
        var fields: [String: JSONValue] = ["run": .string(run)]
        fields["incident"] = incident.map { .string($0) }
        var values: [String: JSONValue] = [:]
        switch self {
        case .started(let start):
            fields["playbook"] = [
                "id": .string(start.playbook.text), "version": .string(start.version), "hash": .string(start.contentHash),
            ]
            fields["incident"] = start.incident.map { .string($0) }
            fields["entry"] = start.entry.map { .string($0.text) }
            fields["request"] = start.request.map { .string($0) }
            if !start.calls.isEmpty { fields["calls"] = .array(start.calls.map { .string($0) }) }
            fields["started_by"] = .string(start.startedBy)
            fields["dry_run"] = .bool(start.isDryRun)
            values = ["variables": .object(start.variables), "subjects": .array(start.subjects.map(Self.json))]
        case .stepEntered(let entry):
            fields.merge([
                "execution": .integer(Int64(entry.execution)), "step": .string(entry.step.text),
                "parent": .integer(Int64(entry.place.parent)), "branch": .integer(Int64(entry.place.branch)),
            ]) { $1 }
        case .approvalRequested(let execution, let request):
            fields.merge([
                "execution": .integer(Int64(execution)), "role": .string(request.role), "people": .integer(Int64(request.people)),
                "impact": .integer(request.impact), "reason": .string(request.reason),
            ]) { $1 }
        case .approved(let execution, let person, let role):
            fields.merge(["execution": .integer(Int64(execution)), "by": .string(person), "role": .string(role)]) { $1 }
        case .refused(let execution, let person, let reason):
            fields.merge(["execution": .integer(Int64(execution)), "by": .string(person), "reason": .string(reason)]) { $1 }
        case .commandStarted(let command), .outcomeUnknown(let command): fields["command"] = Self.json(command)
        case .handedOver(let command, let reason):
            fields["command"] = Self.json(command)
            fields["reason"] = .string(reason)
        case .commandFinished(let command, let result):
            fields["command"] = Self.json(command)
            fields["ending"] = .string(result.ending.rawValue)
            fields["code"] = result.code.map { .string($0.rawValue) }
            fields["by"] = result.by.map { .string($0) }
            values = ["outputs": .object(result.outputs), "detail": .string(result.detail)]
        case .branched(let branching):
            fields.merge([
                "execution": .integer(Int64(branching.execution)), "choice": .string(branching.choice),
                "branches": .array(branching.branches.map { .string($0.text) }), "last": .bool(branching.isLast),
            ]) { $1 }
            values = ["variables": .object(branching.variables)]
        case .stepFinished(let execution, let outcome, let outputs):
            fields["execution"] = .integer(Int64(execution))
            values = ["outputs": .object(outputs)]
            if case .failed(let failure) = outcome {
                fields["failure"] = ["code": .string(failure.code.rawValue), "step": .string(failure.step.text)]
                values["detail"] = .string(failure.detail)
            }
        case .finished(let outcome): fields["outcome"] = .string(outcome.rawValue)
        case .cancelled(let person, let reason): fields.merge(["by": .string(person), "reason": .string(reason)]) { $1 }
        }
        var personal: [PersonalField] = []
        for (name, value) in values.sorted(by: { $0.key < $1.key }) where value != .object([:]) && value != .string("") {
            if subjects.isEmpty {
                fields[name] = value
            } else {
                personal.append(PersonalField(name: name, subjects: subjects, value: value))
            }
        }
        return EntryDraft(type: "run." + kind, occurredAt: time, actor: actor, data: fields, personal: personal)
    }

    private var kind: String {
        switch self {
        case .started: "started"
        case .stepEntered: "step_entered"
        case .approvalRequested: "approval_requested"
        case .approved: "approved"
        case .refused: "refused"
        case .commandStarted: "command_started"
        case .commandFinished: "command_finished"
        case .outcomeUnknown: "outcome_unknown"
        case .handedOver: "handed_over"
        case .branched: "branched"
        case .stepFinished: "step_finished"
        case .finished: "finished"
        case .cancelled: "cancelled"
        }
    }

    private static func json(_ command: CommandRun) -> JSONValue {
        [
            "execution": .integer(Int64(command.execution)), "command": .integer(Int64(command.command)),
            "target": .integer(Int64(command.target)),
        ]
    }

    private static func json(_ subject: Subject) -> JSONValue {
        ["kind": .string(subject.kind.rawValue), "value": .string(subject.value)]
    }

    /// The event that an entry holds, and the run it belongs to; `nil` for entries about other things.
    ///
    /// - Parameter personal: the entry's personal fields, opened; what was erased reads as absent.
    package static func read(type: String, data: [String: JSONValue], personal: [String: JSONValue]) -> (
        run: String, event: RunEvent
    )? {
        guard type.hasPrefix("run."), let run = data["run"]?.stringValue,
            let event = RunEvent(kind: String(type.dropFirst(4)), run: run, EntryFields(data: data, personal: personal))
        else { return nil }
        return (run, event)
    }

    private struct EntryFields {
        var data: [String: JSONValue]
        var personal: [String: JSONValue]

        subscript(name: String) -> JSONValue? { data[name] }
        func text(_ name: String) -> String? { data[name]?.stringValue }
        func number(_ name: String) -> Int? { data[name]?.integerValue.flatMap { Int(exactly: $0) } }
        func value(_ name: String) -> JSONValue? { personal[name] ?? data[name] }
        var execution: Int? { number("execution") }

        var command: CommandRun? {
            guard let json = data["command"], let execution = json["execution"]?.integerValue,
                let command = json["command"]?.integerValue, let target = json["target"]?.integerValue
            else { return nil }
            return CommandRun(execution: Int(execution), command: Int(command), target: Int(target))
        }
    }

    private init?(kind: String, run: String, _ fields: EntryFields) {
        switch kind {
        case "started":
            guard let playbook = fields["playbook"], let id = playbook["id"]?.stringValue.flatMap({ Identifier($0) }),
                let version = playbook["version"]?.stringValue, let hash = playbook["hash"]?.stringValue
            else { return nil }
            let subjects = (fields.value("subjects")?.arrayValue ?? []).compactMap { json -> Subject? in
                guard let kind = json["kind"]?.stringValue.flatMap({ Subject.Kind(rawValue: $0) }),
                    let value = json["value"]?.stringValue
                else { return nil }
                return Subject(kind: kind, value: value)
            }
            self = .started(
                RunStart(
                    run: run, playbook: id, version: version, contentHash: hash, incident: fields.text("incident"),
                    startedBy: fields.text("started_by") ?? "system", isDryRun: fields["dry_run"]?.boolValue ?? false,
                    variables: fields.value("variables")?.objectValue ?? [:], subjects: subjects,
                    entry: fields.text("entry").flatMap { Identifier($0) },
                    calls: (fields["calls"]?.arrayValue ?? []).compactMap(\.stringValue),
                    request: fields.text("request")))
        case "step_entered":
            guard let execution = fields.execution, let step = fields.text("step").flatMap({ Identifier($0) }),
                let parent = fields.number("parent"), let branch = fields.number("branch")
            else { return nil }
            self = .stepEntered(
                StepEntry(execution: execution, step: step, place: BranchPlace(parent: parent, branch: branch)))
        case "approval_requested":
            guard let execution = fields.execution, let role = fields.text("role"), let people = fields.number("people") else {
                return nil
            }
            self = .approvalRequested(
                execution: execution,
                request: ApprovalRequest(
                    role: role, people: people, impact: fields["impact"]?.integerValue ?? 0, reason: fields.text("reason") ?? ""))
        case "approved":
            guard let execution = fields.execution, let person = fields.text("by"), let role = fields.text("role") else {
                return nil
            }
            self = .approved(execution: execution, by: person, role: role)
        case "refused":
            guard let execution = fields.execution, let person = fields.text("by") else { return nil }
            self = .refused(execution: execution, by: person, reason: fields.text("reason") ?? "")
        case "command_started", "outcome_unknown":
            guard let command = fields.command else { return nil }
            self = kind == "command_started" ? .commandStarted(command) : .outcomeUnknown(command)
        case "handed_over":
            guard let command = fields.command else { return nil }
            self = .handedOver(command, reason: fields.text("reason") ?? "")
        case "command_finished":
            guard let command = fields.command, let ending = fields.text("ending").flatMap({ CommandResult.Ending(rawValue: $0) })
            else {
                return nil
            }
            self = .commandFinished(
                command,
                CommandResult(
                    ending, outputs: fields.value("outputs")?.objectValue ?? [:],
                    detail: fields.value("detail")?.stringValue ?? "",
                    code: fields.text("code").flatMap { StepFailure.Code(rawValue: $0) }, by: fields.text("by")))
        case "branched":
            guard let execution = fields.execution, let choice = fields.text("choice") else { return nil }
            let heads = (fields["branches"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { Identifier($0) } }
            self = .branched(
                Branching(
                    execution: execution, choice: choice, branches: heads, isLast: fields["last"]?.boolValue ?? true,
                    variables: fields.value("variables")?.objectValue ?? [:]))
        case "step_finished":
            guard let execution = fields.execution else { return nil }
            var outcome = StepOutcome.succeeded
            if let failure = fields["failure"] {
                guard let code = failure["code"]?.stringValue.flatMap({ StepFailure.Code(rawValue: $0) }),
                    let step = failure["step"]?.stringValue.flatMap({ Identifier($0) })
                else { return nil }
                outcome = .failed(StepFailure(code, step, fields.value("detail")?.stringValue ?? ""))
            }
            self = .stepFinished(execution: execution, outcome: outcome, outputs: fields.value("outputs")?.objectValue ?? [:])
        case "finished":
            guard let outcome = fields.text("outcome").flatMap({ RunOutcome(rawValue: $0) }) else { return nil }
            self = .finished(outcome)
        case "cancelled": self = .cancelled(by: fields.text("by") ?? "", reason: fields.text("reason") ?? "")
        default: return nil
        }
    }
}
