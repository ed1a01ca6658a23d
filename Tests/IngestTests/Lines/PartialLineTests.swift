import Events
import Foundation
import Ingest
import Testing

@Suite("Lines that a container runtime has cut up")
struct PartialLineTests {
    private static func docker(_ text: String, _ stream: String = "stdout", isLast: Bool = true) -> String {
        #"{"log":"\#(text)\#(isLast ? #"\n"# : "")","stream":"\#(stream)","time":"2026-03-01T10:00:00.123456789Z"}"# + "\n"
    }

    private static func cri(_ text: String, _ stream: String = "stdout", isLast: Bool = true) -> String {
        "2026-03-01T10:00:00.123456789Z \(stream) \(isLast ? "F" : "P") \(text)\n"
    }

    /// What comes out for a file of that content, read in steps of so many bytes, with a restart after each of them or none.
    private func read(_ content: String, step: Int = .max, restarting: Bool = false) throws -> FollowedLog {
        let bytes = Array(content.utf8)
        let log = try FollowedLog(containing: "")
        let writer = try FileHandle(forWritingTo: URL(fileURLWithPath: log.path))
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start &+ min(step, bytes.count))
            try writer.write(contentsOf: Data(bytes[start..<end]))
            log.drain()
            if restarting { try log.restart() }
            start = end
        }
        log.finish()
        return log
    }

    @Test("parts are joined per stream and given where the last one stands", arguments: [true, false])
    func joined(_ isDocker: Bool) throws {
        let line = isDocker ? PartialLineTests.docker : PartialLineTests.cri
        let content =
            line("one", "stdout", true) + line("first half, ", "stdout", false) + line("an error", "stderr", true)
            + line("middle, ", "stdout", false) + line("end", "stdout", true) + line("last", "stdout", true)
        let log = try read(content)
        #expect(
            log.texts
                == [
                    line("one", "stdout", true), line("an error", "stderr", true),
                    line("first half, middle, end", "stdout", true),
                    line("last", "stdout", true),
                ].map { String($0.dropLast()) })
        #expect(log.lines.map(\.number) == [1, 3, 2, 6])
        #expect(log.counters.lines == 4 && log.counters.partial == 0)
    }

    @Test("stopped and started again after any number of bytes, each line comes once", arguments: [true, false])
    func everyByte(_ isDocker: Bool) throws {
        let line = isDocker ? PartialLineTests.docker : PartialLineTests.cri
        let content =
            line("a", "stderr", false) + line("b", "stdout", false) + line("c", "stderr", true) + line("whole", "stderr", true)
            + line("d", "stdout", false) + line("e", "stdout", true) + line("f", "stdout", true)
        let expected = try read(content).lines
        #expect(expected.count == 4)
        for step in [1, 2, 7, 40, 61, 83, 100, 150] {
            #expect(try read(content, step: step, restarting: true).lines == expected, "in steps of \(step)")
        }
    }

    @Test("a text that ends in an escaped backslash and an n has no line feed")
    func escapedBackslash() throws {
        let log = try read(
            #"{"log":"C:\\n","stream":"stdout","time":"2026-03-01T10:00:00Z"}"# + "\n" + PartialLineTests.docker("ew"))
        #expect(log.texts.count == 1)
        #expect(log.texts.first?.hasPrefix(#"{"log":"C:\\new\n","#) == true)
    }

    @Test("a line that never ends is kept up to the limit of a line, and counted as over-long")
    func bounded() throws {
        let part = String(repeating: "x", count: 16_384)
        let content = (0..<200).map { _ in PartialLineTests.cri(part, isLast: false) }.joined() + PartialLineTests.cri("end")
        let log = try read(content + PartialLineTests.cri("next"))
        #expect(log.texts.count == 2)
        #expect(log.texts[0].utf8.count <= LineAssembler.maximumLineBytes)
        #expect(log.texts[1].hasSuffix("F next"))
        #expect(log.counters.overlong == 1)
    }

    @Test("what has no last part when the file ends is given as it is")
    func unfinished() throws {
        let log = try read(PartialLineTests.docker("begun", isLast: false))
        #expect(log.texts == [String(PartialLineTests.docker("begun", isLast: false).dropLast())])
        #expect(log.counters.partial == 1)
    }
}
