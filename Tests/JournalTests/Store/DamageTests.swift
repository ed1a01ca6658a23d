import Events
import Foundation
import Journal
import Testing

@Suite("Damage")
struct DamageTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Three segments of two small frames each.
    private func fill() async throws {
        let keys = InMemorySubjectKeys(random: Sample.random(1))
        let journal = try Journal.open(directory: folder.path, keys: keys, random: Sample.random(2), segmentLimit: 800)
        for number in 0..<4 {
            _ = try await journal.append([Sample.draft(number), Sample.draft(number)], at: Sample.start)
        }
        await journal.close()
    }

    private func segments() throws -> [String] {
        try Files.names(in: folder.path).filter { $0.hasSuffix(".log") }
    }

    private func expectDamage(_ comment: @autoclosure () -> String) throws -> JournalDamage? {
        let text = comment()
        do {
            _ = try JournalVerifier.verify(directory: folder.path)
            Issue.record("not found: \(text)")
        } catch {
            guard case .damaged(let damage) = error else {
                Issue.record("\(text): \(error)")
                return nil
            }
            return damage
        }
        return nil
    }

    @Test("every flipped byte is found, with its file, and a reopen changes nothing", arguments: [0x01, 0x80, 0xFF] as [UInt8])
    func flips(_ mask: UInt8) async throws {
        try await fill()
        let names = try segments()
        #expect(names.count > 1)
        for name in names {
            let path = folder.file(name)
            let whole = try Files.read(path)
            for position in whole.indices {
                var changed = whole
                changed[position] ^= mask
                try Files.write(changed, to: path)
                let damage = try expectDamage("\(name) byte \(position)")
                #expect(damage?.file == path)
                #expect((damage?.offset ?? .max) <= position)
                if position % 40 == 0 {
                    #expect(throws: JournalError.self) {
                        try Journal.open(directory: folder.path, keys: InMemorySubjectKeys())
                    }
                    #expect(try Files.read(path) == changed)
                }
            }
            try Files.write(whole, to: path)
        }
        _ = try JournalVerifier.verify(directory: folder.path)
    }

    @Test("flips are found without the mark, too, even at the very end")
    func flipsWithoutMark() async throws {
        try await fill()
        try FileManager.default.removeItem(atPath: folder.file("acknowledged"))
        let path = folder.file(try #require(try segments().last))
        let whole = try Files.read(path)
        for position in whole.indices {
            for mask in [0x01, 0x7D, whole[position]] where mask != 0 {
                var changed = whole
                changed[position] ^= mask
                try Files.write(changed, to: path)
                _ = try expectDamage("byte \(position) ^ \(mask)")
            }
        }
    }

    @Test("bytes put in, taken out or put behind are found")
    func insertions() async throws {
        try await fill()
        for name in try segments() {
            let path = folder.file(name)
            let whole = try Files.read(path)
            for position in stride(from: 0, through: whole.count, by: 7) {
                try Files.write(whole[..<position] + [0x41] + whole[position...], to: path)
                _ = try expectDamage("\(name): one more at \(position)")
                if position < whole.count {
                    try Files.write(Array(whole[..<position]) + whole[(position + 1)...], to: path)
                    _ = try expectDamage("\(name): one less at \(position)")
                }
            }
            try Files.write(whole, to: path)
        }
    }

    @Test("a missing segment is found, whichever it is")
    func missingSegment() async throws {
        try await fill()
        for name in try segments() {
            let whole = try Files.read(folder.file(name))
            try FileManager.default.removeItem(atPath: folder.file(name))
            _ = try expectDamage("without \(name)")
            #expect(throws: JournalError.self) { try Journal.open(directory: folder.path, keys: InMemorySubjectKeys()) }
            #expect(!FileManager.default.fileExists(atPath: folder.file(name)))
            try Files.write(whole, to: folder.file(name))
        }
    }

    @Test("frames swapped, repeated or moved to another segment are found")
    func movedFrames() async throws {
        try await fill()
        let names = try segments()
        let first = try Files.read(folder.file(names[0]))
        let second = try Files.read(folder.file(names[1]))
        try Files.write(first + first, to: folder.file(names[0]))
        #expect(try expectDamage("repeated")?.reason == .sequence(expected: 2, found: 0))
        try Files.write(second, to: folder.file(names[0]))
        try Files.write(first, to: folder.file(names[1]))
        #expect(try expectDamage("swapped")?.reason == .sequence(expected: 0, found: 2))
    }

    @Test("damage says where, what, and what to do")
    func wording() async throws {
        try await fill()
        let path = folder.file(try segments()[1])
        var bytes = try Files.read(path)
        bytes[200] ^= 1
        try Files.write(bytes, to: path)
        let damage = try #require(try expectDamage("byte 200"))
        #expect(damage.reason == .leafHash)
        #expect(damage.sequence == 2)
        for part in [path, "entry 2", "byte 56", "backup", "nothing was changed"] {
            #expect(damage.description.contains(part), "\(part)")
        }
    }
}
