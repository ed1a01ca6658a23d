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
            try await eventually("three items are written down") {
                try world.entries().count { $0.type == "evidence.added" } == 3
            }
            let items = try world.entries().compactMap(EvidenceItem.init)
            #expect(items.map(\.name) == ["processes.txt", "sockets.txt", "access.log.tail"])
            #expect(items.allSatisfy { $0.incident == incident && $0.collector == "vigie" })
            var tail: [UInt8] = []
            let store = BlobStore(directory: world.data.evidence, keyPath: world.data.evidenceKey)
            try store.read(try #require(items.last)) { tail += $0 }
            #expect(tail == Array(try Data(contentsOf: URL(fileURLWithPath: world.log))))
            try await eventually("they stand on the timeline") {
                let detail = try await Projections(path: world.data.projections).incident(id: incident, maximumFindings: 100)
                return detail?.timeline.count { $0.kind == "evidence.added" } == 3
            }
            // The incident is open already.
            try world.append([Line.attack(9)])
            _ = try await running.findings(4)
        }
        try await withServer(world) { _ in }
        #expect(try world.entries().count { $0.type == "evidence.added" } == 3)
    }

    /// A collector whose entries are kept.
    private func collector(_ world: World, proc: String, _ drafts: Shared<[EntryDraft]>) -> EvidenceCollector {
        EvidenceCollector(
            capture: EvidenceCapture(
                store: BlobStore(directory: world.data.evidence, keyPath: world.data.evidenceKey), host: "test", proc: proc),
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
        await collector.opened(
            "SEC-2026-0001", logs: [world.log, world.log, world.path + "/gone.log"], occurredAt: Timestamp(seconds: 1_772_323_000)
        )
        try await eventually("all was tried") { drafts.value.count == 4 }
        run.cancel()
        await run.value
        let failed = drafts.value.filter { $0.type == EvidenceCollector.failureType }
        #expect(failed.compactMap { $0.data["name"]?.stringValue } == ["processes.txt", "sockets.txt", "gone.log.tail"])
        #expect(failed.allSatisfy { $0.data["incident"] == "SEC-2026-0001" && $0.data["reason"]?.stringValue?.isEmpty == false })
        #expect(drafts.value.count { $0.type == "evidence.added" } == 1)
    }

    @Test("whoever makes incidents by the hundred fills neither memory nor disk, and each that is left out is written down")
    func flood() async throws {
        let world = try World()
        try world.data.prepare()
        let drafts = Shared<[EntryDraft]>([])
        let collector = collector(world, proc: world.path + "/nowhere", drafts)
        let count = EvidenceCollector.maximumWaiting + 20
        for number in 1...count {
            await collector.opened("SEC-2026-\(1_000 + number)", logs: [], occurredAt: Timestamp(seconds: 1_772_323_000))
        }
        let run = Task { await collector.run() }
        // Two sources each of those that waited, one entry for each of the others.
        try await eventually("all are written down") { drafts.value.count == EvidenceCollector.maximumWaiting * 2 + 20 }
        let waiting = drafts.value.filter { $0.data["reason"]?.stringValue?.contains("were waiting") == true }
        #expect(waiting.count == 20)
        for number in 1...EvidenceCollector.maximumPerHour {
            await collector.opened("SEC-2026-\(2_000 + number)", logs: [], occurredAt: Timestamp(seconds: 1_772_323_000))
            try await eventually("it is dealt with") {
                drafts.value.contains { $0.data["incident"] == .string("SEC-2026-\(2_000 + number)") }
            }
        }
        run.cancel()
        await run.value
        let late = drafts.value.filter { $0.data["reason"]?.stringValue?.contains("within an hour") == true }
        #expect(late.count == EvidenceCollector.maximumWaiting)
    }
}
