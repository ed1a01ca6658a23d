import Events
import Foundation
import Hummingbird
import NIOCore
import Synchronization

@testable import Guard

/// A folder of one test's own.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "guard-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func text(_ name: String) -> String {
        (try? String(contentsOfFile: path + "/" + name, encoding: .utf8)) ?? ""
    }

    /// The lines of a log as objects.
    func events(_ name: String = "app.log") -> [[String: Any]] {
        text(name).split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }
}

/// Clocks that stand still until they are moved.
final class Hands: Sendable {
    private let wall: Mutex<Timestamp>
    private let steady = Mutex<Int64>(1_000_000_000_000)

    init(_ start: String = "2026-03-02T16:56:03Z") {
        wall = Mutex(Timestamp(rfc3339: start) ?? Timestamp(nanoseconds: 0))
    }

    func advance(seconds: Int64) {
        wall.withLock { $0 = $0.advanced(bySeconds: seconds) }
        steady.withLock { $0 += seconds * 1_000_000_000 }
    }

    var clocks: Protection.Clocks {
        Protection.Clocks(wall: { [self] in wall.withLock { $0 } }, monotonic: { [self] in steady.withLock { $0 } })
    }
}

/// A guarded application with a few routes.
struct World {
    let folder: Folder
    let hands = Hands()
    let protection: Protection

    init(_ change: (inout Configuration) -> Void = { _ in }) throws {
        try self.init(folder: Folder(), change)
    }

    init(
        folder: Folder, _ change: (inout Configuration) -> Void = { _ in },
        pause: @escaping @Sendable (Duration) async throws -> Void = { _ in try await Task.sleep(for: .milliseconds(10)) }
    ) throws {
        self.folder = folder
        var configuration = Configuration(service: "tatou")
        configuration.log.path = folder.path + "/app.log"
        configuration.metricsToken = "metrics-token-for-tests"
        configuration.readBackToken = "read-back-token-for-tests"
        change(&configuration)
        protection = try Protection(configuration, logger: quiet, clocks: hands.clocks, pause: pause, silence: .hours(1))
    }

    func router() -> Router<BasicGuardedContext> {
        let router = Router(context: BasicGuardedContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: protection.middleware())
        protection.addRoutes(to: router)
        router.get("/") { _, _ in "hello" }
        router.get("/whoami") { _, context in "\(context.id) \(context.facts.client) \(context.facts.traceparent)" }
        router.get("/fail") { _, _ -> String in throw Surprise() }
        router.post("/upload") { request, _ in
            var request = request
            return "\(try await request.collectBody(upTo: 64 << 20).readableBytes)"
        }
        // `Authorization: Bearer USER/TOKEN/SESSION/ISSUED`, believed as it stands.
        router.get("/mine") { [protection] request, context in
            var context = context
            let parts = (request.headers[.authorization]?.dropFirst(7) ?? "").split(
                separator: "/", omittingEmptySubsequences: false
            ).map(String.init)
            let subject = Subject(
                user: parts[0], token: parts.count > 1 ? parts[1] : nil, session: parts.count > 2 ? parts[2] : nil,
                issued: parts.count > 3
                    ? Timestamp(rfc3339: parts[3]).map { Date(timeIntervalSince1970: Double($0.seconds)) } : nil)
            try protection.admit(subject, in: &context)
            return "yours"
        }
        router.get("/documents/:id") { [protection] _, context in
            let id = context.parameters.get("id") ?? ""
            let document = SecurityEvent.Resource("document", id: id, owner: "u-1", visibility: "private")
            try protection.checkAvailable(document, in: context)
            context.record(.read(document))
            return "content"
        }
        return router
    }

    /// Puts decisions in force as if they had come from Vigie.
    func decide(_ records: DecisionMessage.Record...) {
        for record in records {
            protection.decisions.add(Decision(record), sequence: protection.decisions.read { $0.table.sequence } + 1)
        }
    }

    /// The security log once everything is written.
    func events() async -> [[String: Any]] {
        await protection.log.flush()
        return folder.events()
    }
}

struct Surprise: Error, CustomStringConvertible {
    var description: String { "the secret inner workings" }
}

extension DecisionMessage.Record {
    /// A decision with what one kind of it needs.
    static func make(_ id: String, _ verb: String, _ change: (inout Self) -> Void = { _ in }) -> Self {
        var record = DecisionMessage.Record(id: id, verb: verb)
        change(&record)
        return record
    }
}
