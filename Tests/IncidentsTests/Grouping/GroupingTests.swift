import Detection
import Events
import Incidents
import Testing

@Suite("Which incident a finding joins")
struct GroupingTests {
    private static let day: Int64 = 86_400

    /// The incident of each finding, in order; strangers' numbers are 1, 2, …
    private func group(_ findings: [Finding]) -> [Int] {
        var book = IncidentBook()
        return findings.compactMap { finding in
            for case .findingRecorded(let record) in Grouping().events(for: finding, lines: [], book: &book, now: Sample.start) {
                return record.incident.flatMap { IncidentNumber.parse($0)?.number }
            }
            return nil
        }
    }

    @Test("an address that was quiet for a day begins another incident, one that was quiet for less does not")
    func quietPeriod() {
        let times: [Int64] = [0, Self.day, 2 * Self.day, 3 * Self.day + 1]
        #expect(group(times.enumerated().map { Sample.finding($0, at: $1) }) == [1, 1, 1, 2])
    }

    @Test("logs of different age, read side by side, do not tear an incident apart")
    func olderLogBesideNewer() {
        let findings = (0..<6).map { Sample.finding($0, at: $0 % 2 == 0 ? Int64($0) : 30 * Self.day + Int64($0)) }
        #expect(group(findings) == [1, 2, 1, 2, 1, 2])
    }

    @Test("one IPv6 /64 is one, its neighbour is another")
    func prefixes() {
        let addresses = [
            "2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2",
        ]
        #expect(group(addresses.enumerated().map { Sample.finding($0, address: $1) }) == [1, 1, 2, 3, 3, 4])
    }

    @Test("strangers who guess at the same account stay apart")
    func sameAccount() {
        #expect(group((0..<4).map { Sample.finding($0, address: "192.0.2.\($0)", user: "root") }) == [1, 2, 3, 4])
    }

    @Test("many addresses on one account are one, and so is whoever joins them there")
    func distributed() {
        let others = (0..<5).map { "192.0.2.\($0)" }
        let later = (10..<15).map { "192.0.2.\($0)" }
        let findings = [
            Sample.finding(1, address: nil, user: "alice", others: others),
            Sample.finding(2, address: nil, user: "alice", others: later, at: 3600),
            Sample.finding(3, address: "192.0.2.77", user: "alice", at: 4000),
            Sample.finding(4, address: "192.0.2.3", at: 4100),
            // Somebody else, on another account.
            Sample.finding(5, address: "192.0.2.88", user: "bob", at: 4200),
            // The account's own trouble with a web page is no guessing.
            Sample.finding(6, address: "192.0.2.99", user: "alice", at: 4300, rule: Sample.rule(category: .exploit)),
        ]
        #expect(group(findings) == [1, 1, 1, 1, 2, 3])
    }

    @Test("an attack on one account does not take over those who have an incident of their own")
    func popularAccount() {
        let findings = [
            Sample.finding(1, address: "192.0.2.1", user: "root"), Sample.finding(2, address: "192.0.2.2", user: "root"),
            Sample.finding(3, address: nil, user: "root", others: (1...5).map { "192.0.2.\($0)" }, at: 10),
            Sample.finding(4, address: "192.0.2.1", user: "root", at: 20),
            Sample.finding(5, address: "192.0.2.2", user: "root", at: 20),
        ]
        #expect(group(findings) == [1, 2, 3, 1, 2])
    }

    @Test("everybody tries root: those found alone stay apart even while many do")
    func commonAccount() {
        let shared = Sample.finding(1, address: nil, user: "root", others: (1...5).map { "192.0.2.\($0)" })
        let findings = [
            shared, Sample.finding(2, address: "192.0.2.1", user: "root", at: 10),
            Sample.finding(3, address: "192.0.2.9", user: "root", at: 20),
            Sample.finding(4, address: nil, user: "root", others: (11...15).map { "192.0.2.\($0)" }, at: 30),
        ]
        #expect(group(findings) == [1, 2, 3, 1])
    }

    @Test("one /64 that looks like many addresses is still one attacker")
    func prefixAsMany() {
        let others = (1...5).map { "2001:db8::\($0)" }
        let findings = [
            Sample.finding(1, address: "2001:db8::1", user: "alice"),
            Sample.finding(2, address: nil, user: "alice", others: others, at: 1),
            Sample.finding(3, address: "2001:db8::9", at: 2),
        ]
        #expect(group(findings) == [1, 1, 1])
        #expect(group([findings[1], findings[0], findings[2]]) == [1, 1, 1], "whichever rule speaks first")
    }

    @Test("a surge on a host belongs to those who make it, and ties no strangers together")
    func surge() {
        var surge = Sample.rule(title: "Surge of refused logins")
        surge.id = "279e8707-95e0-4bd9-bd9a-5190b77dc814"
        let findings = [
            Sample.finding(1, address: "192.0.2.1"), Sample.finding(2, address: "192.0.2.2"),
            Sample.finding(3, address: nil, others: ["192.0.2.1", "192.0.2.2", "192.0.2.200"], at: 1, rule: surge),
            Sample.finding(4, address: "192.0.2.1", at: 2), Sample.finding(5, address: "192.0.2.2", at: 2),
            // An innocent bystander of the surge who is attacked from, later.
            Sample.finding(6, address: "192.0.2.200", at: 3),
        ]
        #expect(group(findings) == [1, 2, 1, 1, 2, 3])
    }

    @Test("a surge of addresses that nobody knows is one incident as long as it lasts")
    func anonymousSurge() {
        var surge = Sample.rule(title: "Surge of refused logins")
        surge.id = "279e8707-95e0-4bd9-bd9a-5190b77dc814"
        let waves = (0..<4).map { wave in
            Sample.finding(
                wave, address: nil, others: (0..<20).map { "192.0.2.\($0 + wave * 10)" }, at: Int64(wave) * 300, rule: surge)
        }
        #expect(group(waves) == [1, 1, 1, 1])
    }

    /// Each finding one minute after the other, with the text of its line: the links that follow, as (from, to).
    private func links(_ findings: [(address: String, line: String)], rule: RuleHeader = Sample.rule(category: .exploit))
        -> [[Int]]
    {
        var book = IncidentBook()
        return findings.enumerated().flatMap { number, finding in
            let made = Sample.finding(number, address: finding.address, user: "alice", at: Int64(number) * 60, rule: rule)
            return Grouping().events(for: made, lines: ["\(finding.address) \(finding.line)"], book: &book, now: Sample.start)
                .compactMap { event -> [Int]? in
                    guard case .changed(let change) = event, case .link(.related, let other) = change.action else { return nil }
                    return [change.incident, other].compactMap { IncidentNumber.parse($0)?.number }
                }
        }
    }

    @Test(
        "an address that goes on where another fell silent, with the same lines but for numbers, may be the same attacker; said once"
    )
    func handover() {
        let line = "GET /item?id=17 HTTP/1.1 agent/2"
        let (first, second, third) = ("192.0.2.1", "198.51.100.2", "203.0.113.3")
        #expect(links([(first, line), (second, "GET /item?id=4 HTTP/1.1 agent/2"), (second, line), (second, line)]) == [[2, 1]])
        #expect(links([(first, line), (second, line), (first, line), (second, line)]).isEmpty, "it is not silent")
        #expect(links([(first, line), (second, line), (third, line), (third, line)]).isEmpty, "everybody writes that")
        #expect(links([(first, line), (second, "GET /other HTTP/1.1 agent/2"), (second, "GET /other HTTP/1.1 agent/2")]).isEmpty)
        let later = Array(repeating: ("192.0.2.200", "GET / HTTP/1.1"), count: 12)
        #expect(links([(first, line)] + later + [(second, line), (second, line)]).isEmpty, "too long ago")
        #expect(links([(first, line), (second, line), (second, line)], rule: Sample.rule(category: .bruteForce)) == [[2, 1]])
    }

    @Test("no incident names a restricted one", arguments: [true, false])
    func restricted(isRestricted: Bool) {
        var book = IncidentBook()
        let lines = ["192.0.2.1", "198.51.100.2", "198.51.100.2"].enumerated().flatMap { number, address -> [IncidentEvent] in
            let finding = Sample.finding(number, address: address, at: Int64(number) * 60, rule: Sample.rule(category: .exploit))
            let events = Grouping().events(for: finding, lines: ["GET /item?id=\(number)"], book: &book, now: Sample.start)
            if number == 0, isRestricted {
                book.apply(
                    .changed(
                        IncidentChange(
                            incident: "SEC-2026-0001", at: Sample.start, author: .system, action: .restrict(readers: []),
                            text: nil)))
            }
            return events
        }
        #expect(lines.contains { if case .changed = $0 { true } else { false } } != isRestricted)
    }

    @Test("two who guess at root are not called one attacker")
    func handoverOnCommonAccount() {
        var book = IncidentBook()
        for (number, address) in ["192.0.2.1", "198.51.100.2", "198.51.100.2"].enumerated() {
            let finding = Sample.finding(number, address: address, user: "root", at: Int64(number) * 60)
            let events = Grouping().events(
                for: finding, lines: ["Failed password for root from \(address)"], book: &book, now: Sample.start)
            #expect(!events.contains { if case .changed = $0 { true } else { false } })
        }
    }
}
