import Events
import Foundation
import Journal
import Testing

@testable import Server

@Suite("Killed and started again")
struct KillTests {
    private static let lineCount = 20_000

    /// Attacks of single lines, and slow guessing of ten addresses: at any place of the log there are windows half full.
    private static func line(_ number: Int) -> String {
        if number % 53 == 0 { return Line.attack(number, from: "203.0.113.\(number % 5)") }
        if number % 7 == 0 { return Line.web("POST /login", from: "198.51.100.\(number / 7 % 10)", status: 401, at: number) }
        return Line.benign(number)
    }

    /// The log is written in pieces, each only when the snapshot says that the one before was read; each kill comes right
    /// after another piece was written. So the places are where they are on any machine.
    @Test("kill -9 in the midst of a log: each finding is there once, as if nothing had happened", .timeLimit(.minutes(20)))
    func kills() async throws {
        let world = try World()
        let lines = (0..<Self.lineCount).map(Self.line)
        let size = Int64(lines.reduce(0) { $0 + $1.utf8.count + 1 })
        let arguments = [
            "serve", "--data", world.options.dataFolder, "--listen", "127.0.0.1:0", "--rules", world.options.rules[0],
            "--policies", world.policies,
            "combined:" + world.log,
        ]
        var written = 0
        func write(upTo percent: Int) throws {
            let end = lines.count * percent / 100
            try world.append(Array(lines[written..<end]))
            written = end
        }

        var places: [Double] = []
        for (seen, behind) in [(20, 35), (45, 60), (70, 90)] {
            try write(upTo: seen)
            let program = try Program(arguments)
            let wanted = Int64(lines[..<written].reduce(0) { $0 + $1.utf8.count + 1 })
            try await eventually("\(seen) % are read") { try program.isRunning == false || world.snapshotOffset() == wanted }
            #expect(program.isRunning)
            try write(upTo: behind)
            program.kill()
            places.append(Double(try world.snapshotOffset() ?? 0) / Double(size))
        }
        #expect(places.allSatisfy { (0.05...0.95).contains($0) })

        try write(upTo: 100)
        let program = try Program(arguments)
        try await eventually("all is read") { try program.isRunning == false || world.snapshotOffset() == size }
        #expect(program.stop() == 0)
        let killed = try await world.findings()
        try await expectRebuildEqualsLive(world.data)

        var uninterrupted = world.options
        uninterrupted.dataFolder = world.path + "/uninterrupted"
        try await withServer(world, uninterrupted) { running in
            try await eventually("all is read") { await running.server.watch.statuses.first?.counters.lines == Self.lineCount }
        }
        let whole = try await world.findings(in: DataFolder(path: uninterrupted.dataFolder))
        #expect(killed == whole)
        #expect(killed.count > Self.lineCount / 53)
        // Each once: beside evidence, findings and what opened their incidents are all that either journal holds.
        for folder in [world.data, DataFolder(path: uninterrupted.dataFolder)] {
            let entries = try world.entries(in: folder).filter {
                !$0.type.hasPrefix("evidence.") && !$0.type.hasSuffix(".loaded")
            }
            #expect(entries.count == whole.count + Set(whole.values).count)
        }
    }

    @Test("SIGTERM ends it cleanly, with everything saved")
    func terminated() async throws {
        let world = try World()
        try world.append((0..<10).map { Line.attack($0) })
        let program = try Program(
            [
                "serve", "--data", world.options.dataFolder, "--listen", "127.0.0.1:0", "--rules", world.options.rules[0],
                "--policies", world.policies,
                "combined:" + world.log,
            ])
        try await eventually("the log is read") { try program.isRunning == false || world.snapshotOffset() ?? 0 > 0 }
        #expect(program.stop() == 0)
        #expect(try await world.findings().count == 10)
        try await expectRebuildEqualsLive(world.data)
    }
}
