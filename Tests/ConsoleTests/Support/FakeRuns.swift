import Console
import Events
import Identity
import Synchronization

/// Runs in memory: one that waits for a person, and what was ordered.
final class FakeRuns: RunDirecting {
    private let given = Mutex<[RunOrder]>([])

    var orders: [RunOrder] { given.withLock { $0 } }

    private let run = RunView(
        id: "RUN-1", incident: "SEC-2026-0001", playbook: "Brute force", playbookID: "playbook--1", hash: "sha256:00",
        startedBy: "ana", startedAt: noon, finishedAt: nil, status: .waiting, isUndo: false,
        steps: [
            RunStepView(
                execution: 1, step: "action--1", title: "Look at the log", phase: "detection", owner: "ana", tool: "less",
                verification: "read", status: .person, notes: ["since noon"], startedAt: noon,
                deadline: noon.advanced(bySeconds: 600), outputs: ["__address__"]),
            RunStepView(
                execution: nil, step: "action--2", title: "Block", phase: "containment", owner: "", tool: "nftables",
                verification: "", status: .ahead, approvalRole: "commander", approvalsNeeded: 2, approvedBy: ["ana"]),
        ], canUndo: true)

    func views(of incident: String?) async -> [RunView] { incident == nil || incident == run.incident ? [run] : [] }

    func view(_ id: String) async -> RunView? { id == run.id ? run : nil }

    func playbooks() async -> [PlaybookView] {
        [
            PlaybookView(
                id: "playbook--1", name: "Brute force", about: "Somebody guesses passwords.", hash: "sha256:00", impact: 40,
                labels: ["brute-force"], variables: [.init(name: "__address__", about: "whom to block", value: nil)],
                isOutside: true, isTrusted: false, problems: ["not trusted"])
        ]
    }

    func notStarted(for incident: String) async -> [(playbook: String, reason: String)] { [] }

    func carryOut(_ order: RunOrder, by person: RunPerson) async throws -> String {
        if case .finish(_, let execution, _, _, _) = order, execution != 1 {
            throw RunRefusal(.unknown, "there is no step \(execution)", "`vigie respond show` names them")
        }
        given.withLock { $0.append(order) }
        return run.id
    }
}
