import Events
import Testing

@testable import Archive

@Suite("Blocks of the archive")
struct BlockTests {
    @Test("the checksum is CRC-32C")
    func checksum() {
        // RFC 3720, appendix B.4.
        #expect(CRC32C.checksum(Array("123456789".utf8)[...]) == 0xE306_9283)
        #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
        #expect(CRC32C.checksum([UInt8](repeating: 0xFF, count: 32)[...]) == 0x62A8_AB43)
    }

    /// Lines of any bytes, times in any order, runs of any length.
    private static func random(_ generator: inout SeededGenerator) -> LineBlock {
        var block = LineBlock()
        for _ in 0..<Int.random(in: 1...60, using: &generator) {
            let line = (0..<Int.random(in: 0...90, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            block.add(
                line.span, offset: .random(in: 0 ... .max, using: &generator), number: .random(in: 1 ... .max, using: &generator),
                time: Timestamp(nanoseconds: .random(in: .min ... .max, using: &generator)),
                hasOwnTime: .random(using: &generator),
                isSecurity: .random(using: &generator),
                origin: BatchOrigin(
                    source: "s\(Int.random(in: 0...2, using: &generator))", generation: .random(in: 0...3, using: &generator)),
                format: "auto", received: Timestamp(seconds: .random(in: 0...2, using: &generator)))
            if let key = ValueKey(.userName, "u\(Int.random(in: 0...9, using: &generator))") { block.add(key) }
        }
        return block
    }

    @Test("a block of many lines is not copied for each of them")
    func growth() {
        var block = LineBlock()
        let line = [UInt8](repeating: 0x61, count: 97)
        var capacities: Set<Int> = []
        for number in 0..<5_000 {
            block.add(
                line.span, offset: Int64(number) * 98, number: Int64(number) + 1, time: Timestamp(seconds: 0), hasOwnTime: true,
                isSecurity: false, origin: BatchOrigin(source: "s", generation: 0), format: "auto",
                received: Timestamp(seconds: 0))
            capacities.insert(block.text.capacity)
        }
        #expect(capacities.count < 40, "room that doubles is asked for some twenty times")
    }

    @Test("what is written is read back", arguments: UInt64(1)...50)
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        let block = Self.random(&generator)
        let made = try #require(BlockWriter(level: 3).encode(block, firstRecord: seed))
        let header = try #require(BlockHeader(made.bytes[...]))
        #expect(header == made.header)
        #expect(header.firstRecord == seed)
        #expect(header.lines == block.lines.count)
        #expect(block.lines.allSatisfy { header.times.contains($0.time) })
        let content = try BlockReader().read(header, body: made.bytes.dropFirst(BlockHeader.byteCount)).get()
        guard case .lines(let read) = content else { throw DamageReason.payload }
        #expect(read.runs == block.runs)
        #expect(read.lines == block.lines)
        #expect(read.text == block.text)
        #expect(
            BlockReader.keys(made.bytes[BlockHeader.byteCount..<BlockHeader.byteCount + 2 * header.filterCount])
                == block.keys.sorted())
    }

    @Test("no damaged byte goes unnoticed")
    func damage() throws {
        let made = try #require(
            BlockWriter(level: 3).encode(Trial.block(["one", "two", "three"], address: "192.0.2.1"), firstRecord: 0))
        for index in made.bytes.indices {
            var bytes = made.bytes
            bytes[index] ^= 0x10
            guard let header = BlockHeader(bytes[...]) else { continue }
            let result = BlockReader().read(header, body: bytes.dropFirst(BlockHeader.byteCount))
            #expect(throws: DamageReason.self) { try result.get() }
        }
    }

    @Test("a payload whose checksum is right, but which is none, is refused", arguments: UInt64(1)...30)
    func nonsense(seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        for _ in 0..<200 {
            let payload = (0..<Int.random(in: 0...80, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator) & (Bool.random(using: &generator) ? 0xFF : 0x07)
            }
            if let block = LineBlock(payload: payload, lineCount: Int.random(in: 0...5, using: &generator)) {
                #expect(block.lines.allSatisfy { $0.range.end <= block.text.count })
            }
            _ = Citation.read(payload: payload)
        }
    }

    @Test("a frame that claims more than its header says is not unpacked any further")
    func bomb() throws {
        let frame = try #require(ZstandardCompressor(level: 3).compress([UInt8](repeating: 0, count: 4 << 20)))
        #expect(ZstandardDecompressor().decompress(frame[...], size: 1 << 20) == nil)
    }

    @Test("an address is the same however it is written, an account whatever its case")
    func keys() {
        #expect(ValueKey(.sourceIP, "::ffff:192.0.2.1") == ValueKey(.sourceIP, "192.0.2.1"))
        #expect(ValueKey(.sourceIP, "2001:DB8::1") == ValueKey(.sourceIP, "2001:db8:0:0::1"))
        #expect(ValueKey(.userName, "Alice") == ValueKey(.userName, "alice"))
        #expect(ValueKey(.userName, "alice") != ValueKey(.sourceIP, "alice"))
        #expect(ValueKey(.urlPath, "/") == nil)
    }
}
