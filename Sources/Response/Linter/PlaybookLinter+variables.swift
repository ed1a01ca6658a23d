import Journal

/// Variables, conditions and what reaches a shell.
extension PlaybookLinter {
    mutating func checkVariables() {
        let set = playbook.steps.keys.reduce(into: Set<String>()) { $0.formUnion(results(of: $1)) }
        for step in playbook.orderedSteps {
            let scope = declared(for: step)
            for (name, variable) in step.variables.sorted(by: { $0.key < $1.key }) {
                let place = "step_variables/\(name)"
                if playbook.variables[name] != nil {
                    warning(.shadowedVariable, step.id, place, "\(name) hides the playbook's variable of that name")
                }
                if variable.isExternal {
                    warning(.externalScope, step.id, place, "only the playbook's own variables can be external")
                }
            }
            for (member, text) in texts(of: step) {
                for use in VariableUse.all(in: text) {
                    guard let variable = scope[use.name] else {
                        error(.undeclaredVariable, step.id, member, "\(use.name) is not declared")
                        continue
                    }
                    if variable.value == .null, !variable.isExternal, !set.contains(use.name) {
                        error(.neverSet, step.id, member, "\(use.name) has no value, is not external, and no step sets it")
                    }
                }
            }
            let (arguments, results) = arguments(of: step)
            for name in arguments + results where scope[name] == nil {
                error(.undeclaredVariable, step.id, arguments.contains(name) ? "in_args" : "out_args", "\(name) is not declared")
            }
            for name in results where scope[name]?.isConstant == true {
                error(.constantChanged, step.id, "out_args", "\(name) is a constant: it cannot be set")
            }
        }
    }

    private func arguments(of step: WorkflowStep) -> ([String], [String]) {
        switch step.kind {
        case .action(let action): (action.arguments, action.results)
        case .playbook(let call): (call.arguments, call.results)
        default: ([], [])
        }
    }

    /// What a step can see: the playbook's variables, those of the steps around it, its own.
    func declared(for step: WorkflowStep) -> [String: Variable] {
        var scope = playbook.variables
        for container in playbook.orderedSteps where !container.branches.isEmpty && container.id != step.id {
            guard !container.variables.isEmpty, graph.body(of: container.id).contains(step.id) else { continue }
            scope.merge(container.variables) { $1 }
        }
        return scope.merging(step.variables) { $1 }
    }

    /// Every text of a step in which variables may stand, with the member it is in.
    private func texts(of step: WorkflowStep) -> [(String, String)] {
        switch step.kind {
        case .action(let action):
            let commands = action.commands.enumerated().flatMap { index, command in
                command.texts.map { ("commands/\(index)", $0) }
            }
            let parties = ([action.agent] + action.targets).compactMap { playbook.agents[$0] ?? playbook.targets[$0] }
            let addresses = parties.flatMap { party in
                (party.addresses.values.flatMap { $0 } + (party.port.map { [$0] } ?? [])).map { ("agent", $0) }
            }
            let secrets = parties.compactMap { $0.authentication.flatMap { playbook.authentications[$0] } }
                .flatMap { $0.members.values.compactMap(\.stringValue) }.map { ("agent", $0) }
            return commands + addresses + secrets
        case .choice(let over, _): return [("switch", over)]
        case .conditional, .loop, .start, .end, .parallel, .playbook: return []
        }
    }

    mutating func checkConditions() {
        for step in playbook.orderedSteps {
            switch step.kind {
            case .conditional(let text, _, _), .loop(let text, _):
                do {
                    let condition = try Condition(parsing: text)
                    let scope = declared(for: step)
                    for name in condition.variables.sorted() where scope[name] == nil {
                        error(.undeclaredVariable, step.id, "condition", "\(name) is not declared")
                    }
                } catch {
                    self.error(.condition, step.id, "condition", error.description)
                }
            case .choice(let over, let cases):
                let uses = VariableUse.all(in: over)
                if uses.count != 1 || uses.first?.range != 0..<over.utf8.count {
                    error(.condition, step.id, "switch", "a variable is needed here, written __name__:value")
                }
                if cases["default"] == nil {
                    warning(.noDefaultCase, step.id, "cases", "without a default, every other value passes silently")
                }
            case .start, .end, .action, .playbook, .parallel: break
            }
        }
    }

    /// A value that reaches a shell is quoted; where that cannot be done the command is refused before it is ever run.
    mutating func checkShellCommands() {
        for step in playbook.orderedSteps {
            guard case .action(let action) = step.kind else { continue }
            for (index, command) in action.commands.enumerated() where command.kind == .bash || command.kind == .ssh {
                do {
                    _ = try ShellText.substitute(in: command.text) { _ in "x" }
                } catch {
                    self.error(.shellVariable, step.id, "commands/\(index)", "\(error)")
                }
            }
        }
    }
}
