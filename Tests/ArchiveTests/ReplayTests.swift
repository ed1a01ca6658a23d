import Archive
import Detection
import Events
import Ingest
import Testing

@Suite("A hunt over the archive")
struct ReplayTests {
    private static let rules = RuleSet(sources: [
        RuleSource(
            path: "hunt.yml",
            text: """
                title: Refused
                name: refused
                id: 00000000-0000-4000-8000-000000000001
                logsource: {category: webserver}
                detection: {s: {http.response.status_code: 401}, condition: s}
                level: medium
                vigie: {category: brute_force}
                ---
                title: Guessing
                id: 00000000-0000-4000-8000-000000000002
                correlation: {type: event_count, rules: [refused], group-by: [source.ip], timespan: 1m, condition: {gte: 4}, generate: true}
                level: high
                vigie: {category: brute_force}
                ---
                title: Words
                id: 00000000-0000-4000-8000-000000000003
                logsource: {category: application}
                detection: {s: {event.action: image_retrieved, visibility: private}, condition: s}
                level: high
                vigie: {category: authorization}
                ---
                title: Any line that speaks of a panic
                id: 00000000-0000-4000-8000-000000000004
                logsource: {category: application}
                detection: {keywords: [panic], condition: keywords}
                level: low
                vigie: {category: other}

                """)
    ])

    /// Two sources in turn, cut into batches anywhere; lines without a time, of no format, out of order, with escapes.
    private static func batches(_ seed: UInt64) -> [(batch: EventBatch, format: String, received: Timestamp)] {
        var generator = SeededGenerator(seed)
        let formats = FormatSet.none
        var web = BatchParser(format: .auto, plan: JSONFieldPlan(rules.fields), formats: formats)
        var app = BatchParser(format: .json, plan: JSONFieldPlan(rules.fields), formats: formats)
        var made: [(EventBatch, String, Timestamp)] = []
        var offsets: [String: Int64] = [:]
        var received = Trial.start
        for round in 0..<30 {
            received = received.advanced(bySeconds: .random(in: 0...40, using: &generator))
            let isWeb = Bool.random(using: &generator)
            let lines = (0..<Int.random(in: 1...12, using: &generator)).map { _ -> String in
                let second = Int64(round * 20) + .random(in: -15...15, using: &generator)
                let time = Trial.start.advanced(bySeconds: second)
                if Int.random(in: 0..<8, using: &generator) == 0 { return "kernel panic of no date" }
                if isWeb {
                    return
                        #"203.0.113.\#(Int.random(in: 1...3, using: &generator)) - - [01/Mar/2026:\#(Clock.text(time)) +0000] "#
                        + #""GET / HTTP/1.1" \#([200, 401].randomElement(using: &generator) ?? 0) 12 "-" "curl""#
                }
                let visibility = ["private", "public", #"pr\u0069vate"#].randomElement(using: &generator) ?? ""
                let dated = Bool.random(using: &generator) ? #""time":"\#(time.rfc3339)","# : ""
                return #"{\#(dated)"event":"image_retrieved","visibility":"\#(visibility)","user":"u\#(round)"}"#
            }
            let name = isWeb ? "/var/log/web.log" : "/var/log/app.log"
            var batch = EventBatch(origin: BatchOrigin(source: name, generation: 0))
            let text = lines.joined(separator: "\n") + "\n"
            if isWeb {
                batch = LogStream.parse(text, name: name, parser: &web, reference: received)
            } else {
                batch = LogStream.parse(text, name: name, parser: &app, reference: received)
            }
            batch.origin.generation = round / 10
            for index in batch.events.indices { batch.events[index].offset += offsets[name, default: 0] }
            offsets[name, default: 0] += Int64(text.utf8.count)
            made.append((batch, isWeb ? "auto" : "json", received))
        }
        return made
    }

    private enum Clock {
        static func text(_ time: Timestamp) -> String { String(time.rfc3339.dropFirst(11).prefix(8)) }
    }

    @Test("gives the very findings of the live run", arguments: UInt64(1)...40)
    func replayEqualsLive(seed: UInt64) async throws {
        #expect(Self.rules.problems.isEmpty)
        let store = TemporaryArchive()
        let archive = await store.open()
        let feed = ArchiveFeed(archive, logSources: Self.rules.logSources)
        var live = Engine(Self.rules)
        var expected: [Finding] = []
        for (index, part) in Self.batches(seed).enumerated() {
            await feed.add(part.batch, format: part.format, received: part.received)
            live.consume(part.batch, into: &expected)
            if index % 3 == Int(seed % 3) { _ = await feed.flush(at: part.received) }
        }
        _ = await feed.flush(at: Trial.start)
        #expect(expected.count > 20)

        var hunting = Engine(Self.rules)
        var found: [Finding] = []
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var replay = BlockReplay(FormatSet(FormatFolder(), fields: Self.rules.fields, logSources: Self.rules.logSources))
        let reader = ArchiveReader(folder: store.folder)
        let all = try reader.segments()
        for number in all {
            let segment = try #require(try reader.open(number, of: all))
            #expect(segment.damages.isEmpty)
            for block in segment.blocks where ArchiveQuery().wants(block, of: segment.header) {
                guard case .lines(let lines) = try segment.read(block).get() else { continue }
                replay.replay(lines, trustedProxies: [], query: ArchiveQuery(), batch: &batch) {
                    hunting.consume($0, into: &found)
                }
            }
        }
        #expect(found == expected)
    }

    @Test("skips blocks by time, source, address and account, and never one that it should read")
    func skipping() async throws {
        let store = TemporaryArchive()
        let archive = await store.open(fingerprint: 7)
        for minute in 0..<50 {
            let received = Trial.start.advanced(bySeconds: Int64(60 * minute))
            await archive.write(
                Trial.block(["minute \(minute)"], source: "/log/\(minute % 5)", received: received, address: "192.0.2.\(minute)"))
        }
        _ = await archive.synchronise(at: Trial.start)
        let segment = try #require(try ArchiveReader(folder: store.folder).open(1, of: [1]))
        func wanted(_ query: ArchiveQuery) -> Set<Int> {
            Set(segment.blocks.indices.filter { query.wants(segment.blocks[$0], of: segment.header) })
        }
        let key = try #require(ValueKey(.sourceIP, "192.0.2.33"))
        #expect(wanted(ArchiveQuery(keys: [[key]], fingerprint: 7)) == [33])
        // Read with other formats, the filter says nothing.
        #expect(wanted(ArchiveQuery(keys: [[key]], fingerprint: 8)).count == 50)
        let from = Trial.start.advanced(bySeconds: 600)
        #expect(wanted(ArchiveQuery(since: from, until: from.advanced(bySeconds: 120))) == [10, 11])
        let ofSource = wanted(ArchiveQuery(sources: ["/log/3"]))
        #expect(ofSource.isSuperset(of: stride(from: 3, to: 50, by: 5)) && ofSource.count < 50)
    }
}
