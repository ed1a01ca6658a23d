import Archive
import Detection
import Events
import Foundation
import Ingest
import Testing

@testable import Hunting

@Suite("Hunts")
struct HuntTests {
    private static let start = Timestamp(seconds: 1_772_359_200)

    /// Ten minutes of image requests; every tenth private image goes to somebody else, of three owners in turn.
    private static func archive(_ folder: String) async -> Int {
        var policy = RetentionPolicy()
        policy.minimumFreeBytes = 0
        let archive = Archive(folder: folder, policy: policy)
        let feed = ArchiveFeed(archive, logSources: LogSourceTable())
        var parser = BatchParser(format: .json, plan: JSONFieldPlan(FieldTable()))
        var affected = 0
        for minute in 0..<10 {
            let lines = (0..<60).map { second -> String in
                let time = start.advanced(bySeconds: Int64(60 * minute + second))
                let isStolen = second % 10 == 3
                if isStolen { affected += 1 }
                let requester = isStolen ? "mallory" : "owner\(second % 3)"
                return
                    #"{"time":"\#(time.rfc3339)","event":"image_retrieved","image_id":"i\#(minute)","owner_id":"owner\#(second % 3)","#
                    + #""requester_id":"\#(requester)","visibility":"\#(second % 2 == 0 ? "public" : "private")","status":200,"#
                    + #""client_ip":"192.0.2.\#(isStolen ? 66 : second)"}"#
            }
            let received = start.advanced(bySeconds: Int64(60 * minute + 60))
            let batch = LogStream.parse(
                lines.joined(separator: "\n") + "\n", name: "/var/log/goimg.log", parser: &parser, reference: received)
            await feed.add(batch, format: "json", received: received)
            _ = await feed.flush(at: received)
        }
        return affected
    }

    private static func withArchive(_ body: (ArchiveReader, Int) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/hunt-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let affected = await archive(folder)
        try await body(ArchiveReader(folder: folder), affected)
    }

    private static func results(_ hunt: Hunt, _ reader: ArchiveReader, workers: Int = 2) async throws -> (
        [HuntResult], HuntProgress
    ) {
        var results: [HuntResult] = []
        let progress = try await hunt.run(reader, workers: workers, report: { results.append($0) }, progress: { _ in })
        return (results, progress)
    }

    @Test("private images served to somebody who is not the owner, counted by owner", arguments: [1, 2, 5])
    func privateImages(workers: Int) async throws {
        try await Self.withArchive { reader, affected in
            let filter = try HuntFilter(parsing: "event.action=image_retrieved visibility=private owner_id!=@requester_id")
            let hunt = try Hunt(rules: [], base: [], filter: filter, countBy: "owner_id")
            let (results, progress) = try await Self.results(hunt, reader, workers: workers)
            #expect(results.count == affected)
            #expect(progress.lines == 600)
            #expect(progress.counts.values.reduce(0, +) == affected && progress.counts.count == 3)
            #expect(progress.uncounted == 0 && progress.damages.isEmpty && progress.fraction == 1)
            #expect(results.map(\.time) == results.map(\.time).sorted())
            #expect(results.allSatisfy { $0.text.contains("mallory") })
        }
    }

    @Test("a rule, a time and a filter together")
    func ruleAndTime() async throws {
        let rule = RuleSource(
            path: "r.yml",
            text: """
                title: Served
                id: 00000000-0000-4000-8000-000000000001
                logsource: {category: application}
                detection: {s: {event.action: image_retrieved, visibility: private}, condition: s}
                level: high
                vigie: {category: authorization}
                """)
        try await Self.withArchive { reader, _ in
            let hunt = try Hunt(
                rules: [rule], base: [], filter: try HuntFilter(parsing: "requester_id=mallory"), countBy: "image_id",
                since: Self.start.advanced(bySeconds: 120), until: Self.start.advanced(bySeconds: 240))
            #expect(hunt.problems.isEmpty)
            let (results, progress) = try await Self.results(hunt, reader)
            #expect(results.count == 12)
            #expect(results.allSatisfy { $0.finding?.rule.title == "Served" })
            #expect(progress.counts == ["i2": 6, "i3": 6])
            #expect(progress.blocksRead == 2 && progress.blocksSkipped == 8)
        }
    }

    @Test(
        "filters",
        arguments: [
            ("owner_id=OWNER1", 200), ("owner_id~wner1", 200), ("owner_id=*", 600), ("owner_id!=*", 0), ("nothing=*", 0),
            ("nothing!=x", 600), ("owner_id=owner1 visibility=private", 100), ("owner_id='owner1' visibility=\"private\"", 100),
            ("owner_id!=owner1", 400), ("owner_id!~owner", 0), ("", 600), ("requester_id=mallory", 60),
        ])
    func filters(text: String, count: Int) async throws {
        try await Self.withArchive { reader, _ in
            let hunt = try Hunt(rules: [], base: [], filter: try HuntFilter(parsing: text))
            #expect(try await Self.results(hunt, reader).0.count == count)
        }
    }

    @Test("an address that is in no block costs no block")
    func skipping() async throws {
        try await Self.withArchive { reader, _ in
            let hunt = try Hunt(rules: [], base: [], filter: try HuntFilter(parsing: "source.ip=198.51.100.9"))
            // The archive was written with fingerprint 0: filters are believed only by the same.
            var same = hunt.query
            same.fingerprint = 0
            let segment = try #require(try reader.open(1, of: try reader.segments()))
            #expect(segment.blocks.contains { same.wants($0, of: segment.header) } == false)
            #expect(try await Self.results(hunt, reader).1.blocksRead == 10)
        }
    }

    @Test(
        "what cannot be read is refused with a reason",
        arguments: [
            "=x", "owner_id", "owner_id=", "'open", "!=x", "source.ip=198.51.100.0/33", "source.ip!=198.51.100.0/",
            "destination.ip=10.0.0/8",
        ])
    func refused(text: String) throws {
        #expect(throws: HuntError.self) { try HuntFilter(parsing: text) }
    }

    @Test("a network is one in every field of addresses, and an ordinary text elsewhere")
    func networks() async throws {
        try await Self.withArchive { reader, affected in
            for (text, count) in [("source.ip=192.0.2.64/30", affected), ("owner_id=a/b", 0), ("client.ip=192.0.2.0/24", 0)] {
                let hunt = try Hunt(rules: [], base: [], filter: try HuntFilter(parsing: text))
                #expect(try await Self.results(hunt, reader).0.count == count, "\(text)")
            }
        }
    }

    @Test("a field that no line has, and a source of which there is none, are named")
    func doubts() async throws {
        try await Self.withArchive { reader, _ in
            let filter = try HuntFilter(parsing: "source.ipp=192.0.2.66 source.ip=192.0.2.66")
            let hunt = try Hunt(
                rules: [], base: [], filter: filter, countBy: "owner_id", sources: ["goimg.log", "/var/log/goimg.log"])
            let (results, progress) = try await Self.results(hunt, reader)
            #expect(results.isEmpty && progress.lines == 600)
            let doubts = hunt.doubts(about: progress)
            #expect(doubts.count == 2)
            #expect(doubts.first?.contains("'goimg.log'") == true)
            #expect(doubts.last?.contains("the field 'source.ipp'; did you mean 'source.ip'?") == true)
        }
    }

    @Test("nothing is doubted of a question that some line could answer, nor of fields where no line was read")
    func noDoubts() async throws {
        try await Self.withArchive { reader, _ in
            let hunt = try Hunt(
                rules: [], base: [], filter: try HuntFilter(parsing: "owner_id=nobody"), sources: ["/var/log/goimg.log"])
            let progress = try await Self.results(hunt, reader).1
            #expect(progress.results == 0 && hunt.doubts(about: progress).isEmpty)
            let later = try Hunt(
                rules: [], base: [], filter: try HuntFilter(parsing: "nothing=*"), since: Self.start.advanced(bySeconds: 86_400))
            let nothing = try await Self.results(later, reader).1
            #expect(nothing.lines == 0 && later.doubts(about: nothing).isEmpty)
        }
    }

    @Test("a rule that does not parse is refused")
    func badRule() throws {
        #expect(throws: HuntError.self) { try Hunt(rules: [RuleSource(path: "r.yml", text: "title: [")], base: []) }
    }
}
