import RMAP
import Testing

@Suite struct PendingHandshakesTests {
    @Test func linksAreBothNoncesInOrder() throws {
        var pending = PendingHandshakes()
        var random = Numbers(state: 1)
        let handshake = try #require(pending.begin(identity: "A", nonceClient: 0xAB, client: "c", now: 0, using: &random))
        #expect(handshake.link.count == 32)
        #expect(handshake.link.hasPrefix("00000000000000ab"))
        #expect(UInt64(handshake.link.suffix(16), radix: 16) == handshake.nonceServer)
        #expect(pending.finish(nonceServer: handshake.nonceServer, now: 59.9) == .granted(handshake))
        #expect(pending.finish(nonceServer: handshake.nonceServer, now: 59.9) == .replayed)
        #expect(pending.finish(nonceServer: handshake.nonceServer, now: 60) == .unknown)
    }

    @Test func noncesThatWaitAreNotDrawnAgain() throws {
        struct Stuck: RandomNumberGenerator {
            var values: [UInt64]
            mutating func next() -> UInt64 { values.count > 1 ? values.removeFirst() : values[0] }
        }
        var pending = PendingHandshakes()
        var random = Stuck(values: [5, 5, 5, 9])
        let one = try #require(pending.begin(identity: "A", nonceClient: 1, client: "a", now: 0, using: &random))
        let two = try #require(pending.begin(identity: "B", nonceClient: 2, client: "b", now: 0, using: &random))
        #expect(one.nonceServer == 5 && two.nonceServer == 9)
        #expect(pending.finish(nonceServer: 5, now: 0) == .granted(one))
    }

    /// Whatever comes in whatever order: what waits is bounded, and each handshake ends at most once, by its own nonce and in its time.
    @Test(arguments: 0..<20) func boundsAndSingleUseHold(_ seed: UInt64) {
        var limits = PendingHandshakes.Limits()
        limits.lifetime = 10
        limits.mostInAll = 30
        limits.mostForIdentity = 12
        limits.mostFromClient = 4
        var pending = PendingHandshakes(limits: limits)
        var random = Numbers(state: seed)
        var now = 0.0
        var open: [UInt64: (PendingHandshakes.Handshake, began: Double)] = [:]
        for _ in 0..<5_000 {
            now += Double.random(in: 0...0.5, using: &random)
            if Bool.random(using: &random) {
                let identity = "I\(Int.random(in: 0..<4, using: &random))"
                let client = "c\(Int.random(in: 0..<5, using: &random))"
                if let handshake = pending.begin(
                    identity: identity, nonceClient: random.next(), client: client, now: now, using: &random)
                {
                    #expect(open[handshake.nonceServer] == nil)
                    open[handshake.nonceServer] = (handshake, now)
                }
            } else if let nonce = open.keys.sorted().randomElement(using: &random), let (handshake, began) = open[nonce] {
                let found = pending.finish(nonceServer: nonce, now: now)
                #expect(found == (now < began + 10 ? .granted(handshake) : .unknown))
                #expect(pending.finish(nonceServer: nonce, now: now) == (now < began + 10 ? .replayed : .unknown))
                open[nonce] = nil
            }
            #expect(pending.count <= 30)
        }
        _ = pending.finish(nonceServer: 0, now: now + 10)
        #expect(pending.count == 0)
    }

    @Test func fullIsRefusedAndNothingIsPutOut() throws {
        var limits = PendingHandshakes.Limits()
        limits.mostInAll = 3
        var pending = PendingHandshakes(limits: limits)
        var random = Numbers(state: 8)
        let first = try #require(pending.begin(identity: "A", nonceClient: 1, client: "a", now: 0, using: &random))
        for index in 0..<10 { _ = pending.begin(identity: "B", nonceClient: 1, client: "c\(index)", now: 0, using: &random) }
        #expect(pending.count == 3)
        #expect(pending.finish(nonceServer: first.nonceServer, now: 1) == .granted(first))
    }
}

struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
