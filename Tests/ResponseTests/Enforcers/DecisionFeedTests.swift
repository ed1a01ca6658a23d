import Events
import Journal
import Response
import Testing

@Suite struct DecisionFeedTests {
    private static let start = LeaseBookTests.start

    private static func book(_ targets: [String], lifted: [String] = []) -> LeaseBook {
        var book = LeaseBook()
        for target in targets {
            let lease = LeaseBookTests.lease(target, seconds: 14_400)
            book.apply(.requested(lease), at: start)
            book.apply(.approved(id: lease.id, by: "system"), at: start)
            if lifted.contains(target) { book.apply(.lifting(id: lease.id, .undone), at: start) }
        }
        return book
    }

    @Test func aBouncerGetsEverythingAtFirstAndChangesLater() {
        var feed = DecisionFeed()
        feed.update(Self.book(["203.0.113.9", "198.51.100.0/24"]), now: Self.start)
        let first = feed.stream(for: "b", startup: true, now: Self.start.advanced(bySeconds: 4))
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
        #expect(feed.stream(for: "b", startup: false, now: Self.start) == ["new": .null, "deleted": .null])
        feed.update(Self.book(["203.0.113.9", "198.51.100.0/24", "203.0.113.10"], lifted: ["203.0.113.9"]), now: Self.start)
        let change = feed.stream(for: "b", startup: false, now: Self.start)
        #expect(change["new"]?.arrayValue?.map { $0["value"] } == ["203.0.113.10"])
        #expect(change["deleted"]?.arrayValue?.map { $0["value"] } == ["203.0.113.9"])
    }

    @Test func whatBeganAndEndedBetweenTwoQuestionsIsNotTold() {
        var feed = DecisionFeed()
        feed.update(LeaseBook(), now: Self.start)
        _ = feed.stream(for: "b", startup: true, now: Self.start)
        feed.update(Self.book(["203.0.113.9"]), now: Self.start)
        feed.update(Self.book(["203.0.113.9"], lifted: ["203.0.113.9"]), now: Self.start)
        #expect(feed.stream(for: "b", startup: false, now: Self.start) == ["new": .null, "deleted": .null])
    }

    @Test func oneAddressIsAskedFor() {
        var feed = DecisionFeed()
        feed.update(Self.book(["203.0.113.9", "198.51.100.0/24"]), now: Self.start)
        #expect(feed.decisions(address: "198.51.100.77", now: Self.start).arrayValue?.count == 1)
        #expect(feed.decisions(address: "192.0.2.1", now: Self.start) == .null)
        #expect(feed.decisions(address: "nonsense", now: Self.start) == .null)
    }

    @Test func whatHasExpiredIsGone() {
        var feed = DecisionFeed()
        let book = Self.book(["203.0.113.9"])
        feed.update(book, now: Self.start)
        feed.update(book, now: Self.start.advanced(bySeconds: 14_400))
        #expect(feed.decisions(now: Self.start) == .null)
    }
}
