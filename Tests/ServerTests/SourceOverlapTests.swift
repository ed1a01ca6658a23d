import Foundation
import Ingest
import Testing

@testable import Server

@Suite("Sources that stand for the same file", .timeLimit(.minutes(20)))
struct SourceOverlapTests {
    private func found(_ world: World, _ names: [String]) -> [SourceOverlap] {
        SourceOverlap.find(names.map { SourceOption(path: "\(world.path)/\($0)") })
    }

    private func world() throws -> World {
        let world = try World()
        for name in ["auth.log", "web.log"] { try world.append(["x"], to: "\(world.path)/\(name)") }
        try FileManager.default.createSymbolicLink(atPath: world.path + "/current", withDestinationPath: world.path + "/auth.log")
        try FileManager.default.linkItem(atPath: world.path + "/auth.log", toPath: world.path + "/hard.txt")
        return world
    }

    @Test(
        "a file's own name beside a pattern that matches it, or beside another name of it, is refused",
        arguments: [
            ["auth.log", "*.log"], ["*.log", "auth.log"], ["auth.log", "current"], ["hard.txt", "*.log"],
            ["web.log", "current", "*.log"],
        ])
    func named(names: [String]) throws {
        let world = try world()
        let overlaps = found(world, names)
        #expect(overlaps.allSatisfy(\.isNamed) && !overlaps.isEmpty)
        let error = #expect(throws: ServerError.self) {
            try SourceOverlap.check(names.map { SourceOption(path: "\(world.path)/\($0)") })
        }
        #expect(error?.code == .sources && error?.description.contains("counts twice; leave one of the two out") == true)
    }

    @Test("two patterns that meet are told of once, however many files they have in common")
    func patterns() throws {
        let world = try world()
        let overlaps = found(world, ["*.log", "*[bh].log"])
        #expect(overlaps.count == 1 && overlaps.first?.isNamed == false)
        #expect(overlaps.first?.file == world.path + "/auth.log")
        #expect(try SourceOverlap.check(["*.log", "*[bh].log"].map { SourceOption(path: "\(world.path)/\($0)") }) == overlaps)
    }

    @Test(
        "what has no file in common is fine, and so is what is not there, no file, or the same source twice",
        arguments: [
            ["auth.log", "web.log"], ["*.log"], ["auth.log", "none*"], ["none.log", "none.*"], ["auth.log", "rules/../auth.log"],
            ["rules", "rule*"], ["*.log", "rules/*"],
        ])
    func fine(names: [String]) throws {
        let world = try world()
        #expect(found(world, names).isEmpty)
    }

    @Test("a server does not start with them; a check of the sources names both")
    func start() async throws {
        let world = try world()
        var options = world.options
        options.sources = ["auth.log", "*.log"].map { SourceOption(path: "\(world.path)/\($0)") }
        let sources = options
        await #expect(throws: ServerError.self) { try await withServer(world, sources) { _ in } }
        let checks = try SourceCheck.run(options, now: .system)
        #expect(checks.count == 2 && checks.allSatisfy { $0.isTroubled && $0.problem?.contains("both stand for") == true })
    }
}
