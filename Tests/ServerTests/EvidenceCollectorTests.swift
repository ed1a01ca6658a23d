import Events
import Evidence
import Foundation
import Incidents
import Journal
import Logging
import Storage
import Testing

@testable import Server

@Suite("Evidence that is collected by itself")
struct EvidenceCollectorTests {
    @Test("an incident that opens has processes, sockets and the log's end sealed, on its timeline, once")
    func opened() async throws {
        let world = try World()
        try world.append((0..<3).map { Line.attack($0) })
        try await withServer(world) { running in
            let incident = try #require(try await running.findings(3).values.first)
            try await eventually("all is written down") {
                try world.entries().contains { $0.type == EvidenceRequest.doneType }
            }
            let items = try world.entries().compactMap(EvidenceItem.init)
            #expect(
                items.map(\.name) == [
                    "processes.txt", "sockets.txt", "metrics.json", "access.log.tail", "events.ndjson", "configuration.json",
                ])
            #expect(items.map(\.volatility) == items.map(\.volatility).sorted())
            #expect(items.allSatisfy { $0.incident == incident && $0.collector == "vigie" })
            var tail: [UInt8] = []
            let store = BlobStore(directory: world.data.evidence, keys: world.data.evidenceKeys)
            try store.read(try #require(items.first { $0.name == "access.log.tail" })) { tail += $0 }
            #expect(tail == Array(try Data(contentsOf: URL(fileURLWithPath: world.log))))
            func document(_ name: String) throws -> JSONValue {
                var bytes: [UInt8] = []
                try store.read(try #require(items.first { $0.name == name })) { bytes += $0 }
                return try JSONValue(parsing: Array(bytes.prefix { $0 != 0x0A }))
            }
            #expect(try document("events.ndjson")["text"]?.stringValue == Line.attack(0))
            let configuration = try document("configuration.json")
            let inForce = try world.entries().first { $0.type == "rules.loaded" }
            #expect(configuration["rules_hash"] == inForce?.data["hash"])
            #expect(configuration["rules"]?.arrayValue?.count == 3)
            #expect(try document("metrics.json")["sources"]?.arrayValue?.first?["lines"]?.integerValue ?? 0 >= 3)
            try await eventually("they stand on the timeline") {
                let detail = try await Projections(path: world.data.projections).incident(id: incident, maximumFindings: 100)
                return detail?.timeline.count { $0.kind == "evidence.added" } == 6
            }
            // The incident is open already.
            try world.append([Line.attack(9)])
            _ = try await running.findings(4)
        }
        try await withServer(world) { _ in }
        #expect(try world.entries().count { $0.type == "evidence.added" } == 6)
    }

    @Test("a file that somebody put into a folder of uploads is sealed, as suspicious; links, pipes and old files are not")
    func uploads() async throws {
        let world = try World()
        let folder = world.path + "/uploads"
        let files = FileManager.default
        try files.createDirectory(atPath: folder + "/deep", withIntermediateDirectories: true)
        try "<?php system($_GET[1]);".write(toFile: folder + "/deep/shell.php", atomically: true, encoding: .utf8)
        try "old".write(toFile: folder + "/old.php", atomically: true, encoding: .utf8)
        try files.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_600_000_000)], ofItemAtPath: folder + "/old.php")
        try files.createSymbolicLink(atPath: folder + "/passwd", withDestinationPath: "/etc/passwd")
        #expect(mkfifo(folder + "/pipe", 0o600) == 0)
        var options = world.options
        options.uploadFolders = [folder]
        try world.append([Line.attack(0)])
        try await withServer(world, options) { _ in
            try await eventually("all is written down") {
                try world.entries().contains { $0.type == EvidenceRequest.doneType }
            }
        }
        let items = try world.entries().compactMap(EvidenceItem.init).filter { $0.source.hasPrefix(folder) }
        #expect(items.map(\.name) == ["shell.php"])
        #expect(items.allSatisfy { $0.isSuspicious })
    }

    @Test("what was asked for and not collected when the process was killed is collected by the next, each item once")
    func resumed() async throws {
        let world = try World()
        try world.append([Line.attack(0)])
        // Killed as soon as the incident is in the journal: its evidence may be sealed in part, or not at all.
        let program = try Program(
            [
                "serve", "--data", world.options.dataFolder, "--listen", "127.0.0.1:0", "--rules", world.options.rules[0],
                "--policies", world.policies,
                "combined:" + world.log,
            ])
        try await eventually("the incident is open") {
            guard program.isRunning else { return true }
            guard FileManager.default.fileExists(atPath: world.data.journal) else { return false }
            return try world.entries().contains { $0.type == "incident.opened" }
        }
        program.kill()
        let entries = try world.entries()
        #expect(entries.contains { $0.type == EvidenceRequest.type }, "in the same frame as the incident")
        let wasDone = entries.contains { $0.type == EvidenceRequest.doneType }
        try await withServer(world) { _ in
            try await eventually("all is written down") {
                try world.entries().contains { $0.type == EvidenceRequest.doneType }
            }
        }
        try await withServer(world) { _ in }
        let after = try world.entries()
        let done = after.filter { $0.type == EvidenceRequest.doneType }
        #expect(done.count == 1)
        #expect(done.first?.data["resumed"] == .bool(!wasDone))
        let sources = after.compactMap(EvidenceItem.init).map(\.source).filter { !$0.hasPrefix("/var/log/") }
        #expect(sources.count == 6)
        #expect(Set(sources).count == 6)
    }

    @Test("requests without their end are open; items that are sealed are known, an end closes them")
    func openRequests() async throws {
        let world = try World()
        try world.data.prepare()
        let journal = try Journal.open(directory: world.data.journal, keys: InMemorySubjectKeys())
        let time = Timestamp(seconds: 1_772_323_200)
        let requests = (1...3).map { EvidenceRequest(incident: "SEC-2026-000\($0)", logs: ["/a", "/a", "/b"], occurredAt: time) }
        let item = EvidenceItem(
            id: EvidenceItem.newID(), incident: "SEC-2026-0002", sha256: String(repeating: "a", count: 64), size: 1,
            name: "a.tail",
            source: "/a", collector: EvidenceCapture.collector, host: "h", occurredAt: time, collectedAt: time)
        _ = try await journal.append(
            requests.map { $0.draft() } + [item.draft(actor: "system"), requests[0].done(items: 2, failures: 0, at: time)],
            at: time)
        await journal.close()
        var open = OpenEvidenceRequests()
        for entry in try world.entries() { open.observe(entry) }
        #expect(open.open.map(\.incident) == ["SEC-2026-0002", "SEC-2026-0003"])
        #expect(open.open.map(\.sealed) == [["/a"], []])
        #expect(open.open.allSatisfy { $0.isResumed && $0.logs == ["/a", "/b"] })
    }

    /// A collector whose entries are kept.
    private func collector(_ world: World, proc: String, _ drafts: Shared<[EntryDraft]>) -> EvidenceCollector {
        EvidenceCollector(
            capture: EvidenceCapture(
                store: BlobStore(directory: world.data.evidence, keys: world.data.evidenceKeys), host: "test", proc: proc),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Timestamp(seconds: 1_772_323_200) }
        ) { drafts.value.append($0) }
    }

    @Test("what cannot be collected is an entry with the reason, and keeps nothing else from being collected")
    func failure() async throws {
        let world = try World()
        try world.data.prepare()
        try world.append(["a line"])
        let drafts = Shared<[EntryDraft]>([])
        let collector = collector(world, proc: world.path + "/nowhere", drafts)
        let run = Task { await collector.run() }
        await collector.take(
            EvidenceRequest(
                incident: "SEC-2026-0001", logs: [world.log, world.log, world.path + "/gone.log"],
                occurredAt: Timestamp(seconds: 1_772_323_000)))
        try await eventually("all was tried") { drafts.value.count == 5 }
        run.cancel()
        await run.value
        let failed = drafts.value.filter { $0.type == EvidenceCollector.failureType }
        #expect(failed.compactMap { $0.data["name"]?.stringValue } == ["processes.txt", "sockets.txt", "gone.log.tail"])
        #expect(failed.allSatisfy { $0.data["incident"] == "SEC-2026-0001" && $0.data["reason"]?.stringValue?.isEmpty == false })
        #expect(drafts.value.count { $0.type == "evidence.added" } == 1)
        #expect(drafts.value.last?.type == EvidenceRequest.doneType)
        #expect(drafts.value.last?.data["failures"] == 3)
    }

    private func request(_ number: Int) -> EvidenceRequest {
        EvidenceRequest(incident: "SEC-2026-\(number)", logs: [], occurredAt: Timestamp(seconds: 1_772_323_000))
    }

    @Test("whoever makes incidents by the hundred fills neither memory nor disk, and each that is left out is written down")
    func flood() async throws {
        let world = try World()
        try world.data.prepare()
        let drafts = Shared<[EntryDraft]>([])
        let collector = collector(world, proc: world.path + "/nowhere", drafts)
        let count = EvidenceCollector.maximumWaiting + 20
        for number in 1...count {
            await collector.take(request(1_000 + number))
        }
        let run = Task { await collector.run() }
        // Two sources each of those that waited, one entry for each of the others; and that it is done, of all.
        try await eventually("all are written down") { drafts.value.count == EvidenceCollector.maximumWaiting * 3 + 20 * 2 }
        let waiting = drafts.value.filter { $0.data["reason"]?.stringValue?.contains("were waiting") == true }
        #expect(waiting.count == 20)
        for number in 1...EvidenceCollector.maximumPerHour {
            await collector.take(request(2_000 + number))
            try await eventually("it is dealt with") {
                drafts.value.contains {
                    $0.type == EvidenceRequest.doneType && $0.data["incident"] == .string("SEC-2026-\(2_000 + number)")
                }
            }
        }
        run.cancel()
        await run.value
        let late = drafts.value.filter { $0.data["reason"]?.stringValue?.contains("within an hour") == true }
        #expect(late.count == EvidenceCollector.maximumWaiting)
    }
}
