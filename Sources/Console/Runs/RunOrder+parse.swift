import Events

extension RunOrder {
    /// An order as commands, forms and the API give it.
    ///
    /// - Parameter arguments: by name; what begins with `__` is a variable.
    package init(verb: String, _ arguments: [String: String], incident: String, text: String?) throws(RunRefusal) {
        func needed(_ name: String) throws(RunRefusal) -> String {
            guard let value = arguments[name], !value.isEmpty else {
                throw RunRefusal(.invalid, "'\(name)' is missing", "say it")
            }
            return value
        }
        func execution() throws(RunRefusal) -> Int {
            guard let number = Int(try needed("step")), number >= 0 else {
                throw RunRefusal(.invalid, "that is no step's number", "`vigie respond show` names them")
            }
            return number
        }
        let variables = arguments.filter { $0.key.hasPrefix("__") && !$0.value.isEmpty }
        switch verb {
        case "start": self = .start(playbook: try needed("playbook"), incident: incident, variables: variables)
        case "approve": self = .approve(run: try needed("run"), execution: try execution())
        case "refuse": self = .refuse(run: try needed("run"), execution: try execution(), reason: text ?? "")
        case "done":
            let ending = arguments["ending"] ?? "succeeded"
            guard ["succeeded", "failed"].contains(ending) else {
                throw RunRefusal(.invalid, "'\(ending)' is no ending", "known are succeeded and failed")
            }
            self = .finish(
                run: try needed("run"), execution: try execution(), succeeded: ending == "succeeded", note: text ?? "",
                outputs: variables)
        case "cancel": self = .cancel(run: try needed("run"), reason: text ?? "")
        case "undo": self = .undo(run: try needed("run"))
        case "trust": self = .trust(hash: try needed("hash"))
        case "distrust": self = .distrust(hash: try needed("hash"))
        default: throw RunRefusal(.invalid, "nothing called '\(verb)' can be done to a run", "see `vigie respond --help`")
        }
    }
}
