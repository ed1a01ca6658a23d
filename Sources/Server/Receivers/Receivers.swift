import Events
import Foundation
import Hummingbird
import Identity
import Ingest
import Logging
import ServiceLifecycle

/// Everything that listens for logs: made before the sources are followed, since each protocol's spool is one of them.
struct Receivers: Sendable {
    private let options: ReceiverOptions
    private let http: [HTTPReceiver]
    private let syslog: [(options: SyslogReceiverOptions, intake: Intake)]
    private let logger: Logger
    let intakes: [Intake]

    /// The spools that these receivers write, as sources to follow.
    static func sources(_ options: ReceiverOptions, _ folder: DataFolder) -> [SourceOption] {
        names(options).map { SourceOption(path: folder.spool($0), format: .json) }
    }

    static let protocols = ["loki", "otlp", "events", "alertmanager", "pagerduty", "journald"]

    /// What the receivers are called, each with a spool of its own.
    static func names(_ options: ReceiverOptions) -> [String] {
        (options.http.isEmpty ? [] : protocols) + options.syslog.map(name)
    }

    /// The same after each start, so that the spool is found again.
    static func name(_ syslog: SyslogReceiverOptions) -> String {
        let host = syslog.listen.host.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "_" }
        return "syslog-\(syslog.transport.rawValue)-\(String(host))-\(syslog.listen.port)"
    }

    /// Opens the spools.
    ///
    /// - Parameter positions: how far each source is read, durably.
    /// - Throws: `ServerError` when a spool cannot be opened or a certificate cannot be used.
    init(
        _ options: ReceiverOptions, folder: DataFolder, positions: [FilePosition], logger: Logger,
        now: @escaping @Sendable () -> Timestamp,
        mayIngest: @escaping @Sendable (SecretToken) async throws -> Bool = { _ in false }
    ) throws {
        self.options = options
        self.logger = logger
        if !options.isEmpty { try folder.prepareSpools() }
        func intake(_ name: String, _ limits: ReceiverLimits, _ remembers: SpoolMemory.Kind = .nothing) throws -> Intake {
            var memory = SpoolMemory()
            do {
                let spool = try Spool(
                    path: folder.spool(name), limit: limits.backlogBytes, remembers: remembers, positions: positions,
                    memory: &memory)
                return Intake(name: name, spool: spool, memory: memory, eventsPerSecond: limits.eventsPerSecond, now: now)
            } catch {
                throw ServerError(
                    .dataFolder, "the spool of the receiver '\(name)' cannot be opened: \(error)",
                    "see whether \(folder.spools) may be written and the disk has room")
            }
        }
        for tls in options.http.compactMap(\.tls) + options.syslog.compactMap(\.tls) { _ = try tls.configuration() }
        if let first = options.http.first {
            let shared = HTTPIntakes(
                loki: try intake("loki", first.limits, .batches), otlp: try intake("otlp", first.limits, .batches),
                events: try intake("events", first.limits, .batches),
                alertmanager: try intake("alertmanager", first.limits, .keys),
                pagerDuty: try intake("pagerduty", first.limits, .keys),
                journald: try intake("journald", first.limits, .keys))
            http = options.http.map { HTTPReceiver(options: $0, intakes: shared, logger: logger, mayIngest: mayIngest) }
            syslog = try options.syslog.map { ($0, try intake(Receivers.name($0), $0.limits)) }
            intakes = shared.all + syslog.map(\.intake)
        } else {
            http = []
            syslog = try options.syslog.map { ($0, try intake(Receivers.name($0), $0.limits)) }
            intakes = syslog.map(\.intake)
        }
    }

    /// What is read, durably: spools let go of it.
    func advance(_ positions: [FilePosition]) {
        for intake in intakes { intake.spool.advance(positions) }
    }

    /// What did not get into the spools since this start, or not whole, by the spool's path.
    var losses: [String: SourceCounters] {
        let all = intakes.map { (path: $0.spool.path, counters: $0.counters.snapshot.losses) }
        return all.reduce(into: [:]) { if $1.counters != SourceCounters() { $0[$1.path] = $1.counters } }
    }

    /// The state of a spool as its receiver knows it, beside what its follower knows.
    func complete(_ status: SourceStatus) -> SourceStatus {
        guard let intake = intakes.first(where: { $0.spool.path == status.name }) else { return status }
        var status = status
        let problem = intake.counters.snapshot.problem
        status.problem = [status.problem, problem].filter { !$0.isEmpty }.joined(separator: "; ")
        return status
    }

    /// One service for each port.
    ///
    /// - Parameter listening: called with the name and the port of each receiver once it takes something.
    func services(listening: @escaping @Sendable (_ name: String, _ port: Int) async -> Void) throws -> [any Service] {
        let overHTTP: [any Service] = try http.enumerated().map { index, receiver in
            let application = try receiver.application { await listening("http\(index == 0 ? "" : "-\(index + 1)")", $0) }
            return ReceiverService(address: receiver.options.listen) { try await application.run() }
        }
        let overSyslog: [any Service] = syslog.map { one in
            let logger = self.logger
            return ReceiverService(address: one.options.listen) {
                if one.options.transport == .udp {
                    try await cancelWhenGracefulShutdown {
                        try await SyslogDatagramReceiver(options: one.options, intake: one.intake, logger: logger).run {
                            await listening(one.intake.name, $0)
                        }
                    }
                } else {
                    try await SyslogStreamReceiver(options: one.options, intake: one.intake, logger: logger).run {
                        await listening(one.intake.name, $0)
                    }
                }
            }
        }
        return overHTTP + overSyslog
    }
}

/// Runs one port; says which one it was that could not be opened.
private struct ReceiverService: Service {
    let address: ListenAddress
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await body()
        } catch is CancellationError {
            return
        } catch {
            throw VigieServer.describe(error, address)
        }
    }
}
