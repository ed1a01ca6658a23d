import Events
import Journal
import Testing

@testable import Incidents

@Suite("The book of silences")
struct SilenceBookTests {
    private var book = SilenceBook()

    @Test("it takes until the very instant of its end, and not at it")
    mutating func instant() throws {
        try book.carryOut(SilenceSample.create(seconds: 60))
        let record = SilenceSample.record()
        let end = Sample.start.advanced(bySeconds: 60)
        #expect(book.taking(record, at: Sample.start)?.id == "S-1")
        #expect(book.taking(record, at: end.advanced(byNanoseconds: -1))?.id == "S-1")
        #expect(book.taking(record, at: end) == nil)
        #expect(book.overdue(at: end.advanced(byNanoseconds: -1)).isEmpty)
        #expect(book.overdue(at: end) == [.expired(id: "S-1", at: end)])
        #expect(book["S-1"]?.state(at: end) == .expired)
    }

    @Test("that it expired is said once, and a clock that goes back does not bring it back")
    mutating func expiry() throws {
        try book.carryOut(SilenceSample.create(seconds: 60))
        let end = Sample.start.advanced(bySeconds: 60)
        for event in book.overdue(at: end) { book.apply(event) }
        #expect(book.overdue(at: end.advanced(bySeconds: 1)).isEmpty)
        #expect(book.taking(SilenceSample.record(), at: Sample.start) == nil)
        #expect(book.refusal(of: SilenceSample.end("S-1"), now: Sample.start) == .notAllowed)
    }

    @Test("ended early it takes nothing more, and cannot be ended again")
    mutating func endedEarly() throws {
        try book.carryOut(SilenceSample.create())
        let bo = Author(id: "0b", name: "bo")
        try book.carryOut(SilenceSample.end("S-1", by: bo), now: Sample.start.advanced(bySeconds: 10))
        #expect(book.taking(SilenceSample.record(), at: Sample.start.advanced(bySeconds: 11)) == nil)
        #expect(book["S-1"]?.state(at: Sample.start.advanced(bySeconds: 99_999)) == .ended)
        #expect(
            book["S-1"]?.end == .ended(by: bo, at: Sample.start.advanced(bySeconds: 10), reason: "it is over"))
        #expect(book.refusal(of: SilenceSample.end("S-1")) == .notAllowed)
        #expect(book.refusal(of: SilenceSample.end("S-2")) == .unknown)
        #expect(book.overdue(at: Sample.start.advanced(bySeconds: 99_999)).isEmpty)
    }

    @Test("an exception takes before a silence, and the older before the newer")
    mutating func order() throws {
        try book.carryOut(SilenceSample.create())
        try book.carryOut(SilenceSample.create())
        #expect(book.taking(SilenceSample.record(), at: Sample.start)?.id == "S-1")
        try book.carryOut(SilenceSample.create(kind: .exception))
        #expect(book.taking(SilenceSample.record(), at: Sample.start)?.id == "S-3")
    }

    @Test("the same request, made again, is carried out once")
    mutating func request() throws {
        try book.carryOut(SilenceSample.create(request: "order/1"))
        #expect(try book.decide(SilenceSample.create(request: "order/1"), now: Sample.start) == nil)
        #expect(book.silences.count == 1 && book.silence(ofRequest: "order/1")?.id == "S-1")
    }

    @Test(
        "what is no reason, no time or no end is refused",
        arguments: [
            SilenceSample.create(reason: ""), SilenceSample.create(reason: " \t"), SilenceSample.create(reason: "a\u{7}b"),
            SilenceSample.create(reason: String(repeating: "x", count: 501)), SilenceSample.create(seconds: 0),
            SilenceSample.create(seconds: -1), SilenceSample.create(seconds: 90 * 86_400 + 1, isCommander: true),
            SilenceSample.create(kind: .exception, seconds: 365 * 86_400 + 1, isCommander: true),
            SilenceSample.create(SilenceMatcher(), isCommander: true),
            SilenceSample.create(SilenceMatcher(line: "GET /dav/"), isCommander: true),
            SilenceSample.create(SilenceMatcher(rule: "r", addresses: SilenceSample.blocks("0.0.0.0/0")), isCommander: true),
            SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("10.0.0.0/7")), isCommander: true),
            SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("2001::/15")), isCommander: true),
            SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("::/0")), isCommander: true),
            SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("2001:db8::7")), isCommander: true),
            SilenceSample.create(SilenceMatcher(rule: "r", addresses: SilenceSample.blocks("192.0.2.1", "2001:db8::/65"))),
            SilenceSample.create(SilenceMatcher(rule: "r", line: "abc"), isCommander: true),
            SilenceSample.create(SilenceMatcher(rule: "r", account: "a\nb"), isCommander: true),
            SilenceSample.create(SilenceMatcher(account: String(repeating: "x", count: 201)), isCommander: true),
        ])
    func refused(order: SilenceOrder) {
        #expect(book.refusal(of: order) == .invalid)
    }

    @Test("who names one IPv6 address is told which network to write instead")
    func partOfOne() {
        #expect {
            try book.decide(
                SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("2001:db8::5:0:0:0:7"))), now: Sample.start)
        } throws: {
            "\($0)".contains("2001:db8:0:5::/64")
        }
    }

    @Test(
        "what is wide, or long, is a commander's",
        arguments: [
            SilenceSample.create(SilenceMatcher(rule: "r")), SilenceSample.create(SilenceMatcher(account: "alice")),
            SilenceSample.create(SilenceMatcher(rule: "r", line: "GET /dav/")),
            SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("10.0.0.0/8"))),
            SilenceSample.create(SilenceMatcher(rule: "r", addresses: SilenceSample.blocks("192.0.2.0/23"))),
            SilenceSample.create(SilenceMatcher(addresses: SilenceSample.blocks("2001:db8::/47", "192.0.2.1"))),
            SilenceSample.create(seconds: 31 * 86_400),
        ])
    func commanders(order: SilenceOrder) {
        #expect(book.refusal(of: order) == .forbidden)
        var order = order
        order.isCommander = true
        #expect(book.refusal(of: order) == nil)
    }

    @Test("one who is no commander cannot mute everything bit by bit, and nobody can without end")
    mutating func limits() throws {
        for _ in 0..<SilenceBook.mostActivePerAuthor { try book.carryOut(SilenceSample.create()) }
        #expect(book.refusal(of: SilenceSample.create()) == .notAllowed)
        #expect(book.refusal(of: SilenceSample.create(by: Author(id: "0b", name: "bo"))) == nil)
        // Of those that are over, none counts.
        #expect(book.refusal(of: SilenceSample.create(), now: Sample.start.advanced(bySeconds: 3_600)) == nil)
        for _ in SilenceBook.mostActivePerAuthor..<SilenceBook.mostActive {
            try book.carryOut(SilenceSample.create(isCommander: true))
        }
        #expect(book.refusal(of: SilenceSample.create(isCommander: true)) == .notAllowed)
    }

    @Test("P0 and canaries are taken only by what a commander made of one rule and of exactly whom")
    func critical() throws {
        let exact = SilenceMatcher(rule: SilenceSample.rule, addresses: SilenceSample.blocks("203.0.113.9"))
        let matchers: [(SilenceMatcher, isCommander: Bool, takes: Bool)] = [
            (exact, true, true), (exact, false, false), (SilenceMatcher(rule: SilenceSample.rule), true, false),
            (SilenceMatcher(addresses: exact.addresses), true, false),
            (SilenceMatcher(rule: SilenceSample.rule, addresses: SilenceSample.blocks("203.0.113.0/24")), true, false),
            (SilenceMatcher(rule: SilenceSample.rule, account: "alice"), true, true),
        ]
        for (matcher, isCommander, takes) in matchers {
            var book = SilenceBook()
            try book.carryOut(SilenceSample.create(matcher, isCommander: isCommander))
            for record in [
                SilenceSample.record(user: "alice", severity: .critical), SilenceSample.record(user: "alice", category: "canary"),
            ] {
                #expect((book.taking(record, at: Sample.start) != nil) == takes, "\(matcher)")
            }
            #expect(book.taking(SilenceSample.record(user: "alice"), at: Sample.start) != nil, "\(matcher)")
        }
    }

    // MARK: The journal

    @Test("replaying the journal gives the book that was kept live", arguments: 0..<12)
    func replayEqualsLive(seed: UInt64) async throws {
        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        var random = SeededGenerator(state: seed)
        var live = IncidentLedger()
        var now = Sample.start
        for number in 0..<60 {
            let matcher = SilenceMatcher(
                rule: Bool.random(using: &random) ? SilenceSample.rule : nil,
                addresses: Bool.random(using: &random) ? SilenceSample.blocks("2001:db8::/64", "203.0.113.9") : [],
                account: Bool.random(using: &random) ? "älice<b>" : nil, line: Bool.random(using: &random) ? "GET /dav" : nil)
            let order =
                Int.random(in: 0..<3, using: &random) == 0
                ? SilenceSample.end("S-\(Int.random(in: 1...9, using: &random))")
                : SilenceSample.create(
                    matcher, kind: Bool.random(using: &random) ? .silence : .exception,
                    seconds: Int64.random(in: 1...90_000, using: &random),
                    by: Bool.random(using: &random) ? SilenceSample.ana : Author(id: "uid:0", name: nil),
                    isCommander: Bool.random(using: &random), incident: "SEC-2026-0001", request: "order/\(number / 2)")
            var events = live.silences.overdue(at: now)
            if let event = try? live.silences.decide(order, now: now) { events.append(event) }
            _ = try await journal.append(events.map { $0.draft() }, at: now)
            for event in events { live.apply(event) }
            now = now.advanced(byNanoseconds: Int64.random(in: 0...20_000_000_000_000, using: &random))
        }
        let entries = try journal.reader().next(limit: .max)
        var replayed = IncidentLedger()
        for (entry, personal) in zip(entries, try await EntryOpener(keys: keys).open(entries)) {
            #expect(replayed.replay(entry, personal: personal) == nil)
        }
        #expect(replayed == live && live.silences.silences.count > 5)
    }

    @Test("erased with a person whom it names, it takes nothing: less than was meant, never more")
    func erasure() async throws {
        let folder = try TemporaryFolder()
        let keys = InMemorySubjectKeys()
        let journal = try Journal.open(directory: folder.path, keys: keys)
        let order = SilenceSample.create(
            SilenceMatcher(rule: SilenceSample.rule, addresses: SilenceSample.blocks("203.0.113.9"), account: "alice"))
        let event = try #require(try book.decide(order, now: Sample.start))
        _ = try await journal.append([event.draft()], at: Sample.start)
        await keys.erase(Subject(kind: .user, value: "alice"))
        let entries = try journal.reader().next(limit: .max)
        let personal = try await EntryOpener(keys: keys).open(entries)
        var replayed = SilenceBook()
        replayed.apply(try #require(SilenceEvent(entries[0], personal: personal[0])))
        #expect(replayed["S-1"]?.state(at: Sample.start) == .erased)
        #expect(replayed.taking(SilenceSample.record(user: "alice"), at: Sample.start) == nil)
        #expect(replayed.taking(SilenceSample.record(), at: Sample.start) == nil)
        #expect(replayed["S-1"]?.reason == "our own scanner")
    }

    @Test("what it matches and why are sealed: nothing of it stands in the entry")
    func sealed() throws {
        let matcher = SilenceMatcher(addresses: SilenceSample.blocks("203.0.113.9"), account: "alice", line: "GET /secret")
        let draft = try #require(try book.decide(SilenceSample.create(matcher), now: Sample.start)).draft()
        let open = "\(draft.data)"
        for text in ["203.0.113.9", "alice", "/secret", "scanner", "ana"] { #expect(!open.contains(text), "\(text)") }
    }
}
