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
private final class Postbox: Channel {
    enum Mood: Sendable { case well, failing, hanging }

    private let state = Mutex<(messages: [Message], mood: Mood)>(([], .well))

    var messages: [Message] { state.withLock { $0.messages } }

    func set(_ mood: Mood) { state.withLock { $0.mood = mood } }

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        let mood = state.withLock { state in
            state.messages.append(message)
            return state.mood
        }
        switch mood {
        case .well: return
        case .failing: throw DeliveryFailure("it is full")
        case .hanging:
            // Until it is cancelled, as a receiver that hangs.
            try? await Task.sleep(for: .seconds(3600))
            throw DeliveryFailure("cancelled")
        }
    }
}

/// A data folder with a recorder and an escalator that look at a time of the test's own.
private final class Office {
    let folder: String
    let postbox = Postbox()
    let time = Shared(Office.start)
    let policies: Policies
    private(set) var recorder: Recorder
    private var journal: Journal
    private var running: Task<Void, Never>?

    static let start = Timestamp(seconds: 1_772_445_600)

    init(digestAbove: Int = 100) async throws {
        folder = NSTemporaryDirectory() + "vigie-office-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        policies = try Policies(
            files: [
                "channels.yml": """
                channels: {hook: {kind: webhook, url: "http://127.0.0.1:1", secret_file: none}}
                digest_above: \(digestAbove)
                """,
                "escalation.yml": """
                routes: {P0: p}
                policies: {p: [{name: L1, page: ["channel:hook"], answers_within: 15m}, {name: L2, page: ["channel:hook"], answers_within: 30m}]}
                """,
            ], folder: "policies")
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
            recorder: recorder, policies: policies, channels: Channels(["hook": postbox]), logger: Logger(label: "test"), now: now
        )
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
                recorder: recorder, projections: try Projections(path: folder + "/projections.db"), policies: policies, now: now)
        }
    }

    static let ana = Author(id: "0a", name: "ana")

    func open(_ title: String = "Storm", request: String? = nil) async throws -> String {
        try #require(
            try await desk.open(title: title, severity: .critical, kind: .real, author: Office.ana, request: request))
    }

    func order(_ verb: IncidentOrder.Verb, _ incident: String) async throws {
        try await desk.carryOut(
            IncidentOrder(incident: incident, verb: verb, author: Office.ana, at: now(), text: "because"))
    }

    func pages() async -> [PageState] { await recorder.ledger.incidents.values.flatMap(\.pages.values) }
}

@Suite("Escalation as it runs", .timeLimit(.minutes(10)))
struct EscalatorTests {
    @Test("each step once, under its own key, and none after the acknowledgement")
    func steps() async throws {
        let office = try await Office()
        office.run()
        let id = try await office.open()
        try await eventually("L1 is sent") { await office.pages().contains { $0.status == .sent } }
        #expect(office.postbox.messages.map(\.key) == ["\(id)/1/p.L1/channel:hook/hook"])
        office.minutes(14)
        try await office.order(.acknowledge, id)
        office.minutes(60)
        // What is due at that hour is sent by then: that of another incident, and nothing more of this one.
        let other = try await office.open()
        try await eventually("the other's L1 is sent") { office.postbox.messages.contains { $0.key.hasPrefix(other) } }
        await office.stop()
        #expect(office.postbox.messages.count { $0.key.hasPrefix(id) } == 1)
    }

    @Test("what fails is tried again after a while, under the same key, until it is given up")
    func retries() async throws {
        let office = try await Office()
        office.postbox.set(.failing)
        office.run()
        _ = try await office.open()
        try await eventually("it failed once") { await office.pages().first?.lastFailure == "it is full" }
        let page = try #require(await office.pages().first)
        #expect(page.nextAttempt == Office.start.advanced(bySeconds: 15) && page.attempts == 1)
        for attempt in 2...EscalationPlan.maximumAttempts {
            let next = try #require(await office.pages().first?.nextAttempt)
            office.time.value = min(next, Office.start.advanced(bySeconds: 14 * 60))
            if next > office.now() { break }
            try await eventually("attempt \(attempt)") {
                await office.pages().contains { $0.attempts == attempt && $0.nextAttempt > next }
            }
        }
        #expect(Set(office.postbox.messages.map(\.key)).count == 1 && office.postbox.messages.count > 3)
        await office.stop()
    }

    @Test("handed over without an answer, then a crash: handed over again under the same key")
    func unknownOutcome() async throws {
        let office = try await Office()
        office.postbox.set(.hanging)
        office.run()
        _ = try await office.open()
        try await eventually("it is on its way") { office.postbox.messages.count == 1 }
        office.postbox.set(.well)
        try await office.restart()
        try await eventually("it is sent") { await office.pages().first?.status == .sent }
        await office.stop()
        #expect(office.postbox.messages.count == 2 && Set(office.postbox.messages.map(\.key)).count == 1)
        #expect(await office.pages().first?.attempts == 2)
    }

    @Test("acknowledged while it was on its way and Vigie died: it is not handed over again")
    func acknowledgedAfterCrash() async throws {
        let office = try await Office()
        office.postbox.set(.hanging)
        office.run()
        let id = try await office.open()
        try await eventually("it is on its way") { office.postbox.messages.count == 1 }
        await office.stop()
        try await office.order(.acknowledge, id)
        office.postbox.set(.well)
        try await office.restart()
        try await eventually("it is cancelled") { await office.pages().first?.status == .cancelled }
        await office.stop()
        #expect(office.postbox.messages.count == 1)
    }

    @Test("in a storm, one message names them all")
    func digest() async throws {
        let office = try await Office(digestAbove: 5)
        for number in 1...12 { _ = try await office.open("Number \(number)") }
        office.run()
        try await eventually("all are sent") { await office.pages().count { $0.status == .sent } == 12 }
        await office.stop()
        #expect(office.postbox.messages.count == 1)
        #expect(office.postbox.messages.first?.details.count == 12)
    }

    @Test("of a restricted incident, messages tell nothing but that it is there")
    func restricted() async throws {
        let office = try await Office()
        let id = try await office.open("The director's laptop")
        try await office.order(.restrict(readers: ["0a"]), id)
        office.run()
        try await eventually("it is sent") { await office.pages().first?.status == .sent }
        await office.stop()
        let message = try #require(office.postbox.messages.first)
        #expect(!"\(message)".contains("director"))
    }

    @Test("orders left for a server are carried out once, and refusals come back as they are")
    func spool() async throws {
        let office = try await Office()
        let folder = DataFolder(path: office.folder)
        let spool = OrderSpool(folder)
        let desk = try office.desk
        let serving = Task {
            while !Task.isCancelled {
                try await spool.serve(desk, logger: Logger(label: "test"))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { serving.cancel() }
        let ask = { (verb: String, incident: String, text: String?) in
            try await spool.ask(
                OrderSpool.Request(verb: verb, incident: incident, arguments: [:], author: Office.ana, at: nil, text: text))
        }
        guard case .done(let id) = try await ask("open", "", "Stolen") else { throw CancellationError() }
        #expect(id == "SEC-2026-0001")
        guard case .done = try await ask("ack", id, nil) else { throw CancellationError() }
        guard case .refused(let refusal) = try await ask("ack", id, nil) else { throw CancellationError() }
        #expect(refusal.code == .alreadyDone && refusal.reason.contains("ana"))
        guard case .refused(let unknown) = try await ask("dance", id, nil) else { throw CancellationError() }
        #expect(unknown.code == .invalid)
        #expect(try FileManager.default.contentsOfDirectory(atPath: office.folder + "/orders").isEmpty)
    }
}
