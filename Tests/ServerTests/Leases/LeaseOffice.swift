import Events
import Foundation
import Incidents
import Journal
import Logging
import Notify
import Response
import Storage
import Synchronization

@testable import Server

/// An enforcer that does as it is told, or not.
final class FakeEnforcer: Enforcer {
    struct State {
        var blocked: [String: Timestamp] = [:]
        var isAway = false
        var refusals: Int64 = 0
        var orders: [String] = []
    }

    let name: String
    let verbs: Set<Lease.Verb>
    let state = Mutex(State())

    init(_ name: String = "fake", verbs: Set<Lease.Verb> = Set(Lease.Verb.allCases)) {
        self.name = name
        self.verbs = verbs
    }

    var blocked: Set<String> { state.withLock { Set($0.blocked.keys) } }

    private func act<Result>(_ body: (inout State) -> Result) throws -> Result {
        try state.withLock { state in
            if state.isAway { throw EnforcerError(enforcer: name, reason: "it does not answer") }
            return body(&state)
        }
    }

    func apply(_ leases: [Lease], now: Timestamp) async throws {
        try act { state in
            for lease in leases {
                state.blocked[lease.target] = lease.expiresAt
                state.orders.append(lease.target)
            }
        }
    }

    func observe(_ leases: [Lease]) async throws -> [String: Observation] {
        try act { state in
            var found: [String: Observation] = [:]
            for lease in leases where state.blocked[lease.target] != nil { found[lease.id] = .shown(refusals: state.refusals) }
            return found
        }
    }

    func lift(_ leases: [Lease]) async throws {
        try act { state in for lease in leases { state.blocked[lease.target] = nil } }
    }
}

/// A data folder with one incident, and a lease desk that looks at a time of the test's own.
final class LeaseOffice {
    static let start = Timestamp(seconds: 1_795_000_000)

    let folder: String
    let enforcer = FakeEnforcer()
    let time = Shared(LeaseOffice.start)
    let policies: PoliciesInForce
    var policy: LeasePolicy
    private(set) var incident = ""
    private(set) var recorder: Recorder
    private(set) var desk: LeaseDesk
    private var journal: Journal
    private var running: Task<Void, Never>?

    init(_ policy: LeasePolicy = LeasePolicy(), kind: IncidentKind = .real) async throws {
        folder = NSTemporaryDirectory() + "vigie-leases-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        self.policy = policy
        policies = PoliciesInForce(
            try Policies(
                files: [
                    "channels.yml": """
                    channels: {hook: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}}
                    """,
                    "escalation.yml": """
                    routes: {P0: p}
                    policies: {p: [{name: L1, page: ["channel:hook"], answers_within: 15m}]}
                    """,
                ], folder: "policies"))
        let opened = try await LeaseOffice.open(folder)
        (journal, recorder) = (opened.journal, opened.recorder)
        desk = LeaseDesk(
            recorder: recorder, book: opened.book, enforcers: [enforcer], policy: policy, policies: policies,
            logger: LeaseOffice.logger, now: { LeaseOffice.start })
        let incidents = IncidentDesk(
            recorder: recorder, projections: try Projections(path: folder + "/projections.db"), inForce: policies,
            now: { LeaseOffice.start }, accountID: { _ in nil })
        incident =
            try await incidents.open(title: "guessing", severity: .critical, kind: kind, author: .system, request: nil) ?? ""
        _ = try await incidents.carryOut(
            IncidentOrder(incident: incident, verb: .acknowledge, author: .system, at: LeaseOffice.start))
        desk = makeDesk(opened.book)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func makeDesk(_ book: LeaseBook) -> LeaseDesk {
        LeaseDesk(
            recorder: recorder, book: book, enforcers: [enforcer], policy: policy, policies: policies, logger: LeaseOffice.logger,
            now: { [time] in time.value })
    }

    private static func open(_ folder: String) async throws -> (journal: Journal, recorder: Recorder, book: LeaseBook) {
        let keys = try PrivateDatabase(path: folder + "/private.db")
        let journal = try Journal.open(directory: folder + "/journal", keys: keys)
        let projections = try Projections(path: folder + "/projections.db")
        var book = LeaseBook()
        let ledger = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: keys, projections: projections,
            observe: { entry, personal in
                if let event = LeaseEvent(type: entry.type, data: entry.data, personal: personal) {
                    book.apply(event, at: entry.occurredAt)
                }
            })
        return (journal, Recorder(journal: journal, projections: projections, ledger: ledger) { _, _ in }, book)
    }

    func seconds(_ seconds: Int64) { time.value = LeaseOffice.start.advanced(bySeconds: seconds) }

    func run() {
        let desk = desk
        running = Task { await desk.run() }
    }

    func stop() async {
        running?.cancel()
        await running?.value
        running = nil
    }

    /// As after a crash: nothing but the journal is known, and whatever the enforcer kept.
    func restart() async throws {
        await stop()
        await journal.close()
        let opened = try await LeaseOffice.open(folder)
        (journal, recorder) = (opened.journal, opened.recorder)
        desk = makeDesk(opened.book)
        run()
    }

    /// What the journal makes of it.
    func replayed() async throws -> LeaseBook {
        let keys = try PrivateDatabase(path: folder + "/private.db")
        let reader = try JournalReader(directory: folder + "/journal")
        let opener = EntryOpener(keys: keys)
        var book = LeaseBook()
        while case let entries = try reader.next(), !entries.isEmpty {
            for (entry, personal) in zip(entries, try await opener.open(entries)) {
                if let event = LeaseEvent(type: entry.type, data: entry.data, personal: personal) {
                    book.apply(event, at: entry.occurredAt)
                }
            }
        }
        return book
    }

    func request(
        _ target: String = "203.0.113.9", _ verb: Lease.Verb = .blockAddress, seconds: Int64 = 3_600, approvedBy: String? = nil,
        key: String? = nil, origin: String? = nil
    ) -> LeaseRequest {
        LeaseRequest(
            verb: verb, target: target, reason: "guesses passwords", incident: incident, requestedBy: "ana",
            approvedBy: approvedBy,
            duration: seconds, key: key, origin: origin)
    }

    func phase(_ lease: Lease) async -> Lease.Phase? { await desk.standing(of: lease.id)?.phase }

    /// Pages about containment, by what they say.
    func pages() async -> [String] {
        (await recorder.incident(incident)?.pages.values.map(\.intent).filter { $0.purpose == .containment }.map(\.step)) ?? []
    }
}
