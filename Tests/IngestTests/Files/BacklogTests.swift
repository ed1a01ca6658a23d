import Events
import Foundation
import Ingest
import Testing

@Suite("Rotated files beside a log")
struct BacklogTests {
    /// A folder in which a log was rotated before anybody looked.
    private func rotatedLog(_ names: [String]) throws -> FollowedLog {
        let log = try FollowedLog(containing: "now\n")
        for name in names {
            let path = log.folder.file(name)
            let plain = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path
            try Data("of \(name)\n".utf8).write(to: URL(fileURLWithPath: plain))
            if plain != path { try gzip(plain) }
        }
        return log
    }

    @Test(
        "all are read once at the first start, the oldest first",
        arguments: [
            ["app.log.1", "app.log.2.gz", "app.log.10.gz"], ["app.log-20260301", "app.log-20260228.gz", "app.log-20251231.gz"],
            ["app-2026-03-01.log.gz", "app-2026-02-28.log.gz", "app-2025-12-31.log.gz"],
        ])
    func oldestFirst(_ names: [String]) throws {
        let log = try rotatedLog(names)
        log.beginAnew(readingBacklog: true)
        log.drain()
        #expect(log.texts == names.reversed().map { "of \($0)" } + ["now"])
        #expect(log.lines.map(\.generation) == [0, 1, 2, 3])
        try log.restart()
        log.retire()
        #expect(log.lines.count == 4)
    }

    @Test("without being asked for, none is read")
    func notAsked() throws {
        let log = try rotatedLog(["app.log.1"])
        log.drain()
        #expect(log.texts == ["now"])
    }

    @Test(
        "other files are left alone",
        arguments: ["app.log.1.xz", "app.log.swp", "app.logger.1", "app.log1", "other.log.1", "app-1.log", "app_2.log"])
    func others(_ name: String) throws {
        let log = try rotatedLog([name])
        log.beginAnew(readingBacklog: true)
        log.drain()
        #expect(log.texts == ["now"])
    }

    @Test("stopped after every chunk, each line comes once")
    func restarted() throws {
        let log = try rotatedLog(["app.log.1", "app.log.2.gz", "app.log.3.gz"])
        log.beginAnew(readingBacklog: true)
        while log.pollOnce() { try log.restart() }
        #expect(log.texts == ["of app.log.3.gz", "of app.log.2.gz", "of app.log.1", "now"])
    }

    @Test("rotated and compressed while nothing ran: the rest is read from what it was compressed to, and so are those between")
    func compressedMeanwhile() throws {
        let log = try FollowedLog(containing: "read\n")
        log.drain()
        try LogWriter(log.path).write("unread\n")
        try rotate(log)
        try gzip(log.path + ".1")
        try FileManager.default.moveItem(atPath: log.path + ".1.gz", toPath: log.path + ".2.gz")
        try Data("between\n".utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
        try LogWriter(log.path).write("new\n")
        try log.restart()
        log.drain()
        #expect(log.texts == ["read", "unread", "between", "new"])
        #expect(log.counters.gaps == 0)
    }

    /// Less than is remembered of a beginning, and more.
    static let headings = [1, 60].map { String(repeating: "# heading, line by line\n", count: $0) }

    @Test("files that begin alike are told apart, compressed or not", arguments: BacklogTests.headings, [false, true])
    func beginningAlike(_ heading: String, _ isCompressed: Bool) throws {
        let log = try FollowedLog(containing: heading + "now\n")
        for (number, text) in [(3, ""), (2, "two\n"), (1, "one\n")] {
            try Data((heading + text).utf8).write(to: URL(fileURLWithPath: "\(log.path).\(number)"))
            if isCompressed { try gzip("\(log.path).\(number)") }
        }
        log.beginAnew(readingBacklog: true)
        log.drain()
        #expect(log.texts.filter { !$0.hasPrefix("#") } == ["two", "one", "now"])
        #expect(Set(log.lines.map(\.generation)) == [0, 1, 2, 3])
    }

    @Test("of files that begin alike the right one is read on after a restart, and those that were read before are not")
    func headingsMeanwhile() throws {
        let heading = Self.headings[0]
        let log = try FollowedLog(containing: heading)
        log.drain()
        try Data((heading + "long ago\n").utf8).write(to: URL(fileURLWithPath: log.path + ".3"))
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: -3_600)], ofItemAtPath: log.path + ".3")
        try LogWriter(log.path).write("unread\n")
        try rotate(log, to: ".2")
        try gzip(log.path + ".2")
        try Data((heading + "between\n").utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
        try LogWriter(log.path).write(heading + "new\n")
        try log.restart()
        log.drain()
        #expect(log.texts.filter { !$0.hasPrefix("#") } == ["unread", "between", "new"])
        #expect(log.texts.count == 6 && log.counters.gaps == 0)
    }

    @Test(
        "what was read is not read again as what it was compressed to, whatever its heading", arguments: BacklogTests.headings)
    func compressedLater(_ heading: String) throws {
        let log = try FollowedLog(containing: heading + "a\n")
        log.drain()
        try rotate(log, to: ".2")
        try LogWriter(log.path).write(heading + "b\n")
        log.drain()
        log.retire()
        try gzip(log.path + ".2")
        // As if it had been compressed by something that does not keep the time.
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSinceNow: 60)], ofItemAtPath: log.path + ".2.gz")
        try rotate(log)
        try LogWriter(log.path).write(heading + "c\n")
        log.drain()
        log.retire()
        #expect(log.texts.filter { !$0.hasPrefix("#") } == ["a", "b", "c"])
    }

    @Test("what was taken away with unread lines is counted as a gap")
    func takenAway() throws {
        let log = try FollowedLog(containing: "read\n")
        log.drain()
        try FileManager.default.removeItem(atPath: log.path)
        try LogWriter(log.path).write("new\n")
        // The inode may come again: what the position remembers of the beginning tells.
        try log.restart()
        log.drain()
        #expect(log.texts == ["read", "new"])
        #expect(log.counters.gaps == 1)
    }

    @Test("rotated more often than files are kept: what is left is read, what was read before is not", arguments: [false, true])
    func rotatedAway(_ isCompressed: Bool) throws {
        let log = try FollowedLog(containing: "day 0\n")
        log.drain()
        try FileManager.default.removeItem(atPath: log.path)
        for (name, text, seconds) in [(".9", "long ago\n", -3_600.0), (".2", "day 1\n", 60), (".1", "day 2\n", 120)] {
            try Data(text.utf8).write(to: URL(fileURLWithPath: log.path + name))
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: seconds)], ofItemAtPath: log.path + name)
        }
        if isCompressed { try gzip(log.path + ".2") }
        try log.restart()
        log.drain()
        #expect(log.texts == ["day 0", "day 1", "day 2"])
        #expect(log.counters.gaps == 1)
        try LogWriter(log.path).write("day 3\n")
        try log.restart()
        log.drain()
        log.retire()
        #expect(log.lines.map(\.description) == ["0:0:1 day 0", "1:0:1 day 1", "2:0:1 day 2", "3:0:1 day 3"])
    }

    @Test("several rotations between two looks: those between are read, too, and each once")
    func severalRotations() throws {
        let log = try FollowedLog(containing: "a\n")
        log.drain()
        for text in ["b", "c", "d"] {
            for number in stride(from: 5, to: 0, by: -1) where FileManager.default.fileExists(atPath: log.path + ".\(number)") {
                try FileManager.default.moveItem(atPath: log.path + ".\(number)", toPath: log.path + ".\(number + 1)")
            }
            try rotate(log)
            try LogWriter(log.path).write(text + "\n")
        }
        log.drain()
        #expect(log.texts == ["a", "b", "c", "d"])
        log.retire()
        try log.restart()
        log.drain()
        #expect(log.texts == ["a", "b", "c", "d"])
    }

    @Test("a damaged file is read up to the damage, counted, and does not hold up the others")
    func damaged() throws {
        let log = try rotatedLog(["app.log.2.gz"])
        let text = (0..<20_000).map { "line \($0) \($0 &* 7919)\n" }.joined()
        try Data(text.utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
        try gzip(log.path + ".1")
        let path = log.path + ".1.gz"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for index in bytes.count / 2..<bytes.count / 2 + 64 { bytes[index] ^= 0xFF }
        try bytes.write(to: URL(fileURLWithPath: path))
        log.beginAnew(readingBacklog: true)
        log.drain()
        #expect(log.texts.first == "of app.log.2.gz" && log.texts.last == "now" && log.texts.contains("line 0 0"))
        #expect(log.counters.damaged == 1)
        #expect(log.tail.status.warnings.first?.contains("damaged") == true)
    }

    /// As gzip leaves it that was killed, or ran into a full disk.
    @Test("a compressed file that ends in the middle is read as far as it goes, and counted once nothing more has come of it")
    func cutShort() throws {
        for (share, isCounted) in [(0.5, true), (0.999, true), (1.0, false)] {
            let log = try rotatedLog([])
            let text = (0..<20_000).map { "line \($0) \($0 &* 7919)\n" }.joined()
            try Data(text.utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
            try gzip(log.path + ".1")
            let whole = try Data(contentsOf: URL(fileURLWithPath: log.path + ".1.gz"))
            try whole.prefix(Int(Double(whole.count) * share)).write(to: URL(fileURLWithPath: log.path + ".1.gz"))
            log.beginAnew(readingBacklog: true)
            log.drain()
            #expect(log.counters.damaged == 0 && log.texts.last == "now" && log.texts.contains("line 0 0"))
            log.retire()
            #expect(log.counters.damaged == (isCounted ? 1 : 0), "\(share)")
            #expect(log.tail.status.warnings.isEmpty == !isCounted)
        }
    }

    @Test("a file that is still being compressed is read to its end as it grows, each line once, also over a restart")
    func growing() throws {
        let log = try rotatedLog([])
        let lines = (0..<20_000).map { "line \($0) \($0 &* 7919)" }
        try Data(lines.map { $0 + "\n" }.joined().utf8).write(to: URL(fileURLWithPath: log.path + ".1"))
        try gzip(log.path + ".1")
        let path = log.path + ".1.gz"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try whole.prefix(30_000).write(to: URL(fileURLWithPath: path))
        log.beginAnew(readingBacklog: true)
        let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        for end in stride(from: 40_000, through: whole.count + 10_000, by: 10_000) {
            log.drain()
            if end % 20_000 == 0 { try log.restart() }
            try writer.seekToEnd()
            let written = Int(try writer.offset())
            try writer.write(contentsOf: whole[written..<min(end, whole.count)])
        }
        log.drain()
        log.retire()
        let isWhole = log.texts.filter { $0 != "now" } == lines
        #expect(isWhole && log.texts.count == lines.count + 1)
        #expect(log.counters.damaged == 0 && log.counters.gaps == 0)
    }

    @Test("beside the file that it is made of, a compressed one that is not whole is left alone", arguments: ["1", "20260301"])
    func compressing(_ mark: String) throws {
        let log = try rotatedLog([])
        let plain = log.path + (mark.count > 4 ? "-" : ".") + mark
        let lines = (0..<20_000).map { "line \($0) \($0 &* 7919)" }
        let text = Data(lines.map { $0 + "\n" }.joined().utf8)
        try text.write(to: URL(fileURLWithPath: plain))
        try gzip(plain)
        let half = try Data(contentsOf: URL(fileURLWithPath: plain + ".gz")).prefix(30_000)
        try half.write(to: URL(fileURLWithPath: plain + ".gz"))
        try text.write(to: URL(fileURLWithPath: plain))
        log.beginAnew(readingBacklog: true)
        log.drain()
        log.retire()
        // Told apart here: so long lists are slow to show.
        let isWhole = log.texts == lines + ["now"]
        #expect(isWhole && log.texts.count == lines.count + 1 && log.counters.damaged == 0)
    }

    @Test("a bomb is given up, and does not hold up the others")
    func bomb() throws {
        let log = try FollowedLog(containing: "now\n")
        let plain = log.path + ".1"
        try Data().write(to: URL(fileURLWithPath: plain))
        // Zeros, which take no room on the disk.
        try FileHandle(forWritingTo: URL(fileURLWithPath: plain)).truncate(atOffset: 256 << 20)
        try gzip(plain)
        log.beginAnew(readingBacklog: true)
        log.drain()
        #expect(log.texts.last == "now")
        #expect(log.counters.damaged == 1 && log.counters.overlong == 0)
        #expect(log.counters.bytes < 128 << 20)
    }
}
