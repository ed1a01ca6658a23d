import Events
import Foundation
import Testing

@testable import Archive

@Suite("The archive after kill -9")
struct RecoveryTests {
    private static func texts(_ range: Range<Int>) -> [String] {
        range.map { "line \($0) \(String(repeating: "x", count: $0 % 17))" }
    }

    /// A position is saved after line 6; lines up to 12 are written after it, and the process is killed while the last bytes go to
    /// the disk. Then the sources are read again from line 6 on.
    @Test("cut at any byte behind the saved position: nothing is lost and nothing is there twice")
    func anyByte() async throws {
        let first = TemporaryArchive()
        var archive = await first.open()
        await archive.write(Trial.block(Self.texts(0..<3)))
        await archive.write(Trial.block(Self.texts(3..<6)))
        let position = try #require(await archive.synchronise(at: Trial.start))
        await archive.write(Trial.block(Self.texts(6..<9)))
        await archive.write(Trial.block(Self.texts(9..<12)))
        _ = await archive.synchronise(at: Trial.start)
        let bytes = try first.segmentBytes(1)
        #expect(bytes.count > position.length)
        for end in position.length...bytes.count {
            let second = TemporaryArchive()
            archive = await second.open()
            _ = await archive.synchronise(at: Trial.start)
            try second.setSegmentBytes(Array(bytes[..<end]), of: 1)
            archive = await second.open(resumingAt: position)
            #expect(await archive.status.notices.isEmpty)
            await archive.write(Trial.block(Self.texts(6..<9)))
            await archive.write(Trial.block(Self.texts(9..<14)))
            _ = await archive.synchronise(at: Trial.start)
            let (lines, damages) = try second.contents()
            #expect(lines == Self.texts(0..<14))
            #expect(damages.isEmpty)
            let verified = try ArchiveReader(folder: second.folder).verify()
            #expect(verified.lines == 14)
            #expect(verified.repeated.isEmpty && verified.damages.isEmpty)
        }
    }

    @Test("later segments than the saved position's go, and what follows gets their numbers")
    func laterSegments() async throws {
        let store = TemporaryArchive()
        var archive = await store.open()
        await archive.write(Trial.block(["a"]))
        let position = try #require(await archive.synchronise(at: Trial.start))
        for hour in 1...3 {
            let received = Trial.start.advanced(bySeconds: Int64(hour) * 3_600)
            await archive.write(Trial.block(["hour \(hour)"], received: received))
        }
        _ = await archive.synchronise(at: Trial.start)
        archive = await store.open(resumingAt: position)
        await archive.write(Trial.block(["b"], received: Trial.start.advanced(bySeconds: 3_600)))
        _ = await archive.synchronise(at: Trial.start)
        #expect(try store.contents().lines == ["a", "b"])
        #expect(try ArchiveReader(folder: store.folder).segments() == [1, 2])
    }

    @Test("without a saved position the end is cut at the last whole block, at whatever byte it ends")
    func withoutPosition() async throws {
        let first = TemporaryArchive()
        let archive = await first.open()
        await archive.write(Trial.block(Self.texts(0..<3)))
        let whole = try #require(await archive.synchronise(at: Trial.start))
        await archive.write(Trial.block(Self.texts(3..<6)))
        _ = await archive.synchronise(at: Trial.start)
        let bytes = try first.segmentBytes(1)
        for end in whole.length..<bytes.count {
            let second = TemporaryArchive()
            let written = await second.open()
            await written.write(Trial.block(["other"]))
            try second.setSegmentBytes(Array(bytes[..<end]), of: 1)
            let archive = await second.open()
            await archive.write(Trial.block(["next"]))
            _ = await archive.synchronise(at: Trial.start)
            #expect(try second.contents().lines == Self.texts(0..<3) + ["next"])
            #expect(try second.contents().damages.isEmpty)
        }
    }

    @Test("an archive that ends before the saved position says so and goes on behind it")
    func behind() async throws {
        let store = TemporaryArchive()
        var archive = await store.open()
        await archive.write(Trial.block(["a"]))
        var position = try #require(await archive.synchronise(at: Trial.start))
        position.length += 100
        archive = await store.open(resumingAt: position)
        #expect(await archive.status.notices.count == 1)
        await archive.write(Trial.block(["b"]))
        _ = await archive.synchronise(at: Trial.start)
        #expect(try store.contents().lines == ["a", "b"])
    }

    @Test("lines that are read with other formats begin another segment")
    func formats() async throws {
        let store = TemporaryArchive()
        var archive = await store.open(fingerprint: 1)
        await archive.write(Trial.block(["a"]))
        let position = try #require(await archive.synchronise(at: Trial.start))
        archive = await store.open(fingerprint: 2, resumingAt: position)
        await archive.write(Trial.block(["b"]))
        _ = await archive.synchronise(at: Trial.start)
        #expect(try store.contents().lines == ["a", "b"])
        #expect(try ArchiveReader(folder: store.folder).segments() == [1, 2])
    }
}
