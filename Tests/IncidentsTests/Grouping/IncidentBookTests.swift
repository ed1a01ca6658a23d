import Detection
import Events
import Journal
import Testing

@testable import Incidents

@Suite("The incident book")
struct IncidentBookTests {
    @Test("replaying the journal gives the book that was kept live", arguments: 0..<12)
    func replayEqualsLive(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        var generator = FindingGenerator(seed: 1_000 + seed)
        var live = IncidentBook()
        var now = Sample.start
        // Every other time with risk, which makes something else of a finding than its rule says.
        let grouping = Grouping(risk: try seed % 2 == 0 ? ShippedPolicies.load().risk : RiskPolicy())
        for _ in 0..<60 {
            let (finding, lines) = generator.next()
            let events = grouping.events(for: finding, lines: lines, book: &live, now: now)
            _ = try await journal.append(events.map { $0.draft() }, at: now)
            // Over the turn of the year: from March on, a week at a time.
            now = now.advanced(bySeconds: 7 * 86_400)
        }
        var replayed = IncidentBook()
        let entries = try journal.reader().next(limit: .max)
        for (entry, personal) in zip(entries, try await EntryOpener(keys: keys).open(entries)) {
            if let event = IncidentEvent(entry, personal: personal) { replayed.apply(event) }
        }
        #expect(replayed == live)
        #expect(live.active.count > 3)
    }

    @Test("a finding that is recorded is not recorded again")
    func known() {
        var book = IncidentBook()
        #expect(Grouping().events(for: Sample.finding(7), lines: [], book: &book, now: Sample.start).count == 2)
        let before = book
        #expect(Grouping().events(for: Sample.finding(7), lines: ["again"], book: &book, now: Sample.start).isEmpty)
        #expect(book == before)
        #expect(book.knows(findingID: Sample.finding(7).id))
        #expect(!book.knows(findingID: Sample.finding(8).id))
    }

    @Test("numbers are unique, increase within a year, and begin anew with the next")
    func numbers() {
        var book = IncidentBook()
        var given: [String] = []
        // Three strangers each day, a week on both sides of the new year.
        for day in -7..<7 {
            let now = Timestamp(seconds: 1_798_761_600 + Int64(day) * 86_400)
            for stranger in 0..<3 {
                let number = (day + 7) * 3 + stranger
                let events = Grouping().events(
                    for: Sample.finding(number, address: "198.51.100.\(number)"), lines: [], book: &book, now: now)
                guard case .opened(let opened) = events.first else { continue }
                given.append(opened.incident)
            }
        }
        #expect(given.prefix(21) == (1...21).map { "SEC-2026-00" + ($0 < 10 ? "0\($0)" : "\($0)") }[...])
        #expect(given.suffix(21) == (1...21).map { "SEC-2027-00" + ($0 < 10 ? "0\($0)" : "\($0)") }[...])
        #expect(Set(given).count == given.count)
    }

    @Test("a clock that goes back over the new year gives no number twice")
    func clockGoesBack() {
        var book = IncidentBook()
        var given: [String] = []
        for (number, year) in [2026, 2027, 2026, 2027].enumerated() {
            let now = Timestamp(seconds: year == 2026 ? 1_798_700_000 : 1_798_800_000)
            let events = Grouping().events(
                for: Sample.finding(number, address: "198.51.100.\(number)"), lines: [], book: &book, now: now)
            if case .opened(let opened) = events.first { given.append(opened.incident) }
        }
        #expect(given == ["SEC-2026-0001", "SEC-2027-0001", "SEC-2026-0002", "SEC-2027-0002"])
    }

    @Test("past 9,999 the number grows")
    func manyNumbers() {
        var book = IncidentBook()
        book.apply(.opened(IncidentOpened(incident: "SEC-2026-9999", title: "", severity: .low, firstSeen: Sample.start)))
        let events = Grouping().events(for: Sample.finding(1), lines: [], book: &book, now: Sample.start)
        guard case .opened(let opened) = events.first else {
            Issue.record("nothing was opened")
            return
        }
        #expect(opened.incident == "SEC-2026-10000")
        #expect(IncidentNumber.parse(opened.incident)?.number == 10_000)
    }

    @Test(
        "what is no incident number is not taken for one",
        arguments: ["", "SEC", "SEC-26-0001", "SEC-2026-1", "SEC-2026-0001-1", "XYZ-2026-0001", "SEC-2026-٠٠٠١"])
    func notANumber(text: String) {
        #expect(IncidentNumber.parse(text) == nil)
    }

    @Test("a worse finding raises the severity, a milder one leaves it, and each change is recorded")
    func severity() {
        var book = IncidentBook()
        var changes: [SeverityChange] = []
        for (number, level) in [Level.low, .medium, .low, .critical, .high].enumerated() {
            for case .severityChanged(let change) in Grouping().events(
                for: Sample.finding(number, rule: Sample.rule(level: level)), lines: [], book: &book, now: Sample.start)
            {
                changes.append(change)
            }
        }
        #expect(changes.map(\.from) == [.low, .medium])
        #expect(changes.map(\.to) == [.medium, .critical])
        #expect(book.active["SEC-2026-0001"]?.severity == .critical)
    }
}
