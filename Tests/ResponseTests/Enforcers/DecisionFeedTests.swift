import Events
import Journal
import Response
import Testing

@Suite struct DecisionFeedTests {
    private static let start = LeaseBookTests.start

    private static func lease(_ target: String) -> Lease { LeaseBookTests.lease(target, seconds: 14_400) }

    private static func feed(_ targets: [String]) -> DecisionFeed {
        var feed = DecisionFeed()
        for target in targets { feed.add(lease(target)) }
        return feed
    }

    /// Asks, and gets the answer.
    private static func ask(_ feed: inout DecisionFeed, startup: Bool = false, after seconds: Int64 = 0) -> JSONValue {
        let (body, position) = feed.stream(for: "b", startup: startup, now: start.advanced(bySeconds: seconds))
        feed.confirm("b", position: position)
        return body
    }

    @Test func aBouncerGetsEverythingAtFirstAndChangesLater() {
        var feed = Self.feed(["198.51.100.0/24", "203.0.113.9"])
        let first = Self.ask(&feed, startup: true, after: 4)
        #expect(
            first == [
                "new": [
                    [
                        "id": 1, "uuid": "lease-198.51.100.0/24", "origin": "vigie", "type": "ban", "scope": "Range",
                        "value": "198.51.100.0/24", "scenario": "guesses passwords", "duration": "3h59m56s", "simulated": false,
                    ],
                    [
                        "id": 2, "uuid": "lease-203.0.113.9", "origin": "vigie", "type": "ban", "scope": "Ip",
                        "value": "203.0.113.9",
                        "scenario": "guesses passwords", "duration": "3h59m56s", "simulated": false,
                    ],
                ], "deleted": .null,
            ])
        #expect(Self.ask(&feed) == ["new": .null, "deleted": .null])
        feed.add(Self.lease("203.0.113.10"))
        feed.remove(id: "lease-203.0.113.9")
        #expect(!feed.hasReached("b", id: "lease-203.0.113.10"))
        let change = Self.ask(&feed)
        #expect(change["new"]?.arrayValue?.map { $0["value"] } == ["203.0.113.10"])
        #expect(change["deleted"]?.arrayValue?.map { $0["value"] } == ["203.0.113.9"])
        #expect(feed.hasReached("b", id: "lease-203.0.113.10"))
    }

    /// Asked about all, and taken away one by one: each costs what one costs, not what all cost.
    @Test(.timeLimit(.minutes(20))) func aHundredThousandDecisionsComeAndGo() async throws {
        let leases = (0..<100_000).map { Self.lease("10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)") }
        let enforcer = BouncerEnforcer(bouncers: ["b"])
        try await enforcer.apply(leases, now: Self.start)
        let first = enforcer.stream(for: "b", startup: true, now: Self.start)
        #expect(first.body["new"]?.arrayValue?.count == leases.count)
        #expect(try await enforcer.observe([leases[0]]) == [leases[0].id: .pending], "not before it has reached the bouncer")
        enforcer.confirm("b", position: first.position)
        #expect(try await enforcer.observe(leases).values.allSatisfy { $0 == .delivered })
        try await enforcer.lift(leases)
        let last = enforcer.stream(for: "b", startup: false, now: Self.start)
        #expect(try await enforcer.observe(leases).values.allSatisfy { $0 == .pending })
        enforcer.confirm("b", position: last.position)
        #expect(try await enforcer.observe(leases).values.allSatisfy { $0 == .absent })
    }

    @Test func anAnswerThatWasLostIsGivenAgain() {
        var feed = Self.feed([])
        _ = Self.ask(&feed, startup: true)
        feed.add(Self.lease("203.0.113.9"))
        let lost = feed.stream(for: "b", startup: false, now: Self.start).body
        #expect(lost["new"]?.arrayValue?.count == 1)
        #expect(Self.ask(&feed) == lost)
        #expect(Self.ask(&feed) == ["new": .null, "deleted": .null])
    }

    @Test func whatBeganAndEndedBetweenTwoQuestionsIsNotTold() {
        var feed = Self.feed([])
        _ = Self.ask(&feed, startup: true)
        feed.add(Self.lease("203.0.113.9"))
        feed.remove(id: "lease-203.0.113.9")
        #expect(Self.ask(&feed) == ["new": .null, "deleted": .null])
    }

    /// Vigie was started anew while the bouncer went on asking for changes.
    @Test func afterARestartABouncerLearnsWhatEndedMeanwhile() {
        var feed = DecisionFeed()
        feed.resume(with: [Self.lease("203.0.113.9")], ended: [Self.lease("203.0.113.10"), Self.lease("203.0.113.11")])
        let all = Self.ask(&feed)
        #expect(all["new"]?.arrayValue?.map { $0["value"] } == ["203.0.113.9"])
        #expect(all["deleted"]?.arrayValue?.map { $0["value"] } == ["203.0.113.10", "203.0.113.11"])
        #expect(Self.ask(&feed) == ["new": .null, "deleted": .null])
    }

    @Test func anAddressThatTwoLeasesMeanIsLetGoByTheLast() {
        var feed = Self.feed(["203.0.113.9"])
        feed.add(LeaseBookTests.lease("203.0.113.9", id: "another", seconds: 600))
        _ = Self.ask(&feed, startup: true)
        feed.remove(id: "lease-203.0.113.9")
        let change = Self.ask(&feed)
        #expect(change["deleted"] == .null)
        #expect(change["new"]?.arrayValue?.map { $0["uuid"] } == ["another"])
        feed.remove(id: "another")
        #expect(Self.ask(&feed)["deleted"]?.arrayValue?.map { $0["value"] } == ["203.0.113.9"])
    }

    @Test func oneAddressIsAskedFor() {
        let feed = Self.feed(["203.0.113.9", "198.51.100.0/24"])
        #expect(feed.decisions(address: "198.51.100.77", now: Self.start).arrayValue?.count == 1)
        #expect(feed.decisions(address: "192.0.2.1", now: Self.start) == .null)
        #expect(feed.decisions(address: "nonsense", now: Self.start) == .null)
    }

    @Test func whatHasExpiredIsGone() {
        let feed = Self.feed(["203.0.113.9"])
        #expect(feed.decisions(now: Self.start.advanced(bySeconds: 14_400)) == .null)
    }
}
