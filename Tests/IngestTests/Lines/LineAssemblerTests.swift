import Events
import Ingest
import Testing

@Suite("Cutting bytes into lines")
struct LineAssemblerTests {
    private static let limit = LineAssembler.maximumLineBytes

    /// A line as it was found, with its bytes.
    struct Found: Equatable {
        var text: [UInt8]
        var offset: Int64
        var number: Int64
        var isOverlong: Bool
        var isPartial: Bool
    }

    /// Reads in pieces that end at `cuts`; `restarting` begins with a new assembler at every cut, as after a kill.
    private func cut(_ bytes: [UInt8], at cuts: [Int], restarting: Bool = false) -> [Found] {
        var assembler = LineAssembler()
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var lines: [RawLine] = []
        var found: [Found] = []
        let ends = Set(cuts.filter { $0 < bytes.count }).sorted() + [bytes.count]
        for (index, end) in ends.enumerated() {
            if restarting {
                assembler = LineAssembler(
                    offset: assembler.offset, nextLine: assembler.nextLine, isSkipping: assembler.isSkipping)
            }
            let start = Int(assembler.readOffset)
            assembler.begin(&batch)
            batch.bytes.append(contentsOf: bytes[start..<end])
            assembler.finish(batch, isFinal: index == ends.count - 1, into: &lines)
            #expect(assembler.readOffset == Int64(end))
            #expect(assembler.pendingBytes <= Self.limit + 1)
            found += lines.map {
                Found(
                    text: Array(batch.bytes[$0.range.bounds]), offset: $0.offset, number: $0.number, isOverlong: $0.isOverlong,
                    isPartial: $0.isPartial)
            }
        }
        #expect(assembler.offset == Int64(bytes.count))
        #expect(assembler.pendingBytes == 0)
        return found
    }

    /// The same by the shortest means.
    private func expected(_ bytes: [UInt8]) -> [Found] {
        var found: [Found] = []
        var offset = 0
        var pieces = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        let isWhole = pieces.last?.isEmpty ?? true
        if isWhole { pieces.removeLast() }
        for (index, whole) in pieces.enumerated() {
            let piece = whole.drop { $0 == 0 }
            offset += whole.count - piece.count
            if piece.isEmpty, !isWhole, index == pieces.count - 1 { break }
            let text = piece.last == 0x0D ? piece.dropLast() : piece
            let isOverlong = text.count > Self.limit
            found.append(
                Found(
                    text: Array(text.prefix(Self.limit)), offset: Int64(offset), number: Int64(index + 1), isOverlong: isOverlong,
                    isPartial: !isWhole && index == pieces.count - 1 && !isOverlong))
            offset += piece.count + 1
        }
        return found
    }

    @Test("however a short stream is cut in two or three, the lines are the same", arguments: [false, true])
    func everyCut(restarting: Bool) {
        let streams = [
            "", "\n", "\r\n", "a", "a\n", "a\r\nb\r\n", "\n\n\na\n\r\n\rb\n", "one\ntwo\nhalf", "no break\r", "\u{0}\n\u{0}\u{0}",
            "\u{0}\u{0}a\u{0}b\n\u{0}\r\n\u{0}half",
        ]
        for stream in streams {
            let bytes = Array(stream.utf8)
            let lines = expected(bytes)
            for first in 0...bytes.count {
                for second in first...bytes.count {
                    #expect(
                        cut(bytes, at: [first, second], restarting: restarting) == lines,
                        "\(stream.debugDescription) \(first) \(second)")
                }
            }
        }
    }

    @Test("however a random stream is cut into chunks, the lines are the same", arguments: [false, true])
    func randomCuts(restarting: Bool) {
        var generator = SeededGenerator(state: 10)
        for _ in 0..<400 {
            let bytes = (0..<Int.random(in: 0...300, using: &generator)).map { _ -> UInt8 in
                switch Int.random(in: 0..<10, using: &generator) {
                case 0: 0x0A
                case 1: 0x0D
                // Neighbours of the line feed, which a word-wise search must not take for one.
                case 2: [0x09, 0x0B, 0x8A, 0x00, 0xFF, 0x1A].randomElement(using: &generator) ?? 0
                default: .random(in: 0x20...0x7E, using: &generator)
                }
            }
            let cuts = (0..<Int.random(in: 0...20, using: &generator)).map { _ in
                Int.random(in: 0...bytes.count, using: &generator)
            }
            #expect(cut(bytes, at: cuts, restarting: restarting) == expected(bytes))
        }
    }

    @Test(
        "over-long lines are given by their beginning, wherever the chunks end",
        arguments: ["\n", "\r\n", "", "\r", "\rx\n", "\n\n"])
    func overlong(ending: String) {
        for excess in [-2, -1, 0, 1, 2, 70_000] {
            let long = [UInt8](repeating: 0x61, count: Self.limit + excess)
            // With lines after it, and as the last line of the file.
            for rest in ["last\nhalf", ""] { checkOverlong(long + Array(ending.utf8) + Array(rest.utf8), excess: excess) }
        }
    }

    private func checkOverlong(_ long: [UInt8], excess: Int) {
        let bytes = Array("first\n".utf8) + long
        let lines = expected(bytes)
        #expect(cut(bytes, at: []) == lines)
        let edge = 6 + Self.limit
        for near in [edge - 1, edge, edge + 1, edge + 2, edge + 3, edge + excess, edge + excess + 1, bytes.count - 1]
        where near > 0 {
            #expect(cut(bytes, at: [near]) == lines, "\(excess) \(near)")
            #expect(cut(bytes, at: [100, near, near + 1], restarting: true) == lines, "\(excess) \(near)")
        }
    }

    @Test("NULs in front of a line are passed over, however many, and the line says so", arguments: [1, 1_000, 200_000])
    func leadingNULs(_ count: Int) {
        let bytes = Array("first\n".utf8) + [UInt8](repeating: 0, count: count) + Array("second\nthird\n".utf8)
        let found = cut(bytes, at: [6 + count / 2, 6 + count, 8 + count])
        #expect(found == expected(bytes))
        #expect(found.map(\.offset) == [0, 6 + Int64(count), 13 + Int64(count)])
        #expect(found.map { String(decoding: $0.text, as: UTF8.self) } == ["first", "second", "third"])
        for cuts in [[], [6 + count / 2], [6 + count]] {
            let reading = Reading(bytes, .json, cuts: cuts)
            #expect(reading.counters.containingNUL == 1 && reading.counters.overlong == 0)
            #expect(reading.counters.lines == 3 && reading.counters.bytes == bytes.count)
        }
    }

    @Test("an over-long line without an end costs no memory")
    func endless() {
        var assembler = LineAssembler()
        var batch = EventBatch(origin: BatchOrigin(source: "", generation: 0))
        var lines: [RawLine] = []
        var count = 0
        for _ in 0..<40 {
            assembler.begin(&batch)
            batch.bytes.append(contentsOf: repeatElement(0x61, count: 50_000))
            assembler.finish(batch, isFinal: false, into: &lines)
            count += lines.count
            #expect(assembler.pendingBytes <= Self.limit)
        }
        #expect(count == 1)
        #expect(assembler.isSkipping && assembler.offset == 2_000_000 && assembler.nextLine == 1)
        assembler.begin(&batch)
        batch.bytes.append(contentsOf: Array("a\nnext\n".utf8))
        assembler.finish(batch, isFinal: false, into: &lines)
        #expect(lines.map(\.number) == [2] && lines.map(\.offset) == [2_000_002])
    }
}
