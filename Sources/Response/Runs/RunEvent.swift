package import Events
package import Journal

/// What the journal says about one execution of a playbook: everything that can happen to it. Its state is made of these and of
/// nothing else, so a restart continues exactly where the journal ends.
package enum RunEvent: Sendable, Hashable {
    case started(RunStart)
    /// A step was reached; what it does has not begun.
    case stepEntered(StepEntry)
    case approvalRequested(execution: Int, request: ApprovalRequest)
    case approved(execution: Int, by: String, role: String)
    case refused(execution: Int, by: String, reason: String)
    /// The intent to carry out a command, before anything is carried out.
    case commandStarted(CommandRun)
    case commandFinished(CommandRun, CommandResult)
    /// It was begun before a crash, nobody knows how it ended, and the target cannot be asked again: a person decides.
    case outcomeUnknown(CommandRun)
    /// Nothing here can carry it out: a person is asked to, and told why.
    case handedOver(CommandRun, reason: String)
    /// Which way a condition went: the branches begun, none or more.
    case branched(Branching)
    /// `outputs` are what a called playbook returns.
    case stepFinished(execution: Int, outcome: StepOutcome, outputs: [String: JSONValue])
    case finished(RunOutcome)
    case cancelled(by: String, reason: String)
}

package struct RunStart: Sendable, Hashable {
    package var run: String
    package var playbook: Identifier
    package var version: String
    package var contentHash: String
    package var incident: String?
    package var startedBy: String
    package var isDryRun: Bool
    /// Values of external variables. Personal: written sealed under ``subjects``.
    package var variables: [String: JSONValue]
    /// Whom the variables are about.
    package var subjects: [Subject]
    /// Where the run begins, when that is not the playbook's start: the step that undoes another.
    package var entry: Identifier?
    /// Content hashes of the playbooks that this one calls, directly or not: the run goes on with those, whatever becomes of files.
    package var calls: [String]
    /// The order that began it; given again, it begins nothing.
    package var request: String?

    package init(
        run: String, playbook: Identifier, version: String, contentHash: String, incident: String? = nil, startedBy: String,
        isDryRun: Bool = false, variables: [String: JSONValue] = [:], subjects: [Subject] = [], entry: Identifier? = nil,
        calls: [String] = [], request: String? = nil
    ) {
        self.run = run
        self.playbook = playbook
        self.version = version
        self.contentHash = contentHash
        self.incident = incident
        self.startedBy = startedBy
        self.isDryRun = isDryRun
        self.variables = variables
        self.subjects = subjects
        self.entry = entry
        self.calls = calls
        self.request = request
    }
}

package struct StepEntry: Sendable, Hashable {
    /// Numbers the executions of steps within the run, from 0 without gaps.
    package var execution: Int
    package var step: Identifier
    package var place: BranchPlace

    package init(execution: Int, step: Identifier, place: BranchPlace) {
        self.execution = execution
        self.step = step
        self.place = place
    }
}

/// Where in the run a step is executed: in which branch of which execution.
package struct BranchPlace: Sendable, Hashable, Comparable {
    /// The execution that began the branch; -1 for the run itself.
    package var parent: Int
    /// Which of its branches; a loop's iterations count on. Of a playbook, 0 is its workflow and 1 its exception handler.
    package var branch: Int

    package init(parent: Int, branch: Int) {
        self.parent = parent
        self.branch = branch
    }

    package static func < (left: BranchPlace, right: BranchPlace) -> Bool {
        (left.parent, left.branch) < (right.parent, right.branch)
    }
}

package struct Branching: Sendable, Hashable {
    package var execution: Int
    /// What chose: `true`, `false`, a case's name, or the version of a called playbook.
    package var choice: String
    /// The first steps of the branches that begin now.
    package var branches: [Identifier]
    /// Whether no more branches follow: a loop's condition no longer holds.
    package var isLast: Bool
    /// What a called playbook is given.
    package var variables: [String: JSONValue]

    package init(
        execution: Int, choice: String, branches: [Identifier], isLast: Bool = true, variables: [String: JSONValue] = [:]
    ) {
        self.execution = execution
        self.choice = choice
        self.branches = branches
        self.isLast = isLast
        self.variables = variables
    }
}

/// One command on one target, within one execution of a step.
package struct CommandRun: Sendable, Hashable {
    package var execution: Int
    package var command: Int
    /// Index into the step's targets; 0 where it has none.
    package var target: Int

    package init(execution: Int, command: Int, target: Int) {
        self.execution = execution
        self.command = command
        self.target = target
    }
}

package struct CommandResult: Sendable, Hashable {
    package enum Ending: String, Sendable, Hashable, CaseIterable {
        case succeeded
        case failed
        case timedOut = "timed_out"
        /// Only the executor of a dry run says so.
        case simulated
    }

    package var ending: Ending
    /// New values of variables.
    package var outputs: [String: JSONValue]
    /// Redacted and cut; what a person reads.
    package var detail: String
    /// Why it failed, where the engine itself says so.
    package var code: StepFailure.Code?
    /// The account that reported it, where a person did.
    package var by: String?

    package init(
        _ ending: Ending, outputs: [String: JSONValue] = [:], detail: String = "", code: StepFailure.Code? = nil,
        by: String? = nil
    ) {
        self.code = code
        self.ending = ending
        self.outputs = outputs
        self.detail = detail
        self.by = by
    }
}

package enum StepOutcome: Sendable, Hashable {
    case succeeded
    case failed(StepFailure)

    package var isSuccess: Bool { self == .succeeded }
}

/// Why a step failed; the code is the specification's where it has one.
package struct StepFailure: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// §4.1; the failure names the step.
        case actionTimeout = "ACTION_TIMEOUT"
        case approvalTimeout = "APPROVAL_TIMEOUT"
        case refused = "APPROVAL_REFUSED"
        case commandFailed = "COMMAND_FAILED"
        case unsupportedCommand = "UNSUPPORTED_COMMAND"
        case variableUnset = "VARIABLE_UNSET"
        case constantChanged = "CONSTANT_CHANGED"
        case branchFailed = "BRANCH_FAILED"
        case tooManyIterations = "TOO_MANY_ITERATIONS"
        case tooManySteps = "TOO_MANY_STEPS"
        case playbookUnavailable = "PLAYBOOK_UNAVAILABLE"
        case playbookTooDeep = "PLAYBOOK_TOO_DEEP"
        case noNextStep = "NO_NEXT_STEP"
        case condition = "CONDITION"
    }

    package var code: Code
    package var step: Identifier
    package var detail: String

    package init(_ code: Code, _ step: Identifier, _ detail: String = "") {
        self.code = code
        self.step = step
        self.detail = detail
    }
}

package struct ApprovalRequest: Sendable, Hashable {
    package var role: String
    /// How many people, each another.
    package var people: Int
    package var impact: Int64
    package var reason: String

    package init(role: String, people: Int, impact: Int64, reason: String) {
        self.role = role
        self.people = people
        self.impact = impact
        self.reason = reason
    }
}

package enum RunOutcome: String, Sendable, Hashable, CaseIterable {
    case succeeded
    /// It went to its end, past a failure that `on_completion` passes over.
    case succeededWithFailures = "succeeded_with_failures"
    /// A failure was not handled; the exception handler ran, where there is one.
    case failed
    case cancelled
}

/// One journal entry of a run: the event, and when it happened.
package struct RunEntry: Sendable, Hashable {
    package var at: Timestamp
    package var event: RunEvent

    package init(at: Timestamp, event: RunEvent) {
        self.at = at
        self.event = event
    }
}
