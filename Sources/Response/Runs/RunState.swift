package import Events
package import Journal

/// Where a run stands: what its entries say, no more. Nothing but entries changes it, so replay equals live.
package struct RunState: Sendable, Hashable {
    package private(set) var start: RunStart?
    package private(set) var startedAt: Timestamp?
    package private(set) var executions: [Execution] = []
    /// Values that were set, by frame: -1 is the run itself, others the execution that called a playbook.
    package private(set) var variables: [Int: [String: JSONValue]] = [:]
    package private(set) var outcome: RunOutcome?
    package private(set) var finishedAt: Timestamp?
    /// Entries that fit nothing: repeats, and results that came after a deadline. They change nothing.
    package private(set) var ignoredEntries = 0
    /// The newest execution in each branch.
    private var heads: [BranchPlace: Int] = [:]

    package init() {}

    package init(replaying entries: some Sequence<RunEntry>) {
        for entry in entries { apply(entry) }
    }

    /// One execution of one step.
    package struct Execution: Sendable, Hashable {
        package var entry: StepEntry
        package var enteredAt: Timestamp
        package var approval: ApprovalRequest?
        package var approvalRequestedAt: Timestamp?
        package var approvedBy: [String] = []
        package var approvedAt: Timestamp?
        package var refusal: String?
        package var commands: [CommandRun: CommandState] = [:]
        /// When its first command or branch began: timeouts count from here, after delay and approval.
        package var begunAt: Timestamp?
        /// The first steps of the branches begun so far, in order.
        package var branches: [Identifier] = []
        /// Of the last choice.
        package var choice = ""
        package var isLastBranching = false
        package var outcome: StepOutcome?
        package var finishedAt: Timestamp?
        /// Values of the step's own variables that were set.
        package var variables: [String: JSONValue] = [:]
    }

    package enum CommandState: Sendable, Hashable {
        case started(Timestamp)
        case unknown(Timestamp)
        /// A person does it instead, since then, and why.
        case handedOver(Timestamp, reason: String)
        case finished(CommandResult)
    }

    package var isFinished: Bool { outcome != nil }

    package func head(of place: BranchPlace) -> Int? { heads[place] }

    /// The state after one more entry; pure, total, and indifferent to repeats.
    package func applying(_ entry: RunEntry) -> RunState {
        var next = self
        next.apply(entry)
        return next
    }

    package mutating func apply(_ entry: RunEntry) {
        if !change(by: entry) { ignoredEntries += 1 }
    }

    private mutating func change(by entry: RunEntry) -> Bool {
        if case .started(let start) = entry.event {
            guard self.start == nil else { return false }
            self.start = start
            startedAt = entry.at
            variables[-1] = start.variables
            return true
        }
        guard start != nil, outcome == nil else { return false }
        switch entry.event {
        case .started: return false
        case .stepEntered(let step):
            guard step.execution == executions.count, heads[step.place].map({ executions[$0].outcome != nil }) ?? true else {
                return false
            }
            heads[step.place] = step.execution
            executions.append(Execution(entry: step, enteredAt: entry.at))
            return true
        case .finished(let outcome):
            self.outcome = outcome
            finishedAt = entry.at
            return true
        case .cancelled:
            outcome = .cancelled
            finishedAt = entry.at
            return true
        case .approvalRequested, .approved, .refused: return changeApproval(by: entry)
        case .commandStarted, .commandFinished, .outcomeUnknown, .handedOver: return changeCommand(by: entry)
        case .branched(let branching):
            guard
                change(
                    branching.execution,
                    { execution in
                        guard !execution.isLastBranching else { return false }
                        execution.branches += branching.branches
                        execution.choice = branching.choice
                        execution.isLastBranching = branching.isLast
                        execution.begunAt = execution.begunAt ?? entry.at
                        return true
                    })
            else { return false }
            if !branching.variables.isEmpty { variables[branching.execution] = branching.variables }
            return true
        case .stepFinished(let index, let outcome, let outputs):
            guard
                change(
                    index,
                    { execution in
                        execution.outcome = outcome
                        execution.finishedAt = entry.at
                        return true
                    })
            else { return false }
            for (name, value) in outputs { set(name, value, by: index) }
            return true
        }
    }

    private mutating func changeApproval(by entry: RunEntry) -> Bool {
        switch entry.event {
        case .approvalRequested(let index, let request):
            change(index) { execution in
                guard execution.approval == nil else { return false }
                execution.approval = request
                execution.approvalRequestedAt = entry.at
                return true
            }
        case .approved(let index, let person, let role):
            change(index) { execution in
                guard let request = execution.approval, execution.approvedAt == nil, role == request.role,
                    !execution.approvedBy.contains(person)
                else { return false }
                execution.approvedBy.append(person)
                if execution.approvedBy.count >= request.people { execution.approvedAt = entry.at }
                return true
            }
        case .refused(let index, let person, let reason):
            change(index) { execution in
                guard execution.approval != nil, execution.approvedAt == nil, execution.refusal == nil else { return false }
                execution.refusal = "\(person): \(reason)"
                return true
            }
        default: false
        }
    }

    private mutating func changeCommand(by entry: RunEntry) -> Bool {
        switch entry.event {
        case .commandStarted(let command):
            return change(command.execution) { execution in
                guard execution.commands[command] == nil else { return false }
                execution.commands[command] = .started(entry.at)
                execution.begunAt = execution.begunAt ?? entry.at
                return true
            }
        case .outcomeUnknown(let command):
            return change(command.execution) { execution in
                guard case .started(let at)? = execution.commands[command] else { return false }
                execution.commands[command] = .unknown(at)
                return true
            }
        case .handedOver(let command, let reason):
            return change(command.execution) { execution in
                guard case .started? = execution.commands[command] else { return false }
                execution.commands[command] = .handedOver(entry.at, reason: reason)
                return true
            }
        case .commandFinished(let command, let result):
            guard
                change(
                    command.execution,
                    { execution in
                        switch execution.commands[command] {
                        case .started, .unknown, .handedOver: break
                        case .finished, nil: return false
                        }
                        execution.commands[command] = .finished(result)
                        return true
                    })
            else { return false }
            for (name, value) in result.outputs { set(name, value, by: command.execution) }
            return true
        default: return false
        }
    }

    private mutating func change(_ index: Int, _ body: (inout Execution) -> Bool) -> Bool {
        guard executions.indices.contains(index), executions[index].outcome == nil else { return false }
        return body(&executions[index])
    }

    /// The execution that called the playbook in which an execution runs; -1 for the run's own playbook.
    package func frame(of execution: Int) -> Int {
        var parent = executions.indices.contains(execution) ? executions[execution].entry.place.parent : -1
        while parent >= 0, executions[parent].entry.step.type != "playbook-action" {
            parent = executions[parent].entry.place.parent
        }
        return parent
    }

    /// Entries name the owner of a step's own variable (`3/__count__` is execution 3's), so that replay needs no playbook.
    private mutating func set(_ name: String, _ value: JSONValue, by execution: Int) {
        if let split = name.firstIndex(of: "/"), let owner = Int(name[..<split]), executions.indices.contains(owner) {
            executions[owner].variables[String(name[name.index(after: split)...])] = value
        } else {
            variables[frame(of: execution), default: [:]][name] = value
        }
    }
}
