import Events
import Foundation
import Ingest
import Testing

@Suite("Rotation by copy and truncate")
struct CopyTruncateTests {
    @Test(
        "a file that is cut and written anew is read anew, whatever its size is then",
        arguments: ["", "n\n", "new\n", "new line\n", "as longest\n", "longer than the old one was\nin two lines\n"])
    func cut(_ content: String) throws {
        let log = try FollowedLog(containing: "first\nlast\n")
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.truncate()
        try writer.write(content)
        log.drain()
        try writer.write("more\n")
        log.drain()
        let expected = content.split(separator: "\n").map(String.init) + ["more"]
        #expect(log.texts == ["first", "last"] + expected)
        #expect(log.lines.dropFirst(2).map(\.generation) == expected.map { _ in 1 })
        #expect(log.lines.dropFirst(2).map(\.number) == Array(1...Int64(expected.count)))
        #expect(log.counters.rotations == 1 && log.counters.partial == 0)
        #expect(log.counters.bytes == 16 + content.utf8.count)
    }

    @Test(
        "the half line before the cut is given as it was, and nothing of the new file with it",
        arguments: ["", "new\n", "as long as half\n", "longer than all of the old file\nand more\n"])
    func halfLine(_ content: String) throws {
        let log = try FollowedLog(containing: "first\nhalf a li")
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.truncate()
        try writer.write(content)
        log.drain()
        #expect(log.texts == ["first", "half a li"] + content.split(separator: "\n").map(String.init))
        #expect(log.lines.map(\.generation) == [0, 0] + content.split(separator: "\n").map { _ in 1 })
        #expect(log.counters.partial == 1)
    }

    @Test(
        "what was unread when it was cut is read from the copy, compressed or not, and nothing is lost", arguments: [false, true])
    func copy(_ isCompressed: Bool) throws {
        let log = try FollowedLog(containing: "first\nhalf a l")
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.write("ine\nunread\n")
        try FileManager.default.copyItem(atPath: log.path, toPath: log.path + ".1")
        try writer.truncate()
        try writer.write("new\n")
        if isCompressed { try gzip(log.path + ".1") }
        log.drain()
        #expect(log.lines.map(\.description) == ["0:0:1 first", "0:6:2 half a line", "0:18:3 unread", "1:0:1 new"])
        #expect(log.counters.truncations == 1 && log.counters.gaps == 0 && log.counters.partial == 0)
    }

    @Test(
        "cut several times between two looks: what stands in each copy is read, oldest first, and nothing twice",
        arguments: [2, 5], [false, true])
    func severalCuts(_ count: Int, _ isCompressed: Bool) throws {
        let log = try FollowedLog(containing: "first\n")
        log.now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let writer = try LogWriter(log.path)
        log.drain()
        var wanted = ["first"]
        for round in 0..<3 {
            for number in 0..<count {
                try writer.write("\(round) \(number)\n")
                wanted.append("\(round) \(number)")
                for old in stride(from: 20, to: 0, by: -1) {
                    for ending in ["", ".gz"] where FileManager.default.fileExists(atPath: "\(log.path).\(old)\(ending)") {
                        try FileManager.default.moveItem(
                            atPath: "\(log.path).\(old)\(ending)", toPath: "\(log.path).\(old + 1)\(ending)")
                    }
                }
                try FileManager.default.copyItem(atPath: log.path, toPath: log.path + ".1")
                // Copying keeps the time here; logrotate writes.
                try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: log.path + ".1")
                try writer.truncate()
                if isCompressed { try gzip(log.path + ".1") }
            }
            try writer.write("\(round) new\n")
            wanted.append("\(round) new")
            log.now = Timestamp(seconds: Int64(Date().timeIntervalSince1970) + 1)
            log.drain()
            #expect(log.texts == wanted)
            if round == 1 { try log.restart() }
        }
        log.retire()
        #expect(log.texts == wanted && log.counters.gaps == 0)
    }

    @Test("what was read between the copy and the cut is not read again with the copy", arguments: [false, true])
    func readBeyondTheCopy(_ isCompressed: Bool) throws {
        let lines = (0..<200).map { "line \($0) of the log\n" }
        let log = try FollowedLog(containing: lines.joined())
        log.now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let writer = try LogWriter(log.path)
        log.drain()
        try FileManager.default.copyItem(atPath: log.path, toPath: log.path + ".1")
        try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: log.path + ".1")
        try writer.write("beyond the copy\n")
        log.drain()
        if isCompressed { try gzip(log.path + ".1") }
        try writer.truncate()
        try writer.write("new\n")
        log.drain()
        #expect(log.texts == lines.map { String($0.dropLast()) } + ["beyond the copy", "new"])
        #expect(log.counters.truncations == 1)
    }

    @Test("cut twice between two looks, where every file begins with the same heading", arguments: BacklogTests.headings)
    func beginningAlike(_ heading: String) throws {
        let log = try FollowedLog(containing: heading + "first\n")
        log.now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.write("unread\n")
        for (number, text) in [(2, heading + "second\n"), (1, heading)] {
            try FileManager.default.copyItem(atPath: log.path, toPath: "\(log.path).\(number)")
            try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: "\(log.path).\(number)")
            try writer.truncate()
            try writer.write(text)
        }
        log.drain()
        try writer.write("third\n")
        log.drain()
        #expect(log.texts.filter { !$0.hasPrefix("#") } == ["first", "unread", "second", "third"])
        #expect(log.counters.gaps == 0)
    }

    @Test(
        "a program that writes on where it was leaves a hole in front of its next line, which is read all the same",
        arguments: [1, 10_000])
    func withoutAppending(_ count: Int) throws {
        let log = try FollowedLog(containing: "")
        let program = try FileHandle(forWritingTo: URL(fileURLWithPath: log.path))
        try program.write(contentsOf: Data(String(repeating: "earlier\n", count: count).utf8))
        log.drain()
        try FileManager.default.copyItem(atPath: log.path, toPath: log.path + ".1")
        try LogWriter(log.path).truncate()
        try program.write(contentsOf: Data("first\n".utf8))
        log.drain()
        let hole = 8 * count
        #expect(log.lines.count == count + 1 && log.lines.last?.description == "1:\(hole):1 first")
        #expect(log.tail.line(generation: 1, offset: Int64(hole)) == "first")
        #expect(log.counters.containingNUL == 1 && log.counters.overlong == 0 && log.counters.gaps == 0)
        try log.restart()
        try program.write(contentsOf: Data("second\n".utf8))
        log.drain()
        #expect(log.lines.last?.description == "1:\(hole + 6):2 second")
        #expect(log.counters.containingNUL == 0)
    }

    @Test("a copy that is being made of what stands there now is not read as if it were another file")
    func copyUnderWay() throws {
        let log = try FollowedLog(containing: "first\n")
        log.now = Timestamp(seconds: Int64(Date().timeIntervalSince1970))
        let writer = try LogWriter(log.path)
        log.drain()
        try FileManager.default.copyItem(atPath: log.path, toPath: log.path + ".2")
        try writer.truncate()
        try writer.write("second, of which a part is copied\n")
        try Data("second, of".utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
        log.drain()
        try Data("second, of which a part is copied\n".utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
        try writer.truncate()
        try writer.write("third\n")
        log.drain()
        log.retire()
        #expect(log.texts == ["first", "second, of which a part is copied", "third"] && log.counters.gaps == 0)
    }

    @Test("cut while nobody looked: the rest is read from the copy")
    func copyWhileDown() throws {
        let log = try FollowedLog(containing: "first\n")
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.write("unread\n")
        try FileManager.default.copyItem(atPath: log.path, toPath: log.path + ".1")
        try writer.truncate()
        try writer.write("new\n")
        try log.restart()
        log.drain()
        #expect(log.texts == ["first", "unread", "new"])
        #expect(log.counters.gaps == 0)
    }

    @Test("cut without a copy: a gap, counted and told")
    func gap() throws {
        let log = try FollowedLog(containing: "first\n")
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.truncate()
        try writer.write("new\n")
        log.drain()
        #expect(log.counters.gaps == 1 && log.counters.truncations == 1)
        #expect(log.tail.status.warnings.count == 1)
    }

    @Test("a file longer than what is remembered of its beginning is told apart by that beginning")
    func longFile() throws {
        let old = (1...200).map { "old line \($0)\n" }.joined()
        let new = (1...400).map { "new line \($0)\n" }.joined()
        let log = try FollowedLog(containing: old)
        let writer = try LogWriter(log.path)
        log.drain()
        try writer.truncate()
        try writer.write(new)
        log.drain()
        #expect(log.lines.count == 600 && Set(log.texts).count == 600)
    }

    @Test("a growing file is never taken for another one, in whatever steps it grows past what is remembered")
    func growth() throws {
        for step in [1, 7, 500, 1023, 1024, 1025] {
            let log = try FollowedLog(containing: "")
            let writer = try LogWriter(log.path)
            var written = ""
            while written.utf8.count < 1_100 {
                let piece = String(repeating: "x", count: step - 1) + "\n"
                written += piece
                try writer.write(piece)
                log.drain()
                if written.utf8.count.isMultiple(of: 3) { try log.restart() }
            }
            #expect(log.tail.positions.first?.head == FileHead(Array(written.utf8)))
            #expect(log.tail.positions.first?.offset == Int64(written.utf8.count))
            #expect(log.tail.positions.first?.generation == 0)
        }
    }

    @Test(
        "cut while nobody looked: the new content is the next generation",
        arguments: ["n\n", "second\nlast\n", "longer than it was before\n"])
    func cutWhileDown(_ content: String) throws {
        let log = try FollowedLog(containing: "first\nlast\n")
        log.drain()
        try LogWriter(log.path).truncate()
        try LogWriter(log.path).write(content)
        try log.restart()
        log.drain()
        #expect(log.texts == ["first", "last"] + content.split(separator: "\n").map(String.init))
        #expect(log.lines.last?.generation == 1)
    }
}
