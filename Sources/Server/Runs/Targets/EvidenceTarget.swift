import Events
import Incidents
import Journal
import Response
import Storage
import Synchronization

/// `POST /api/v1/evidence`: has evidence of an incident sealed, and answers when it is.
///
/// The request is a journal entry with the step's key; asked again under it, also by another process, nothing is collected twice.
struct EvidenceTarget: InProcessTarget {
    let paths: Set<String> = ["/api/v1/evidence"]

    private let recorder: Recorder
    private let projections: Projections
    private let collector: EvidenceCollector
    private let watch: EvidenceWatch
    private let now: @Sendable () -> Timestamp

    init(
        recorder: Recorder, projections: Projections, collector: EvidenceCollector, watch: EvidenceWatch,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.recorder = recorder
        self.projections = projections
        self.collector = collector
        self.watch = watch
        self.now = now
    }

    func carryOut(_ request: InProcessRequest) async -> InProcessAnswer {
        guard let incident = request.incident, request.body["incident"]?.stringValue ?? incident == incident else {
            return .failed("a run keeps evidence of its own incident only")
        }
        let kind = request.body["kind"]?.stringValue.flatMap { EvidenceRequest.Part(rawValue: $0) }
        if request.body["kind"] != nil, kind == nil { return .failed("that kind of evidence is not known") }
        do {
            if !watch.isRequested(request.key) {
                let files = try await projections.incident(id: incident, maximumFindings: 20)?.findings.flatMap(\.lines).map(
                    \.file)
                var wanted = EvidenceRequest(incident: incident, logs: files ?? [], occurredAt: now())
                wanted.key = request.key
                wanted.part = kind
                try await recorder.record(wanted.draft(), at: now())
                watch.request(request.key)
                await collector.take(wanted)
            }
            while now() < request.deadline {
                if let done = watch.outcome(of: request.key) {
                    guard done.items > 0 else { return .failed("nothing could be sealed; the timeline says why") }
                    let failed = done.failures > 0 ? ", \(done.failures) could not be" : ""
                    return .done(detail: "\(done.items) items sealed\(failed)", ["items": .integer(done.items)])
                }
                try await Task.sleep(for: .milliseconds(50))
            }
            return .failed("it was not sealed in time; it is being collected still")
        } catch {
            return .failed("it could not be asked for: \(error)")
        }
    }
}

/// What has become of the evidence that runs asked for.
final class EvidenceWatch: Sendable {
    private let state: Mutex<EvidenceKeys>

    /// - Parameter known: what the journal says.
    init(known: EvidenceKeys) { state = Mutex(known) }

    func isRequested(_ key: String) -> Bool { state.withLock { $0.requested.contains(key) } }

    /// It is in the journal.
    func request(_ key: String) { state.withLock { $0.request(key) } }

    func outcome(of key: String) -> (items: Int64, failures: Int64)? { state.withLock { $0.done[key] } }

    /// Told of every entry that the collector has written.
    func observe(_ draft: EntryDraft) { state.withLock { $0.observe(type: draft.type, data: draft.data) } }
}

/// Evidence that runs have asked for, by the step's key, as the journal has it.
struct EvidenceKeys {
    private(set) var requested: Set<String> = []
    private(set) var done: [String: (items: Int64, failures: Int64)] = [:]

    mutating func request(_ key: String) { requested.insert(key) }

    mutating func observe(_ entry: Entry) { observe(type: entry.type, data: entry.data) }

    mutating func observe(type: String, data: [String: JSONValue]) {
        guard type.hasPrefix("evidence."), let key = data["key"]?.stringValue else { return }
        if type == EvidenceRequest.type { requested.insert(key) }
        if type == EvidenceRequest.doneType {
            done[key] = (data["items"]?.integerValue ?? 0, data["failures"]?.integerValue ?? 0)
        }
    }
}
