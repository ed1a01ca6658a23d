import Events
import Foundation
import Response
import Synchronization
import Testing

/// The real nftables: one network namespace attacks another.
@Suite(.serialized, .timeLimit(.minutes(20))) struct NFTablesTests {
    private static let now = Timestamp(seconds: 1_795_000_000)

    /// Two namespaces with a wire between them, gone when the test is.
    private final class Wire {
        let defender: String
        let attacker: String

        init() throws {
            let tag = String(ProcessInfo.processInfo.processIdentifier, radix: 36)
            defender = "vigie-d-\(tag)"
            attacker = "vigie-a-\(tag)"
            try Shell.need(["ip", "nft", "ping"], root: true)
            do { try Shell.run("ip", ["netns", "add", defender]) } catch {
                try Test.cancel("not run: network namespaces cannot be made here: \(error)")
            }
            try Shell.run("ip", ["netns", "add", attacker])
            try Shell.run(
                "ip",
                ["link", "add", "vd\(tag)", "netns", defender, "type", "veth", "peer", "name", "va\(tag)", "netns", attacker])
            for (space, device, four, six) in [(defender, "vd\(tag)", "1", "1"), (attacker, "va\(tag)", "9", "9")] {
                try Shell.run("ip", ["-n", space, "address", "add", "192.0.2.\(four)/24", "dev", device])
                try Shell.run("ip", ["-n", space, "address", "add", "2001:db8::\(six)/64", "dev", device, "nodad"])
                try Shell.run("ip", ["-n", space, "link", "set", device, "up"])
            }
            try Shell.run("ip", ["-n", attacker, "address", "add", "192.0.2.10/24", "dev", "va\(tag)"])
        }

        deinit {
            _ = try? Shell.run("ip", ["netns", "delete", defender])
            _ = try? Shell.run("ip", ["netns", "delete", attacker])
        }

        var runner: NFTablesEnforcer.Runner {
            { [defender] arguments, input in try Shell.run("ip", ["netns", "exec", defender, "nft"] + arguments, input: input) }
        }

        /// Whether an echo from an address of the attacker's is answered, however long a busy machine takes.
        func reaches(from address: String = "192.0.2.9", to target: String = "192.0.2.1") -> Bool {
            ping(address, target, ["-w", "20"])
        }

        /// Whether nobody answers within a second.
        func isCutOff(_ address: String = "192.0.2.9", from target: String = "192.0.2.1") -> Bool {
            !ping(address, target, ["-W", "1"])
        }

        private func ping(_ address: String, _ target: String, _ patience: [String]) -> Bool {
            let words = ["netns", "exec", attacker, "ping", "-c", "1"] + patience + ["-I", address, target]
            return (try? Shell.run("ip", words)) != nil
        }
    }

    private final class Shared: Sendable { let orders = Mutex<[String]>([]) }

    private static func lease(_ target: String, seconds: Int64 = 600) -> Lease {
        LeaseBookTests.lease(target, seconds: seconds, at: now)
    }

    @Test func anAttackerIsBlockedProvenAndLetInAgain() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        try await enforcer.prepare()
        let lease = Self.lease("192.0.2.9")
        #expect(wire.reaches())
        #expect(try await !enforcer.isInForce(lease))

        try await enforcer.apply(lease, now: Self.now)
        #expect(try await enforcer.isInForce(lease), "read back")
        #expect(wire.isCutOff(), "probed")
        #expect(try await enforcer.droppedPackets() >= 1, "observed")
        #expect(wire.reaches(from: "192.0.2.10"), "nobody else is hit")

        try await enforcer.apply(lease, now: Self.now)
        try await enforcer.lift(lease)
        #expect(try await !enforcer.isInForce(lease))
        #expect(wire.reaches())
        try await enforcer.lift(lease)
    }

    @Test func networksAndIPv6AreBlocked() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        let network = Self.lease("192.0.2.8/30")
        try await enforcer.apply(network, now: Self.now)
        #expect(try await enforcer.isInForce(network))
        #expect(wire.isCutOff())
        #expect(wire.isCutOff("192.0.2.10"))
        try await enforcer.lift(network)
        #expect(wire.reaches())

        let sixes = Self.lease("2001:db8::/64")
        #expect(wire.reaches(from: "2001:db8::9", to: "2001:db8::1"))
        try await enforcer.apply(sixes, now: Self.now)
        #expect(try await enforcer.isInForce(sixes))
        #expect(wire.isCutOff("2001:db8::9", from: "2001:db8::1"))
    }

    /// The kernel ends a block by itself, whoever has died.
    @Test func aBlockEndsByItself() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        let lease = Self.lease("192.0.2.9", seconds: 1)
        try await enforcer.apply(lease, now: Self.now)
        while try await enforcer.isInForce(lease) { await Task.yield() }
        #expect(wire.reaches())
    }

    /// A network, a network inside of it, and an address inside of both: each is lifted by itself.
    @Test func blocksThatOverlapAreLiftedEachByItself() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        let leases = ["192.0.2.0/28", "192.0.2.8/30", "192.0.2.9"].map { Self.lease($0) }
        try await enforcer.apply(leases, now: Self.now)
        for lease in leases {
            #expect(wire.isCutOff())
            #expect(try await enforcer.isInForce(lease))
            try await enforcer.lift(lease)
            #expect(try await !enforcer.isInForce(lease))
        }
        #expect(wire.reaches())
    }

    /// Each block counts by itself what it dropped.
    @Test func whatWasDroppedIsCountedForEachBlock() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        let (hit, quiet) = (Self.lease("192.0.2.9"), Self.lease("192.0.2.10"))
        // Who has that address is known from then on: what comes next is dropped, not held back.
        #expect(wire.reaches())
        try await enforcer.apply([hit, quiet], now: Self.now)
        #expect(wire.isCutOff())
        let shown = try await enforcer.observe([hit, quiet])
        #expect(shown[quiet.id] == .shown(refusals: 0))
        guard case .shown(let refusals)? = shown[hit.id] else {
            Issue.record("not shown")
            return
        }
        #expect(refusals >= 1)
    }

    /// A throttle drops new connections beyond its rate, counts those only, and is nobody else's.
    @Test func aThrottledAddressGetsItsShareAndNoMore() async throws {
        let wire = try Wire()
        try Shell.need(["curl"], root: true)
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        var lease = Self.lease("192.0.2.9")
        lease.verb = .throttleAddress
        lease.parameters = ["requests": "3", "seconds": "3600"]
        try await enforcer.apply(lease, now: Self.now)
        #expect(try await enforcer.observe([lease]) == [lease.id: .shown(refusals: 0)])

        /// Whether the defender's kernel answered: nobody listens there, and it says so.
        func connects(_ address: String, within seconds: Double = 20) -> Bool {
            let order = "curl --silent --connect-timeout \(seconds) --interface \(address) http://192.0.2.1:9/; [ $? -eq 7 ]"
            return (try? Shell.run("ip", ["netns", "exec", wire.attacker, "bash", "-c", order])) != nil
        }
        #expect((0..<3).allSatisfy { _ in connects("192.0.2.9") })
        // What is dropped is never answered: this much is waited in vain.
        #expect(!(0..<2).contains { _ in connects("192.0.2.9", within: 0.5) })
        #expect(connects("192.0.2.10"), "nobody else is throttled")
        guard case .shown(let refusals)? = try await enforcer.observe([lease])[lease.id] else {
            Issue.record("not shown")
            return
        }
        #expect(refusals >= 2)
        // A block of the same address is another matter, and so is a throttle at another rate.
        let block = Self.lease("192.0.2.9")
        try await enforcer.apply(block, now: Self.now)
        try await enforcer.resume(with: [lease], ended: [])
        #expect(try await enforcer.observe([lease, block]).keys.sorted() == [lease.id])
        try await enforcer.lift(lease)
        #expect(try await !enforcer.isInForce(lease))
        #expect((0..<5).allSatisfy { _ in connects("192.0.2.9") })
    }

    /// What a question costs does not grow with what is blocked: one start of `nft` that lists no elements.
    @Test func aFewAmongManyAreAskedForAlone() async throws {
        let wire = try Wire()
        let (runner, calls) = (wire.runner, Shared())
        let enforcer = NFTablesEnforcer { arguments, input in
            calls.orders.withLock { $0.append((arguments + [input ?? ""]).joined(separator: " ")) }
            return try await runner(arguments, input)
        }
        try await enforcer.prepare()
        let many = (0..<1_500).map { Self.lease("10.0.\($0 >> 8).\($0 & 255)") } + [Self.lease("192.0.2.9")]
        try await enforcer.apply(many, now: Self.now)
        #expect(try await enforcer.observe(many).count == many.count)
        let (there, gone, wide) = (Self.lease("192.0.2.9"), Self.lease("192.0.2.10"), Self.lease("192.0.2.0/24"))
        calls.orders.withLock { $0.removeAll() }
        try await enforcer.apply(there, now: Self.now)
        #expect(try await enforcer.observe([there]) == [there.id: .shown(refusals: 0)])
        calls.orders.withLock { calls in
            #expect(calls.count == 2)
            #expect(!calls.contains { $0.contains("list table") }, "no element but its own is asked for")
        }
        #expect(try await enforcer.observe([there, gone, wide]).keys.sorted() == [there.id])
        #expect(try await enforcer.observe(many).count == many.count, "being asked took nothing away")
        #expect(wire.isCutOff())
        try await enforcer.lift(there)
        #expect(try await enforcer.observe([there]).isEmpty)
        _ = try await wire.runner(["flush", "chain", "inet", "vigie", "block"], nil)
        #expect(try await enforcer.observe([many[0]]).isEmpty, "a set that no rule looks into blocks nobody")
    }

    /// `nft flush ruleset` takes everything away, a flushed chain the rule alone: neither is shown as in force.
    @Test(arguments: [
        ["flush", "ruleset"], ["flush", "chain", "inet", "vigie", "block"], ["delete", "table", "inet", "vigie"],
    ])
    func aBlockWithoutItsRuleIsNotInForce(order: [String]) async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        let lease = Self.lease("192.0.2.9")
        try await enforcer.apply(lease, now: Self.now)
        _ = try await wire.runner(order, nil)
        #expect((try? await enforcer.isInForce(lease)) != true)
        try await enforcer.prepare()
        try await enforcer.apply(lease, now: Self.now)
        #expect(try await enforcer.isInForce(lease))
        #expect(wire.isCutOff())
    }

    @Test func whatNobodyWantsAnyMoreIsTakenAwayAtAStart() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        let (stray, wanted) = (Self.lease("192.0.2.9"), Self.lease("192.0.2.10"))
        try await enforcer.apply([stray, wanted], now: Self.now)
        try await enforcer.resume(with: [wanted], ended: [])
        #expect(wire.reaches())
        #expect(wire.isCutOff("192.0.2.10"))
    }

    @Test func aWholeLifeFromTheBook() async throws {
        let wire = try Wire()
        let enforcer = NFTablesEnforcer(run: wire.runner)
        try await enforcer.prepare()
        var book = LeaseBook()
        let lease = Self.lease("192.0.2.9")
        book.apply(.requested(lease), at: Self.now)
        func settle(at time: Timestamp) async {
            for _ in 0..<6 {
                for intent in book.next(now: time, policy: LeasePolicy()) {
                    for event in await enforcer.carryOut(intent, now: time) { book.apply(event, at: time) }
                }
            }
        }
        await settle(at: Self.now)
        #expect(book.standings[lease.id]?.phase == .inForce(.readBack))
        #expect(wire.isCutOff())
        book.apply(.undoRequested(id: lease.id, by: "ana"), at: Self.now)
        await settle(at: Self.now)
        #expect(book.standings[lease.id]?.phase == .lifted(.undone, isProven: true))
        #expect(wire.reaches())
    }
}
