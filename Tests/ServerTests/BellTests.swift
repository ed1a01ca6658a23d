import Testing

@testable import Server

@Suite(.timeLimit(.minutes(20))) struct BellTests {
    /// A loop that lies down again at once, and counts how often it was woken.
    private static func loop(_ bell: Bell, _ wakes: Shared<Int>) -> Task<Void, Never> {
        Task {
            while !Task.isCancelled {
                await bell.wait(atMost: .seconds(3_600))
                wakes.value += 1
            }
        }
    }

    /// The alarm of a wait that was ended by a ring must not end the next one, whose own alarm would end the one after it.
    @Test func aRingEndsOneWaitAndNoMore() async throws {
        let (bell, wakes) = (Bell(), Shared(0))
        let loop = Self.loop(bell, wakes)
        for number in 1...5 {
            bell.ring()
            try await eventually("it wakes") { wakes.value >= number }
        }
        // Each yield waits for all other tests; a loop that wakes itself does so every few of them.
        for _ in 0..<200 { await Task.yield() }
        #expect(wakes.value <= 10, "rung five times")
        loop.cancel()
        await loop.value
    }

    @Test func aRingBeforeTheWaitIsKept() async {
        let bell = Bell()
        bell.ring()
        bell.ring()
        await bell.wait(atMost: .seconds(3_600))
        await bell.wait(atMost: .milliseconds(1))
    }

    @Test func cancellingEndsTheWait() async throws {
        let (bell, wakes, hasBegun) = (Bell(), Shared(0), Shared(false))
        let loop = Task {
            hasBegun.value = true
            await bell.wait(atMost: .seconds(3_600))
            wakes.value += 1
        }
        try await eventually("it has begun") { hasBegun.value }
        loop.cancel()
        await loop.value
        #expect(wakes.value == 1)
    }
}
