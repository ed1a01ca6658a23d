import Detection
import Events
import Testing

@testable import Incidents

@Suite("Risk of addresses and accounts")
struct RiskTests {
    private let address = IncidentEntity(kind: .address, value: "203.0.113.9")

    /// Weights that are easy to count with; attempts are P3 until 100.
    private var policy: RiskPolicy {
        var policy = RiskPolicy()
        policy.weights = [.critical: 80, .high: 40, .medium: 20, .low: 8, .informational: 0]
        (policy.again, policy.another, policy.halfLife) = (0.5, 0.5, 3_600)
        policy.raises = [RiskPolicy.Raise(.medium, from: 50)]
        policy.attempts = ["brute_force", "scan"]
        policy.exceptTechniques = ["T1078"]
        return policy
    }

    private func rule(_ number: Int, _ level: Level, _ category: FindingCategory = .authorization, tags: [String] = [])
        -> RuleHeader
    {
        var rule = Sample.rule(title: "Rule \(number)", level: level, category: category)
        rule.id = "rule-\(number)"
        rule.tags = tags
        return rule
    }

    private func book(_ findings: [Finding], by policy: RiskPolicy) -> (book: IncidentBook, events: [IncidentEvent]) {
        var book = IncidentBook()
        let events = findings.flatMap { Grouping(risk: policy).events(for: $0, lines: [], book: &book, now: Sample.start) }
        return (book, events)
    }

    private func raises(_ events: [IncidentEvent]) -> [SeverityChange] {
        events.compactMap { if case .severityChanged(let change) = $0 { change } else { nil } }
    }

    @Test("parts add up to the score, repeats of one rule and rules of one category count less each")
    func adds() throws {
        let findings = [
            Sample.finding(1, rule: rule(1, .medium)), Sample.finding(2, at: 600, rule: rule(1, .medium)),
            // Within the same few minutes: the same burst.
            Sample.finding(3, at: 610, rule: rule(1, .medium)), Sample.finding(4, at: 620, rule: rule(2, .medium)),
            Sample.finding(5, at: 620, rule: rule(3, .low, .token)),
        ]
        var still = policy
        still.halfLife = 1_000_000_000
        let risk = try #require(book(findings, by: still).book.risk(of: address, by: still))
        // 20 and the half of it; of its category another 20, half of which counts; of another category 8.
        #expect(risk.parts.map { EntityRisk.text($0.points) } == ["30", "10", "8"])
        #expect(risk.parts.map(\.ruleID) == ["rule-1", "rule-2", "rule-3"])
        #expect(abs(risk.score - risk.parts.reduce(0) { $0 + $1.points }) < 1e-9)
        #expect(risk.parts[0].findings.count == 3 && risk.parts[0].findings.allSatisfy { $0.incident == "SEC-2026-0001" })
        still.limits = ["authorization": 24]
        let limited = try #require(book(findings, by: still).book.risk(of: address, by: still))
        #expect(EntityRisk.text(limited.score) == "32" && EntityRisk.text(limited.parts[0].points) == "18")
    }

    @Test("however many findings of one rule there are, they come to no more than a bound")
    func bounded() throws {
        let findings = (0..<500).map { Sample.finding($0, at: Int64($0) * 700, rule: rule(1, .high)) }
        let risk = try #require(book(findings, by: policy).book.risk(of: address, by: policy))
        #expect(risk.score < 80, "a sum of halves stays below twice the first")
        #expect(risk.parts[0].findings.count <= RiskBook.maximumSightings)
    }

    @Test("a finding counts half after each half-life, before and after")
    func decays() throws {
        let made = book([Sample.finding(1, rule: rule(1, .high))], by: policy).book
        let score = { (seconds: Int64) in
            made.risk(of: address, by: policy, at: Sample.start.advanced(bySeconds: seconds)).map { EntityRisk.text($0.score) }
        }
        #expect(score(0) == "40" && score(3_600) == "20" && score(7_200) == "10" && score(-3_600) == "20")
        #expect(score(400 * 86_400) == "0")
    }

    @Test("weak signals that add up raise the severity, with what adds up as the reason; once")
    func weakSignals() throws {
        let kinds: [FindingCategory] = [.authorization, .token, .upload, .policy, .dos, .tampering, .exfiltration, .malware]
        let findings = kinds.enumerated().map { Sample.finding($0, at: Int64($0), rule: rule($0, .low, $1)) }
        let events = book(findings, by: policy).events
        let raise = try #require(raises(events).first)
        #expect(raises(events).count == 1)
        #expect(raise.from == .low && raise.to == .medium && raise.author == .system)
        // Seven times 8 is 56, where six times is 48.
        let reason = try #require(raise.reason)
        #expect(reason.hasPrefix("The risk of the address is 56: 'Rule ") && reason.contains("others 24"), "\(reason)")
        #expect(!reason.contains("203.0.113.9"), "reasons are not sealed")
        #expect(raises(book(Array(findings.prefix(6)), by: policy).events).isEmpty)
        #expect(raises(book(findings, by: RiskPolicy()).events).isEmpty, "without a policy risk raises nothing")
    }

    @Test(
        "an attempt is P3 whatever its rule's level, says why, and is raised by risk alone; what succeeded is taken at its word")
    func attempts() throws {
        let guess = rule(1, .high, .bruteForce)
        let (book, events) = self.book([Sample.finding(1, rule: guess)], by: policy)
        guard case .opened(let opened) = events[0], case .findingRecorded(let record) = events[1] else {
            Issue.record("\(events)")
            return
        }
        #expect(opened.severity == .low && record.severity == .high && record.rated == .low)
        #expect(record.grouping.contains("P3 while the risk of the address is 40: 'Rule 1' 40"))
        #expect(book.active["SEC-2026-0001"]?.severity == .low)
        let more = [Sample.finding(1, rule: guess), Sample.finding(2, at: 10, rule: rule(2, .high, .scan))]
        #expect(raises(self.book(more, by: policy).events).map(\.to) == [.medium])
        let inside = [
            Sample.finding(1, rule: guess),
            Sample.finding(2, at: 10, rule: rule(3, .critical, .bruteForce, tags: ["attack.t1078.004"])),
        ]
        let got = raises(self.book(inside, by: policy).events)
        #expect(got.map(\.to) == [.critical] && got.first?.reason == "rule 'Rule 3' is of level critical")
        // Many addresses on an account that is not everybody's.
        let together = Sample.finding(1, address: nil, user: "alice", others: ["192.0.2.1", "192.0.2.2"], rule: guess)
        #expect(self.book([together], by: policy).book.active["SEC-2026-0001"]?.severity == .high)
        let common = Sample.finding(1, address: nil, user: "root", others: ["192.0.2.1", "192.0.2.2"], rule: guess)
        #expect(self.book([common], by: policy).book.active["SEC-2026-0001"]?.severity == .low)
    }

    @Test("a NAT is not accused by what its people do one by one; an attacker who names as many is not let off by it")
    func shared() throws {
        let kinds: [FindingCategory] = [.authorization, .token, .policy]
        let people = (0..<12).map {
            Sample.finding($0, user: "person\($0)", at: Int64($0) * 601, rule: rule($0 % 3, .medium, kinds[$0 % 3]))
        }
        let (book, events) = self.book(people, by: policy)
        let risk = try #require(book.risk(of: address, by: policy))
        #expect(risk.sharedBy == 12 && risk.score < 10)
        // The same findings about nobody but the address.
        let alone = people.enumerated().map { Sample.finding($0, at: Int64($0) * 601, rule: $1.rule) }
        let accused = try #require(self.book(alone, by: policy).book.risk(of: address, by: policy))
        #expect(accused.sharedBy == nil && accused.score > 50)
        #expect(raises(events).isEmpty)
        // What is about many accounts at once is about the address.
        let list = self.book(people + [Sample.finding(99, at: 8_000, rule: rule(9, .high, .exfiltration))], by: policy).book
        #expect(try #require(list.risk(of: address, by: policy)).parts.first?.points == 40)
        // Everybody tries these.
        let roots = ["root", "admin", "test", "oracle", "git"].enumerated().map {
            Sample.finding($0, user: $1, rule: rule($0, .medium))
        }
        #expect(try #require(self.book(roots, by: policy).book.risk(of: address, by: policy)).sharedBy == nil)
    }

    @Test("a surge accuses none of its addresses, an attack of many on one account each by its share")
    func many() throws {
        let others = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]
        let member = IncidentEntity(kind: .address, value: "192.0.2.1")
        let surge = book([Sample.finding(1, address: nil, others: others, rule: rule(1, .high))], by: policy).book
        #expect(surge.risk(of: member, by: policy) == nil)
        let botnet = book([Sample.finding(1, address: nil, user: "alice", others: others, rule: rule(1, .high))], by: policy).book
        #expect(try #require(botnet.risk(of: member, by: policy)).score == 10)
        #expect(try #require(botnet.risk(of: IncidentEntity(kind: .account, value: "alice"), by: policy)).score == 40)
    }

    @Test("what people found to be false is not held against anybody, and counts again when it is reopened")
    func dismissed() throws {
        var book = self.book([Sample.finding(1, rule: rule(1, .high))], by: policy).book
        let change = { (action: IncidentChange.Action) in
            IncidentEvent.changed(IncidentChange(incident: "SEC-2026-0001", at: Sample.start, author: .system, action: action))
        }
        book.apply(change(.close(from: .detection, resolution: .falsePositive)))
        #expect(book.risk(of: address, by: policy) == nil)
        let events = Grouping(risk: policy).events(
            for: Sample.finding(2, at: 700, rule: rule(2, .medium, .token)), lines: [], book: &book, now: Sample.start)
        #expect(raises(events).isEmpty)
        book.apply(change(.reopen))
        #expect(try #require(book.risk(of: address, by: policy)).parts.count == 2)
    }

    @Test("of a restricted incident no other says anything, neither in a reason nor in a score that its reader may not know")
    func restricted() throws {
        var ledger = IncidentLedger()
        let apply = { (ledger: inout IncidentLedger, finding: Finding) -> [IncidentEvent] in
            let events = ledger.record(finding, lines: [], by: Grouping(risk: policy), now: Sample.start)
            for event in events { ledger.applyToIncidents(event, recordedAt: Sample.start) }
            return events
        }
        _ = apply(&ledger, Sample.finding(1, rule: rule(1, .high)))
        for action in [IncidentChange.Action.restrict(readers: ["0a"]), .close(from: .detection, resolution: .resolved)] {
            ledger.apply(
                .changed(IncidentChange(incident: "SEC-2026-0001", at: Sample.start, author: .system, action: action)),
                recordedAt: Sample.start)
        }
        // 40 of the restricted one and 20 would be a raise.
        let events = apply(&ledger, Sample.finding(2, at: 1, rule: rule(2, .medium, .scan)))
        #expect(ledger["SEC-2026-0002"]?.severity == .low)
        for case .findingRecorded(let record) in events { #expect(!record.grouping.contains("Rule 1")) }
        let stranger = IncidentReader(account: "0b", name: "bo")
        let seen = try #require(ledger.riskSheet(for: stranger).views(of: [address], by: policy, at: Sample.start).first)
        #expect(seen.risk.parts.map(\.ruleID) == ["rule-2"] && seen.risk.score == 20)
        let worst = ledger.riskSheet(for: stranger).worst(by: policy, at: Sample.start, limit: 9)
        #expect(worst.map(\.risk.score) == [20])
        let reader = IncidentReader(account: "0a", name: "ana")
        let whole = ledger.riskSheet(for: reader).views(of: [address], by: policy, at: Sample.start)
        #expect(whole.first?.risk.parts.count == 2)
    }

    @Test("findings that were split off and incidents that were merged are named where they are by now")
    func moves() throws {
        var book = self.book(
            [Sample.finding(1, rule: rule(1, .high)), Sample.finding(2, at: 900, rule: rule(1, .high))], by: policy
        ).book
        let id = Sample.finding(1).id
        book.apply(.opened(IncidentOpened(incident: "SEC-2026-0002", title: "Another", severity: .low, firstSeen: Sample.start)))
        book.apply(
            .changed(
                IncidentChange(
                    incident: "SEC-2026-0001", at: Sample.start, author: .system,
                    action: .split(into: "SEC-2026-0002", findings: [id], entities: []))))
        let incidents = { (book: IncidentBook) in book.risk(of: address, by: policy)?.parts[0].findings.map(\.incident) }
        #expect(incidents(book) == ["SEC-2026-0001", "SEC-2026-0002"])
        book.apply(
            .changed(
                IncidentChange(
                    incident: "SEC-2026-0002", at: Sample.start, author: .system, action: .merge(into: "SEC-2026-0001"))))
        #expect(incidents(book) == ["SEC-2026-0001", "SEC-2026-0001"])
    }

    @Test("memory is bounded: who was heard of longest ago is let go of, whoever is loud stays")
    func memory() {
        var risks = RiskBook(maximumEntities: 200)
        let record = { (number: Int, address: String) in
            FindingRecord(
                Sample.finding(number, address: address, at: Int64(number)), lines: [], incident: "SEC-2026-0001", grouping: "")
        }
        for number in 0..<1_000 {
            risks.note(record(number, "10.0.\(number / 256).\(number % 256)"), in: "SEC-2026-0001")
            if number % 20 == 0 { risks.note(record(number, "203.0.113.9"), in: "SEC-2026-0001") }
            #expect(risks.records.count <= 200)
        }
        #expect(risks.records.count > 150, "no more is forgotten than has to be")
        #expect(risks[address] != nil && risks[IncidentEntity(kind: .address, value: "10.0.0.1")] == nil)
    }
}

extension IncidentBook {
    fileprivate func risk(of entity: IncidentEntity, by policy: RiskPolicy, at time: Timestamp? = nil) -> EntityRisk? {
        riskSheet().risk(of: entity, by: policy, at: time)
    }
}
