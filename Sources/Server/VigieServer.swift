import Archive
import Console
package import Detection
package import Events
import Evidence
import Foundation
import Hummingbird
import Identity
import Incidents
import Ingest
import Journal
package import Logging
import Notify
import Response
import ServiceLifecycle
import Storage
import UnixSignals

/// One running Vigie: sources, detection, incidents, console, on one data folder.
///
/// `start` opens everything and refuses with one clear error what cannot be opened; `run` serves until it is told to
/// stop. Tests start it in-process on port 0.
package struct VigieServer: Sendable {
    package let options: ServerOptions
    /// What a person needs for the first visit; `nil` once there is an account.
    package let setupToken: String?
    /// Rules that were refused, each with file, line and reason.
    package let ruleProblems: [RuleProblem]
    package let ruleCount: Int
    /// Entries found in the journal.
    package let journalCount: UInt64

    let folder: DataFolder
    let journal: Journal
    let tree: JournalTree
    let watch: Watch
    let console: Console
    let accounts: AccountService
    let updates: ConsoleUpdates
    let recorder: Recorder
    /// Puts changed rule files in force.
    package let rules: RuleReloader
    /// Puts changed policy files in force.
    package let policies: PolicyReloader
    let collector: EvidenceCollector
    /// `nil` where nothing is archived.
    let archive: Archive?
    /// Where people's orders about incidents are carried out.
    package let desk: IncidentDesk
    let escalator: Escalator
    let leases: LeaseWiring
    /// Where people's orders about leases are carried out.
    let leaseCounter: LeaseCounter
    /// Where playbooks are run.
    let runs: RunDesk
    /// Where people's orders about silences are carried out.
    let silences: SilenceDesk
    let receivers: Receivers
    let logger: Logger
    /// Of the policies in force; `nil` where there are none.
    package var policyHash: String? { desk.policies.hash }

    /// - Parameter now: the present; tests pass their own.
    /// - Throws: `ServerError`, `StorageError` or `JournalError`.
    package static func start(
        _ options: ServerOptions, logger: Logger, now: @escaping @Sendable () -> Timestamp = { .system }
    ) async throws -> VigieServer {
        // Until `ReloadService` listens, SIGHUP must not end the process; the files are read after this anyway.
        signal(SIGHUP, SIG_IGN)
        var options = options
        let folder = DataFolder(path: options.dataFolder)
        if options.followsJournald { options.sources.append(SourceOption(path: folder.journaldSpool, format: .json)) }
        options.sources = SourceOption.each(options.sources + Receivers.sources(options.receivers, folder))
        try folder.prepare()
        let loaded = LoadedRules(paths: options.rules, cachePath: folder.ruleCache) { logger.warning("\($0)") }
        let formats = loaded.formats
        try SourceFormats.check(options.sources, formats)
        for overlap in try SourceOverlap.check(options.sources) { logger.warning("\(overlap)") }
        for name in SecuritySources.unknown(options) {
            logger.warning("archive.security_sources names '\(name)', which is no source: none of its lines is kept for longer")
        }
        let policies = try PolicyFolder.load(options.policies)
        try folder.checkPrivateDatabase()
        let privateDatabase = try PrivateDatabase(path: folder.privateDatabase)
        let journal = try Journal.open(directory: folder.journal, keys: privateDatabase)
        if let tail = journal.cutTail { logger.notice("the journal ended in an unfinished write, which was cut off: \(tail)") }
        let tree = try JournalTree.open(journal: journal, keyPath: folder.checkpointKey)
        try await tree.publish()
        let projections = try Projections(path: folder.projections)
        var lastRules: String?
        var lastConfiguration: String?
        var lastPolicies: String?
        var requests = OpenEvidenceRequests()
        var leaseBook = LeaseBook()
        var runLedger = RunLedger()
        var viewBook = SavedViewBook()
        var evidenceKeys = EvidenceKeys()
        var lastPlaybooks: JSONValue?
        let ledger = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: privateDatabase, projections: projections,
            observe: { entry, personal in
                if entry.type == RuleEntries.loadedType { lastRules = entry.data["hash"]?.stringValue }
                if entry.type == PolicyEntry.loadedType { lastPolicies = entry.data["hash"]?.stringValue }
                if entry.type == ConfigurationEntry.type { lastConfiguration = entry.data["hash"]?.stringValue }
                requests.observe(entry)
                if let event = LeaseEvent(type: entry.type, data: entry.data, personal: personal) {
                    leaseBook.apply(event, at: entry.occurredAt)
                }
                evidenceKeys.observe(entry)
                if let event = SavedViewEvent(entry, personal: personal) { viewBook.apply(event) }
                if entry.type == RunWiring.loadedType { lastPlaybooks = entry.data["playbooks"] }
                runLedger.apply(
                    type: entry.type, data: entry.data, personal: personal.compactMapValues(\.self), at: entry.occurredAt,
                    actor: entry.actor)
            })
        let snapshot = try DetectionSnapshot.load(folder)
        if let snapshot, snapshot.journal_sequence > journal.count {
            throw ServerError(
                .journal,
                "the sources were read up to journal entry \(snapshot.journal_sequence), but the journal holds \(journal.count)",
                "an older journal seems to have been put back: move \(folder.snapshot) away to read the sources again")
        }

        let identity = SignInService(
            store: privateDatabase, hasher: try PasswordHasher(), secondFactorRoles: options.secondFactorRoles)
        let receivers = try Receivers(
            options.receivers, folder: folder, positions: snapshot?.states.flatMap(\.positions) ?? [], logger: logger, now: now,
            mayIngest: { try await identity.mayIngest(apiToken: $0, at: now()) })
        let updates = ConsoleUpdates(sequence: Int(journal.count))
        let changes = RunDesk.Changes()
        let recorder = Recorder(journal: journal, projections: projections, ledger: ledger, logger: logger) {
            changes.add($1)
            updates.publish(sequence: $0, incidentID: $1)
        }
        let store = BlobStore(directory: folder.evidence, keys: folder.evidenceKeys)
        let capture = EvidenceCapture(store: store, host: ProcessInfo.processInfo.hostName)
        let observed = EvidenceWatch(known: evidenceKeys)
        let collector = EvidenceCollector(
            capture: capture, logger: logger, now: now
        ) { draft in
            try await recorder.record(draft, at: now())
            observed.observe(draft)
        }
        let inForce = PoliciesInForce(policies)
        let desk = IncidentDesk(
            recorder: recorder, projections: projections, inForce: inForce, now: now,
            accountID: { try await privateDatabase.accountID(of: $0) })
        let links = AcknowledgeLinks(secret: try LinkSecret.readOrMake(folder.linkSecret))
        let escalator = Escalator(
            recorder: recorder, policies: inForce, links: links, logger: logger, now: now
        ) { Channels($0, now: now) }
        let leases = try LeaseWiring.make(
            options, book: leaseBook, recorder: recorder, policies: inForce, logger: logger, now: now)
        let runs = try await RunWiring.make(
            options, folder, RunWiring.Journalled(runs: runLedger, playbooks: lastPlaybooks), recorder: recorder,
            projections: projections, desk: desk, collector: collector, evidence: observed, changes: changes, updates: updates,
            targets: [LeaseTarget(leases: leases.desk)], logger: logger, now: now)
        let archive = await ArchiveWiring.open(
            options, folder, loaded, resumingAt: snapshot?.archive, recorder: recorder, now: now)
        let watch = Watch(
            folder: folder, ruleSet: loaded.ruleSet, formats: formats, options: options, snapshot: snapshot,
            recorder: recorder, collector: collector, policies: inForce,
            feed: archive.map { ArchiveWiring.feed($0, options, folder, loaded) }, logger: logger,
            positionsSaved: { receivers.advance($0) }, losses: { receivers.losses }, now: now)
        let journalCount = journal.count
        let configuration = try ConfigurationEntry.draft(options, at: now())
        if lastConfiguration != configuration.data["hash"]?.stringValue { try await recorder.record(configuration, at: now()) }
        if lastPolicies != policies.hash {
            try await recorder.record(PolicyEntry.loaded(policies, at: now()), at: now())
        }
        if lastRules != loaded.ruleSet.hash {
            // Which rules changed while nothing ran is not known: the journal keeps ids, not rules.
            let change = RuleSetChange(from: nil, to: loaded.ruleSet)
            try await recorder.record(
                RuleEntries.loaded(loaded.ruleSet, change: change, refused: loaded.problems.count, letGo: [], at: now()),
                at: now())
        }
        let rules = RuleReloader(
            paths: options.rules, cachePath: folder.ruleCache, loaded: loaded, watch: watch, recorder: recorder,
            projections: projections, logger: logger,
            now: now)
        let playbooks = runs.playbookFiles
        let policyReloader = PolicyReloader(
            folder: options.policies, inForce: inForce, recorder: recorder, logger: logger,
            warnings: { [options] in RunWiring.warnings($0, playbooks, options) }, now: now)
        let context = IncidentContext(
            options: options, folder: folder, watch: watch, rules: rules, projections: projections, capture: capture, now: now)
        await collector.use { await context.sources($0) }
        for request in requests.open { await collector.take(request) }
        let accounts = AccountService(identity) { try await recorder.record($0.draft, at: now()) }
        let leaseCounter = LeaseCounter(
            desk: leases.desk, archive: archive.map { _ in ArchiveReader(folder: folder.archive) }, rulePaths: options.rules,
            now: now)
        let silences = SilenceDesk(
            recorder: recorder, projections: projections, rules: { await rules.summaries.map(\.id) }, now: now)
        let console = try Console(
            Console.Dependencies(
                incidents: projections, states: desk, sources: { await watch.statuses.map(receivers.complete) },
                rules: { await rules.summariesWithActivity() },
                policyProblem: { await policyReloader.problem },
                detection: { await watch.detection },
                ledger: Ledger(
                    folder: folder, key: try KeyFile.readPublic(KeyFile.publicPath(folder.checkpointKey)),
                    count: { journal.count },
                    projections: projections, store: store, now: now),
                hunts: archive.map { _ in
                    HuntDesk(folder: folder, rulePaths: options.rules, recorder: recorder, now: now)
                },
                leases: leaseCounter, runs: runs, views: ViewDesk(book: viewBook, recorder: recorder, now: now),
                silences: silences, links: LinkDesk(links: links, desk: desk),
                order: { try await desk.carryOut($0) },
                updates: updates, identity: identity, provider: options.provider.map(ProviderWiring.provider),
                audit: { record in
                    try await recorder.record(record.draft, at: now())
                    // Whoever has signed in is not locked out by a lease.
                    if record.kind == .signedIn {
                        await leases.desk.protect(operator: record.account ?? "somebody", at: record.address)
                    }
                }, now: now),
            options: Console.Options(
                hosts: options.hosts, isBehindTLS: options.isBehindTLS, trustsForwardedAddress: options.isBehindProxy))
        return VigieServer(
            options: options, setupToken: try await identity.issueSetupToken(), ruleProblems: loaded.problems,
            ruleCount: loaded.ruleSet.count, journalCount: journalCount, folder: folder, journal: journal, tree: tree,
            watch: watch, console: console, accounts: accounts, updates: updates, recorder: recorder, rules: rules,
            policies: policyReloader, collector: collector, archive: archive, desk: desk, escalator: escalator, leases: leases,
            leaseCounter: leaseCounter, runs: runs, silences: silences, receivers: receivers, logger: logger)
    }

    /// Serves until SIGTERM or SIGINT, or until the task is cancelled.
    ///
    /// Whatever ends it, it shuts down gracefully: a service that fails and a cancelled task, too. Cancelling the HTTP server itself
    /// would trap in swift-nio when a connection has been accepted that nobody has taken yet.
    ///
    /// - Parameters:
    ///   - receiving: called with the name and the port of each receiver once it takes something.
    ///   - listening: called with the console's port once connections are accepted.
    package func run(
        receiving: @escaping @Sendable (_ name: String, _ port: Int) async -> Void = { _, _ in },
        listening: @escaping @Sendable (_ port: Int) async -> Void
    ) async throws {
        let application = Application(
            router: console.makeRouter(), server: Console.server(),
            configuration: .init(address: .hostname(options.host, port: options.port), serverName: nil),
            onServerRunning: { channel in await listening(channel.localAddress?.port ?? options.port) }, logger: logger)
        var services: [any Service] = [
            WatchService(watch: watch), EscalationService(escalator: escalator),
            RunService(runs: runs), SilenceService(desk: silences, logger: logger),
            OrderService(
                spool: OrderSpool(folder), desk: desk, runs: runs, leases: LeaseOrders(folder), counter: leaseCounter,
                accounts: AccountSpool(folder), service: accounts, hunts: HuntSpool(folder),
                silences: SilenceSpool(folder), silenceDesk: silences, recorder: recorder, logger: logger),
            ReloadService(rules: rules, policies: policies, followsFiles: options.followsFiles, logger: logger),
            UpdatesService(updates: updates),
            CheckpointService(tree: tree, logger: logger), CollectorService(collector: collector),
            EvidenceService(pending: PendingEntries(evidence: folder.evidence), recorder: recorder, logger: logger),
        ]
        if options.followsJournald {
            services.append(JournaldService(spool: JournaldSpool(path: folder.journaldSpool, logger: logger)))
        }
        services += try leases.services(listening: receiving)
        // They stop in reverse order: first nobody is let in any more.
        services += try receivers.services(listening: receiving)
        services.append(application)
        let group = ServiceGroup(
            configuration: .init(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        do {
            try Task.checkCancellation()
            // A task of its own, which the cancellation of this one does not reach.
            let serving = Task { try await group.run() }
            try await withTaskCancellationHandler {
                try await serving.value
            } onCancel: {
                Task { await group.triggerGracefulShutdown() }
            }
        } catch {
            await finish()
            throw VigieServer.describe(error, ListenAddress(host: options.host, port: options.port))
        }
        await finish()
    }

    /// Signs for the last entries, then lets go of the journal.
    private func finish() async {
        do {
            try await tree.publish()
        } catch {
            logger.error("the last entries are without a signed checkpoint; the next start makes one: \(error)")
        }
        await recorder.stop()
        await journal.close()
    }

    /// The usual reasons why a server cannot listen, in words.
    static func describe(_ error: any Error, _ listen: ListenAddress) -> any Error {
        if error is ServerError { return error }
        let text = String(describing: error)
        let address = listen.text
        if text.contains("errno: 98") || text.lowercased().contains("address already in use") {
            return ServerError(
                .address, "port \(listen.port) on \(listen.host) is taken by another program",
                "stop that program (`ss -lntup` names it), or choose another port (--listen \(listen.host):PORT for the console)")
        }
        if text.contains("errno: 13") {
            return ServerError(.address, "Vigie's user may not listen on \(address)", "choose a port above 1023 with --listen")
        }
        if text.contains("errno: 99") {
            return ServerError(.address, "this machine has no address \(listen.host)", "choose one that it has with --listen")
        }
        return error
    }
}

/// Runs the watch as long as the server runs; its failure ends the server.
private struct WatchService: Service {
    let watch: Watch

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await watch.run() }
    }
}

/// Signs a checkpoint about once a second while there is news: what a power cut leaves unsigned is that young.
private struct CheckpointService: Service {
    let tree: JournalTree
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                do {
                    try await tree.publish()
                } catch {
                    logger.error("no checkpoint could be signed: \(error)")
                }
            }
        }
    }
}

/// Collects evidence of incidents that open.
private struct CollectorService: Service {
    let collector: EvidenceCollector

    func run() async throws {
        await cancelWhenGracefulShutdown { await collector.run() }
    }
}

/// Writes down what commands added while this server holds the journal.
private struct EvidenceService: Service {
    let pending: PendingEntries
    let recorder: Recorder
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .milliseconds(500))
                do {
                    try await pending.take { try await recorder.record($0, at: .system) }
                } catch {
                    logger.error("evidence that was added is not written down yet: \(error)")
                }
            }
        }
    }
}

/// Runs clocks and escalation.
private struct EscalationService: Service {
    let escalator: Escalator

    func run() async throws {
        await cancelWhenGracefulShutdown { await escalator.run() }
    }
}

/// Runs playbooks.
private struct RunService: Service {
    let runs: RunDesk

    func run() async throws {
        await cancelWhenGracefulShutdown { await runs.run() }
    }
}

/// Follows journald as long as the server runs.
private struct JournaldService: Service {
    let spool: JournaldSpool

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await spool.run() }
    }
}

/// Ends open event streams when the server stops; without it, a browser would hold up the shutdown.
private struct UpdatesService: Service {
    let updates: ConsoleUpdates

    func run() async throws {
        try? await gracefulShutdown()
        updates.close()
    }
}
