import Ingest
import Testing

@Suite("Snappy blocks")
struct SnappyBlockTests {
    @Test("what is encoded is decoded", arguments: 0..<60)
    func roundTrip(_ seed: Int) throws {
        var generator = SeededGenerator(state: UInt64(seed))
        let alphabet = 1 + seed % 7
        let bytes = (0..<Int.random(in: 0...5_000, using: &generator)).map { _ in
            UInt8(Int.random(in: 0..<alphabet, using: &generator))
        }
        let block = Snappy.encode(bytes)
        #expect(try SnappyBlock.decode(block.span, limit: 5_000) == bytes)
    }

    @Test("a block that says it is larger than the limit is refused unread")
    func bomb() {
        let block: [UInt8] = Protobuf.varint(1 << 31) + [0, 0]
        let refusal = #expect(throws: ReceiverRefusal.self) { try SnappyBlock.decode(block.span, limit: 1 << 20) }
        #expect(refusal?.code == .tooLarge)
    }

    @Test("damage is refused or gives as many bytes as the block says")
    func damage() {
        var generator = SeededGenerator(state: 4)
        let block = Snappy.encode(Array("abcdabcdabcdefghabcdefgh, abcdabcd, and so on and so on".utf8))
        for _ in 0..<3_000 {
            var damaged = block
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                damaged[Int.random(in: 0..<damaged.count, using: &generator)] = .random(in: .min ... .max, using: &generator)
            }
            if Bool.random(using: &generator) { damaged.removeLast(Int.random(in: 0..<damaged.count, using: &generator)) }
            if let output = try? SnappyBlock.decode(damaged.span, limit: 1 << 20) { #expect(output.count <= 1 << 20) }
        }
    }

    @Test("a copy that points in front of the block, and one of nothing, are refused")
    func badCopies() {
        for block: [UInt8] in [[4, 0x0D, 1], [8, 0, 65, 0x01 | 4 << 2, 0], [8, 0, 65, 2 | 3 << 2, 9, 0]] {
            #expect(throws: ReceiverRefusal.self) { try SnappyBlock.decode(block.span, limit: 100) }
        }
    }
}
