import Console
import Events
import Hummingbird
import HummingbirdCore
import Identity
import Incidents
import Synchronization

let noon = Timestamp(seconds: 1_790_000_000)
let goodPassword = "correct horse battery staple"

/// A console over data that a test chooses, with a clock it can move and an audit log it can read.
final class World: Sendable {
    let store = InMemoryAccountStore()
    let updates: ConsoleUpdates
    let service: SignInService
    let accounts: AccountService
    let console: Console
    let responder: RouterResponder<ConsoleContext>
    private let clock: Shared<Timestamp>
    private let audits: Shared<[AuditRecord]>
    /// Orders that were given, if they are taken.
    let orders: Shared<[IncidentOrder]>
    let incidents: FakeIncidents
    let views: (any ViewKeeping)?

    init(
        incidents: [IncidentDetail] = [], sources: [SourceStatus] = [], rules: [RuleSummary] = [],
        detection: DetectionStatus = DetectionStatus(), ledger: FakeLedger = FakeLedger(), states: FakeStates = FakeStates(),
        options: Console.Options = .init(),
        updates: ConsoleUpdates = ConsoleUpdates(sequence: 100), auditFails: Bool = false, readingFails: Bool = false,
        refusal: IncidentRefusal? = nil, policyProblem: PolicyProblem? = nil, secondFactorRoles: Set<Role> = [],
        hidden: Set<String> = [], leases: FakeLeases? = nil, runs: FakeRuns? = nil, provider: OpenIDProvider? = nil,
        views: (any ViewKeeping)? = KeptViews(), silences: (any SilenceKeeping)? = nil
    ) throws {
        let orders = Shared([IncidentOrder]())
        self.orders = orders
        let fake = FakeIncidents(details: incidents, fails: readingFails, hidden: hidden)
        self.incidents = fake
        self.views = views
        self.updates = updates
        let clock = Shared(noon)
        let audits = Shared([AuditRecord]())
        self.clock = clock
        self.audits = audits
        service = SignInService(
            store: store, hasher: try PasswordHasher(cost: .init(memoryKiB: 64, passes: 1, lanes: 1)),
            secondFactorRoles: secondFactorRoles, delay: { _ in })
        let audit: @Sendable (AuditRecord) async throws -> Void = { record in
            if auditFails { throw JournalIsFull() }
            audits.withLock { $0.append(record) }
        }
        accounts = AccountService(service, audit: audit)
        let console = try Console(
            .init(
                incidents: fake, states: states,
                sources: { sources },
                rules: { rules },
                policyProblem: { policyProblem },
                detection: { detection }, ledger: ledger, leases: leases, runs: runs, views: views,
                silences: silences,
                order: { order in
                    if let refusal { throw refusal }
                    orders.withLock { $0.append(order) }
                },
                updates: updates, identity: service, provider: provider,
                audit: audit,
                now: { clock.withLock { $0 } }),
            options: options)
        self.console = console
        responder = console.makeRouter().buildResponder()
    }

    var now: Timestamp {
        get { clock.withLock { $0 } }
        set { clock.withLock { $0 = newValue } }
    }

    var auditKinds: [AuditRecord.Kind] { audits.withLock { $0.map(\.kind) } }
    var auditRecords: [AuditRecord] { audits.withLock { $0 } }

    /// A browser that went through set-up as `ana`.
    func signedIn() async throws -> Browser {
        let browser = Browser(self)
        let token = try await service.issueSetupToken() ?? ""
        _ = try await browser.get("/setup")
        _ = try await browser.post(
            "/setup", ["token": token, "name": "ana", "password": goodPassword, "password_again": goodPassword])
        return browser
    }
}

struct JournalIsFull: Error {}

struct FakeIncidents: IncidentReading {
    let details: [IncidentDetail]
    var fails = false
    /// Of which nobody may know.
    var hidden: Set<String> = []

    func incidents(matching query: IncidentQuery) async throws -> IncidentPage {
        if fails { throw JournalIsFull() }
        let found = details.map(\.summary).filter { incident in
            (query.includesClosed || incident.phase != .closed)
                && (query.search.isEmpty || "\(incident.id) \(incident.title)".lowercased().contains(query.search.lowercased()))
        }
        let chosen = found.filter { query.severities.contains($0.severity) }
        return IncidentPage(
            incidents: Array(chosen.dropFirst(query.offset).prefix(query.limit)),
            counts: found.reduce(into: [:]) { $0[$1.severity, default: 0] += 1 }, query: query)
    }

    /// Incidents about which it was asked whether somebody may know of them.
    var asked = Shared<[String]>([])

    func isHidden(id: String, from reader: IncidentReader) async throws -> Bool {
        defer { asked.withLock { $0.append(id) } }
        return hidden.contains(id)
    }

    func incident(
        id: String, maximumFindings: Int, maximumTimeline: Int, reader: IncidentReader?
    ) async throws -> IncidentDetail? {
        guard var detail = details.first(where: { $0.summary.id == id }) else { return nil }
        detail.findings = Array(detail.findings.prefix(maximumFindings))
        detail.timeline = Array(detail.timeline.suffix(maximumTimeline))
        return detail
    }
}

struct FakeStates: IncidentStateReading {
    var all: [IncidentState] = []
    var policies = Policies()

    func state(of incident: String) async -> IncidentState? { all.first { $0.id == incident } }
    func states() async -> [IncidentState] { all }

    /// Each of them, where the address or account is its own.
    var risks: [RiskView] = []

    func risks(of entities: [IncidentEntity], for _: IncidentReader?, at _: Timestamp) async -> [RiskView] {
        risks.filter { entities.contains($0.risk.entity) }
    }

    func worstRisks(for _: IncidentReader?, at _: Timestamp, limit: Int) async -> [RiskView] { Array(risks.prefix(limit)) }
}

/// A journal of as many entries as proofs, and items with the verdict that a test chooses.
struct FakeLedger: LedgerReading {
    var proofs: [LedgerProof] = []
    var items: [EvidenceView] = []
    var problem: String?
    /// Who did everything, where that is known only after the world has begun.
    var actor: Shared<String>?

    private func told(_ proof: LedgerProof) -> LedgerProof {
        guard let actor else { return proof }
        var proof = proof
        proof.entry.actor = actor.withLock { $0 }
        return proof
    }

    func entries(before sequence: Int?, limit: Int) async throws -> (entries: [LedgerEntry], total: Int) {
        (
            proofs.map { told($0).entry }.filter { $0.sequence < sequence ?? .max }.reversed().prefix(limit).map { $0 },
            proofs.count
        )
    }

    func proof(of sequence: Int) async throws -> LedgerProof? { proofs.first { $0.entry.sequence == sequence }.map(told) }

    func evidence(of incident: String) async throws -> [EvidenceView] { items.filter { $0.incident == incident } }

    func evidence(id: String) async throws -> EvidenceView? { items.first { $0.id == id } }

    func verify(evidence: EvidenceView) async throws -> EvidenceVerdict { EvidenceVerdict(at: noon, problem: problem) }
}

/// A value behind a lock that closures can share.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        value.withLock { body(&$0) }
    }
}
