package import Events
package import Journal

/// Every run there is, whose hashes are trusted, and what policy could not start: made of journal entries and of nothing else.
package struct RunLedger: Sendable {
    package struct Run: Sendable {
        package var id: String
        package var start: RunStart
        package var state: RunState
        /// In which it was started, from 1.
        package var number: Int
    }

    /// A playbook that policy wanted to start and that needs a person for it.
    package struct NotStarted: Sendable, Hashable {
        package var incident: String
        package var playbook: Identifier
        package var reason: String
        package var at: Timestamp
    }

    package struct Trust: Sendable, Hashable {
        package var by: String
        package var at: Timestamp
    }

    package private(set) var runs: [String: Run] = [:]
    /// Ids of an incident's runs, oldest first.
    package private(set) var byIncident: [String: [String]] = [:]
    package private(set) var notStarted: [String: [NotStarted]] = [:]
    /// By content hash.
    package private(set) var trusted: [String: Trust] = [:]

    /// Runs by the order that began them.
    package private(set) var byRequest: [String: String] = [:]

    package static let trustedType = "playbook.trusted"
    package static let distrustedType = "playbook.distrusted"
    package static let notStartedType = "run.not_started"

    package init() {}

    /// Runs that go on.
    package var open: [String] { runs.values.filter { !$0.state.isFinished }.map(\.id).sorted() }

    /// The id of the next run of an incident: `SEC-2026-0001-R2`.
    package func nextID(of incident: String) -> String { "\(incident)-R\((byIncident[incident]?.count ?? 0) + 1)" }

    /// Whether policy has begun, or tried to begin, a playbook for an incident.
    package func hasTried(_ playbook: Identifier, of incident: String) -> Bool {
        (notStarted[incident] ?? []).contains { $0.playbook == playbook }
            || (byIncident[incident] ?? []).contains {
                runs[$0]?.start.startedBy == RunStart.byPolicy && runs[$0]?.start.playbook == playbook
            }
    }

    /// - Returns: whether the entry is about runs.
    @discardableResult
    package mutating func apply(
        type: String, data: [String: JSONValue], personal: [String: JSONValue], at time: Timestamp, actor: String
    ) -> Bool {
        switch type {
        case Self.trustedType:
            guard let hash = data["hash"]?.stringValue else { return false }
            trusted[hash] = Trust(by: actor, at: time)
        case Self.distrustedType:
            guard let hash = data["hash"]?.stringValue else { return false }
            trusted[hash] = nil
        case Self.notStartedType:
            guard let incident = data["incident"]?.stringValue,
                let playbook = data["playbook"]?.stringValue.flatMap({ Identifier($0) })
            else { return false }
            notStarted[incident, default: []].append(
                NotStarted(incident: incident, playbook: playbook, reason: data["reason"]?.stringValue ?? "", at: time))
        default:
            guard let (run, event) = RunEvent.read(type: type, data: data, personal: personal) else { return false }
            apply(event, to: run, at: time)
        }
        return true
    }

    package mutating func apply(_ event: RunEvent, to run: String, at time: Timestamp) {
        if case .started(let start) = event, runs[run] == nil {
            let incident = start.incident ?? ""
            byIncident[incident, default: []].append(run)
            if let request = start.request { byRequest[request] = run }
            runs[run] = Run(id: run, start: start, state: RunState(), number: byIncident[incident]?.count ?? 1)
        }
        runs[run]?.state.apply(RunEntry(at: time, event: event))
    }
}

extension RunStart {
    /// Who starts what nobody started.
    package static let byPolicy = "policy"
}
