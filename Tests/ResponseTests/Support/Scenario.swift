import Foundation
import Journal
import Response
import Testing

/// A case of the executor as a file: a playbook, how its commands end, and what has to happen.
///
/// Steps are named by short names, which the file's `steps` turn into identifiers: `a` of type action is `action--…`.
struct Scenario {
    let document: JSONValue
    let playbooks: [Playbook]
    let problems: [PlaybookProblem]

    init(_ url: URL) throws {
        document = try Files.json(url)
        var playbooks: [Playbook] = []
        var problems: [PlaybookProblem] = []
        for (number, json) in ([document["playbook"]] + (document["others"]?.arrayValue ?? [])).enumerated() {
            let reading = PlaybookDecoder.read(Self.expand(json ?? .null, number: number + 1))
            problems += reading.errors
            if let playbook = reading.playbook { playbooks.append(playbook) }
        }
        self.playbooks = playbooks
        self.problems = problems
    }

    /// `{"steps": {"s": {"type": "start", …}}, …}` → a whole playbook.
    static func expand(_ json: JSONValue, number: Int) -> JSONValue {
        guard let steps = json["steps"]?.objectValue else { return json }
        var ids: [String: String] = [:]
        for (index, name) in steps.keys.sorted().enumerated() {
            ids[name] = Authoring.id(steps[name]?["type"]?.stringValue ?? "action", number * 100 + index)
        }
        var workflow: [String: JSONValue] = [:]
        for (name, step) in steps { workflow[ids[name] ?? name] = fill(step, name, ids) }
        var more = (json["with"]?.objectValue ?? [:])
        if let handler = json["workflow_exception"]?.stringValue { more["workflow_exception"] = .string(ids[handler] ?? handler) }
        let start = steps.first { $0.value["type"]?.stringValue == "start" }.flatMap { ids[$0.key] } ?? ""
        return Authoring.playbook(workflow, start: start, number: number, more)
    }

    private static func fill(_ step: JSONValue, _ name: String, _ ids: [String: String]) -> JSONValue {
        guard var members = step.objectValue else { return step }
        for key in ["on_completion", "on_success", "on_failure", "on_true", "on_false"] {
            if let text = members[key]?.stringValue { members[key] = .string(ids[text] ?? text) }
        }
        if let next = members["next_steps"]?.arrayValue {
            members["next_steps"] = .array(next.map { $0.stringValue.flatMap { ids[$0] }.map { .string($0) } ?? $0 })
        }
        if let cases = members["cases"]?.objectValue {
            members["cases"] = .object(cases.mapValues { $0.stringValue.flatMap { ids[$0] }.map { .string($0) } ?? $0 })
        }
        if members["type"] != "end", members["name"] == nil { members["name"] = .string(name) }
        if members["type"] == "action" {
            members["commands"] = members["commands"] ?? [Authoring.http("POST /\(name) HTTP/1.1")]
            members["agent"] = members["agent"] ?? .string(Authoring.machine)
            let response = members["response"] ?? ["effect": "observe", "honours_key": true]
            members["response"] = nil
            members["step_extensions"] = .object([Authoring.responseExtension: response])
        }
        return .object(members)
    }

    var engine: RunEngine {
        var policy = ExecutionPolicy()
        if let limit = document["policy"]?["iteration_limit"]?.integerValue { policy.iterationLimit = Int(limit) }
        if let limit = document["policy"]?["step_limit"]?.integerValue { policy.stepLimit = Int(limit) }
        if let timeout = document["policy"]?["command_timeout"]?.integerValue { policy.commandTimeout = timeout }
        return RunEngine(library: PlaybookLibrary(playbooks), policy: policy)
    }

    /// Each command's endings by the step's title, one after another; the last one stays.
    func rehearse(death: Rehearsal.Death = .never) throws -> Rehearsal {
        let rehearsal = Rehearsal(engine)
        let answers = document["answers"]?.objectValue ?? [:]
        var counts: [String: Int] = [:]
        rehearsal.approves = document["approves"]?.boolValue ?? true
        rehearsal.answer = { request in
            let list = answers[request.title]?.arrayValue ?? []
            let count = counts[request.title, default: 0]
            counts[request.title] = count + 1
            let answer = list.isEmpty ? .null : list[min(count, list.count - 1)]
            let ending = answer["ending"]?.stringValue.flatMap { CommandResult.Ending(rawValue: $0) } ?? .succeeded
            return CommandResult(
                ending, outputs: answer["outputs"]?.objectValue ?? [:], detail: answer["detail"]?.stringValue ?? "")
        }
        let playbook = try #require(playbooks.first { $0.id.text.hasSuffix(Authoring.uuid(8001)) })
        try rehearsal.run(RunStart(playbook, variables: document["variables"]?.objectValue ?? [:]), death: death)
        return rehearsal
    }
}
