import Events
import Foundation
import Ingest
import Testing

/// A folder of logs followed as one source. Time is what the test says it is.
final class FollowedFolder {
    let folder: TemporaryFolder
    let pattern: String
    private(set) var source: FileSource
    private(set) var lines: [String] = []
    /// Of each line, which of the files it was from that have stood under its name.
    private(set) var generations: [Int] = []
    var now = Reading.reference
    private var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))

    init(_ pattern: String = "*.log", files: [String: String] = [:], readsBacklog: Bool = false) throws {
        folder = try TemporaryFolder()
        self.pattern = folder.file(pattern)
        for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name))) }
        source = FollowedFolder.source(self.pattern, nil, readsBacklog, now)
    }

    func write(_ text: String, to name: String) throws { try LogWriter(folder.file(name)).write(text) }

    /// A second passes, and everything that is there is read.
    func drain() {
        now = now.advanced(bySeconds: 2)
        while source.poll(into: &batch, now: now) {
            let name = batch.origin.source.dropFirst(folder.path.count + 1)
            for event in batch.copied(FieldTable()) {
                lines.append("\(name): \(event.text)")
                generations.append(batch.origin.generation)
            }
        }
    }

    /// Stops and starts again from the positions, which go through JSON as the snapshot does.
    func restart(at positions: [FilePosition]? = nil) throws {
        let saved = try JSONEncoder().encode(positions ?? source.positions)
        source = FollowedFolder.source(pattern, try JSONDecoder().decode([FilePosition].self, from: saved), false, now)
    }

    private static func source(_ pattern: String, _ positions: [FilePosition]?, _ backlog: Bool, _ now: Timestamp) -> FileSource {
        FileSource(
            path: pattern, parser: BatchParser(format: .combined, plan: JSONFieldPlan(FieldTable())), resumingAt: positions,
            readsBacklog: backlog, now: now)
    }
}

@Suite("Many logs behind one pattern")
struct FileSourceTests {
    @Test("what matches is read, and what appears later, too")
    func appearing() throws {
        let logs = try FollowedFolder(files: ["a.log": "a1\n", "b.log": "b1\n", "other.txt": "no\n"])
        logs.drain()
        try logs.write("c1\n", to: "c.log")
        try logs.write("a2\n", to: "a.log")
        logs.drain()
        #expect(logs.lines.sorted() == ["a.log: a1", "a.log: a2", "b.log: b1", "c.log: c1"])
        #expect(logs.source.status.files == 3 && logs.source.counters.lines == 4)
        try logs.restart()
        logs.drain()
        #expect(logs.lines.count == 4)
    }

    @Test("a pattern may name folders")
    func folders() throws {
        let logs = try FollowedFolder("*/app-?.log")
        for name in ["one", "two"] {
            try FileManager.default.createDirectory(atPath: logs.folder.file(name), withIntermediateDirectories: false)
            try logs.write("line\n", to: "\(name)/app-1.log")
        }
        logs.drain()
        #expect(logs.lines.sorted() == ["one/app-1.log: line", "two/app-1.log: line"])
    }

    @Test("nothing matches yet: it says so, and waits")
    func nothing() throws {
        let logs = try FollowedFolder()
        logs.drain()
        #expect(logs.source.status.state == "waiting" && logs.source.status.problem.contains("no file matches"))
        try logs.write("line\n", to: "a.log")
        logs.drain()
        #expect(logs.source.status.state == "following" && logs.source.status.problem.isEmpty)
    }

    @Test("rotated files that match as well are read as their log's, and not again as logs of their own")
    func rotatedNames() throws {
        let logs = try FollowedFolder("*.log*", files: ["a.log": "a1\n"], readsBacklog: true)
        logs.drain()
        try FileManager.default.moveItem(atPath: logs.folder.file("a.log"), toPath: logs.folder.file("a.log.1"))
        logs.drain()
        try logs.write("a2\n", to: "a.log")
        logs.drain()
        try logs.restart()
        logs.drain()
        #expect(logs.lines == ["a.log: a1", "a.log: a2"])
    }

    @Test("a file that gets another name that matches, and further names of a file, are not read again")
    func aliases() throws {
        let logs = try FollowedFolder(files: ["a.log": "a1\n"])
        try FileManager.default.linkItem(atPath: logs.folder.file("a.log"), toPath: logs.folder.file("hard.log"))
        try FileManager.default.createSymbolicLink(
            atPath: logs.folder.file("soft.log"), withDestinationPath: logs.folder.file("a.log"))
        logs.drain()
        try FileManager.default.removeItem(atPath: logs.folder.file("hard.log"))
        try FileManager.default.moveItem(atPath: logs.folder.file("a.log"), toPath: logs.folder.file("moved.log"))
        logs.drain()
        try logs.write("b1\n", to: "a.log")
        for _ in 0..<8 { logs.drain() }
        try logs.restart()
        logs.drain()
        #expect(logs.lines == ["a.log: a1", "a.log: b1"])
    }

    @Test("a log that gets another name for good is read on under it, each line once", arguments: [false, true], [false, true])
    func renamedForGood(_ restarts: Bool, _ intoOtherFolder: Bool) throws {
        let logs = try FollowedFolder("*/*.log")
        for name in ["one", "two"] {
            try FileManager.default.createDirectory(atPath: logs.folder.file(name), withIntermediateDirectories: false)
        }
        let new = intoOtherFolder ? "two/new.log" : "one/new.log"
        try logs.write("1\n", to: "one/old.log")
        try logs.write("other\n", to: "two/other.log")
        logs.drain()
        try FileManager.default.moveItem(atPath: logs.folder.file("one/old.log"), toPath: logs.folder.file(new))
        try logs.write("2\n", to: new)
        logs.drain()
        if restarts { try logs.restart() }
        for number in 3...6 {
            for _ in 0..<8 { logs.drain() }
            if restarts { try logs.restart() }
            try logs.write("\(number)\n", to: new)
            logs.drain()
        }
        let lines = logs.lines.filter { !$0.hasSuffix("other") }
        #expect(lines.map { String($0.suffix(1)) } == (1...6).map { "\($0)" })
        #expect(lines.first == "one/old.log: 1" && lines.last == "\(new): 6")
        // Back again: numbered after what stood under that name first.
        try FileManager.default.moveItem(atPath: logs.folder.file(new), toPath: logs.folder.file("one/old.log"))
        for _ in 0..<8 { logs.drain() }
        try logs.write("7\n", to: "one/old.log")
        logs.drain()
        #expect(logs.lines.last == "one/old.log: 7" && logs.lines.count == 8)
        #expect(logs.generations.last == 1)
    }

    @Test("a further name of which an earlier version kept nothing else is read")
    func aliasAlone() throws {
        let logs = try FollowedFolder(files: ["a.log": "a1\n"])
        logs.drain()
        let position = try #require(logs.source.positions.first)
        var alias = position
        alias.isAlias = true
        try logs.restart(at: [alias])
        logs.drain()
        #expect(logs.lines == ["a.log: a1", "a.log: a1"])
    }

    @Test("logs of several processes, told apart by a number, are each followed from their beginning once they grow")
    func numbered() throws {
        let logs = try FollowedFolder(
            files: ["web.log": "w\n", "web-1.log": "a\n", "web-2.log": "b\n", "web-20260301.log": "old\n"], readsBacklog: true)
        logs.drain()
        logs.drain()
        // Only the one with a date is a rotated one.
        #expect(logs.lines == ["web.log: old", "web.log: w"])
        try logs.write("a2\n", to: "web-1.log")
        logs.drain()
        try logs.restart()
        try logs.write("a3\n", to: "web-1.log")
        logs.drain()
        #expect(logs.lines.dropFirst(2) == ["web-1.log: a", "web-1.log: a2", "web-1.log: a3"])
    }

    @Test("what rotation numbers in front of the ending is read once, through many rotations")
    func numberedByRotation() throws {
        let logs = try FollowedFolder(files: ["app.log": ""])
        for round in 0..<6 {
            try logs.write("\(round)\n", to: "app.log")
            for _ in 0..<8 { logs.drain() }
            for number in stride(from: 9, to: 0, by: -1) {
                let old = logs.folder.file("app-\(number).log")
                guard FileManager.default.fileExists(atPath: old) else { continue }
                try FileManager.default.moveItem(atPath: old, toPath: logs.folder.file("app-\(number + 1).log"))
            }
            try FileManager.default.moveItem(atPath: logs.folder.file("app.log"), toPath: logs.folder.file("app-1.log"))
            try logs.write("", to: "app.log")
        }
        logs.drain()
        #expect(logs.lines == (0..<6).map { "app.log: \($0)" })
    }

    @Test("files that go away are forgotten, and one that cannot be read is named")
    func leaving() throws {
        let logs = try FollowedFolder(files: ["a.log": "a1\n", "b.log": "b1\n"])
        try FileManager.default.createDirectory(atPath: logs.folder.file("folder.log"), withIntermediateDirectories: false)
        logs.drain()
        try FileManager.default.removeItem(atPath: logs.folder.file("a.log"))
        for _ in 0..<8 { logs.drain() }
        #expect(logs.source.status.files == 1)
        #expect(logs.source.status.problem.contains("folder.log"))
        #expect(logs.source.counters.gaps == 0 && logs.source.counters.lines == 2)
    }

    @Test("a log that is made anew, however long it was away, is the next generation, also over restarts")
    func comingBack() throws {
        let logs = try FollowedFolder(files: ["daily.log": "0\n", "other.log": "other\n"])
        logs.drain()
        for round in 1...3 {
            try FileManager.default.removeItem(atPath: logs.folder.file("daily.log"))
            for _ in 0..<8 { logs.drain() }
            #expect(logs.source.status.files == 1)
            if round > 1 { try logs.restart() }
            if round > 2 {
                logs.drain()
                try logs.restart()
            }
            try logs.write("\(round)\n", to: "daily.log")
            logs.drain()
        }
        let daily = zip(logs.lines, logs.generations).filter { $0.0.hasPrefix("daily.log") }
        #expect(daily.map { $0.0 } == (0...3).map { "daily.log: \($0)" })
        #expect(daily.map { $0.1 } == [0, 1, 2, 3])
    }

    @Test("many more files than may be open: each line comes once, over a restart, and descriptors are bounded")
    func manyFiles() throws {
        let count = 500
        let logs = try FollowedFolder()
        for number in 0..<count { try logs.write("\(number) one\n", to: "f\(number).log") }
        logs.drain()
        #expect((1...64).contains(logs.descriptors))
        #expect(Set(logs.lines).count == count && logs.lines.count == count)
        for number in stride(from: 0, to: count, by: 7) { try logs.write("\(number) two\n", to: "f\(number).log") }
        try logs.restart()
        logs.drain()
        for number in stride(from: 0, to: count, by: 11) { try logs.write("\(number) three\n", to: "f\(number).log") }
        logs.drain()
        let expected = count + (count + 6) / 7 + (count + 10) / 11
        #expect(Set(logs.lines).count == expected && logs.lines.count == expected)
        #expect(logs.source.status.files == count)
    }

    @Test("reading very many short files takes some looks at each, not at all of them for each")
    func looks() throws {
        let count = 4_000
        let logs = try FollowedFolder(files: Dictionary(uniqueKeysWithValues: (0..<count).map { ("\($0).log", "one\n") }))
        logs.drain()
        #expect(logs.lines.count == count)
        #expect(logs.source.looks < 20 * count)
        let before = logs.source.looks
        for number in stride(from: 0, to: count, by: 4) { try logs.write("two\n", to: "\(number).log") }
        for _ in 0..<4 { logs.drain() }
        #expect(logs.lines.count == count + count / 4)
        #expect(logs.source.looks - before < 20 * count)
    }

    @Test("a rotation storm over a pattern: each line once")
    func rotations() throws {
        let logs = try FollowedFolder(files: ["a.log": "", "b.log": ""])
        for round in 0..<20 {
            for name in ["a", "b"] {
                try logs.write("\(name)\(round)\n", to: "\(name).log")
                if round % 3 != 1 { logs.drain() }
                if round.isMultiple(of: 5) { try logs.restart() }
                let path = logs.folder.file("\(name).log")
                for number in stride(from: 30, to: 0, by: -1) where FileManager.default.fileExists(atPath: "\(path).\(number)") {
                    try FileManager.default.moveItem(atPath: "\(path).\(number)", toPath: "\(path).\(number + 1)")
                }
                try FileManager.default.moveItem(atPath: path, toPath: "\(path).1")
                try logs.write("", to: "\(name).log")
            }
        }
        for _ in 0..<3 { logs.drain() }
        #expect(logs.lines.sorted() == (0..<20).flatMap { ["a.log: a\($0)", "b.log: b\($0)"] }.sorted())
    }
}

extension FollowedFolder {
    /// How many files of the folder this process has open.
    var descriptors: Int {
        let own = "/proc/self/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: own)) ?? []
        return names.count {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(own)/\($0)"))?.hasPrefix(folder.path) == true
        }
    }
}
