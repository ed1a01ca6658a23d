import Events
import Identity

/// Turns runs into what their templates show.
enum RunModels {
    static func row(_ run: RunView, now: Timestamp) -> PageModel {
        let waits = run.steps.filter { [.approval, .person, .unknown].contains($0.status) }
        return [
            "id": run.id, "playbook": run.playbook, "status": label(run.status), "startedBy": run.startedBy,
            "started": TimeText.model(run.startedAt, now: now),
            "waits": waits.map { "\($0.title): \($0.status.rawValue)" }.joined(separator: "; "),
        ]
    }

    static func run(_ run: RunView, csrf: String, signedIn: SignedIn?, now: Timestamp) -> PageModel {
        let canOrder = signedIn.map { $0.role >= .responder } ?? false
        let isOpen = run.finishedAt == nil
        var model = row(run, now: now)
        model["isUndo"] = run.isUndo
        model["csrf"] = csrf
        model["finished"] = run.finishedAt.map { TimeText.model($0, now: now) }
        model["canUndo"] = run.canUndo
        model["isOpen"] = isOpen
        model["canOrder"] = canOrder && (isOpen || run.canUndo)
        model["steps"] = run.steps.map { step(run, $0, csrf: csrf, canOrder: canOrder, now: now) }
        return model
    }

    private static func step(_ run: RunView, _ step: RunStepView, csrf: String, canOrder: Bool, now: Timestamp) -> PageModel {
        let number = step.execution.map(String.init) ?? ""
        var model: PageModel = [
            "key": "\(run.id)-\(step.execution.map(String.init) ?? step.step)", "number": number,
            "hasNumber": step.execution != nil, "phase": step.phase, "title": step.title, "owner": step.owner, "tool": step.tool,
            "verification": step.verification, "status": step.status.rawValue, "notes": step.notes,
        ]
        model["since"] = step.startedAt.map { TimeText.model($0, now: now) }
        model["ended"] = step.finishedAt.map { TimeText.model($0, now: now) }
        model["until"] = step.deadline.map { TimeText.model($0, now: now) }
        guard canOrder, step.execution != nil else { return model }
        let form: PageModel = ["run": run.id, "csrf": csrf, "number": number, "title": step.title]
        switch step.status {
        case .approval:
            let people = step.approvalsNeeded == 1 ? "one person" : "\(step.approvalsNeeded) people, each another,"
            model["approval"] = form.merging([
                "needed": "It needs \(people) with the role \(step.approvalRole ?? "")", "by": step.approvedBy,
            ])
        case .person, .unknown: model["manual"] = form.merging(["outputs": step.outputs])
        case .ahead, .running, .done, .failed: break
        }
        return model
    }

    static func playbook(_ playbook: PlaybookView, csrf: String, signedIn: SignedIn?) -> PageModel {
        let state =
            !playbook.problems.isEmpty ? "refused" : !playbook.isOutside ? "own" : playbook.isTrusted ? "trusted" : "from outside"
        var model: PageModel = [
            "id": playbook.id, "name": playbook.name, "about": playbook.about, "impact": playbook.impact, "hash": playbook.hash,
            "state": state, "problems": playbook.problems,
        ]
        // Whether the role is enough, policy says: the desk refuses.
        if playbook.isOutside, let signedIn, signedIn.role >= .responder {
            model["trust"] =
                [
                    "csrf": csrf, "hash": playbook.hash, "verb": playbook.isTrusted ? "distrust" : "trust",
                    "label": playbook.isTrusted ? "Trust no longer" : "Trust this content",
                ] as PageModel
        }
        return model
    }

    static func label(_ status: RunView.Status) -> String { status.rawValue.replacing("_", with: " ") }
}
