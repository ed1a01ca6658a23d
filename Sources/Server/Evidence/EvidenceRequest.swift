import Events
import Evidence
import Journal
import Storage

/// That evidence of an incident is to be collected. The journal has it as an entry from the moment the incident opens, and another entry
/// when all was tried: what lies between is taken up again at the next start.
struct EvidenceRequest: Sendable, Equatable {
    static let type = "evidence.requested"
    static let doneType = "evidence.collected"
    /// Logs that are looked at, of those that the incident's first finding rests on.
    static let maximumLogs = 4

    var incident: String
    var logs: [String]
    var occurredAt: Timestamp
    /// Where items come from that were sealed before the process ended: they are not collected twice.
    var sealed: Set<String> = []
    /// A playbook's step that asks; `nil` for the request at an incident's opening.
    var key: String?
    /// `nil` for everything.
    var part: Part?
    /// Asked for by a process that ended before it was done.
    var isResumed = false

    /// What a playbook's step asks for.
    enum Part: String, Sendable, CaseIterable {
        /// Logs, and the lines behind the findings.
        case logs
        /// What this server and the machine show of themselves.
        case metrics
    }

    /// - Parameter logs: the files behind the first finding; each is looked at once.
    init(incident: String, logs: [String], occurredAt: Timestamp) {
        self.incident = incident
        self.occurredAt = occurredAt
        self.logs = []
        for log in logs where !self.logs.contains(log) && self.logs.count < Self.maximumLogs { self.logs.append(log) }
    }

    func draft() -> EntryDraft {
        var data: [String: JSONValue] = ["incident": .string(incident), "logs": .array(logs.map { .string($0) })]
        data["key"] = key.map { .string($0) }
        data["part"] = part.map { .string($0.rawValue) }
        return EntryDraft(type: Self.type, occurredAt: occurredAt, actor: "system", data: data)
    }

    init?(_ entry: Entry) {
        guard entry.type == Self.type, let incident = entry.data["incident"]?.stringValue else { return nil }
        self.init(
            incident: incident, logs: entry.data["logs"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            occurredAt: entry.occurredAt)
        key = entry.data["key"]?.stringValue
        part = entry.data["part"]?.stringValue.flatMap { Part(rawValue: $0) }
    }

    /// All was tried.
    func done(items: Int, failures: Int, at now: Timestamp) -> EntryDraft {
        var data: [String: JSONValue] = [
            "incident": .string(incident), "items": .integer(Int64(items)), "failures": .integer(Int64(failures)),
            "resumed": .bool(isResumed),
        ]
        data["key"] = key.map { .string($0) }
        return EntryDraft(type: Self.doneType, occurredAt: now, actor: "system", data: data)
    }
}

/// Requests that the journal does not call done, found while it is read from its beginning.
struct OpenEvidenceRequests {
    private var requests: [EvidenceRequest] = []

    mutating func observe(_ entry: Entry) {
        guard entry.type.hasPrefix("evidence."), let incident = entry.evidenceIncident else { return }
        if var request = EvidenceRequest(entry) {
            request.isResumed = true
            requests.append(request)
        } else if entry.type == EvidenceRequest.doneType {
            let key = entry.data["key"]?.stringValue
            requests.removeFirst(where: { $0.incident == incident && $0.key == key })
        } else if let index = requests.firstIndex(where: { $0.incident == incident }) {
            if let item = EvidenceItem(entry), item.collector == EvidenceCapture.collector {
                requests[index].sealed.insert(item.source)
            }
        }
    }

    /// In the order they were asked for.
    var open: [EvidenceRequest] { requests }
}

extension Array {
    fileprivate mutating func removeFirst(where isWanted: (Element) -> Bool) {
        if let index = firstIndex(where: isWanted) { remove(at: index) }
    }
}
