import Events
import Incidents
import Journal
import Testing

@testable import Detection

@Suite("Incident events in the journal")
struct RoundTripTests {
    private let folder: TemporaryFolder
    private let keys = InMemorySubjectKeys()
    private let journal: Journal

    init() throws {
        folder = try TemporaryFolder()
        journal = try Journal.open(directory: folder.path, keys: keys)
    }

    /// What a replay reads from the journal, from `sequence` on.
    private func replay(from sequence: UInt64 = 0) async throws -> [IncidentEvent?] {
        let entries = try journal.reader(from: sequence).next(limit: .max)
        let personal = try await EntryOpener(keys: keys).open(entries)
        return zip(entries, personal).map { IncidentEvent($0, personal: $1) }
    }

    private func append(_ events: [IncidentEvent]) async throws -> [Entry] {
        try await journal.append(events.map { $0.draft() }, at: Sample.start)
    }

    @Test("what is read is what was recorded", arguments: 0..<20)
    func roundTrip(seed: UInt64) async throws {
        var generator = FindingGenerator(seed: seed)
        var book = IncidentBook()
        var recorded: [IncidentEvent] = []
        for _ in 0..<20 {
            let (finding, lines) = generator.next()
            recorded += Grouping().events(for: finding, lines: lines, book: &book, now: Sample.start)
        }
        _ = try await append(recorded)
        #expect(try await replay() == recorded)
    }

    @Test("an entry that says nothing about it has a count that is exact")
    func entriesOfBefore() async throws {
        var finding = Sample.finding(1)
        finding.isLowerBound = true
        let record = FindingRecord(finding, lines: [], incident: "SEC-2026-0001", grouping: "")
        var draft = IncidentEvent.findingRecorded(record).draft()
        #expect(draft.data.removeValue(forKey: "count_is_lower_bound") == true)
        _ = try await journal.append([draft], at: Sample.start)
        var exact = record
        exact.isLowerBound = false
        #expect(try await replay() == [.findingRecorded(exact)])
    }

    @Test("lines stand with the newest references, in their order")
    func linesAndReferences() throws {
        var finding = Sample.finding(1)
        finding.evidence = (1...5).map { Sample.reference(line: $0) }
        let record = FindingRecord(finding, lines: ["four", "five"], incident: "SEC-2026-0001", grouping: "")
        #expect(record.evidence.map(\.line) == [1, 2, 3, 4, 5])
        #expect(record.evidence.map(\.text) == [nil, nil, nil, "four", "five"])
    }

    @Test("entries about other things are no incident events")
    func otherEntries() async throws {
        _ = try await journal.append(
            [EntryDraft(type: "account.signed_in", occurredAt: Sample.start, actor: "system")], at: Sample.start)
        #expect(try await replay() == [nil])
    }

    @Test(
        "after an erasure the record keeps its place, and only what was about that subject is blank",
        arguments: [
            (
                Subject(kind: .ip, value: "203.0.113.9"),
                [IncidentEntity(kind: .address, value: nil), .init(kind: .account, value: "alice")]
            ),
            (
                Subject(kind: .user, value: "alice"),
                [.init(kind: .address, value: "203.0.113.9"), .init(kind: .account, value: nil)]
            ),
        ])
    func erasure(subject: Subject, left: [IncidentEntity]) async throws {
        var book = IncidentBook()
        let events = Grouping().events(
            for: Sample.finding(1, user: "alice"), lines: ["alice from 203.0.113.9"], book: &book, now: Sample.start)
        _ = try await append(events)
        await keys.erase(subject)
        guard case .findingRecorded(let record) = try await replay().last else {
            Issue.record("no finding")
            return
        }
        #expect(record.isErased)
        #expect(record.entities == left)
        #expect(record.evidence.map(\.text) == [nil], "the line was about both")
        #expect(record.evidence.map(\.line) == [1])
        #expect(record.ruleTitle == "SSH brute force")
    }

    @Test("of several addresses, one erased blanks the list, once")
    func erasureAmongSeveral() async throws {
        var book = IncidentBook()
        let finding = Sample.finding(1, address: nil, user: "alice", others: ["203.0.113.1", "203.0.113.2", "2001:db8::1"])
        _ = try await append(Grouping().events(for: finding, lines: [], book: &book, now: Sample.start))
        await keys.erase(Subject(kind: .ip, value: "2001:db8::"))
        guard case .findingRecorded(let record) = try await replay().last else {
            Issue.record("no finding")
            return
        }
        #expect(record.entities == [IncidentEntity(kind: .address, value: nil), IncidentEntity(kind: .account, value: "alice")])
    }
}

@Suite("A finding never outgrows its entry")
struct SizeTests {
    /// What costs most in JSON: six bytes for each.
    private static let hostile = String(repeating: "\u{1}", count: 70_000)
    private static let wide = String(repeating: "😀", count: 20_000)

    /// Everything as large as a log, a rule and a file system let it be.
    private func largest(_ text: String, path: String, user: String?, address: String?) -> (Finding, [String?]) {
        var rule = Sample.rule(title: text)
        rule.tags = (0..<500).map { "attack.t1110.\($0)" + text.prefix(100) }
        var finding = Sample.finding(1, address: address, user: user, rule: rule)
        finding.otherAddresses = (0..<64).map { IPAddress(high: 0x2001_0DB8_1111_2222 + $0 << 32, low: 0x3333_4444_5555_6666) }
        finding.count = .max >> 10
        finding.evidence = (0..<64).map { number in
            EventReference(
                origin: BatchOrigin(source: path + "\(number)", generation: 0), offset: JSONValue.exactIntegers.upperBound,
                line: JSONValue.exactIntegers.upperBound)
        }
        return (finding, Array(repeating: text, count: Finding.maximumExcerptLines))
    }

    @Test("whatever the log holds, the entry can be written", arguments: [hostile, wide, "\"\\\n", "plain"])
    func largestFinding(text: String) async throws {
        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        let paths = [
            "/var/log/nginx/access.log", "/" + String(repeating: "deep/", count: 818),
            "/" + String(repeating: "\u{1}", count: 4_090),
        ]
        for (path, isAddress) in paths.flatMap({ [($0, true), ($0, false)] }) {
            let (finding, lines) = largest(text, path: path, user: text, address: isAddress ? text : nil)
            var book = IncidentBook()
            let events = Grouping().events(for: finding, lines: lines, book: &book, now: Sample.start)
            let entries = try await journal.append(events.map { $0.draft() }, at: Sample.start)
            let largest = entries.map(\.canonicalBytes.count).max() ?? 0
            #expect(largest <= Entry.byteLimit)
            // The newest references are kept, at least one of them.
            guard case .findingRecorded(let record) = events.last else { continue }
            #expect(!record.evidence.isEmpty)
            #expect(record.evidence.last?.text != nil)
        }
    }

    @Test("times beyond what an entry can state are held at its ends", arguments: [Int64.min, .max])
    func unstatableTimes(nanoseconds: Int64) async throws {
        let folder = try TemporaryFolder()
        let journal = try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
        var finding = Sample.finding(1)
        finding.time = Timestamp(nanoseconds: nanoseconds)
        finding.firstSeen = finding.time
        finding.lastSeen = finding.time
        var book = IncidentBook()
        let events = Grouping().events(for: finding, lines: [], book: &book, now: Sample.start)
        let entries = try await journal.append(events.map { $0.draft() }, at: Sample.start)
        #expect(entries.count == 2)
    }

    @Test("a cut text ends between characters and says that it was cut", arguments: ["x", "é", "😀", "\u{1}", "\""])
    func cutting(character: String) {
        var finding = Sample.finding(1)
        finding.userName = String(repeating: character, count: 5_000)
        let record = FindingRecord(finding, lines: [String(repeating: character, count: 5_000)], incident: "", grouping: "")
        let user = record.user ?? ""
        #expect(user.hasSuffix("…"))
        #expect(user.dropLast().allSatisfy { String($0) == character })
        #expect(user.utf8.count <= FindingRecord.maximumNameBytes + 3)
        #expect((record.evidence.first?.text?.utf8.count ?? 0) <= FindingRecord.maximumLineBytes + 3)
    }

    @Test("what fits is not touched")
    func fits() {
        var finding = Sample.finding(1)
        finding.userName = String(repeating: "x", count: FindingRecord.maximumNameBytes)
        let line = String(repeating: "y", count: FindingRecord.maximumLineBytes)
        let record = FindingRecord(finding, lines: [line], incident: "", grouping: "")
        #expect(record.user == finding.userName)
        #expect(record.evidence.map(\.text) == [line])
    }
}
