import Archive
import ArgumentParser
import Foundation
import Testing

@testable import CommandLine

@Suite struct ArchiveCommandTests {
    /// A data folder with an archive, gone when the test is over.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.path + "/vigie-\(UUID().uuidString)"

        init() throws { try FileManager.default.createDirectory(atPath: archive, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        var archive: String { path + "/archive" }

        var holds: [LegalHold] {
            get throws { try HoldFolder(archive: archive).holds() }
        }
    }

    @Test func aHoldIsThereWhenTheCommandReturnsAndEndsWithItsRelease() throws {
        let folder = try Folder()
        try ArchiveHold.parse([
            "case-7", "--reason", "letter", "--author", "ada", "--since", "2026-02-01T00:00:00Z", "--data", folder.path,
        ]).run()
        let hold = try #require(try folder.holds.first)
        #expect(hold.name == "case-7" && hold.reason == "letter" && hold.author == "ada")
        #expect(hold.since == 1_769_904_000_000_000_000 && hold.until == nil && hold.released == nil && !hold.isJournalled)
        try ArchiveRelease.parse(["case-7", "--reason", "settled", "--author", "bob", "--data", folder.path]).run()
        let released = try #require(try folder.holds.first)
        #expect(released.released?.author == "bob" && released.released?.reason == "settled" && released.reason == "letter")
    }

    @Test(arguments: [
        ["Case 7", "--reason", "r"], ["../case", "--reason", "r"], ["there", "--reason", "r"],
        ["case-7", "--reason", "r", "--since", "yesterday"],
        ["case-7", "--reason", "r", "--since", "2026-03-02T00:00:00Z", "--until", "2026-03-01T00:00:00Z"],
        ["case-7", "--reason", "r", "--since", "2026-03-01T00:00:00Z", "--until", "2026-03-01T01:00:00+01:00"],
    ])
    func aHoldThatCannotBeIsRefusedAndNothingIsWritten(arguments: [String]) throws {
        let folder = try Folder()
        try ArchiveHold.parse(["there", "--reason", "first", "--data", folder.path]).run()
        let failure = #expect(throws: CommandFailure.self) { try ArchiveHold.parse(arguments + ["--data", folder.path]).run() }
        #expect(failure?.code == .usage)
        #expect(try folder.holds.map(\.reason) == ["first"])
    }

    @Test func whatIsNotThereCannotBeReleasedOrListed() throws {
        let folder = try Folder()
        let release = #expect(throws: CommandFailure.self) {
            try ArchiveRelease.parse(["case-7", "--reason", "r", "--data", folder.path]).run()
        }
        #expect(release?.code == .usage && release?.message.contains("no hold case-7") == true)
        for command in [["list"], ["verify"], ["holds"]] {
            let failure = #expect(throws: CommandFailure.self) {
                var parsed = try ArchiveCommand.parseAsRoot(command + ["--data", folder.path + "/nowhere"])
                try parsed.run()
            }
            #expect(failure?.message.contains("no archive") == true)
        }
    }
}
