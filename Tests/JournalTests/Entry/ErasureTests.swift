import Events
import Foundation
import Journal
import Testing

@Suite("Personal fields")
struct ErasureTests {
    private let folder: TemporaryFolder
    private let keys = InMemorySubjectKeys(random: Sample.random(1))
    private let address = Subject(kind: .ip, value: "203.0.113.9")
    private let other = Subject(kind: .ip, value: "198.51.100.7")
    private let person = Subject(kind: .user, value: "ada")

    init() throws {
        folder = try TemporaryFolder()
    }

    private func journal() throws -> Journal {
        try Journal.open(directory: folder.path, keys: keys, random: Sample.random(2))
    }

    private func replay() throws -> [Entry] {
        try JournalReader(directory: folder.path).next()
    }

    @Test("erasing any one subject blanks the field in every rebuild; bytes, leaves and root stay")
    func erase() async throws {
        let journal = try journal()
        let written = try await journal.append(
            [
                Sample.personalDraft(0, subjects: [address]), Sample.personalDraft(1, subjects: [person, address]),
                Sample.personalDraft(2, subjects: [other]), Sample.draft(3),
            ], at: Sample.start)
        let root = journal.frontier.root
        let opener = EntryOpener(keys: keys)
        #expect(
            try await opener.open(written) == [
                ["source.ip": "203.0.113.9"], ["source.ip": "ada 203.0.113.9"], ["source.ip": "198.51.100.7"], [:],
            ])

        await keys.erase(person)
        #expect(try await opener.open(replay()[1]) == ["source.ip": nil])
        #expect(try await opener.open(replay()[0]) == ["source.ip": "203.0.113.9"])
        await keys.erase(address)
        #expect(
            try await opener.open(replay()) == [
                ["source.ip": nil], ["source.ip": nil], ["source.ip": "198.51.100.7"], [:],
            ])

        #expect(try replay().map(\.canonicalBytes) == written.map(\.canonicalBytes))
        let report = try JournalVerifier.verify(directory: folder.path)
        #expect(report.root == root)
        #expect(report.count == 4)
    }

    @Test("a subject that comes back after erasure gets a new key; the old entries stay blank")
    func comeBack() async throws {
        let journal = try journal()
        let before = try #require(try await journal.append([Sample.personalDraft(0, subjects: [person])], at: Sample.start).first)
        await keys.erase(person)
        let after = try #require(try await journal.append([Sample.personalDraft(1, subjects: [person])], at: Sample.start).first)
        #expect(before.sealed["source.ip"]?.keys != after.sealed["source.ip"]?.keys)
        #expect(try await EntryOpener(keys: keys).open([before, after]) == [["source.ip": nil], ["source.ip": "ada"]])
    }

    @Test("no file of the journal holds a subject, its value, or the length of it to the byte")
    func nothingInTheClear() async throws {
        let journal = try journal()
        let entries = try await journal.append(
            [Sample.personalDraft(0, subjects: [address]), Sample.personalDraft(1, subjects: [person])], at: Sample.start)
        for name in try Files.names(in: folder.path) {
            let text = String(decoding: try Files.read(folder.file(name)), as: UTF8.self)
            #expect(!text.contains("203.0.113.9") && !text.contains("ada"))
        }
        #expect(entries[0].sealed["source.ip"]?.box.count == entries[1].sealed["source.ip"]?.box.count)
    }

    @Test("a box whose keys exist and that does not open is damage, not an erasure")
    func damagedBox() async throws {
        let journal = try journal()
        let entry = try #require(
            try await journal.append([Sample.personalDraft(0, subjects: [address])], at: Sample.start).first)
        let text = String(decoding: entry.canonicalBytes, as: UTF8.self)
        let box = Base64.encode(try #require(entry.sealed["source.ip"]?.box))
        var changed = try #require(entry.sealed["source.ip"]?.box)
        changed[20] ^= 1
        let forgeries = [
            text.replacing(box, with: Base64.encode(changed)),  // another box
            text.replacing("\"seq\":0", with: "\"seq\":1"),  // the box of another entry
            text.replacing("source.ip", with: "user.name"),  // the box of another field
        ]
        for forgery in forgeries {
            let forged = try Entry(parsing: Array(forgery.utf8))
            let error = await #expect(throws: EntryOpener.OpenError.self) { try await EntryOpener(keys: keys).open(forged) }
            guard case .damaged(forged.sequence, _) = error else {
                Issue.record("\(forgery) should be damage")
                continue
            }
        }
    }

    @Test("the secret does not show when a key is printed")
    func printing() throws {
        let key = try #require(SubjectKey(id: "name", bytes: [UInt8](repeating: 0x41, count: 32)))
        var dumped = ""
        dump(key, to: &dumped)
        for text in ["\(key)", String(reflecting: key), dumped] {
            #expect(text.contains("name") && !text.contains("65") && !text.contains("41"))
        }
        #expect(SubjectKey(id: "name", bytes: [1]) == nil)
    }

    @Test("a key store that fails refuses the append; nothing is recorded")
    func failingStore() async throws {
        struct Broken: SubjectKeyStore {
            func existingKey(of subject: Subject) -> SubjectKey? { nil }
            struct Failure: Error {}
            func keys(for subjects: [Subject]) throws -> [SubjectKey] { throw Failure() }
            func key(id: String) throws -> SubjectKey? { throw Failure() }
            func erase(_ subject: Subject) throws { throw Failure() }
        }
        let journal = try Journal.open(directory: folder.path, keys: Broken())
        let error = await #expect(throws: JournalError.self) {
            try await journal.append([Sample.personalDraft(0, subjects: [person])], at: Sample.start)
        }
        #expect(error?.code == "entry-keys")
        #expect(try await journal.append([Sample.draft(0)], at: Sample.start).first?.sequence == 0)
    }
}
