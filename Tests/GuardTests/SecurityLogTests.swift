import Events
import Foundation
import Hummingbird
import Logging
import Synchronization
import Testing

@testable import Guard

/// Keeps jobs until somebody lets them run.
private final class HeldJobs: Sendable {
    private let jobs = Mutex<[@Sendable () -> Void]>([])

    var runner: @Sendable (@escaping @Sendable () -> Void) -> Void {
        { [self] job in jobs.withLock { $0.append(job) } }
    }

    func run() {
        while let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { job() }
    }
}

@Suite(.timeLimit(.minutes(20))) struct SecurityLogTests {
    private func log(
        _ folder: Folder, _ hands: Hands = Hands(), held: HeldJobs? = nil,
        _ change: (inout SecurityLog.Options) -> Void = { _ in }
    ) -> SecurityLog {
        var options = SecurityLog.Options(path: folder.path + "/logs/app.log")
        change(&options)
        return SecurityLog(
            options, service: "tatou", logger: quiet, now: hands.clocks.wall, runner: held?.runner ?? SecurityLog.blockingThread)
    }

    @Test func `a full queue drops, counts, and says so`() throws {
        let folder = try Folder()
        let held = HeldJobs()
        let log = log(folder, held: held) { $0.queueBytes = 2000 }
        for number in 0..<100 { log.record(.loginFailed(name: "user \(number)", reason: .badCredentials)) }
        let dropped = log.dropped
        #expect(dropped > 0)
        held.run()
        let events = folder.events("logs/app.log")
        #expect(events.count == 100 - dropped + 1)
        #expect(events.last?["event.action"] as? String == "events_dropped")
        #expect(events.last?["guard.dropped"] as? String == "\(dropped)")
        log.record(.loginFailed(name: "later", reason: .badCredentials))
        held.run()
        #expect(folder.events("logs/app.log").last?["user.name"] as? String == "later")
    }

    @Test func `a log that cannot be written loses lines, counts them, and goes on when it can`() async throws {
        let folder = try Folder()
        // A file stands where the folder should be.
        try Data().write(to: URL(filePath: folder.path + "/logs"))
        let log = log(folder)
        log.record(.securityReport)
        await log.flush()
        #expect(log.dropped == 1)
        try FileManager.default.removeItem(atPath: folder.path + "/logs")
        log.record(.securityReport)
        await log.flush()
        #expect(folder.events("logs/app.log").count == 1)
    }

    @Test func `what an attacker types stays in its line, and secrets stay out of it`() async throws {
        let folder = try Folder()
        let log = log(folder) { $0.capabilityPaths = ["/api/get-version/"] }
        let nasty = "x\"\n{\"event.action\":\"login\",\"event.outcome\":\"success\"}\u{0}\u{7F}\r\t\\"
        log.record(
            .loginFailed(name: nasty, reason: .invalidUser).with {
                $0.details = [
                    "password": "hunter2", "http.request.headers.authorization": "Bearer abc",
                    "note": "sent Bearer abc.def to us",
                    "jwt": "eyJhbGciOi.eyJzdWIi.c2ln", "long": String(repeating: "é", count: 5000), "watermark.key": "k",
                ]
            })
        await log.flush()
        let text = folder.text("logs/app.log")
        #expect(text.split(separator: "\n").count == 1)
        let event = try #require(folder.events("logs/app.log").first)
        #expect(event["user.name"] as? String == nasty)
        for secret in ["hunter2", "abc", "eyJ", "\"k\""] { #expect(!text.contains(secret)) }
        #expect((event["long"] as? String)?.utf8.count ?? 0 <= 2052)
        let redaction = log.redaction
        #expect(redaction.target("/api/get-version/0123456789abcdef?x=1") == "/api/get-version/012345***?x=1")
        #expect(redaction.target("/api//Get-%76ersion/./0123456789abcdef/x") == "/api//Get-%76ersion/./012345***/x")
        #expect(redaction.target("/api/get-version") == "/api/get-version")
        #expect(redaction.target("/x?token=abc&page=2&%74oken=def&key=") == "/x?token=***&page=2&%74oken=***&key=***")
    }

    @Test func `a link is hidden behind the wrong path and under any parameter's name, too`() {
        let redaction = Redaction(capabilityPaths: ["/api/get-version"], capabilityDigits: 32)
        let link = "0123456789abcdef0123456789ABCDEF"
        #expect(redaction.target("/\(link)") == "/012345***")
        #expect(redaction.target("/api/../get-version/\(link)") == "/api/../get-version/012345***")
        #expect(redaction.target("/api/get-version/\(link)") == "/api/get-version/012345***")
        #expect(redaction.target("/x?id=\(link)&\(link)=1&next=/y/\(link)") == "/x?id=012345***&012345***=1&next=/y/012345***")
        #expect(redaction.target("/x/%30%31%32\(link.dropFirst(3))?q=%30\(link.dropFirst())") == "/x/%30%31***?q=%30123***")
        #expect(redaction.target("/x/\(link.dropLast())/4711") == "/x/\(link.dropLast())/4711")
        #expect(Redaction(capabilityPaths: []).target("/sha256/\(link)") == "/sha256/\(link)")
    }

    @Test func `a large file is followed by a new one, and the oldest go`() async throws {
        let folder = try Folder()
        let hands = Hands()
        let log = log(folder, hands) { $0.rotation = .init(bytes: 600, interval: .seconds(86_400), kept: 2) }
        for number in 0..<20 {
            log.record(.loginFailed(name: "user \(number)", reason: .badCredentials))
            await log.flush()
            hands.advance(seconds: 1)
        }
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path + "/logs").sorted()
        #expect(files.count == 3)
        #expect(files.first == "app.log")
        #expect(files.last?.hasPrefix("app.log.20260302T1656") == true)
        #expect(folder.events("logs/app.log").first?["event.action"] as? String == "log_rotation_finished")
        #expect(folder.events("logs/app.log").last?["user.name"] as? String == "user 19")
    }

    @Test func `an old file is followed by a new one even when nothing is written`() async throws {
        let folder = try Folder()
        let hands = Hands()
        let log = log(folder, hands) { $0.rotation = .init(interval: .seconds(3600)) }
        log.record(.securityReport)
        await log.flush()
        hands.advance(seconds: 3601)
        log.tick()
        await log.flush()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/logs").count == 2)
    }

    @Test func `a line that a crash cut off does not swallow the next`() async throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(atPath: folder.path + "/logs", withIntermediateDirectories: true)
        try Data(#"{"event.action":"lo"#.utf8).write(to: URL(filePath: folder.path + "/logs/app.log"))
        let log = log(folder)
        log.record(.securityReport)
        await log.flush()
        #expect(folder.events("logs/app.log").count == 1)
    }

    @Test func `many writers, no line lost or mixed`() async throws {
        let folder = try Folder()
        let log = log(folder)
        await withTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    for number in 0..<250 { log.record(.loginFailed(name: "\(writer) \(number)", reason: .badCredentials)) }
                }
            }
        }
        await log.flush()
        let names = folder.events("logs/app.log").compactMap { $0["user.name"] as? String }
        #expect(Set(names).count == 2000)
        // Each writer's own lines are in order.
        for writer in 0..<8 {
            let numbers = names.filter { $0.hasPrefix("\(writer) ") }.compactMap { Int($0.split(separator: " ")[1]) }
            #expect(numbers == Array(0..<250))
        }
    }

    @Test func `others cannot read the log`() async throws {
        let folder = try Folder()
        let log = log(folder)
        log.record(.securityReport)
        await log.flush()
        let mode = try FileManager.default.attributesOfItem(atPath: folder.path + "/logs/app.log")[.posixPermissions] as? Int
        #expect((mode ?? 0o777) & 0o007 == 0)
    }

    @Test func `an event about a request carries what is known of it`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            _ = try await ask(port, "/documents/d-8?token=abc", headers: ["User-Agent: test/1", "X-Request-ID: 0d9f-0d9f"])
        }
        let event = try #require(await world.events().first { $0["event.action"] as? String == "document_retrieved" })
        let expected = [
            "service.name": "tatou", "event.category": "web", "event.outcome": "success", "source.ip": "127.0.0.1",
            "resource.type": "document", "resource.id": "d-8", "resource.owner.id": "u-1", "resource.visibility": "private",
            "http.request.id": "0d9f-0d9f", "http.request.method": "GET", "url.original": "/documents/d-8?token=***",
            "user_agent.original": "test/1", "@timestamp": "2026-03-02T16:56:03Z", "log.level": "info",
        ]
        for (name, value) in expected { #expect(event[name] as? String == value, "\(name)") }
    }

    @Test func `lines of loggers carry the request's identifier, wherever they come from`() async throws {
        let world = try World()
        let router = world.router()
        let log = world.protection.log
        router.get("/logs") { _, context in
            context.logger.info("by the context", metadata: ["password": "hunter2"])
            Logger(
                label: "library",
                factory: { SecurityLogHandler(label: $0, log: log, metadataProvider: Protection.requestMetadata) }
            ).info("by a library")
            return "ok"
        }
        let logger = Logger(label: "app", factory: { SecurityLogHandler(label: $0, log: log) })
        try await withApplication(router, logger: logger) { port async throws in
            _ = try await ask(port, "/logs", headers: ["X-Request-ID: 0d9f-0d9f", "traceparent: \(TraceParentTests.good)"])
        }
        let events = await world.events()
        for message in ["by the context", "by a library"] {
            let line = events.first { $0["message"] as? String == message }
            #expect(line?["http.request.id"] as? String == "0d9f-0d9f", "\(message)")
            #expect(line?["trace.id"] as? String == "4bf92f3577b34da6a3ce929d0e0e4736", "\(message)")
        }
        #expect(!world.folder.text("app.log").contains("hunter2"))
    }
}

@Suite struct EventNamesTests {
    /// The page that rules are written by.
    private static let page =
        (try? String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
                .appending(path: "docs/app-events.md"), encoding: .utf8)) ?? ""

    @Test func `every reason and action that has a name here stands on the page of events`() {
        let names =
            SecurityEvent.LoginFailure.allCases.map(\.rawValue) + SecurityEvent.TokenFailure.allCases.map(\.rawValue)
            + SecurityEvent.Grant.allCases.map(\.rawValue) + SecurityEvent.Denial.allCases.map(\.rawValue)
            + SecurityEvent.UploadFault.allCases.map(\.rawValue) + SecurityEvent.WatermarkAction.allCases.map(\.rawValue)
            + SecurityEvent.WatermarkFault.allCases.map(\.rawValue) + SecurityEvent.HandshakeFault.allCases.map(\.rawValue)
        #expect(names.count > 40)
        for name in names { #expect(Self.page.contains("`\(name)`"), "\(name)") }
        for reading in SecurityEvent.Reading.allCases { #expect(Self.page.contains("`_\(reading.rawValue)`"), "\(reading)") }
        for event in [
            SecurityEvent.loginSucceeded(user: "u"), .accountLocked(name: "n"), .registered(user: "u", name: "n"),
            .roleChanged(target: "u"),
            .tokenRefused(reason: .expired), .tokenReplayed(id: "t", user: nil), .upload("document", file: "f"),
            .malwareDetected(file: "f", signature: "s"), .rmapHandshake(identity: "i"), .canaryAccessed(id: "c"),
            .canaryDamaged(id: "c", isMissing: true), .databaseFailed(reason: "timeout"), .recovered(message: "m"),
            .securityReport,
        ] {
            #expect(Self.page.contains("`\(event.action)`"), "\(event.action)")
        }
    }
}
