import Foundation
import Guard
import Logging
import Testing

@testable import Tatou

@Suite struct CanaryTests {
    private func canary(_ world: World, strict: Bool = false) -> Canary {
        Canary(
            options: CanaryOptions(
                path: world.folder.path + "/canary/flag", digestPath: world.folder.path + "/state/canary.sha256", isStrict: strict
            ))
    }

    private func round(_ world: World) -> CanaryRound {
        CanaryRound(canary: canary(world), log: world.platform.protection.log, metrics: world.platform.metrics, logger: quiet)
    }

    @Test func whoeverOpensItIsNoticedAndItsOwnWatchIsNot() async throws {
        let world = try await World()
        let canary = canary(world)
        var round = round(world)
        for _ in 0..<3 { round.look() }
        // Made at the first look: upkeep.
        #expect(try await world.events("canary_access").map { $0["event.reason"] } == ["rotation"])
        let content = try String(contentsOfFile: canary.options.path, encoding: .utf8)
        round.look()
        let events = try await world.events("canary_access")
        #expect(events.count == 2)
        #expect(events.last?["event.reason"] == nil)
        #expect(events.last?["log.level"] == "error")
        let secret = content.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(secret.count == 64)
        #expect(try await world.log().contains(secret) == false)
        #expect(try await world.metrics().contains("tatou_canary_accesses_total 1"))
    }

    @Test func aChangeIsReportedOnceAndARegenerationIsNone() async throws {
        let world = try await World()
        let canary = canary(world)
        var round = round(world)
        round.look()
        try canary.regenerate()
        for _ in 0..<3 { round.look() }
        #expect(try await world.events("canary_integrity").isEmpty)
        #expect(try await world.metrics().contains("tatou_canary_intact 1"))
        try FileManager.default.removeItem(atPath: canary.options.path)
        try Data("something else".utf8).write(to: URL(fileURLWithPath: canary.options.path))
        for _ in 0..<5 { round.look() }
        #expect(try await world.events("canary_integrity").map { $0["event.reason"] } == ["hash_mismatch"])
        #expect(try await world.metrics().contains("tatou_canary_intact 0"))
    }

    @Test func aMissingOneIsReported() async throws {
        let world = try await World()
        let canary = canary(world)
        var round = round(world)
        round.look()
        try FileManager.default.removeItem(atPath: canary.options.path)
        for _ in 0..<5 { round.look() }
        #expect(try await world.events("canary_integrity").map { $0["event.reason"] } == ["missing"])
    }

    @Test func strictlyItsPermissionsCountToo() async throws {
        let world = try await World()
        let canary = canary(world, strict: true)
        try canary.regenerate()
        #expect(try canary.state() == .intact)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: canary.options.path)
        #expect(try canary.state() == .exposed)
    }
}
