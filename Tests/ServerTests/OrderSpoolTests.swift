import Events
import Foundation
import Incidents
import Logging
import Testing

@testable import Server

@Suite("Orders of commands beside a server", .timeLimit(.minutes(20)))
struct OrderSpoolTests {
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

    @Test("answers that nobody fetched are swept once nobody can be waiting for them; orders never are")
    func sweep() async throws {
        let office = try await Office()
        let folder = office.folder + "/orders"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["a.answer", "b.written", "c.new", "d.order"] {
            try Data("{}".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        let spool = OrderSpool(DataFolder(path: office.folder))
        let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        spool.folder.sweep(now: now)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 4)
        spool.folder.sweep(now: now.advanced(bySeconds: 120))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["d.order"])
    }

    @Test("an order that Vigie itself fails at is answered, and those behind it are carried out")
    func failing() async throws {
        let office = try await Office()
        let id = try await office.open()
        let spool = OrderSpool(DataFolder(path: office.folder))
        var desk = try office.desk
        desk.accountID = { _ in throw CocoaError(.fileReadUnknown) }
        let serving = Task { [desk] in
            while !Task.isCancelled {
                try await spool.serve(desk, logger: Logger(label: "test"))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { serving.cancel() }
        let ask = { (verb: String, arguments: [String: String]) in
            try await spool.ask(
                OrderSpool.Request(verb: verb, incident: id, arguments: arguments, author: Office.ana, at: nil, text: nil))
        }
        guard case .refused(let refusal) = try await ask("restrict", ["readers": "ana"]) else { throw CancellationError() }
        #expect(refusal.code == .failed && refusal.reason.hasPrefix("the order cannot be carried out: "))
        #expect(refusal.advice == "nothing was done; the server's log says more")
        guard case .done = try await ask("ack", [:]) else { throw CancellationError() }
        #expect(await office.recorder.incident(id)?.isAcknowledged == true)
    }
}
