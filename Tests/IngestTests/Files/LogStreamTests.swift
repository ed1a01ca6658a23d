import Events
import Foundation
import Ingest
import Testing

@Suite("Reading a file once")
struct LogStreamTests {
    private func read(_ path: String) throws -> (texts: [String], counters: SourceCounters) {
        var stream = try LogStream(path: path, parser: BatchParser(format: .combined, plan: JSONFieldPlan(FieldTable())))
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var texts: [String] = []
        while try stream.next(into: &batch, reference: Reading.reference) { texts += batch.copied(FieldTable()).map(\.text) }
        let again = try stream.next(into: &batch, reference: Reading.reference)
        #expect(!again)
        return (texts, stream.parser.counters)
    }

    @Test(
        "a file is read to its end, its unfinished line included", arguments: ["", "\n", "one", "one\ntwo\n", "one\r\n\r\ntwo"])
    func whole(_ content: String) throws {
        let folder = try TemporaryFolder()
        try Data(content.utf8).write(to: URL(fileURLWithPath: folder.file("log")))
        let (texts, counters) = try read(folder.file("log"))
        #expect(texts == content.split(whereSeparator: \.isNewline).map(String.init))
        #expect(counters.bytes == content.utf8.count)
    }

    @Test("a file of several chunks comes out as it does in one piece")
    func chunks() throws {
        let filling = String(repeating: "x", count: 600)
        let content = (1...4_000).map { "line \($0) \(filling)\n" }.joined()
        let folder = try TemporaryFolder()
        try Data(content.utf8).write(to: URL(fileURLWithPath: folder.file("log")))
        let (texts, counters) = try read(folder.file("log"))
        #expect(texts.count == 4_000 && counters.lines == 4_000 && counters.bytes == content.utf8.count)
    }

    @Test("what cannot be read says why and what to do")
    func problems() throws {
        let folder = try TemporaryFolder()
        let missing = #expect(throws: SourceError.self) { try read(folder.file("none")) }
        #expect(missing?.code == .missing)
        #expect(missing?.description.contains(folder.file("none")) == true && missing?.advice.isEmpty == false)
        let directory = #expect(throws: SourceError.self) { try read(folder.path) }
        #expect(directory?.code == .notAFile)
    }
}
