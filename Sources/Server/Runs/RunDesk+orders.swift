import Console
import Events
import Identity
import Incidents
import Journal
import Response

/// What people order. Each order is checked and recorded in one turn: what it was decided on still holds when it is written.
extension RunDesk {
    @discardableResult
    func carryOut(_ order: RunOrder, by person: RunPerson) async throws -> String {
        let role = RunDesk.role(for: order, policies.response)
        guard person.role >= role else {
            throw RunRefusal(.forbidden, "this needs the role \(role.rawValue)", "ask somebody who has it")
        }
        switch order {
        case .start(let playbook, let incident, let variables):
            return try await start(playbook, incident: incident, variables: variables, by: person.id, request: person.request)
        case .approve(let run, let execution): try await approve(run, execution, person)
        case .refuse(let run, let execution, let reason):
            try await inTurn { desk in
                _ = try desk.approval(run, execution)
                try await desk.append(
                    .refused(execution: execution, by: person.id, reason: try RunDesk.text(reason, needed: true)), to: run,
                    actor: person.id)
            }
        case .finish(let run, let execution, let succeeded, let note, let outputs):
            try await finish(run, execution, succeeded: succeeded, note: note, outputs: outputs, by: person)
        case .cancel(let run, let reason):
            try await inTurn { desk in
                _ = try desk.openState(run)
                try await desk.append(
                    .cancelled(by: person.id, reason: try RunDesk.text(reason, needed: true)), to: run, actor: person.id)
                desk.breakOff(run)
            }
        case .undo(let run): return try await undo(run, by: person.id, request: person.request)
        case .trust(let hash): return try await trust(hash, true, by: person.id)
        case .distrust(let hash): return try await trust(hash, false, by: person.id)
        }
        try await advance(order.run ?? "")
        return order.run ?? ""
    }

    /// The least role for an order; which role a step's approval needs, the step itself says.
    static func role(for order: RunOrder, _ policy: ResponsePolicy) -> Role {
        switch order {
        case .trust, .distrust: Role(rawValue: policy.trustRole) ?? .commander
        default: .responder
        }
    }

    static let maximumTextBytes = 4096

    static func text(_ text: String, needed: Bool = false) throws -> String {
        guard text.utf8.count <= maximumTextBytes else {
            throw RunRefusal(.invalid, "the text has more than \(maximumTextBytes) bytes", "shorten it")
        }
        if needed, text.allSatisfy(\.isWhitespace) {
            throw RunRefusal(.invalid, "the reason is missing", "say it in a few words")
        }
        return text
    }

    func openState(_ run: String) throws -> RunState {
        guard let state = ledger.runs[run]?.state else {
            throw RunRefusal(.unknown, "there is no run \(run.prefix(60))", "`vigie respond show` lists those there are")
        }
        guard !state.isFinished else { throw RunRefusal(.alreadyDone, "\(run) has ended", "there is nothing to do") }
        return state
    }

    // MARK: Approval

    private func approval(_ run: String, _ execution: Int) throws -> ApprovalRequest {
        let state = try openState(run)
        guard state.executions.indices.contains(execution), let request = state.executions[execution].approval,
            state.executions[execution].outcome == nil
        else { throw RunRefusal(.invalid, "step \(execution) of \(run) asks for no approval", "see `vigie respond show \(run)`") }
        guard state.executions[execution].approvedAt == nil, state.executions[execution].refusal == nil else {
            throw RunRefusal(.alreadyDone, "that was decided already", "there is nothing to do")
        }
        return request
    }

    private func approve(_ run: String, _ execution: Int, _ person: RunPerson) async throws {
        try await inTurn { desk in
            let request = try desk.approval(run, execution)
            let needed = Role(rawValue: request.role) ?? .commander
            guard person.role >= needed else {
                throw RunRefusal(.forbidden, "this step asks for the role \(request.role)", "ask somebody who has it")
            }
            guard desk.ledger.runs[run]?.state.executions[execution].approvedBy.contains(person.id) != true else {
                throw RunRefusal(.alreadyDone, "you have approved it already", "\(request.people) people have to, each another")
            }
            try await desk.append(
                .approved(execution: execution, by: person.id, role: request.role), to: run, actor: person.id)
        }
    }

    // MARK: What people do themselves

    private func finish(
        _ run: String, _ execution: Int, succeeded: Bool, note: String, outputs: [String: String], by person: RunPerson
    ) async throws {
        let note = try RunDesk.text(note)
        try await inTurn { desk in
            let state = try desk.openState(run)
            let command = try desk.waiting(run, execution, state)
            let values = outputs.filter { !$0.value.isEmpty }.mapValues { JSONValue.string($0) }
            let result = CommandResult(succeeded ? .succeeded : .failed, outputs: values, detail: note, by: person.id)
            try await desk.append(
                try desk.engine(for: run).finishing(command, with: result, in: state), to: run, actor: person.id)
        }
    }

    /// The command of a step that waits for a person.
    private func waiting(_ run: String, _ execution: Int, _ state: RunState) throws -> CommandRun {
        for intent in try engine(for: run).next(state, now: now(), inHand: inHand(run)) {
            guard case .wait(let wait) = intent, wait.execution == execution else { continue }
            switch wait.reason {
            case .person(let request): return request.command
            case .unknownOutcome(let command): return command
            case .approval, .command, .delay: continue
            }
        }
        throw RunRefusal(.invalid, "step \(execution) of \(run) waits for nobody", "see `vigie respond show \(run)`")
    }

    // MARK: Start

    func start(
        _ name: String, incident: String, variables: [String: String], by person: String, request: String? = nil
    ) async throws -> String {
        guard let file = playbookFiles.find(name), let playbook = file.playbook else {
            throw RunRefusal(.unknown, "there is no playbook '\(name.prefix(80))'", "`vigie respond list` shows those there are")
        }
        guard let state = await recorder.incident(incident) else {
            throw RunRefusal(
                .unknown, "there is no incident \(incident.prefix(40))", "`vigie incidents list` shows those there are")
        }
        guard !state.isClosed, state.mergedInto == nil else {
            throw RunRefusal(.notAllowed, "\(incident) is closed, or part of another", "open it again, or name the other")
        }
        for name in variables.keys where playbook.variables[name]?.isExternal != true {
            throw RunRefusal(.invalid, "\(playbook.name) takes no \(name.prefix(60))", "leave it out")
        }
        guard let summary = try await projections.summary(ofIncident: incident) else {
            throw RunRefusal(
                .unknown, "there is no incident \(incident.prefix(40))", "`vigie incidents list` shows those there are")
        }
        let values = RunVariables.values(of: playbook, for: summary, given: variables)
        if let missing = RunVariables.missing(values, in: playbook).first {
            throw RunRefusal(.invalid, "\(missing) has no value", "say it: --set \(missing)=VALUE")
        }
        return try await begin(
            playbook, from: file.origin, incident: incident, variables: values,
            subjects: RunVariables.subjects(of: summary, values), by: person, request: request)
    }

    /// Admits and begins; everything that the run needs is durable before its first entry.
    func begin(
        _ playbook: Playbook, from origin: RunAdmission.Origin, incident: String, variables: [String: JSONValue],
        subjects: [Subject], entry: Identifier? = nil, by person: String, request: String? = nil
    ) async throws -> String {
        let run = try await inTurn { desk in
            if let request, let known = desk.ledger.byRequest[request] { return known }
            let admission = RunAdmission(
                policy: desk.policy, trustedHashes: Set(desk.ledger.trusted.keys),
                trustedKeys: Set(desk.policies.response.trustedKeys))
            let calls = desk.calls(of: playbook)
            do {
                try admission.admit(playbook, from: origin, now: desk.now())
                for (called, calledOrigin) in calls { try admission.admit(called, from: calledOrigin, now: desk.now()) }
            } catch let refusal as PlaybookRefusal {
                throw RunRefusal(
                    .notAllowed, "\(playbook.name) is not run: \(refusal.problems.map(\.reason).joined(separator: "; "))",
                    "see `vigie respond lint`")
            }
            for kept in [playbook] + calls.map(\.0) { try desk.store.keep(kept) }
            let run = desk.ledger.nextID(of: incident)
            let start = RunStart(
                run: run, playbook: playbook.id, version: playbook.version, contentHash: playbook.contentHash,
                incident: incident, startedBy: person, variables: variables, subjects: subjects, entry: entry,
                calls: calls.map(\.0.contentHash), request: request)
            try await desk.append(.started(start), to: run, actor: person == RunStart.byPolicy ? "system" : person)
            return run
        }
        try await advance(run)
        return run
    }

    /// Every playbook that one calls, directly or not.
    private func calls(of playbook: Playbook) -> [(Playbook, RunAdmission.Origin)] {
        let library = playbookFiles.library
        var found: [(Playbook, RunAdmission.Origin)] = []
        var rest = [playbook]
        while let next = rest.popLast() {
            for step in next.orderedSteps {
                guard case .playbook(let call) = step.kind,
                    let called = library.find(call.playbook, version: call.version),
                    called.contentHash != playbook.contentHash,
                    !found.contains(where: { $0.0.contentHash == called.contentHash })
                else { continue }
                let file = playbookFiles.files.first { $0.playbook?.contentHash == called.contentHash }
                found.append((called, file?.origin ?? .outside))
                rest.append(called)
            }
        }
        return found
    }

    // MARK: Undo

    /// Begins the undo step of each containment that the run has in force, the last first.
    private func undo(_ run: String, by person: String, request: String?) async throws -> String {
        guard let original = ledger.runs[run] else {
            throw RunRefusal(.unknown, "there is no run \(run.prefix(60))", "`vigie respond show` lists those there are")
        }
        let steps = try undoable(run)
        guard !steps.isEmpty else {
            throw RunRefusal(
                .notAllowed, "\(run) has done nothing that a step of it takes back", "see `vigie respond show \(run)`")
        }
        var begun: [String] = []
        for (index, step) in steps.enumerated() {
            begun.append(
                try await begin(
                    step.playbook, from: .own, incident: original.start.incident ?? "", variables: step.variables,
                    subjects: original.start.subjects, entry: step.undo, by: person,
                    request: request.map { "\($0)/\(index)" }))
        }
        return begun.first ?? run
    }

    struct Undoable {
        var playbook: Playbook
        var undo: Identifier
        var variables: [String: JSONValue]
    }

    /// Containment steps that succeeded and that a step takes back, the last first.
    func undoable(_ run: String) throws -> [Undoable] {
        guard let original = ledger.runs[run] else { return [] }
        let engine = try engine(for: run)
        return original.state.executions.indices.reversed().compactMap { index in
            guard original.state.executions[index].outcome == .succeeded,
                let playbook = engine.playbook(of: index, in: original.state, original.start),
                let undo = playbook.steps[original.state.executions[index].entry.step]?.response.undo
            else { return nil }
            let frame = original.state.frame(of: index)
            let values = (original.state.variables[frame] ?? [:]).filter { playbook.variables[$0.key]?.isConstant == false }
            return Undoable(playbook: playbook, undo: undo, variables: values)
        }
    }

    // MARK: Trust

    private func trust(_ hash: String, _ isTrusted: Bool, by person: String) async throws -> String {
        guard hash.count == 64, hash.allSatisfy(\.isHexDigit) else {
            throw RunRefusal(.invalid, "that is no hash of a playbook", "`vigie respond list` shows the hash of each")
        }
        let hash = hash.lowercased()
        try await inTurn { desk in
            guard (desk.ledger.trusted[hash] != nil) != isTrusted else {
                throw RunRefusal(
                    .alreadyDone, "that hash is \(isTrusted ? "trusted" : "not trusted") already", "there is nothing to do")
            }
            try await desk.record(
                EntryDraft(
                    type: isTrusted ? RunLedger.trustedType : RunLedger.distrustedType, occurredAt: desk.now(), actor: person,
                    data: ["hash": .string(hash)]))
        }
        return hash
    }
}

extension RunOrder {
    /// The run that it is about.
    package var run: String? {
        switch self {
        case .approve(let run, _), .refuse(let run, _, _), .finish(let run, _, _, _, _), .cancel(let run, _), .undo(let run): run
        case .start, .trust, .distrust: nil
        }
    }
}
