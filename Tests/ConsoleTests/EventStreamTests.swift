import Console
import Events
import Hummingbird
import HummingbirdCore
import Identity
import Testing

struct EventStreamTests {
    /// Opens the stream, hands its chunks to `body`, and ends it.
    private func follow(
        _ browser: Browser, _ path: String = "/events", headers: [String: String] = [:],
        _ body: (inout AsyncStream<String>.Iterator) async throws -> Void
    ) async throws {
        let response = try await browser.respond(.get, path, headers: headers)
        #expect(response.status == .ok)
        #expect(response.headers[.contentType] == "text/event-stream")
        let collector = Collector()
        let writing = Task { try await response.body.write(collector) }
        var chunks = collector.chunks.makeAsyncIterator()
        try await body(&chunks)
        browser.world.updates.close()
        try await writing.value
    }

    @Test(.timeLimit(.minutes(20))) func tellsOfEachChangeWithItsSequence() async throws {
        let browser = try await (try World()).signedIn()
        try await follow(browser) { chunks in
            let chunk = await chunks.next(isolation: #isolation)
            #expect(chunk == "retry: 2000\nid: 100\nevent: hello\ndata: {}\n\n")
            browser.world.updates.publish(sequence: 101, incidentID: "SEC-2026-0001")
            let second = await chunks.next(isolation: #isolation)
            #expect(second == "id: 101\nevent: incident\ndata: {\"id\":\"SEC-2026-0001\",\"sequence\":101}\n\n")
        }
    }

    @Test(
        .timeLimit(.minutes(20)),
        arguments: [
            (["last-event-id": "40"], "/events"), ([:], "/events?since=40"), (["last-event-id": "40"], "/events?since=100"),
            // A journal that was rebuilt or replaced: the client is ahead.
            (["last-event-id": "5000"], "/events"),
        ])
    func aClientThatMissedSomethingIsTold(headers: [String: String], path: String) async throws {
        let browser = try await (try World()).signedIn()
        try await follow(browser, path, headers: headers) { chunks in
            let chunk = await chunks.next(isolation: #isolation)
            #expect(chunk == "retry: 2000\nid: 100\nevent: refresh\ndata: {}\n\n")
        }
    }

    @Test(.timeLimit(.minutes(20)), arguments: ["100", "nonsense", ""])
    func aClientThatIsUpToDateIsNot(lastEventID: String) async throws {
        let browser = try await (try World()).signedIn()
        try await follow(browser, headers: ["last-event-id": lastEventID]) { chunks in
            let chunk = await chunks.next(isolation: #isolation)
            #expect(chunk?.contains("event: hello") == true)
        }
    }

    @Test(.timeLimit(.minutes(20))) func whatOneMayNotKnowOfLeavesNoTrace() async throws {
        let world = try World(options: .init(heartbeat: .seconds(3_600)), hidden: ["SEC-2026-0007"])
        let browser = try await world.signedIn()
        try await follow(browser) { chunks in
            _ = await chunks.next(isolation: #isolation)
            world.updates.publish(sequence: 101, incidentID: "SEC-2026-0007")
            // Told of both at once, it could be silent about the one by luck.
            while world.incidents.asked.withLock({ $0.isEmpty }) { await Task.yield() }
            world.updates.publish(sequence: 102, incidentID: "SEC-2026-0001")
            let chunk = await chunks.next(isolation: #isolation)
            #expect(chunk == "id: 102\nevent: incident\ndata: {\"id\":\"SEC-2026-0001\",\"sequence\":102}\n\n")
        }
    }

    @Test(.timeLimit(.minutes(20))) func aHeadRequestHoldsNoPlace() async throws {
        let browser = try await (try World()).signedIn()
        let answer = try await browser.send(.head, "/events", headers: [:], body: "")
        #expect(answer.status == 200 && answer.text.isEmpty)
        #expect(browser.world.updates.subscriberCount == 0)
    }

    @Test(.timeLimit(.minutes(20))) func aStreamThatIsOverLeavesNothingBehind() async throws {
        let browser = try await (try World()).signedIn()
        try await follow(browser) { chunks in
            _ = await chunks.next(isolation: #isolation)
            #expect(browser.world.updates.subscriberCount == 1)
        }
        #expect(browser.world.updates.subscriberCount == 0)
    }
}

struct ConsoleUpdatesTests {
    @Test func gathersABurst() throws {
        let updates = ConsoleUpdates()
        let subscription = try #require(updates.subscribe(owner: "ana"))
        for sequence in 1...1000 { updates.publish(sequence: sequence, incidentID: "SEC-2026-000\(sequence % 2)") }
        let delivery = try #require(updates.take(subscription))
        #expect(
            delivery.changes == [
                .init(incidentID: "SEC-2026-0001", sequence: 999), .init(incidentID: "SEC-2026-0000", sequence: 1000),
            ])
        #expect(!delivery.isRefresh && delivery.sequence == 1000)
        #expect(updates.take(subscription)?.changes.isEmpty == true)
    }

    @Test func tooManyIncidentsBecomeOneRefresh() throws {
        let updates = ConsoleUpdates(maximumPending: 10)
        let subscription = try #require(updates.subscribe(owner: "ana"))
        for sequence in 1...5000 { updates.publish(sequence: sequence, incidentID: "SEC-\(sequence)") }
        let delivery = try #require(updates.take(subscription))
        #expect(delivery.isRefresh && delivery.changes.isEmpty && delivery.sequence == 5000)
        updates.publish(sequence: 5001, incidentID: "SEC-1")
        #expect(updates.take(subscription)?.changes == [.init(incidentID: "SEC-1", sequence: 5001)])
    }

    @Test func dropsWhoDoesNotListen() throws {
        let updates = ConsoleUpdates(patience: .seconds(60))
        let dropped = Shared(0)
        let slow = try #require(updates.subscribe(owner: "slow") { dropped.withLock { $0 += 1 } })
        let quick = try #require(updates.subscribe(owner: "quick"))
        let start = ContinuousClock.now
        updates.publish(sequence: 1, incidentID: "A", at: start)
        _ = updates.take(quick)
        updates.publish(sequence: 2, incidentID: "A", at: start + .seconds(61))
        #expect(updates.take(slow) == nil)
        #expect(updates.take(quick)?.changes.count == 1)
        #expect(dropped.withLock { $0 } == 1)
    }

    @Test func theNumberOfStreamsIsBounded() throws {
        let updates = ConsoleUpdates(maximumSubscribers: 3, maximumPerOwner: 2)
        let first = try #require(updates.subscribe(owner: "ana"))
        let second = try #require(updates.subscribe(owner: "ana"))
        _ = try #require(updates.subscribe(owner: "ana"))
        // Her oldest made room.
        #expect(updates.take(first) == nil && updates.take(second) != nil)
        _ = try #require(updates.subscribe(owner: "ben"))
        #expect(updates.subscribe(owner: "cyd") == nil)
        #expect(updates.subscriberCount == 3)
    }

    @Test(.timeLimit(.minutes(20))) func closingEndsEveryStream() async throws {
        let updates = ConsoleUpdates()
        let subscription = try #require(updates.subscribe(owner: "ana"))
        updates.close()
        for await _ in subscription.wakes {}
        #expect(updates.take(subscription) == nil)
        #expect(updates.subscribe(owner: "ana") == nil)
    }
}
