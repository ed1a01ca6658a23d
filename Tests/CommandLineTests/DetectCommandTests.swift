import ArgumentParser
import Events
import Testing

@testable import CommandLine

@Suite struct DetectCommandTests {
    @Test(arguments: [
        (["--since", "2026-03-01T00:00:00Z", "a.log"], "--since"), (["--until", "2026-03-01T00:00:00Z", "a.log"], "--until"),
        (["--filter", "a=b", "a.log"], "--filter"), (["--source", "a.log", "a.log"], "--source"),
        (["--count-by", "a", "a.log"], "--count-by"), (["--json", "-"], "--json"),
        (["--archive", "data", "/nope"], "log files"), (["--archive", "data", "--format", "auto"], "--format"),
        (["--archive", "data", "--reference-time", "2026-03-01T00:00:00Z"], "--reference-time"),
        (["--archive", "data", "--lines"], "--lines"),
    ])
    func anOptionThatWouldNotBeLookedAtIsRefused(arguments: [String], named: String) {
        let error = #expect(throws: (any Error).self) { try DetectCommand.parse(arguments) }
        #expect(error.map { DetectCommand.message(for: $0) }?.hasPrefix(named) == true)
    }

    @Test(arguments: [
        ["--rules", "r", "--format", "json", "--reference-time", "2026-03-01T00:00:00Z", "--lines", "a.log"], [], ["-"],
        ["--archive", "data", "--rules", "r", "--filter", "a=b", "--source", "a", "--count-by", "a", "--json"],
    ])
    func whatFitsTogetherIsTaken(arguments: [String]) throws {
        _ = try DetectCommand.parse(arguments)
    }

    @Test func aHuntReachesAsFarAheadAsAnEventMayLie() throws {
        let now = Timestamp(seconds: 1_772_359_200)
        let open = try HuntOptions.parse(["--archive", "data"]).range(now: now)
        #expect(open.since == nil && open.until == now.advanced(bySeconds: 86_400))
        let given = try HuntOptions.parse(["--since", "2026-03-01T10:00:00Z", "--until", "2026-03-01T10:00:01Z"]).range(now: now)
        #expect(given.since == now && given.until == now.advanced(bySeconds: 1))
    }

    @Test(arguments: [
        ["--since", "2026-03-02T00:00:00Z", "--until", "2026-03-01T00:00:00Z"], ["--since", "2026-03-03T00:00:00Z"],
    ])
    func aHuntOverNoTimeIsRefused(arguments: [String]) throws {
        let options = try HuntOptions.parse(arguments)
        let failure = #expect(throws: CommandFailure.self) { try options.range(now: Timestamp(seconds: 1_772_359_200)) }
        #expect(failure?.code == .usage)
    }
}
