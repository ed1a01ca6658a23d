package import Events

/// One run as people see it: a checklist.
package struct RunView: Sendable, Hashable {
    package enum Status: String, Sendable, CaseIterable {
        case running
        /// It goes on once a person has done something.
        case waiting
        case succeeded
        case succeededWithFailures = "succeeded_with_failures"
        case failed
        case cancelled
    }

    package var id: String
    package var incident: String
    package var playbook: String
    package var playbookID: String
    package var hash: String
    package var startedBy: String
    package var startedAt: Timestamp
    package var finishedAt: Timestamp?
    package var status: Status
    /// It undoes what another run did.
    package var isUndo: Bool
    package var steps: [RunStepView]
    /// Containment that can be taken back.
    package var canUndo: Bool

    package init(
        id: String, incident: String, playbook: String, playbookID: String, hash: String, startedBy: String, startedAt: Timestamp,
        finishedAt: Timestamp?, status: Status, isUndo: Bool, steps: [RunStepView], canUndo: Bool
    ) {
        self.id = id
        self.incident = incident
        self.playbook = playbook
        self.playbookID = playbookID
        self.hash = hash
        self.startedBy = startedBy
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.status = status
        self.isUndo = isUndo
        self.steps = steps
        self.canUndo = canUndo
    }
}

/// One step of a run, done or still to come.
package struct RunStepView: Sendable, Hashable {
    package enum Status: String, Sendable, CaseIterable {
        case ahead
        case running
        case approval = "waiting for approval"
        case person = "waiting for a person"
        case unknown = "outcome unknown"
        case done
        case failed
    }

    /// `nil` for a step that was not reached.
    package var execution: Int?
    package var step: String
    package var title: String
    /// Detection, containment, …: of what the step does.
    package var phase: String
    /// Who does it or answers for it.
    package var owner: String
    /// The command, its values put in, or what a person is to do.
    package var tool: String
    package var verification: String
    package var status: Status
    /// Why it waits, what came of it, who said so.
    package var notes: [String]
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var deadline: Timestamp?
    /// Variables that whoever completes it may set.
    package var outputs: [String]
    package var approvalRole: String?
    package var approvalsNeeded: Int
    package var approvedBy: [String]

    package init(
        execution: Int?, step: String, title: String, phase: String, owner: String, tool: String, verification: String,
        status: Status, notes: [String] = [], startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil,
        deadline: Timestamp? = nil,
        outputs: [String] = [], approvalRole: String? = nil, approvalsNeeded: Int = 0, approvedBy: [String] = []
    ) {
        self.execution = execution
        self.step = step
        self.title = title
        self.phase = phase
        self.owner = owner
        self.tool = tool
        self.verification = verification
        self.status = status
        self.notes = notes
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.deadline = deadline
        self.outputs = outputs
        self.approvalRole = approvalRole
        self.approvalsNeeded = approvalsNeeded
        self.approvedBy = approvedBy
    }
}

/// A playbook that can be started.
package struct PlaybookView: Sendable, Hashable {
    package struct Variable: Sendable, Hashable {
        package var name: String
        package var about: String
        /// `nil` where whoever starts it has to say.
        package var value: String?

        package init(name: String, about: String, value: String?) {
            self.name = name
            self.about = about
            self.value = value
        }
    }

    package var id: String
    package var name: String
    package var about: String
    package var hash: String
    package var impact: Int
    package var labels: [String]
    package var variables: [Variable]
    package var isOutside: Bool
    package var isTrusted: Bool
    /// Why it cannot run; empty where it can.
    package var problems: [String]

    package init(
        id: String, name: String, about: String, hash: String, impact: Int, labels: [String], variables: [Variable],
        isOutside: Bool, isTrusted: Bool, problems: [String]
    ) {
        self.id = id
        self.name = name
        self.about = about
        self.hash = hash
        self.impact = impact
        self.labels = labels
        self.variables = variables
        self.isOutside = isOutside
        self.isTrusted = isTrusted
        self.problems = problems
    }
}
