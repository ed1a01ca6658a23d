import Events
import Foundation
import Journal
import Testing

@Suite("Entries")
struct EntryTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func journal() throws -> Journal {
        try Journal.open(directory: folder.path, keys: InMemorySubjectKeys(random: Sample.random(1)), random: Sample.random(2))
    }

    @Test("an entry's bytes are exactly these")
    func bytes() async throws {
        let journal = try journal()
        let draft = EntryDraft(
            type: "incident.opened", occurredAt: Timestamp(nanoseconds: 1_790_000_000_123_000_000), actor: "system",
            data: ["z": 1.0, "a": ["é\n", .null, true]])
        let entry = try #require(try await journal.append([draft], at: Timestamp(seconds: 1_790_000_001)).first)
        let expected =
            #"{"actor":"system","data":{"a":["é\n",null,true],"z":1},"occurred_at":"2026-09-21T14:13:20.123Z","#
            + #""recorded_at":"2026-09-21T14:13:21Z","sealed":{},"seq":0,"type":"incident.opened","v":1}"#
        #expect(String(decoding: entry.canonicalBytes, as: UTF8.self) == expected)
        #expect(entry.leafHash == .leaf(Array(expected.utf8)))
        #expect(entry.isCanonical)
        // What the caller gets is what a replay gets: 1.0 has become 1.
        #expect(entry.data["z"] == .integer(1))
        #expect(try Entry(parsing: entry.canonicalBytes) == entry)
    }

    @Test("an entry may have 65,535 bytes and not one more")
    func limit() async throws {
        let journal = try journal()
        let empty = try #require(try await journal.append([Sample.draft(0)], at: Sample.start).first)
        let room = Entry.byteLimit - empty.canonicalBytes.count
        let largest = try #require(try await journal.append([Sample.draft(0, size: room)], at: Sample.start).first)
        #expect(largest.canonicalBytes.count == Entry.byteLimit)
        let error = await #expect(throws: JournalError.self) {
            try await journal.append([Sample.draft(1), Sample.draft(0, size: room + 1)], at: Sample.start)
        }
        #expect(error?.code == "entry-too-large")
        #expect(journal.count == 2, "the small draft of the refused append is not there either")
    }

    @Test("more drafts than a frame holds are refused, and the journal goes on")
    func frameLimit() async throws {
        let journal = try journal()
        let drafts = (0..<140).map { Sample.draft($0, size: 65_000) }
        let error = await #expect(throws: JournalError.self) { try await journal.append(drafts, at: Sample.start) }
        #expect(error?.code == "append-too-large")
        #expect(try await journal.append([Sample.draft(0)], at: Sample.start).first?.sequence == 0)
    }

    @Test(
        "drafts that could not be read back or erased are refused",
        arguments: [
            EntryDraft(type: "", occurredAt: Sample.start, actor: "system"),
            EntryDraft(type: "Finding", occurredAt: Sample.start, actor: "system"),
            EntryDraft(type: "finding", occurredAt: Sample.start, actor: ""),
            EntryDraft(type: "finding", occurredAt: Sample.start, actor: "system", data: ["n": .number(.nan)]),
            EntryDraft(type: "finding", occurredAt: Sample.start, actor: "system", data: ["n": .integer(.max)]),
            EntryDraft(type: "finding", occurredAt: Timestamp(nanoseconds: .min), actor: "system"),
            Sample.personalDraft(0, subjects: []),
            EntryDraft(
                type: "finding", occurredAt: Sample.start, actor: "system",
                data: ["n": (0..<64).reduce(JSONValue.null) { value, _ in .array([value]) }]),
        ])
    func invalid(_ draft: EntryDraft) async throws {
        let journal = try journal()
        let error = await #expect(throws: JournalError.self) { try await journal.append([draft], at: Sample.start) }
        #expect(error?.code == "entry-invalid")
        #expect(journal.count == 0)
    }

    @Test(
        "bytes that are no entry are refused",
        arguments: [
            "", "{}", "[]",
            #"{"actor":"a","data":{},"occurred_at":"2026-09-21T14:13:20Z","recorded_at":"2026-09-21T14:13:20Z","sealed":{},"seq":0,"type":"t","v":2}"#,
            #"{"actor":"a","data":{},"occurred_at":"2026-09-21T14:13:20Z","recorded_at":"2026-09-21T14:13:20Z","sealed":{},"seq":-1,"type":"t","v":1}"#,
            #"{"actor":"a","data":{},"occurred_at":"2026-09-21T16:13:20+02:00","recorded_at":"2026-09-21T14:13:20Z","sealed":{},"seq":0,"type":"t","v":1}"#,
            #"{"actor":"a","data":[],"occurred_at":"2026-09-21T14:13:20Z","recorded_at":"2026-09-21T14:13:20Z","sealed":{},"seq":0,"type":"t","v":1}"#,
            #"{"actor":"a","data":{},"occurred_at":"2026-09-21T14:13:20Z","recorded_at":"2026-09-21T14:13:20Z","sealed":{"f":{"box":"AA==","keys":["k"]}},"seq":0,"type":"t","v":1}"#,
            #"{"actor":"a","data":{},"extra":1,"occurred_at":"2026-09-21T14:13:20Z","recorded_at":"2026-09-21T14:13:20Z","sealed":{},"seq":0,"type":"t","v":1}"#,
        ])
    func noEntry(_ text: String) {
        #expect(throws: Entry.FormError.self) { try Entry(parsing: Array(text.utf8)) }
    }
}
