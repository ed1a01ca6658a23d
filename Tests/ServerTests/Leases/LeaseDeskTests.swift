import Events
import Foundation
import Response
import Synchronization
import Testing

@testable import Server

@Suite(.timeLimit(.minutes(20))) struct LeaseDeskTests {
    @Test func aLeaseIsPutInForceProvenLiftedAndProvenAgain() async throws {
        let office = try await LeaseOffice()
        office.run()
        let lease = try await office.desk.apply(office.request())
        #expect(
            await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))?.phase == .inForce(.readBack)
        )
        #expect(office.enforcer.blocked == ["203.0.113.9"])
        office.enforcer.state.withLock { $0.refusals = 3 }
        try await eventually("what was refused is noticed") {
            office.time.value = office.time.value.advanced(bySeconds: 1)
            return await office.phase(lease) == .inForce(.observed)
        }
        office.seconds(3_600)
        try await eventually("it ends") { await office.phase(lease) == .lifted(.expired, isProven: true) }
        #expect(office.enforcer.blocked.isEmpty)
        await office.stop()
        #expect(try await office.replayed().standings == office.desk.book.standings, "replay equals live")
    }

    @Test func anUndoneLeaseEndsAtOnce() async throws {
        let office = try await LeaseOffice()
        office.run()
        let lease = try await office.desk.apply(office.request())
        _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        try await office.desk.undo(id: lease.id, by: "ben", reason: "a customer")
        try await eventually("it is lifted") { await office.phase(lease) == .lifted(.undone, isProven: true) }
        let standing = await office.desk.standing(of: lease.id)
        #expect(standing?.undoneBy == "ben")
        #expect(standing?.undoReason == "a customer")
        try await office.desk.undo(id: lease.id, by: "ben", reason: "")
        await #expect(throws: LeaseRefusal.self) { try await office.desk.undo(id: "lease-none", by: "ben", reason: "") }
        await office.stop()
    }

    /// Dies while a lease is in force, the machine is started anew, and nothing of the block is left; another lease has run out.
    @Test func afterACrashWhatIsMissingIsPutBackAndWhatIsOverIsLifted() async throws {
        let office = try await LeaseOffice()
        office.run()
        let long = try await office.desk.apply(office.request("203.0.113.9", seconds: 7_200))
        let short = try await office.desk.apply(office.request("203.0.113.10", seconds: 600))
        for lease in [long, short] {
            _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        }
        await office.stop()
        office.enforcer.state.withLock { $0.blocked["203.0.113.9"] = nil }
        office.seconds(1_200)
        try await office.restart()
        try await eventually("both are as they should be") {
            guard case .inForce? = await office.phase(long) else { return false }
            return await office.phase(short) == .lifted(.expired, isProven: true)
        }
        #expect(office.enforcer.blocked == ["203.0.113.9"])
        #expect(await office.pages().isEmpty, "what is put right at once wakes nobody")
        await office.stop()
    }

    @Test func anEnforcerThatIsAwayIsShownPagedOnceAndTriedAgain() async throws {
        let office = try await LeaseOffice()
        office.enforcer.state.withLock { $0.isAway = true }
        office.run()
        let leases = [
            try await office.desk.apply(office.request("203.0.113.9")),
            try await office.desk.apply(office.request("203.0.113.10")),
        ]
        let settled = await office.desk.settle(id: leases[0].id, by: office.time.value.advanced(bySeconds: 1_000))
        guard case .notInForce(let reason)? = settled?.phase else {
            Issue.record("shown as \(String(describing: settled?.phase))")
            return
        }
        #expect(reason.contains("does not answer"))
        _ = await office.desk.settle(id: leases[1].id, by: office.time.value.advanced(bySeconds: 1_000))
        #expect(await office.pages().isEmpty, "a moment's trouble wakes nobody")
        office.seconds(6)
        try await eventually("somebody is paged") { await office.pages().count == 1 }
        #expect(await office.pages().first?.contains("2 leases on fake") == true)
        office.seconds(30)
        office.enforcer.state.withLock { $0.isAway = false }
        // A failed try waits for the next one; the time is the test's own.
        try await eventually("it comes into force") {
            office.time.value = office.time.value.advanced(bySeconds: 1)
            for lease in leases { guard await office.phase(lease) == .inForce(.readBack) else { return false } }
            return true
        }
        #expect(await office.pages().count == 1)
        await office.stop()
    }

    /// Expiry while the enforcer is away: not called lifted before it is, and not left alone.
    @Test func whatCannotBeLiftedIsTriedUntilItIsGone() async throws {
        let office = try await LeaseOffice()
        office.run()
        let lease = try await office.desk.apply(office.request(seconds: 60))
        _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        office.enforcer.state.withLock { $0.isAway = true }
        office.seconds(60)
        try await eventually("it is tried") { await office.desk.standing(of: lease.id)?.trouble != nil }
        #expect(await office.phase(lease) == .lifting(.expired))
        office.seconds(70)
        try await eventually("somebody is paged") { await office.pages().count == 1 }
        office.enforcer.state.withLock { $0.isAway = false }
        try await eventually("it is gone") {
            office.time.value = office.time.value.advanced(bySeconds: 1)
            return await office.phase(lease) == .lifted(.expired, isProven: true)
        }
        await office.stop()
    }

    @Test func whatIsNeverBlockedIsRefusedAndLifted() async throws {
        let block = try #require(AddressBlock("192.0.2.0/28"))
        let office = try await LeaseOffice(LeasePolicy(neverBlock: [.init(block, owner: "our gateway")]))
        office.run()
        for target in ["192.0.2.1", "192.0.2.0/24", "0.0.0.0/0", "nonsense", ""] {
            await #expect(throws: LeaseRefusal.self, "\(target)") { try await office.desk.apply(office.request(target)) }
        }
        await #expect(throws: LeaseRefusal.self, "where the order comes from") {
            try await office.desk.apply(office.request("203.0.113.0/24", origin: "203.0.113.77"))
        }
        let lease = try await office.desk.apply(office.request("203.0.113.9"))
        _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        await office.desk.protect(operator: "ana", at: "203.0.113.9")
        try await eventually("somebody who has signed in is let in") {
            await office.phase(lease) == .lifted(.neverBlock, isProven: true)
        }
        await #expect(throws: LeaseRefusal.self) { try await office.desk.apply(office.request("203.0.113.9")) }
        await office.stop()
    }

    @Test func overTheBudgetAndForWhatHitsEverybodyAPersonIsAsked() async throws {
        let office = try await LeaseOffice(LeasePolicy(budgetPerHour: 2))
        office.run()
        var leases: [Lease] = []
        for number in 1...3 { leases.append(try await office.desk.apply(office.request("203.0.113.\(number)"))) }
        let everyone = try await office.desk.apply(office.request("", .revokeEveryone))
        try await eventually("two are in force") { office.enforcer.blocked == ["203.0.113.1", "203.0.113.2"] }
        #expect(await office.phase(leases[2]) == .requested)
        #expect(await office.phase(everyone) == .requested)
        try await office.desk.approve(id: everyone.id, by: "ben")
        #expect(
            await office.desk.settle(id: everyone.id, by: office.time.value.advanced(bySeconds: 1_000))?.phase
                == .inForce(.readBack)
        )
        #expect(await office.desk.standing(of: everyone.id)?.approvedBy == "ben")
        await #expect(throws: LeaseRefusal.self) { try await office.desk.approve(id: everyone.id, by: "ben") }
        // The hour is over: policy may approve by itself again.
        office.seconds(3_601)
        #expect(await office.desk.book.spent(now: office.time.value) == 0)
        await office.stop()
    }

    @Test func theSameOrderTwiceIsOneLease() async throws {
        let office = try await LeaseOffice()
        office.run()
        let (desk, request) = (office.desk, office.request(key: "run-1/step-2"))
        async let one = desk.apply(request)
        async let two = desk.apply(request)
        let (first, second) = (try await one, try await two)
        #expect(first.id == second.id)
        _ = await office.desk.settle(id: first.id, by: office.time.value.advanced(bySeconds: 1_000))
        try await office.restart()
        #expect(try await office.desk.apply(office.request(key: "run-1/step-2")) == first)
        #expect(await office.desk.standings().count == 1)
        #expect(office.enforcer.state.withLock { $0.orders } == ["203.0.113.9"])
        await office.stop()
    }

    @Test func ofTwoLeasesOnOneAddressTheLastOneLetsGo() async throws {
        let office = try await LeaseOffice()
        office.run()
        let short = try await office.desk.apply(office.request(seconds: 600))
        let long = try await office.desk.apply(office.request(seconds: 3_600))
        for lease in [short, long] {
            _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        }
        #expect(office.enforcer.state.withLock { $0.blocked["203.0.113.9"] } == long.expiresAt)
        office.seconds(601)
        try await eventually("the short one is over") { await office.phase(short) == .lifted(.expired, isProven: true) }
        #expect(office.enforcer.blocked == ["203.0.113.9"])
        office.seconds(3_600)
        try await eventually("the long one, too") { await office.phase(long) == .lifted(.expired, isProven: true) }
        #expect(office.enforcer.blocked.isEmpty)
        await office.stop()
    }

    /// The machine's clock is put back by a day and then forward by two: what should hold holds, what is over ends.
    @Test func aClockThatStepsNeitherEndsNorKeepsALease() async throws {
        let office = try await LeaseOffice()
        office.run()
        let lease = try await office.desk.apply(office.request(seconds: 3_600))
        _ = await office.desk.settle(id: lease.id, by: office.time.value.advanced(bySeconds: 1_000))
        office.seconds(-86_400)
        let other = try await office.desk.apply(office.request("203.0.113.10", seconds: 600))
        _ = await office.desk.settle(id: other.id, by: office.time.value.advanced(bySeconds: 1_000))
        #expect(office.enforcer.blocked == ["203.0.113.9", "203.0.113.10"])
        // Somebody takes a block away while the clock is wrong: it is noticed all the same.
        office.enforcer.state.withLock { $0.blocked["203.0.113.9"] = nil }
        office.seconds(-86_300)
        try await eventually("it is put back") { office.enforcer.blocked.contains("203.0.113.9") }
        office.seconds(86_400)
        try await eventually("both are over") {
            let phases = [await office.phase(lease), await office.phase(other)]
            return phases.allSatisfy { $0 == .lifted(.expired, isProven: true) }
        }
        await office.stop()
    }

    @Test(arguments: [
        ("2001:db8:0:1::9", "2001:db8:0:1::/64"), ("2001:db8:0:1::9/128", "2001:db8:0:1::9"),
        ("203.0.113.77/30", "203.0.113.76/30"),
        (" 203.0.113.9 ", "203.0.113.9"), ("::ffff:203.0.113.9", "203.0.113.9"),
    ])
    func targetsAreSpelledOneWay(text: String, target: String) throws {
        #expect(try LeaseDesk.target(.blockAddress, text) == target)
    }

    @Test(arguments: [
        (Lease.Verb.maintenance, "api"), (.quarantineObject, "document"), (.stopService, "--now"), (.disableAccount, ""),
        (.disableAccount, "a\nb"), (.blockAddress, "203.0.113.9; drop"),
    ])
    func whatCannotBeATargetIsRefused(verb: Lease.Verb, text: String) {
        #expect(throws: LeaseRefusal.self) { try LeaseDesk.target(verb, text) }
    }

    @Test func thereIsNoLeaseWithoutAnIncidentAReasonAndAnEnd() async throws {
        let office = try await LeaseOffice()
        var request = office.request()
        request.incident = "SEC-1999-0001"
        await #expect(throws: LeaseRefusal.self) { try await office.desk.apply(request) }
        request = office.request()
        request.reason = "  "
        await #expect(throws: LeaseRefusal.self) { try await office.desk.apply(request) }
        for seconds: Int64 in [0, -1, 59, 40_000_000] {
            await #expect(throws: LeaseRefusal.self) { try await office.desk.apply(office.request(seconds: seconds)) }
        }
        request = office.request()
        request.enforcer = "nobody"
        await #expect(throws: LeaseRefusal.self) { try await office.desk.apply(request) }
        request = office.request()
        request.parameters = ["requests": "many"]
        await #expect(throws: LeaseRefusal.self) { try await office.desk.apply(request) }
        #expect(await office.desk.standings().isEmpty)
    }

    @Test func thousandsOfLeasesComeIntoForceAndEnd() async throws {
        let office = try await LeaseOffice(LeasePolicy(budgetPerHour: 100_000))
        let count = 500
        office.enforcer.state.withLock { $0.isAway = true }
        office.run()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<50 {
                let (desk, request) = (office.desk, office.request(seconds: 1_000_000))
                group.addTask {
                    for number in 0..<count / 50 {
                        var request = request
                        request.target = "10.\(worker).\(number / 200).\(number % 200)"
                        _ = try await desk.apply(request)
                    }
                }
            }
            try await group.waitForAll()
        }
        office.enforcer.state.withLock { $0.isAway = false }
        try await eventually("all are in force") {
            office.time.value = office.time.value.advanced(bySeconds: 1)
            return await office.desk.standings(limit: .max) { $0.phase == .inForce(.readBack) }.count == count
        }
        try await office.restart()
        office.seconds(2_000_000)
        try await eventually("all are over") {
            await office.desk.standings(limit: .max) { $0.phase == .lifted(.expired, isProven: true) }.count == count
        }
        #expect(office.enforcer.blocked.isEmpty)
        await office.stop()
        #expect(try await office.replayed().standings == office.desk.book.standings)
    }
}
