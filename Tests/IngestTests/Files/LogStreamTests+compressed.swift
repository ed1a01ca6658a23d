import Events
import Foundation
import Ingest
import Testing

extension LogStreamTests {
    private func read(_ path: String, into texts: inout [String]) throws -> SourceCounters {
        var stream = try LogStream(path: path, parser: BatchParser(format: .combined, plan: JSONFieldPlan(FieldTable())))
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        while try stream.next(into: &batch, reference: Reading.reference) { texts += batch.copied(FieldTable()).map(\.text) }
        return stream.parser.counters
    }

    @Test("lines come out the same, compressed or not, whatever the file is called", arguments: [true, false])
    func wholeCompressed(isCompressed: Bool) throws {
        let filling = String(repeating: "x", count: 600)
        let lines = (1...4_000).map { "line \($0) \(filling)" }
        let folder = try TemporaryFolder()
        let path = folder.file("log")
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: path))
        if isCompressed {
            try gzip(path)
            try FileManager.default.moveItem(atPath: path + ".gz", toPath: path)
        }
        var texts: [String] = []
        let counters = try read(path, into: &texts)
        #expect(texts == lines)
        #expect(counters.lines == 4_000 && counters.partial == 1 && counters.containingNUL == 0)
    }

    @Test("of a compressed log that ends in its middle the lines before are read, and it is said")
    func cut() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("log")
        var generator = SeededGenerator(state: 7)
        let lines = (1...40_000).map { "line \($0) \(UInt64.random(in: .min ... .max, using: &generator))\n" }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path))
        try gzip(path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path + ".gz"))
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path + ".gz"))
        var texts: [String] = []
        let error = #expect(throws: SourceError.self) { try read(path + ".gz", into: &texts) }
        #expect(error?.code == .damaged)
        #expect(texts.count > 1_000 && texts.first?.hasPrefix("line 1 ") == true)
    }

    @Test("what cannot be read says so")
    func missingOrNoFile() throws {
        let folder = try TemporaryFolder()
        var texts: [String] = []
        let error = #expect(throws: SourceError.self) { try read(folder.file("none"), into: &texts) }
        #expect(error?.code == .missing && texts.isEmpty)
        let directory = #expect(throws: SourceError.self) { try read(folder.path, into: &texts) }
        #expect(directory?.code == .notAFile)
    }
}
