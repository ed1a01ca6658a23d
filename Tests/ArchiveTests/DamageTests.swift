import Events
import Testing

@testable import Archive

@Suite("A damaged archive")
struct DamageTests {
    private static let blocks = [["a1", "a2"], ["b1", "b2", "b3"], ["c1"], ["d1", "d2"]]

    private static func segment() async throws -> (bytes: [UInt8], ends: [Int]) {
        let store = TemporaryArchive()
        let archive = await store.open()
        var ends: [Int] = []
        for block in blocks {
            await archive.write(Trial.block(block))
            ends.append(try #require(await archive.synchronise(at: Trial.start)).length)
        }
        return (try store.segmentBytes(1), ends)
    }

    @Test("any damaged byte costs one block, which is named; all others are read")
    func anyByte() async throws {
        let (bytes, ends) = try await Self.segment()
        let store = TemporaryArchive()
        let archive = await store.open()
        await archive.write(Trial.block(["x"]))
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0xFF
            try store.setSegmentBytes(damaged, of: 1)
            let (lines, damages) = try store.contents()
            #expect(damages.count == 1, "byte \(index)")
            let hit = try #require(damages.first)
            let start = ([0] + ends).last { $0 <= index } ?? 0
            if hit.reason == .segmentHeader {
                // Without its header a segment's first block has no place: it is looked for.
                #expect(lines == Self.blocks.flatMap(\.self))
            } else {
                let number = try #require(ends.firstIndex { index < $0 })
                #expect(hit.offset == (number == 0 ? hit.offset : start))
                #expect(lines == Self.blocks.enumerated().filter { $0.offset != number }.flatMap(\.element), "byte \(index)")
            }
        }
    }

    @Test("bytes of anything are read without harm", arguments: UInt64(1)...20)
    func nonsense(seed: UInt64) async throws {
        let (bytes, _) = try await Self.segment()
        let store = TemporaryArchive()
        let archive = await store.open()
        await archive.write(Trial.block(["x"]))
        var generator = SeededGenerator(seed)
        for _ in 0..<20 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                damaged[Int.random(in: damaged.indices, using: &generator)] = .random(in: .min ... .max, using: &generator)
            }
            damaged.removeLast(Int.random(in: 0...damaged.count, using: &generator))
            try store.setSegmentBytes(damaged, of: 1)
            _ = try store.contents()
            _ = try ArchiveReader(folder: store.folder).verify()
        }
    }

    @Test("an index that does not fit its segment is not believed")
    func wrongIndex() async throws {
        let store = TemporaryArchive()
        let archive = await store.open()
        await archive.write(Trial.block(["a"]))
        await archive.write(Trial.block(["b"], received: Trial.start.advanced(bySeconds: 3_600)))
        _ = await archive.synchronise(at: Trial.start)
        let index = ArchiveFolder.indexPath(store.folder, 1)
        let file = try ArchiveFile(index, writing: true)
        let bytes = try file.read(try file.size(), at: 0)
        #expect(bytes.starts(with: Array("VGI1".utf8)))
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 1
            try file.write(damaged, at: 0)
            #expect(try store.contents().lines == ["a", "b"])
        }
    }
}
