import Events
import Foundation
import Journal
import Testing

/// What somebody with write access to the data folder might do to it, one thing at a time. Each has to be found and named.
@Suite("Faults put into a journal")
struct FaultTableTests {
    private let signed: SignedJournal

    init() throws {
        signed = try SignedJournal()
    }

    /// The verifier's word on the folder: a code for each thing that is wrong, with its file.
    private func verdict(against others: [(file: String, bytes: [UInt8])] = []) -> [(code: String, file: String)] {
        do {
            return try signed.problems(against: others).map { ($0.code, $0.file) }
        } catch JournalError.damaged(let damage) {
            return [("damaged", damage.file)]
        } catch {
            return [("\(error)", "")]
        }
    }

    private func files(_ folder: String) -> [String] {
        var found: [String] = []
        for case let name as String in FileManager.default.enumerator(atPath: signed.file(folder)) ?? .init() {
            var isFolder: ObjCBool = false
            let path = signed.file("\(folder)/\(name)")
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue { found.append(path) }
        }
        return found.sorted()
    }

    @Test("every byte of every file of the tree: found, in that file")
    func treeBytes() async throws {
        // Few and small entries: a full tile would cost this test minutes and show nothing new.
        try await signed.fill(3)
        var tried = 0
        var named = 0
        for path in files("tlog") + [signed.file("acknowledged")] {
            // Partial tiles of sizes before the newest are nobody's word any more.
            if path.contains(".p/"), !path.hasSuffix("/3") { continue }
            let whole = try Files.read(path)
            for position in whole.indices {
                for mask in [0x01, 0x80] as [UInt8] {
                    var bytes = whole
                    bytes[position] ^= mask
                    try Files.write(bytes, to: path)
                    tried += 1
                    let found = verdict()
                    if found.contains(where: { $0.file == path }) {
                        named += 1
                    } else {
                        Issue.record("\(path) byte \(position): \(found)")
                    }
                }
            }
            try Files.write(whole, to: path)
        }
        #expect(verdict().isEmpty)
        #expect(named == tried && tried > 1_000)
        print("single-byte changes in tree files: \(named) of \(tried) found and named")
    }

    /// Puts segments that another history wrote, with all their hashes right, in place of the real ones.
    private func forge(_ numbers: [Int]) async throws {
        let forger = try SignedJournal()
        let (journal, _) = try forger.open()
        for number in numbers { _ = try await journal.append([Sample.draft(number)], at: Sample.start) }
        await journal.close()
        try? FileManager.default.removeItem(atPath: signed.file("acknowledged"))
        try Files.write(try Files.read(forger.file("00000000000000000000.log")), to: signed.file("00000000000000000000.log"))
    }

    @Test(
        "entries deleted, reordered, doubled or changed by somebody who makes all frames and hashes anew",
        arguments: [
            ("deleted at the end", Array(0..<29), "entries-missing"),
            ("deleted in the middle", Array(0..<12) + Array(13..<30), "entries-missing"),
            ("deleted, and one put behind", Array(0..<12) + Array(13..<31), "forked"),
            ("reordered", Array(0..<12) + [13, 12] + Array(14..<30), "forked"),
            ("doubled", Array(0..<12) + [11] + Array(12..<30), "forked"),
            ("changed", Array(0..<12) + [99] + Array(13..<30), "forked"),
        ])
    func rewritten(name: String, numbers: [Int], code: String) async throws {
        try await signed.fill(30)
        try await forge(numbers)
        #expect(verdict().contains { $0.code == code }, "\(name): \(verdict())")
        #expect(throws: JournalError.self, "a start refuses it, too") { _ = try signed.open() }
    }

    @Test("an older checkpoint, a fork signed with the stolen key, and the whole folder put back")
    func rollbacks() async throws {
        try await signed.fill(20)
        let old = try Files.read(signed.file("tlog/checkpoint"))
        let oldMark = try Files.read(signed.file("tlog/published"))
        let before = signed.folder.file("before")
        try FileManager.default.copyItem(atPath: signed.path, toPath: before)
        try await signed.fill(20, from: 20)
        let newest = (file: "witness's", bytes: try Files.read(signed.file("tlog/checkpoint")))
        #expect(verdict(against: [newest]).isEmpty)

        try Files.write(old, to: signed.file("tlog/checkpoint"))
        #expect(verdict().contains { $0.code == "checkpoint-rolled-back" && $0.file == signed.file("tlog/checkpoint") })
        // With its mark: only who holds the newer one can tell.
        try Files.write(oldMark, to: signed.file("tlog/published"))
        #expect(verdict().isEmpty)
        #expect(verdict(against: [newest]).contains { $0.code == "checkpoint-rolled-back" })

        // The whole folder as it was.
        try FileManager.default.removeItem(atPath: signed.path)
        try FileManager.default.copyItem(atPath: before, toPath: signed.path)
        #expect(verdict().isEmpty)
        #expect(Set(verdict(against: [newest]).map(\.code)) == ["checkpoint-rolled-back", "entries-missing"])

        // Another history under the same key.
        let fork = try SignedJournal()
        try await fork.fill(60, from: 1)
        try FileManager.default.removeItem(atPath: signed.path)
        try FileManager.default.copyItem(atPath: fork.path, toPath: signed.path)
        #expect(verdict().isEmpty)
        #expect(verdict(against: [newest]).map(\.code) == ["forked"])
        #expect(verdict(against: [newest]).map(\.file) == ["witness's"])
    }

    @Test("checkpoint and tiles missing, swapped, foreign, or of another log")
    func files() async throws {
        try await signed.fill(600)
        let checkpoint = signed.file("tlog/checkpoint")
        let first = signed.file("tlog/tile/0/000")
        let second = signed.file("tlog/tile/0/001")
        let bundle = signed.file("tlog/tile/entries/000")
        let right = try Files.read(checkpoint)

        func expect(_ code: String, _ file: String, _ fault: () throws -> Void, undo: () throws -> Void) throws {
            try fault()
            let found = verdict()
            #expect(found.contains { $0.code == code && $0.file == file }, "\(code) \(file): \(found)")
            try undo()
            #expect(verdict().isEmpty)
        }
        for (path, code) in [(checkpoint, "checkpoint-missing"), (first, "tile-missing"), (bundle, "bundle-missing")] {
            let whole = try Files.read(path)
            try expect(code, path) {
                try FileManager.default.removeItem(atPath: path)
            } undo: {
                try Files.write(whole, to: path)
            }
        }
        let tiles = (try Files.read(first), try Files.read(second))
        for path in [first, second] {
            try expect("tile", path) {
                try Files.write(tiles.1, to: first)
                try Files.write(tiles.0, to: second)
            } undo: {
                try Files.write(tiles.0, to: first)
                try Files.write(tiles.1, to: second)
            }
        }
        let foreign = signed.file("tlog/tile/0/0000")
        try expect("foreign-file", foreign) {
            try Files.write([1], to: foreign)
        } undo: {
            try FileManager.default.removeItem(atPath: foreign)
        }
        let stranger = try SignedJournal(seed: 77)
        try await stranger.fill(600)
        try expect("checkpoint", checkpoint) {
            try Files.write(try Files.read(stranger.file("tlog/checkpoint")), to: checkpoint)
        } undo: {
            try Files.write(right, to: checkpoint)
        }
    }

    @Test("clocks that step back and forth change nothing")
    func clockSteps() async throws {
        let (journal, tree) = try signed.open()
        for step in [0, 86_400, -86_400, 1, -1_000_000_000, 1_000_000_000] as [Int64] {
            _ = try await journal.append([Sample.draft(1)], at: Sample.start.advanced(bySeconds: step))
            try await tree.publish()
        }
        await journal.close()
        #expect(verdict().isEmpty)
        let (again, _) = try signed.open()
        #expect(again.count == 6)
    }

    @Test("killed while entries are appended and checkpoints signed: every time all verifies, nothing acknowledged is gone")
    func killed() async throws {
        let path = signed.path
        let receipt = signed.folder.file("receipt")
        for round in 0..<5 {
            let result = try await #require(processExitsWith: .failure) {
                [path = path as String, receipt = receipt as String, round = round as Int] in
                let signer = try NoteSigner(kind: .ed25519, random: Sample.random(9)) { _ in "log.example/a" }
                let journal = try Journal.open(directory: path, keys: InMemorySubjectKeys(), segmentLimit: 100_000)
                let tree = try JournalTree.open(journal: journal, signer: signer)
                _ = FileManager.default.createFile(atPath: receipt, contents: nil)
                let file = try #require(FileHandle(forWritingAtPath: receipt))
                let limit = journal.count + UInt64(150 + round * 37)
                await withTaskGroup(of: Void.self) { group in
                    group.addTask {
                        while true { guard (try? await tree.publish()) != nil else { return } }
                    }
                    for caller in 0..<4 {
                        group.addTask {
                            while true {
                                guard
                                    let last = try? await journal.append([Sample.draft(caller, size: 100)], at: Sample.start).last
                                else { return }
                                try? file.write(contentsOf: Data("\(last.sequence)\n".utf8))
                                if last.sequence > limit { kill(getpid(), SIGKILL) }
                            }
                        }
                    }
                }
            }
            #expect(result.exitStatus == .signal(SIGKILL))
            #expect(verdict().isEmpty, "round \(round): \(verdict())")
            let acknowledged = try String(contentsOfFile: receipt, encoding: .utf8).split(separator: "\n").compactMap {
                UInt64($0)
            }.max()
            let (journal, tree) = try signed.open()
            #expect(journal.count > acknowledged ?? 0)
            try await tree.publish()
            await journal.close()
            #expect(verdict().isEmpty)
        }
    }
}
