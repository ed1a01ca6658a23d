import Detection
import Events
import Testing

@testable import Incidents

@Suite("What a silence matches")
struct SilenceMatcherTests {
    private func matches(_ matcher: SilenceMatcher, _ record: FindingRecord) -> Bool {
        matcher.matches(SilenceMatcher.Subject(record))
    }

    @Test("every address has to lie inside")
    func addresses() {
        let matcher = SilenceMatcher(addresses: SilenceSample.blocks("192.0.2.0/24", "2001:db8::/48"))
        #expect(matches(matcher, SilenceSample.record(address: "192.0.2.77")))
        #expect(matches(matcher, SilenceSample.record(address: "2001:db8:0:5::1")))
        #expect(matches(matcher, SilenceSample.record(address: nil, others: ["192.0.2.1", "2001:db8::1"])))
        #expect(!matches(matcher, SilenceSample.record(address: "192.0.3.1")))
        #expect(!matches(matcher, SilenceSample.record(address: "192.0.2.1", others: ["192.0.2.1", "198.51.100.1"])))
        #expect(!matches(matcher, SilenceSample.record(address: nil)))
        #expect(!matches(matcher, SilenceSample.record(address: "client.example.org")))
    }

    /// Rules count an IPv6 /64 as one, and the finding names the address that came last.
    @Test(
        "less than an IPv6 network of 64 bits takes nothing: who else was in it is not known",
        arguments: ["2001:db8:0:5::1", "2001:db8:0:5::1/128", "2001:db8:0:5::/65", "2001:db8:0:5::/96"])
    func partOfOne(text: String) {
        let record = SilenceSample.record(address: "2001:db8:0:5::1")
        #expect(!matches(SilenceMatcher(addresses: SilenceSample.blocks(text)), record))
        #expect(!matches(SilenceMatcher(addresses: SilenceSample.blocks(text, "192.0.2.1")), record))
        #expect(matches(SilenceMatcher(addresses: SilenceSample.blocks(text, "2001:db8:0:5::/64")), record))
    }

    @Test("the smallest that a silence is about: an IPv4 address, an IPv6 /64")
    func one() throws {
        for (text, block) in [
            ("2001:db8:0:5::1", "2001:db8:0:5::/64"), ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            let address = try #require(IPAddress(text))
            let one = try #require(AddressBlock.one(with: address))
            #expect(one.text == block && one.contains(address))
            #expect(SilenceMatcher(rule: "r", addresses: [one]).breadth == .exact)
        }
    }

    @Test("what is not known of a finding never matches")
    func unknown() {
        let byAddress = SilenceMatcher(addresses: SilenceSample.blocks("192.0.2.0/24"))
        var shared = SilenceSample.record(address: nil, others: ["192.0.2.1"])
        #expect(matches(byAddress, shared))
        shared.count = 2
        #expect(!matches(byAddress, shared), "the other event may have come from elsewhere")
        shared.count = 1
        shared.isLowerBound = true
        #expect(!matches(byAddress, shared))
        var many = SilenceSample.record(address: nil, others: ["192.0.2.1"])
        many.evidence = Array(repeating: many.evidence[0], count: Finding.maximumEvidence)
        #expect(!matches(byAddress, many), "there may be more than are kept")
        var erased = SilenceSample.record(address: nil, others: ["192.0.2.1"])
        erased.erased = [.address]
        #expect(!matches(byAddress, erased))
    }

    @Test("a text has to stand in every line, and all lines have to be there")
    func lines() {
        let matcher = SilenceMatcher(rule: SilenceSample.rule, line: "GET /dav/")
        #expect(matches(matcher, SilenceSample.record()))
        #expect(!matches(matcher, SilenceSample.record(lines: ["get /dav/"])))
        #expect(!matches(matcher, SilenceSample.record(lines: [nil])))
        #expect(!matches(matcher, SilenceSample.record(lines: [])))
        var two = SilenceSample.record()
        two.count = 2
        #expect(!matches(matcher, two), "one of two lines is not quoted")
        two.evidence.append(EvidenceLine(file: "a", line: 2, offset: 9, text: "GET /admin"))
        #expect(!matches(matcher, two))
        two.evidence[1].text = "x GET /dav/ y"
        #expect(matches(matcher, two))
    }

    @Test("rule and account are taken letter by letter, and all that is given has to match")
    func parts() {
        let record = SilenceSample.record(user: "Alice")
        #expect(matches(SilenceMatcher(rule: SilenceSample.rule), record))
        #expect(!matches(SilenceMatcher(rule: "other"), record))
        #expect(matches(SilenceMatcher(account: "Alice"), record))
        #expect(!matches(SilenceMatcher(account: "alice"), record))
        #expect(!matches(SilenceMatcher(account: "Alice"), SilenceSample.record()))
        #expect(!matches(SilenceMatcher(rule: SilenceSample.rule, account: "bob"), record))
        #expect(!matches(SilenceMatcher(), record))
        #expect(!matches(SilenceMatcher(line: "GET"), record), "a line alone is whatever an attacker likes")
    }

    /// The law: a part that is added never makes more match, and what matches by address has no address outside.
    @Test("each part that is added narrows", arguments: 0..<20)
    func narrowing(seed: UInt64) {
        var generator = FindingGenerator(seed: 4_000 + seed)
        var matched = 0
        for _ in 0..<200 {
            let (finding, lines) = generator.next()
            let record = FindingRecord(finding, lines: lines, incident: nil, grouping: "")
            let wide = SilenceMatcher(
                rule: generator.pick([nil, record.ruleID]),
                addresses: generator.pick([
                    SilenceSample.blocks("203.0.113.0/24", "2001:db8:1::/48"), SilenceSample.blocks("198.51.100.7"), [],
                ]), account: generator.pick([nil, "root", "alice"]))
            // Nothing is not everything: it matches nothing.
            guard wide.rule != nil || wide.account != nil || !wide.addresses.isEmpty else { continue }
            var narrow = wide
            switch generator.pick([0, 1, 2, 3]) {
            case 0: narrow.rule = wide.rule ?? "another"
            case 1: narrow.account = wide.account ?? generator.pick(["root", "bob"])
            case 2: narrow.line = generator.pick(["xxxx", "nowhere"])
            default: narrow.addresses = wide.addresses.isEmpty ? SilenceSample.blocks("203.0.113.9") : [wide.addresses[0]]
            }
            if matches(narrow, record) { #expect(matches(wide, record), "\(narrow)") }
            guard matches(wide, record) else { continue }
            matched += 1
            if !wide.addresses.isEmpty {
                for text in [record.address].compactMap(\.self) + record.otherAddresses {
                    let address = IPAddress(text)
                    #expect(wide.addresses.contains { block in address.map(block.contains) ?? false }, "\(text)")
                }
            }
        }
        #expect(matched > 5)
    }

    @Test("the tables say the same as the finding did", arguments: 0..<10)
    func preview(seed: UInt64) {
        var generator = FindingGenerator(seed: 5_000 + seed)
        for _ in 0..<100 {
            let (finding, lines) = generator.next()
            let record = FindingRecord(finding, lines: lines, incident: "SEC-2026-0001", grouping: "")
            let view = Self.view(record)
            for matcher in [
                SilenceMatcher(addresses: SilenceSample.blocks("203.0.113.9")), SilenceMatcher(account: "root"),
                SilenceMatcher(rule: record.ruleID, line: "xxxx"),
            ] where record.address != nil || record.otherAddresses.count != 1 {
                #expect(matcher.matches(SilenceMatcher.Subject(view)) == matches(matcher, record))
            }
        }
    }

    @Test("a preview counts by rule and by incident, and says what would alarm all the same")
    func counts() {
        func view(_ id: String, _ incident: String?, _ severity: Severity = .medium, address: String = "203.0.113.9")
            -> FindingView
        {
            FindingView(
                id: id, sequence: 1, ruleID: "r\(id.first.map(String.init) ?? "")", ruleTitle: "Rule", ruleHash: "", level: "",
                category: "scan", severity: severity, techniques: [],
                entities: [IncidentEntity(kind: .address, value: address)], count: 1, firstSeen: Sample.start,
                lastSeen: Sample.start, recordedAt: Sample.start, lines: [], grouping: "", incident: incident)
        }
        let recent = [
            (view("a1", "SEC-2026-0001"), "T" as String?), (view("a2", "SEC-2026-0001"), "T"), (view("b1", nil), nil),
            (view("a3", "SEC-2026-0002", .critical), "U"), (view("a4", "SEC-2026-0003", address: "198.51.100.1"), "V"),
        ].map { (finding: $0.0, incidentTitle: $0.1) }
        let matcher = SilenceMatcher(addresses: SilenceSample.blocks("203.0.113.9"))
        let preview = { (matcher: SilenceMatcher) in
            recent.reduce(into: SilencePreview(matcher, isCommander: true)) { preview, each in
                preview.add(each.finding, incidentTitle: each.incidentTitle) { each.finding }
            }
        }
        let counted = preview(matcher)
        #expect(counted.findings == 3 && counted.spared == 1 && counted.last == Sample.start)
        #expect(counted.rules.map(\.findings) == [2, 1] && counted.rules.map(\.id) == ["ra", "rb"])
        #expect(counted.incidents == [.init(id: "SEC-2026-0001", title: "T", findings: 2)])
        #expect(preview(SilenceMatcher(line: "GET")).findings == 0)
    }

    /// The law: without its lines, a finding is counted as with them; and they are read where they decide, and nowhere else.
    @Test("a preview reads the log lines of those findings alone of which they decide", arguments: 0..<10)
    func lazily(seed: UInt64) {
        var generator = FindingGenerator(seed: 6_000 + seed)
        var (counted, read, needed) = (0, 0, 0)
        for _ in 0..<300 {
            let (finding, lines) = generator.next()
            let view = Self.view(FindingRecord(finding, lines: lines, incident: "SEC-2026-0001", grouping: ""))
            let matcher = SilenceMatcher(
                rule: generator.pick([nil, view.ruleID, "another"]),
                addresses: generator.pick([SilenceSample.blocks("203.0.113.0/24", "198.51.100.0/24", "2001:db8:1::/64"), []]),
                account: generator.pick([nil, nil, "root"]), line: generator.pick([nil, "x"]))
            var bare = view
            (bare.lines, bare.isLowerBound) = ([], false)
            var preview = SilencePreview(matcher, isCommander: true)
            preview.add(bare, incidentTitle: nil) {
                read += 1
                return view
            }
            let matches = matcher.breadth != .everything && matcher.matches(SilenceMatcher.Subject(view))
            #expect(preview.findings + preview.spared == (matches ? 1 : 0), "\(matcher)")
            counted += matches ? 1 : 0
            let addresses = view.entities.count { $0.kind == .address }
            needed += matcher.line != nil || (!matcher.addresses.isEmpty && addresses > 1) ? 1 : 0
        }
        #expect(counted > 5 && read > 5 && read < needed, "\(counted) \(read) \(needed)")
    }

    private static func view(_ record: FindingRecord) -> FindingView {
        FindingView(
            id: record.id, sequence: 1, ruleID: record.ruleID, ruleTitle: "", ruleHash: "", level: "", category: record.category,
            severity: record.severity, techniques: [], entities: record.entities, count: record.count, firstSeen: Sample.start,
            lastSeen: Sample.start, recordedAt: Sample.start, lines: record.evidence, grouping: "",
            isLowerBound: record.isLowerBound)
    }

    // MARK: What people write

    @Test("a form is read, and what is empty is not given")
    func form() throws {
        let draft = try SilenceDraft([
            "kind": "exception", "rule": " r1 ", "address": "192.0.2.7, 192.0.2.7/32  2001:db8::/48", "account": "", "line": " ",
            "for": "1d12h", "reason": " ours ", "incident": "sec-2026-0001",
        ])
        #expect(
            draft
                == SilenceDraft(
                    kind: .exception,
                    matcher: SilenceMatcher(rule: "r1", addresses: SilenceSample.blocks("192.0.2.7", "2001:db8::/48")),
                    duration: 129_600, reason: "ours", incident: "SEC-2026-0001"))
        #expect(draft.matcher.addresses.map(\.text) == ["192.0.2.7", "2001:db8::/48"])
    }

    @Test(
        "bad input is refused",
        arguments: [
            ["address": "192.0.2.7"], ["address": "192.0.2.7", "for": ""], ["address": "192.0.2.7", "for": "0s"],
            ["address": "192.0.2.7", "for": "-1h"], ["address": "192.0.2.7", "for": "soon"],
            ["address": "192.0.2.7", "for": "99999d"], ["address": "192.0.2.0/33", "for": "1h"],
            ["address": "<b>", "for": "1h"], ["address": "192.0.2", "for": "1h"], ["kind": "pardon", "for": "1h"],
        ] as [[String: String]])
    func badInput(fields: [String: String]) {
        #expect(throws: SilenceRefusal.self) { try SilenceDraft(fields) }
    }
}
