import Events
import Foundation
import Incidents
import Journal
import Logging
import Notify
import Storage
import Synchronization
import Testing

@testable import Server

/// A channel that keeps what it is given, and fails as it is told.
final class Postbox: Channel {
    enum Mood: Sendable { case well, failing, refusing, hanging, held }

    private let state = Mutex<(messages: [Message], mood: Mood)>(([], .well))

    var messages: [Message] { state.withLock { $0.messages } }

    func set(_ mood: Mood) { state.withLock { $0.mood = mood } }

    /// As a chat that names the thread of what it takes.
    func open(_ message: Message) async throws(DeliveryFailure) -> String? {
        try await deliver(message)
        return "thread of \(message.key)"
    }

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        let mood = state.withLock { state in
            state.messages.append(message)
            return state.mood
        }
        switch mood {
        case .well: return
        case .failing: throw DeliveryFailure("it is full")
        case .refusing: throw DeliveryFailure("it is not taken", isPermanent: true)
        case .hanging:
            // Until it is cancelled, as a receiver that hangs.
            try? await Task.sleep(for: .seconds(3600))
            throw DeliveryFailure("cancelled")
        case .held:
            while state.withLock({ $0.mood == .held }), !Task.isCancelled { try? await Task.sleep(for: .milliseconds(5)) }
            if state.withLock({ $0.mood == .refusing }) { throw DeliveryFailure("it is not taken", isPermanent: true) }
        }
    }
}

/// A data folder with a recorder and an escalator that look at a time of the test's own.
final class Office {
    let folder: String
    /// Where P0 and P3 go.
    let postbox = Postbox()
    /// Where P1 goes: a channel that pages by itself until it is told to stop.
    let pager = Postbox()
    /// Where P2 goes.
    let other = Postbox()
    /// Who can be a reader.
    let accountID: @Sendable (String) -> String? = { ["ana": "0a", "0a": "0a", "bo": "0b", "0b": "0b"][$0] }
    let time = Shared(Office.start)
    let inForce: PoliciesInForce
    private(set) var recorder: Recorder
    private var journal: Journal
    private var running: Task<Void, Never>?

    static let start = Timestamp(seconds: 1_772_445_600)

    private let links: AcknowledgeLinks?

    init(digestAbove: Int = 100, clocks: String? = nil, links: AcknowledgeLinks? = nil) async throws {
        self.links = links
        folder = NSTemporaryDirectory() + "vigie-office-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        var files = [
            "channels.yml": """
            channels:
              hook: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}
              pager: {kind: pagerduty, key_file: none}
              other: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}
            digest_above: \(digestAbove)
            """,
            "escalation.yml": """
            routes: {P0: p, P1: q, P2: r, P3: s}
            policies:
              p: [{name: L1, page: ["channel:hook"], answers_within: 15m}, {name: L2, page: ["channel:hook"], answers_within: 30m}]
              q: [{name: L1, page: ["channel:pager"], answers_within: 15m}]
              r: [{name: L1, page: ["channel:other"], answers_within: 15m}]
              s: [{name: L1, page: ["channel:hook"], answers_within: 15m}]
            """,
        ]
        files["clocks.yml"] = clocks
        inForce = PoliciesInForce(try Policies(files: files, folder: "policies"))
        (journal, recorder) = try await Office.open(folder)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static func open(_ folder: String) async throws -> (Journal, Recorder) {
        let keys = try PrivateDatabase(path: folder + "/private.db")
        let journal = try Journal.open(directory: folder + "/journal", keys: keys)
        let projections = try Projections(path: folder + "/projections.db")
        let ledger = try await JournalReplay.run(
            reader: try journal.reader(), count: journal.count, keys: keys, projections: projections)
        return (journal, Recorder(journal: journal, projections: projections, ledger: ledger) { _, _ in })
    }

    var now: @Sendable () -> Timestamp { { [time] in time.value } }

    func minutes(_ minutes: Int64) { time.value = Office.start.advanced(bySeconds: minutes * 60) }

    func run() {
        let escalator = Escalator(
            recorder: recorder, policies: inForce, links: links, logger: Logger(label: "test"), now: now
        ) { [postbox, pager, other] policy in
            let boxes: [String: any Channel] = ["hook": postbox, "pager": pager, "other": other]
            return Channels(boxes.filter { policy.channels[$0.key] != nil })
        }
        running = Task { await escalator.run() }
    }

    func stop() async {
        running?.cancel()
        await running?.value
        running = nil
    }

    /// As after a crash: nothing but the journal is known.
    func restart() async throws {
        await stop()
        await journal.close()
        (journal, recorder) = try await Office.open(folder)
        run()
    }

    var desk: IncidentDesk {
        get throws {
            IncidentDesk(
                recorder: recorder, projections: try Projections(path: folder + "/projections.db"), inForce: inForce, now: now,
                accountID: accountID)
        }
    }

    static let ana = Author(id: "0a", name: "ana")

    func open(_ title: String = "Storm", _ severity: Severity = .critical, request: String? = nil) async throws -> String {
        try #require(
            try await desk.open(title: title, severity: severity, kind: .real, author: Office.ana, request: request))
    }

    func order(_ verb: IncidentOrder.Verb, _ incident: String) async throws {
        try await desk.carryOut(
            IncidentOrder(incident: incident, verb: verb, author: Office.ana, at: now(), text: "because"))
    }

    /// As somebody else would who opens the file.
    func alterTables(_ statement: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "python3", "-c", "import sqlite3, sys; sqlite3.connect(sys.argv[1], isolation_level=None).execute(sys.argv[2])",
            folder + "/projections.db", statement,
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }

    func page(_ incident: String, _ purpose: PageIntent.Purpose) async -> PageState? {
        await recorder.incident(incident)?.pages.values.first { $0.intent.purpose == purpose }
    }

    func pages() async -> [PageState] { await recorder.incidents().flatMap(\.pages.values) }
}
