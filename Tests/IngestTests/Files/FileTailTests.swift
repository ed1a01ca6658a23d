import Events
import Foundation
import Glibc
import Ingest
import Testing

@Suite("Following a file")
struct FileTailTests {
    @Test("what is there is read, and what is written to it")
    func append() throws {
        let log = try FollowedLog(containing: "one\ntwo\n")
        let writer = try LogWriter(log.path)
        log.drain()
        #expect(log.texts == ["one", "two"])
        #expect(!log.pollOnce())
        try writer.write("three\n")
        log.drain()
        #expect(log.lines.map(\.description) == ["0:0:1 one", "0:4:2 two", "0:8:3 three"])
        #expect(log.counters.bytes == 14 && log.counters.lines == 3 && log.counters.rotations == 0)
        #expect(log.tail.status.state == "following" && log.tail.status.lagBytes == 0)
    }

    @Test("a line is given when it has ended, in however many pieces it is written")
    func halfLines() throws {
        let log = try FollowedLog(containing: "")
        let writer = try LogWriter(log.path)
        for piece in ["on", "e", "\r", "\ntw", "o\n", "thr"] {
            try writer.write(piece)
            log.drain()
            log.drain()
        }
        #expect(log.texts == ["one", "two"])
        #expect(log.tail.status.lagBytes == 3)
        #expect(log.counters.bytes == 9 && log.counters.partial == 0)
        log.finish()
        #expect(log.texts == ["one", "two", "thr"])
        #expect(log.counters.partial == 1 && log.counters.bytes == 12)
    }

    @Test("a file of several chunks comes out whole")
    func large() throws {
        let filling = String(repeating: "x", count: 600)
        let text = (1...4_000).map { "line \($0) \(filling)\n" }.joined()
        #expect(text.utf8.count > 2 * FileTail.chunkBytes)
        let log = try FollowedLog(containing: text)
        #expect(log.pollOnce())
        try log.restart()
        log.drain()
        #expect(log.lines.map(\.number) == Array(1...4_000))
        #expect(log.lines.last?.text == "line 4000 \(filling)")
    }

    @Test("a renamed file is read on while its writer keeps it open")
    func renamed() throws {
        let log = try FollowedLog(containing: "a1\n")
        let old = try LogWriter(log.path)
        log.drain()
        try rotate(log)
        try old.write("a2\n")
        let new = try LogWriter(log.path)
        try new.write("b1\n")
        log.drain()
        try old.write("a3\n")
        try new.write("b2\n")
        log.drain()
        #expect(Set(log.lines.map(\.description)) == ["0:0:1 a1", "0:3:2 a2", "0:6:3 a3", "1:0:1 b1", "1:3:2 b2"])
        #expect(log.lines.count == 5)
        #expect(log.counters.rotations == 1)
        #expect(log.tail.positions.map(\.generation) == [0, 1])
        log.retire()
        #expect(log.tail.positions.map(\.generation) == [1])
    }

    @Test("a renamed file is let go only after it has been silent, and its half line is given then")
    func retirement() throws {
        let log = try FollowedLog(containing: "a1\n")
        let old = try LogWriter(log.path)
        log.drain()
        try rotate(log)
        try old.write("a2")
        let new = try LogWriter(log.path)
        log.drain()
        for _ in 0..<5 {
            log.now = log.now.advanced(bySeconds: FileTail.retirement)
            try old.write("x")
            log.drain()
        }
        #expect(log.tail.positions.count == 2 && log.texts == ["a1"])
        log.retire()
        #expect(log.texts == ["a1", "a2xxxxx"])
        #expect(log.counters.partial == 1)
        try new.write("b1\n")
        log.drain()
        #expect(log.lines.last?.description == "1:0:1 b1")
    }

    @Test("rotations that follow one another faster than silence are all read to their end")
    func manyRotations() throws {
        let log = try FollowedLog(containing: "")
        var writers: [LogWriter] = []
        for round in 0..<12 {
            let writer = try LogWriter(log.path)
            writers.append(writer)
            try writer.write("early \(round)\n")
            log.drain()
            try rotate(log, to: ".\(round)")
        }
        for (round, writer) in writers.enumerated() { try writer.write("late \(round)\n") }
        log.drain()
        #expect(Set(log.texts) == Set((0..<12).flatMap { ["early \($0)", "late \($0)"] }))
        #expect(log.texts.count == 24)
        #expect(
            Set(log.lines.map { "\($0.generation)" + $0.text.split(separator: " ")[1] }) == Set((0..<12).map { "\($0)\($0)" }))
    }

    @Test("a file that is not there yet is waited for, and one that is deleted and made again is the next generation")
    func deleteAndRecreate() throws {
        let log = try FollowedLog()
        log.drain()
        #expect(log.tail.status.state == "waiting" && log.tail.problem?.code == .missing)
        let first = try LogWriter(log.path)
        try first.write("a1\nhalf")
        log.drain()
        try FileManager.default.removeItem(atPath: log.path)
        try first.write(" line\n")
        log.drain()
        #expect(log.texts == ["a1", "half line"])
        #expect(log.tail.status.state == "following")
        let second = try LogWriter(log.path)
        try second.write("a1\n")
        try first.write("after its end\n")
        log.drain()
        #expect(log.lines.map(\.description).sorted() == ["0:0:1 a1", "0:13:3 after its end", "0:3:2 half line", "1:0:1 a1"])
        #expect(log.counters.rotations == 1)
    }

    @Test("a symbolic link that is switched to another file, and back")
    func symlink() throws {
        let log = try FollowedLog()
        let (blue, green) = (try LogWriter(log.folder.file("blue")), try LogWriter(log.folder.file("green")))
        try FileManager.default.createSymbolicLink(atPath: log.path, withDestinationPath: "blue")
        try blue.write("b1\n")
        log.drain()
        try switchLink(log.path, to: "green")
        try green.write("g1\n")
        try blue.write("b2\n")
        log.drain()
        try switchLink(log.path, to: "blue")
        try blue.write("b3\n")
        log.drain()
        try green.write("g2\n")
        log.drain()
        #expect(log.texts.sorted() == ["b1", "b2", "b3", "g1", "g2"])
        log.retire()
        try blue.write("b4\n")
        log.drain()
        #expect(log.lines.last?.description == "0:9:4 b4")
    }

    @Test("what is no file is named as a problem, and followed once it is one")
    func folder() throws {
        let log = try FollowedLog()
        try FileManager.default.createDirectory(atPath: log.path, withIntermediateDirectories: false)
        log.drain()
        #expect(log.tail.problem?.code == .notAFile && log.tail.status.state == "unreadable")
        #expect(log.tail.status.problem.contains(log.path))
        try FileManager.default.removeItem(atPath: log.path)
        try LogWriter(log.path).write("a\n")
        log.drain()
        #expect(log.texts == ["a"] && log.tail.problem == nil)
    }

    @Test("a line can be read again as long as its file is open")
    func lineAgain() throws {
        let long = String(repeating: "x", count: 5_000)
        let log = try FollowedLog(containing: "one\r\n\(long)\nhalf")
        log.drain()
        try rotate(log)
        try LogWriter(log.path).write("new\n")
        log.drain()
        #expect(log.tail.line(generation: 0, offset: 0) == "one")
        #expect(log.tail.line(generation: 0, offset: 5) == long)
        #expect(log.tail.line(generation: 0, offset: 5_006) == "half")
        #expect(log.tail.line(generation: 1, offset: 0) == "new")
        for offset in [-1, 9_999, .max] as [Int64] { #expect(log.tail.line(generation: 0, offset: offset) == nil) }
        #expect(log.tail.line(generation: 7, offset: 0) == nil)
        log.retire()
        #expect(log.tail.line(generation: 0, offset: 0) == nil)
    }

    private func switchLink(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + ".new", withDestinationPath: target)
        #expect(Glibc.rename(path + ".new", path) == 0)
    }
}
