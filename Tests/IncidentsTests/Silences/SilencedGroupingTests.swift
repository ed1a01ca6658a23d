import Detection
import Events
import Journal
import Testing

@testable import Incidents

@Suite("Findings that a silence takes")
struct SilencedGroupingTests {
    private var ledger = IncidentLedger()

    /// Records as a server does, without its disk.
    @discardableResult
    private mutating func record(_ finding: Finding, at now: Timestamp = Sample.start) -> [IncidentEvent] {
        let events = ledger.record(finding, lines: ["GET /dav/"], by: Grouping(), now: now)
        for event in events { ledger.applyToIncidents(event, recordedAt: now) }
        return events
    }

    private mutating func silence(_ kind: Silence.Kind = .silence, seconds: Int64 = 3_600) throws {
        if let event = try ledger.silences.decide(SilenceSample.create(kind: kind, seconds: seconds), now: Sample.start) {
            ledger.apply(event)
        }
    }

    @Test("without an open incident it is recorded, and nothing opens; after the end the next one opens an incident")
    mutating func noIncident() throws {
        try silence(seconds: 60)
        let taken = record(Sample.finding(1))
        guard taken.count == 1, case .findingRecorded(let finding) = taken.first else {
            Issue.record("\(taken)")
            return
        }
        #expect(finding.incident == nil && finding.silence == "S-1" && taken[0].incident == nil)
        #expect(ledger.incidents.isEmpty)
        // Read again after a crash, it is not recorded twice, silence or not.
        #expect(record(Sample.finding(1), at: Sample.start.advanced(bySeconds: 60)).isEmpty)
        let opened = record(Sample.finding(2), at: Sample.start.advanced(bySeconds: 60))
        #expect(opened.map(\.incident) == ["SEC-2026-0001", "SEC-2026-0001"] && ledger.incidents.count == 1)
    }

    @Test("in an open incident a silence's finding stands, and changes nothing that people or rules go by")
    mutating func openIncident() throws {
        record(Sample.finding(1))
        let before = (ledger.book.active, ledger.incidents["SEC-2026-0001"]?.severity)
        try silence()
        let taken = record(
            Sample.finding(2, user: "alice", rule: Sample.rule(title: "Worse", level: .high, category: .exploit)))
        #expect(taken.map(\.incident) == ["SEC-2026-0001"], "no change of severity beside it")
        #expect(ledger.book.active == before.0 && ledger.incidents["SEC-2026-0001"]?.severity == before.1)
        #expect(ledger.incidents["SEC-2026-0001"]?.findingCount == 2)
        // Once the silence is over, the same rule raises it after all.
        let after = record(
            Sample.finding(3, rule: Sample.rule(title: "Worse", level: .high)), at: Sample.start.advanced(bySeconds: 3_600))
        #expect(after.contains { if case .severityChanged(let change) = $0 { change.to == .high } else { false } })
    }

    @Test("what an exception takes joins nothing, though an incident of the same address is open")
    mutating func exception() throws {
        record(Sample.finding(1))
        try silence(.exception)
        #expect(record(Sample.finding(2)).map(\.incident) == [nil])
        #expect(ledger.incidents["SEC-2026-0001"]?.findingCount == 1)
    }

    private mutating func restrict(_ incident: String, _ action: IncidentChange.Action = .restrict(readers: ["0a"])) {
        ledger.apply(
            .changed(IncidentChange(incident: incident, at: Sample.start, author: .system, action: action)),
            recordedAt: Sample.start)
    }

    @Test(
        "what would have been a restricted incident's is that incident's for as long as it goes on, whoever says that it is no attack",
        arguments: Silence.Kind.allCases)
    mutating func restricted(kind: Silence.Kind) throws {
        let hour: Int64 = 3_600
        record(Sample.finding(1))
        restrict("SEC-2026-0001")
        let before = try #require(ledger.book.active["SEC-2026-0001"])
        try silence(kind)
        let worse = Sample.rule(title: "Worse", level: .high, category: .exploit)
        #expect(record(Sample.finding(2, user: "alice", at: 20 * hour, rule: worse)).map(\.incident) == ["SEC-2026-0001"])
        #expect(record(Sample.finding(3, at: 40 * hour)).map(\.incident) == ["SEC-2026-0001"])
        // It is counted, and that is all.
        var after = try #require(ledger.book.active["SEC-2026-0001"])
        #expect(after.lastTaken == Sample.start.advanced(bySeconds: 40 * hour))
        after.lastTaken = nil
        #expect(after == before && ledger["SEC-2026-0001"]?.severity == .medium)
        #expect(ledger["SEC-2026-0001"]?.findingCount == 3)
        // What no silence takes goes by what no silence took.
        let later = record(Sample.finding(4, at: 41 * hour), at: Sample.start.advanced(bySeconds: hour))
        #expect(later.map(\.incident) == ["SEC-2026-0002", "SEC-2026-0002"])
    }

    @Test("once anybody may know of it, an exception's findings join it no more")
    mutating func unrestricted() throws {
        record(Sample.finding(1))
        restrict("SEC-2026-0001")
        try silence(.exception)
        #expect(record(Sample.finding(2)).map(\.incident) == ["SEC-2026-0001"])
        restrict("SEC-2026-0001", .unrestrict)
        #expect(record(Sample.finding(3)).map(\.incident) == [nil])
        #expect(ledger.book.active["SEC-2026-0001"]?.lastTaken == nil)
    }

    @Test("replaying the journal gives the ledger that was kept live, silences or not", arguments: 0..<7)
    func replayEqualsLive(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        var generator = FindingGenerator(seed: 7_000 + seed)
        var live = IncidentLedger()
        var now = Sample.start
        var (silenced, withheld) = (0, 0)
        for number in 0..<80 {
            if number % 5 == 4, !live.incidents.isEmpty {
                let event = IncidentEvent.changed(
                    IncidentChange(
                        incident: generator.pick(live.incidents.keys.sorted()), at: now, author: SilenceSample.ana,
                        action: generator.pick([.restrict(readers: ["0a"]), .restrict(readers: ["0a"]), .unrestrict])))
                let entries = try await journal.append([event.draft()], at: now)
                live.apply(event, recordedAt: entries[0].recordedAt)
            }
            if number % 9 == 3 {
                let matcher = SilenceMatcher(
                    rule: SilenceSample.rule,
                    addresses: generator.pick([SilenceSample.blocks("203.0.113.9", "2001:db8:1::/64"), []]))
                let order = SilenceSample.create(
                    matcher, kind: generator.pick([.silence, .exception]), seconds: generator.pick([600, 40_000]),
                    isCommander: true)
                let event = try #require(try live.silences.decide(order, now: now))
                _ = try await journal.append([event.draft()], at: now)
                live.apply(event)
            }
            let (finding, lines) = generator.next()
            let events = live.record(finding, lines: lines, by: Grouping(), now: now)
            let entries = try await journal.append(events.map { $0.draft() }, at: now)
            for (event, entry) in zip(events, entries) {
                live.applyToIncidents(event, recordedAt: entry.recordedAt)
                guard case .findingRecorded(let record) = event, let silence = record.silence else { continue }
                silenced += 1
                if record.incident != nil, live.silences[silence]?.kind == .exception { withheld += 1 }
            }
            now = now.advanced(bySeconds: 300)
        }
        var replayed = IncidentLedger()
        let entries = try journal.reader().next(limit: .max)
        for (entry, personal) in zip(entries, try await EntryOpener(keys: keys).open(entries)) {
            _ = replayed.replay(entry, personal: personal)
        }
        #expect(replayed == live)
        #expect(silenced > 5 && silenced < 80)
        #expect(withheld > 0, "some would have been a restricted incident's")
    }
}
