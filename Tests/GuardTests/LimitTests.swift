import Events
import Foundation
import Testing

@testable import Guard

@Suite struct CellRateTests {
    private let limit = RateLimit("test", requests: 5, per: .seconds(60))

    @Test func `as many as allowed at once, then one per interval`() {
        var fullAt: Int64 = 0
        var now: Int64 = 1_000_000_000_000
        for left in [4, 3, 2, 1, 0] {
            let quota = CellRate.take(limit, fullAt: &fullAt, now: now)
            #expect(!quota.isExceeded && quota.remaining == left)
        }
        let refused = CellRate.take(limit, fullAt: &fullAt, now: now)
        #expect(refused.isExceeded && refused.seconds == 12)
        now += 12_000_000_000 - 1
        #expect(CellRate.take(limit, fullAt: &fullAt, now: now).isExceeded)
        now += 1
        #expect(!CellRate.take(limit, fullAt: &fullAt, now: now).isExceeded)
        #expect(CellRate.take(limit, fullAt: &fullAt, now: now).isExceeded)
    }

    @Test func `a refused request costs nothing`() {
        var fullAt: Int64 = 0
        let now: Int64 = 1_000_000_000_000
        for _ in 0..<5 { _ = CellRate.take(limit, fullAt: &fullAt, now: now) }
        let before = fullAt
        for _ in 0..<100 { _ = CellRate.take(limit, fullAt: &fullAt, now: now) }
        #expect(fullAt == before)
    }

    @Test func `a clock that goes back locks nobody out for long`() {
        var fullAt: Int64 = 1_000_000_000_000_000
        let quota = CellRate.take(limit, fullAt: &fullAt, now: 1_000_000_000)
        #expect(quota.isExceeded && quota.seconds <= 60)
    }

    /// The law: in no window pass more than the burst and what is regained in it.
    @Test(arguments: 0..<10) func `no window holds more than the limit`(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed) + 7)
        let limit = RateLimit(
            "law", requests: Int.random(in: 1...20, using: &random), per: .seconds(Int.random(in: 1...30, using: &random)))
        var fullAt: Int64 = 0
        var now: Int64 = 0
        var passed: [Int64] = []
        for _ in 0..<3_000 {
            now += Int64.random(in: 0...limit.interval, using: &random)
            if !CellRate.take(limit, fullAt: &fullAt, now: now).isExceeded { passed.append(now) }
        }
        for first in passed.indices {
            let inWindow = passed[first...].prefix { $0 - passed[first] < limit.window }.count
            #expect(inWindow <= 2 * limit.requests)
        }
    }
}

@Suite struct RateLimitTableTests {
    @Test func `a /64 is one party, and two IPv4 addresses are two`() throws {
        let table = RateLimitTable(keys: 1024)
        let once = RateLimit("once", requests: 1, per: .seconds(60))
        func take(_ text: String) throws -> Bool {
            let address = try #require(IPAddress(text))
            return !table.take(once, key: .address(address), now: 1_000_000_000_000).isExceeded
        }
        #expect(try take("2001:db8:0:1::1"))
        #expect(try !take("2001:db8:0:1:ffff::2"))
        #expect(try take("2001:db8:0:2::1"))
        #expect(try take("192.0.2.1"))
        #expect(try take("192.0.2.2"))
        #expect(try !take("192.0.2.1"))
    }

    @Test func `an account is no address, and limits count apart`() throws {
        let table = RateLimitTable(keys: 1024)
        let one = RateLimit("one", requests: 1, per: .seconds(60))
        let two = RateLimit("two", requests: 1, per: .seconds(60))
        let address = try #require(IPAddress("192.0.2.1"))
        #expect(!table.take(one, key: .address(address), now: 1).isExceeded)
        #expect(!table.take(one, key: .account("192.0.2.1"), now: 1).isExceeded)
        #expect(!table.take(two, key: .address(address), now: 1).isExceeded)
        #expect(table.take(one, key: .account("192.0.2.1"), now: 1).isExceeded)
    }

    @Test func `a flood of addresses does not make somebody who is over the limit forgotten first`() {
        let table = RateLimitTable(keys: 2048)
        let limit = RateLimit("login", requests: 5, per: .seconds(60))
        for _ in 0..<5 { _ = table.take(limit, key: .account("attacker"), now: 1) }
        for number in 0..<500 { _ = table.take(limit, key: .account("other \(number)"), now: 1) }
        #expect(table.take(limit, key: .account("attacker"), now: 1).isExceeded)
    }
}

@Suite(.timeLimit(.minutes(20))) struct LimitsOnTheWireTests {
    @Test func `too many requests get 429, and are told when to come back`() async throws {
        let world = try World { $0.addressLimit = RateLimit("requests", requests: 3, per: .seconds(60)) }
        try await withApplication(world.router()) { port async throws in
            for left in [2, 1, 0] {
                let answer = try await ask(port, "/")
                #expect(answer.status == 200)
                #expect(answer.header("ratelimit-policy") == #""requests";q=3;w=60"#)
                #expect(answer.header("ratelimit")?.hasPrefix(#""requests";r=\#(left);t="#) == true)
            }
            let refused = try await ask(port, "/")
            #expect(refused.status == 429)
            #expect(refused.header("retry-after") == "20")
            #expect(refused.header("ratelimit") == #""requests";r=0;t=20"#)
            #expect(refused.header("content-type") == "application/problem+json")
            world.hands.advance(seconds: 20)
            #expect(try await ask(port, "/").status == 200)
        }
        let events = await world.events().filter { $0["event.reason"] as? String == "rate_limited" }
        #expect(events.first?["source.ip"] as? String == "127.0.0.1")
    }

    @Test func `a body over the limit is refused before it is read, and a chunked one while it is`() async throws {
        let world = try World { $0.bodyLimit = 1000 }
        try await withApplication(world.router()) { port async throws in
            #expect(try await ask(port, "/upload", method: "POST", body: String(repeating: "a", count: 1000)).body == "1000")
            let declared = try await ask(port, "/upload", method: "POST", headers: ["Content-Length: 1001"])
            #expect(declared.status == 413)
            #expect(declared.header("connection") == "close")
            let chunk = "200\r\n" + String(repeating: "b", count: 0x200) + "\r\n"
            let chunked = try await send(
                port, "POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + chunk + "0\r\n\r\n")
            #expect(chunked.status == 413)
        }
    }

    @Test func `a body that does not come is given up`() async throws {
        let world = try World { $0.bodyTime = .milliseconds(50) }
        try await withApplication(world.router()) { port async throws in
            let answer = try await send(port, "POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this")
            #expect(answer.status == 408)
            #expect(try await ask(port, "/").status == 200)
        }
    }

    @Test func `work that takes too long is given up`() async throws {
        await #expect(throws: Refusal.self) {
            try await withTimeLimit(.milliseconds(10)) { try await Task.sleep(for: .seconds(600)) }
        }
        #expect(try await withTimeLimit(.seconds(600)) { 7 } == 7)
        await #expect(throws: Surprise.self) { try await withTimeLimit(.seconds(600)) { throw Surprise() } }
    }

    @Test func `answers carry the security headers, failures tell nothing`() async throws {
        let world = try World()
        try await withApplication(world.router()) { port async throws in
            for path in ["/", "/fail", "/nowhere"] {
                let answer = try await ask(port, path)
                #expect(answer.header("x-content-type-options") == "nosniff")
                #expect(answer.header("x-frame-options") == "DENY")
                #expect(answer.header("content-security-policy") != nil)
                #expect(answer.header("cache-control") == "no-store")
                #expect(answer.header("x-request-id")?.count == 32)
            }
            let failure = try await ask(port, "/fail")
            #expect(failure.status == 500)
            #expect(!failure.body.contains("secret inner workings"))
            #expect(failure.body.contains(failure.header("x-request-id") ?? "?"))
        }
        #expect(
            await world.events().contains {
                $0["event.action"] as? String == "panic_recovered" && $0["log.level"] as? String == "error"
            })
    }

    @Test func `errors take the form that the application's clients know`() async throws {
        let world = try World {
            $0.errors = .message
            $0.addressLimit = RateLimit("r", requests: 1, per: .seconds(60))
        }
        try await withApplication(world.router()) { port async throws in
            _ = try await ask(port, "/")
            let answer = try await ask(port, "/")
            #expect(answer.body.hasPrefix(#"{"error":"Too many requests.""#))
        }
    }
}
