import Events
import Foundation
import Ingest
import Testing

@Suite("Resuming where reading ended")
struct RestartTests {
    private let content = "a\n\nsecond line\r\nthird é\n\r\nlast"

    /// Blank lines are no events: what is compared are the others.
    private func expectWhole(_ log: FollowedLog, _ comment: String) {
        #expect(
            log.lines.map(\.description) == ["0:0:1 a", "0:3:3 second line", "0:16:4 third é", "0:27:6 last"], "\(comment)")
    }

    @Test("stopped after every byte of a file that is being written, each line comes once")
    func everyByte() throws {
        let bytes = Array(content.utf8)
        for length in 0...bytes.count {
            let log = try FollowedLog(containing: "")
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log.path))
            try handle.write(contentsOf: Data(bytes[..<length]))
            log.drain()
            try log.restart()
            log.drain()
            try log.restart()
            try handle.write(contentsOf: Data(bytes[length...]))
            log.finish()
            expectWhole(log, "after \(length) bytes")
        }
    }

    @Test("stopped after every byte and renamed meanwhile, each line comes once")
    func everyByteRenamed() throws {
        let bytes = Array(content.utf8)
        for length in 0...bytes.count {
            let log = try FollowedLog(containing: "")
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: log.path))
            try handle.write(contentsOf: Data(bytes[..<length]))
            log.drain()
            try rotate(log)
            try handle.write(contentsOf: Data(bytes[length...]))
            try log.restart()
            try LogWriter(log.path).write("new\n")
            log.drain()
            log.retire()
            #expect(log.lines.filter { $0.generation == 1 }.map(\.description) == ["1:0:1 new"], "after \(length) bytes")
            #expect(
                log.lines.filter { $0.generation == 0 }.map(\.text) == ["a", "second line", "third é", "last"],
                "after \(length) bytes")
        }
    }

    @Test("a replay from an earlier position gives the same lines with the same places")
    func replay() throws {
        let log = try FollowedLog(containing: "one\ntwo\n")
        let writer = try LogWriter(log.path)
        log.drain()
        let saved = log.tail.positions
        try writer.write("three\n")
        try rotate(log)
        try LogWriter(log.path).write("four\n")
        log.drain()
        let firstTime = log.lines.dropFirst(2).map(\.description)
        try log.restart(at: saved)
        log.drain()
        #expect(firstTime == ["0:8:3 three", "1:0:1 four"])
        #expect(log.lines.dropFirst(4).map(\.description) == firstTime)
    }

    @Test("an old file is read on after a restart while it is unfinished")
    func unfinishedOldFile() throws {
        let log = try FollowedLog(containing: "a1\n")
        let old = try LogWriter(log.path)
        log.drain()
        try rotate(log)
        let new = try LogWriter(log.path)
        try new.write("b1\n")
        try old.write("a2\nhal")
        log.drain()
        #expect(log.tail.positions.map(\.generation) == [0, 1])
        try log.restart()
        try old.write("f\n")
        try new.write("b2\n")
        log.drain()
        #expect(log.lines.map(\.description).sorted() == ["0:0:1 a1", "0:3:2 a2", "0:6:3 half", "1:0:1 b1", "1:3:2 b2"])
        #expect(log.tail.positions.map(\.generation) == [0, 1])
    }

    @Test("an old file unfinished at the stop, and the next one renamed while nobody looked: both are read to their end")
    func twoOldFiles() throws {
        let log = try FollowedLog(containing: "a1\n")
        let first = try LogWriter(log.path)
        log.drain()
        try rotate(log, to: ".2")
        let second = try LogWriter(log.path)
        try second.write("b1\n")
        log.drain()
        let saved = log.tail.positions
        try first.write("a2\n")
        try second.write("b2\n")
        try rotate(log)
        try LogWriter(log.path).write("c1\n")
        try log.restart(at: saved)
        log.drain()
        #expect(log.lines.map(\.description).sorted() == ["0:0:1 a1", "0:3:2 a2", "1:0:1 b1", "1:3:2 b2", "2:0:1 c1"])
    }

    @Test("renamed and cut away while nobody looked: what stands there is read from its beginning")
    func gone() throws {
        let log = try FollowedLog(containing: "a1\n")
        log.drain()
        try FileManager.default.removeItem(atPath: log.path)
        try log.restart()
        log.drain()
        #expect(log.tail.status.state == "waiting")
        try LogWriter(log.path).write("b1\n")
        log.drain()
        #expect(log.lines.map(\.description) == ["0:0:1 a1", "1:0:1 b1"])
    }

    @Test("a log that was away over several restarts is the next generation when it comes back")
    func awayForLong() throws {
        let log = try FollowedLog(containing: "a1\n")
        log.drain()
        try FileManager.default.removeItem(atPath: log.path)
        for _ in 0..<3 {
            try log.restart()
            log.drain()
        }
        try LogWriter(log.path).write("b1\n")
        log.drain()
        #expect(log.lines.map(\.description) == ["0:0:1 a1", "1:0:1 b1"])
        #expect(log.counters.rotations == 1)
    }

    @Test("the number of a file that was let go before the stop is not given again")
    func switchedBack() throws {
        let log = try FollowedLog()
        for name in ["blue", "green"] { try LogWriter(log.folder.file(name)).write("\(name)\n") }
        for name in ["blue", "green", "blue"] {
            try? FileManager.default.removeItem(atPath: log.path)
            try FileManager.default.createSymbolicLink(atPath: log.path, withDestinationPath: name)
            log.drain()
        }
        log.retire()
        try log.restart()
        try FileManager.default.removeItem(atPath: log.path)
        try FileManager.default.createSymbolicLink(atPath: log.path, withDestinationPath: "red")
        try LogWriter(log.folder.file("red")).write("red\n")
        log.drain()
        #expect(log.lines.map(\.description) == ["0:0:1 blue", "1:0:1 green", "2:0:1 red"])
    }

    @Test("the target of a switched symbolic link is found again in its own folder")
    func linkedElsewhere() throws {
        let log = try FollowedLog()
        try FileManager.default.createDirectory(atPath: log.folder.file("logs"), withIntermediateDirectories: false)
        try LogWriter(log.folder.file("logs/monday")).write("m1\n")
        try FileManager.default.createSymbolicLink(atPath: log.path, withDestinationPath: "logs/monday")
        log.drain()
        try LogWriter(log.folder.file("logs/monday")).write("m2\n")
        try LogWriter(log.folder.file("logs/tuesday")).write("t1\n")
        try FileManager.default.removeItem(atPath: log.path)
        try FileManager.default.createSymbolicLink(atPath: log.path, withDestinationPath: "logs/tuesday")
        try log.restart()
        log.drain()
        #expect(log.lines.map(\.description) == ["0:0:1 m1", "0:3:2 m2", "1:0:1 t1"])
    }

    @Test("stopped inside an over-long line, its rest is not taken for a line")
    func overlong() throws {
        let limit = LineAssembler.maximumLineBytes
        let log = try FollowedLog(containing: String(repeating: "x", count: limit + 100))
        let writer = try LogWriter(log.path)
        log.drain()
        #expect(log.lines.count == 1)
        try log.restart()
        try writer.write("yyy\nnext\n")
        log.drain()
        #expect(log.lines.map(\.number) == [1, 2])
        #expect(log.lines.last?.text == "next" && log.lines.last?.offset == Int64(limit + 104))
    }

    @Test("positions that cannot be true are refused: the file is read from its beginning")
    func implausible() throws {
        let log = try FollowedLog(containing: "one\ntwo\n")
        log.drain()
        let good = try #require(log.tail.positions.first)
        var bad: [FilePosition] = []
        for offset in [-1, 9, Int64.max, .min] { bad.append(good.changed { $0.offset = offset }) }
        for line in [0, -1, Int64.min] { bad.append(good.changed { $0.line = line }) }
        for generation in [-1, Int.min, .max] { bad.append(good.changed { $0.generation = generation }) }
        for count in [-1, Int.min, 1_025, .max, 3] { bad.append(good.changed { $0.head.count = count }) }
        for position in bad {
            try log.restart(at: [position])
            let before = log.lines.count
            log.drain()
            #expect(log.texts.dropFirst(before) == ["one", "two"], "\(position)")
        }
    }
}

extension FilePosition {
    fileprivate func changed(_ change: (inout FilePosition) -> Void) -> FilePosition {
        var copy = self
        change(&copy)
        return copy
    }
}
