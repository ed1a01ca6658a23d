package import Events

/// Says what running a playbook would do wrong: in its flow, with its variables, and to evidence. The document itself is sound:
/// ``PlaybookDecoder`` has read it.
package struct PlaybookLinter {
    let playbook: Playbook
    let graph: WorkflowGraph
    let library: PlaybookLibrary?
    private(set) var problems: [PlaybookProblem] = []

    /// Everything that is wrong, errors first, then by path.
    ///
    /// - Parameter library: the playbooks that can be called; with it, what steps say of those they call is held against them.
    package static func lint(_ playbook: Playbook, now: Timestamp, library: PlaybookLibrary? = nil) -> [PlaybookProblem] {
        var linter = PlaybookLinter(playbook: playbook, graph: WorkflowGraph(playbook), library: library)
        linter.checkFlow()
        linter.checkLoops()
        linter.checkFailures()
        linter.checkVariables()
        linter.checkConditions()
        linter.checkShellCommands()
        linter.checkEvidence()
        linter.checkContainment()
        linter.checkCalls()
        linter.checkValidity(now)
        return linter.problems.sorted {
            ($0.severity == .error ? 0 : 1, $0.path, $0.reason) < ($1.severity == .error ? 0 : 1, $1.path, $1.reason)
        }
    }

    /// Reads and lints: what `respond lint` shows.
    package static func lint(
        _ bytes: [UInt8], now: Timestamp, library: PlaybookLibrary? = nil
    ) -> (playbook: Playbook?, problems: [PlaybookProblem]) {
        let reading = PlaybookDecoder.read(bytes)
        guard let playbook = reading.playbook else { return (nil, reading.problems) }
        return (playbook, reading.problems + lint(playbook, now: now, library: library))
    }

    private init(playbook: Playbook, graph: WorkflowGraph, library: PlaybookLibrary?) {
        self.playbook = playbook
        self.graph = graph
        self.library = library
    }

    mutating func error(_ check: PlaybookCheck, _ step: Identifier?, _ member: String = "", _ reason: String) {
        report(.error, check, step, member, reason)
    }

    mutating func warning(_ check: PlaybookCheck, _ step: Identifier?, _ member: String = "", _ reason: String) {
        report(.warning, check, step, member, reason)
    }

    private mutating func report(
        _ severity: PlaybookProblem.Severity, _ check: PlaybookCheck, _ step: Identifier?, _ member: String, _ reason: String
    ) {
        let path = (step.map { "/workflow/\($0.text)" } ?? "") + (member.isEmpty ? "" : "/" + member)
        problems.append(PlaybookProblem(severity, check, at: path, reason))
    }

    private mutating func checkValidity(_ now: Timestamp) {
        switch playbook.validity(at: now) {
        case .valid: break
        case .revoked: error(.revoked, nil, "revoked", "its creator has revoked it: it is not run")
        case .expired(let end): error(.expired, nil, "valid_until", "it was valid until \(end.rfc3339): it is not run")
        case .notYetValid(let start): warning(.notYetValid, nil, "valid_from", "it is valid from \(start.rfc3339) on")
        }
    }
}
