import Events
import Identity
import Testing

struct SignInThrottleTests {
    private func failures(_ throttle: inout SignInThrottle, _ count: Int, account: String, address: String, at time: Timestamp)
        -> [SignInThrottle.Verdict]
    {
        (0..<count).map { _ in throttle.begin(account: account, address: address, at: time) }
    }

    private func isRefused(_ verdict: SignInThrottle.Verdict) -> Bool {
        if case .wait = verdict { true } else { false }
    }

    @Test func refusesTheSixthGuessOfAPair() {
        var throttle = SignInThrottle()
        let verdicts = failures(&throttle, 7, account: "ana", address: "203.0.113.9", at: noon)
        #expect(verdicts.prefix(5).allSatisfy { $0 == .proceed(delayMilliseconds: 0) })
        #expect(verdicts[5] == .wait(seconds: 1, isFirst: true))
        #expect(verdicts[6] == .wait(seconds: 1, isFirst: false))
    }

    @Test func waitsTwiceAsLongEachTimeButNeverLongerThanTheLimit() {
        var throttle = SignInThrottle()
        var now = noon
        var waits: [Int64] = []
        for _ in 0..<40 {
            switch throttle.begin(account: "ana", address: "203.0.113.9", at: now) {
            case .proceed: break
            case .wait(let seconds, _):
                waits.append(seconds)
                now = now.advanced(bySeconds: seconds)
            }
        }
        #expect(waits.starts(with: [1, 2, 4, 8]))
        #expect(waits.allSatisfy { $0 <= 900 })
    }

    @Test func neverRefusesTheOwnerAtAnotherAddress() {
        var throttle = SignInThrottle()
        for attacker in 0..<200 {
            _ = failures(&throttle, 6, account: "ana", address: "198.51.100.\(attacker)", at: noon)
        }
        guard case .proceed(let delay) = throttle.begin(account: "ana", address: "192.0.2.1", at: noon) else {
            Issue.record("the owner was locked out")
            return
        }
        #expect((1...2000).contains(delay))
    }

    @Test func slowsOneAddressThatTriesManyAccounts() {
        var throttle = SignInThrottle()
        let verdicts = (0..<30).map { throttle.begin(account: "user\($0)", address: "203.0.113.9", at: noon) }
        #expect(!isRefused(verdicts[19]))
        #expect(isRefused(verdicts[20]))
    }

    @Test func takesASlash64AsOneAddress() {
        var throttle = SignInThrottle()
        let verdicts = (0..<6).map { throttle.begin(account: "ana", address: "2001:db8:1:2::\($0)", at: noon) }
        #expect(verdicts[5] == .wait(seconds: 1, isFirst: true))
        #expect(throttle.begin(account: "ana", address: "2001:db8:1:3::1", at: noon) == .proceed(delayMilliseconds: 0))
    }

    @Test func takesAMappedAddressAsTheIPv4AddressItIs() {
        var throttle = SignInThrottle()
        _ = failures(&throttle, 5, account: "ana", address: "203.0.113.9", at: noon)
        #expect(isRefused(throttle.begin(account: "ana", address: "::ffff:203.0.113.9", at: noon)))
    }

    @Test func forgetsAfterAnHour() {
        var throttle = SignInThrottle()
        _ = failures(&throttle, 6, account: "ana", address: "203.0.113.9", at: noon)
        let later = noon.advanced(bySeconds: 3600)
        #expect(throttle.begin(account: "ana", address: "203.0.113.9", at: later) == .proceed(delayMilliseconds: 0))
    }

    @Test func forgivesThePairOnSuccess() {
        var throttle = SignInThrottle()
        _ = failures(&throttle, 5, account: "ana", address: "203.0.113.9", at: noon)
        throttle.succeeded(account: "ana", address: "203.0.113.9")
        let verdicts = failures(&throttle, 5, account: "ana", address: "203.0.113.9", at: noon)
        #expect(!verdicts.contains(where: isRefused))
    }

    @Test func memoryIsBounded() {
        var limits = SignInThrottle.Limits()
        limits.maximumEntries = 100
        var throttle = SignInThrottle(limits: limits)
        for index in 0..<2000 {
            _ = throttle.begin(
                account: "user\(index)", address: "10.0.\(index / 256).\(index % 256)", at: noon.advanced(bySeconds: Int64(index))
            )
            #expect(throttle.entryCount <= 100)
        }
    }
}
