import Events

struct APIRunList: Encodable {
    var runs: [APIRun]
}

struct APIRun: Encodable {
    struct Step: Encodable {
        var execution: Int?
        var step: String
        var title: String
        var phase: String
        var owner: String
        var tool: String
        var verification: String
        var status: String
        var notes: [String]
        var started_at: String?
        var finished_at: String?
        var deadline: String?
        var outputs: [String]
        var approval_role: String?
        var approvals_needed: Int
        var approved_by: [String]
    }

    var id: String
    var incident: String
    var playbook: String
    var playbook_id: String
    var hash: String
    var started_by: String
    var started_at: String
    var finished_at: String?
    var status: String
    var is_undo: Bool
    var can_undo: Bool
    var steps: [Step]?

    init(_ run: RunView, withSteps: Bool = true) {
        id = run.id
        incident = run.incident
        playbook = run.playbook
        playbook_id = run.playbookID
        hash = run.hash
        started_by = run.startedBy
        started_at = run.startedAt.rfc3339
        finished_at = run.finishedAt?.rfc3339
        status = run.status.rawValue
        is_undo = run.isUndo
        can_undo = run.canUndo
        guard withSteps else { return }
        steps = run.steps.map { step in
            Step(
                execution: step.execution, step: step.step, title: step.title, phase: step.phase, owner: step.owner,
                tool: step.tool, verification: step.verification, status: step.status.rawValue, notes: step.notes,
                started_at: step.startedAt?.rfc3339, finished_at: step.finishedAt?.rfc3339, deadline: step.deadline?.rfc3339,
                outputs: step.outputs, approval_role: step.approvalRole, approvals_needed: step.approvalsNeeded,
                approved_by: step.approvedBy)
        }
    }
}

struct APIPlaybookList: Encodable {
    var playbooks: [APIPlaybook]
}

struct APIPlaybook: Encodable {
    var id: String
    var name: String
    var description: String
    var hash: String
    var impact: Int
    var labels: [String]
    var variables: [String]
    var from_outside: Bool
    var trusted: Bool
    var problems: [String]

    init(_ playbook: PlaybookView) {
        id = playbook.id
        name = playbook.name
        description = playbook.about
        hash = playbook.hash
        impact = playbook.impact
        labels = playbook.labels
        variables = playbook.variables.map(\.name)
        from_outside = playbook.isOutside
        trusted = playbook.isTrusted
        problems = playbook.problems
    }
}
