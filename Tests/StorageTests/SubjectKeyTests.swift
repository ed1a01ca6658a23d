import Foundation
import Journal
import Storage
import Testing

@Suite("Subject keys")
struct SubjectKeyTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func open() throws -> PrivateDatabase { try PrivateDatabase(path: folder.file("private.db")) }

    private func subject(_ number: Int) -> Subject {
        number % 2 == 0 ? Subject(kind: .ip, value: "198.51.100.\(number)") : Subject(kind: .user, value: "person-\(number)")
    }

    @Test("one key per subject, in the order asked for, the same ever after")
    func keys() async throws {
        let wanted = [subject(1), subject(2), subject(1), Subject(kind: .ip, value: "person-1")]
        let first: [SubjectKey]
        do {
            let store = try open()
            first = try await store.keys(for: wanted)
            #expect(first.map(\.id) == [first[0].id, first[1].id, first[0].id, first[3].id])
            #expect(Set(first.map(\.id)).count == 3, "an address and an account of one name are two subjects")
            #expect(try await store.keys(for: []).isEmpty)
        }
        let store = try open()
        let again = try await store.keys(for: wanted)
        #expect(again.map(\.id) == first.map(\.id))
        #expect(again.map(\.bytes) == first.map(\.bytes))
        #expect(try await store.key(id: first[1].id)?.bytes == first[1].bytes)
        #expect(try await store.key(id: "nobody") == nil)
    }

    @Test("asked for at once from many tasks, a subject still gets one key")
    func race() async throws {
        let store = try open()
        let ids = try await withThrowingTaskGroup(of: String?.self) { group in
            for _ in 0..<16 { group.addTask { [subject = subject(1)] in try await store.keys(for: [subject]).first?.id } }
            return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
    }

    /// Among hundreds, so that pages have been split and cells moved: no copy may be left behind anywhere.
    @Test("an erased key is gone from every file, byte for byte, while the others stay")
    func erase() async throws {
        let store = try open()
        let subjects = (0..<600).map(subject)
        var keys: [SubjectKey] = []
        for start in stride(from: 0, to: subjects.count, by: 25) {
            keys += try await store.keys(for: Array(subjects[start..<start + 25]))
        }
        let erased = Set(stride(from: 3, to: subjects.count, by: 97))
        for number in erased { try await store.erase(subjects[number]) }

        let files = Files.database(folder.file("private.db"))
        #expect(files[""]?.range(of: Data(keys[0].bytes)) != nil, "the search finds what is there")
        for number in erased {
            for (suffix, bytes) in files {
                #expect(bytes.range(of: Data(keys[number].bytes)) == nil, "key \(number) is still in private.db\(suffix)")
                let name = Data((subjects[number].value).utf8)
                // Shorter names are the beginnings of longer ones, which stay.
                if number >= 100 {
                    #expect(bytes.range(of: name) == nil, "the name of \(number) is still in private.db\(suffix)")
                }
            }
            #expect(try await store.key(id: keys[number].id) == nil)
        }
        let left = try await store.keys(for: subjects.indices.filter { !erased.contains($0) }.map { subjects[$0] })
        #expect(left.map(\.id) == keys.indices.filter { !erased.contains($0) }.map { keys[$0].id })
    }

    @Test("a subject that comes back gets another key under another name")
    func afterErasure() async throws {
        let store = try open()
        let old = try await store.keys(for: [subject(1)])
        try await store.erase(subject(1))
        try await store.erase(subject(1))
        let new = try await store.keys(for: [subject(1)])
        #expect(new.map(\.id) != old.map(\.id))
        #expect(new.map(\.bytes) != old.map(\.bytes))
    }
}
