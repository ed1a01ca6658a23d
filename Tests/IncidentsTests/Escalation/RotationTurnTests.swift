import Events
import Incidents
import Testing

@Suite("Whose turn it is next")
struct RotationTurnTests {
    private func rotation(_ text: String) throws -> OnCallPolicy.Rotation {
        let policies = try Policies(
            files: [
                "channels.yml": "channels: {hook: {kind: webhook, url: \"https://example.org\", secret_file: /s}}",
                "oncall.yml": """
                people: {ana: {contacts: [{channel: hook}]}, bo: {contacts: [{channel: hook}]}}
                rotations: {r: \(text)}
                """,
            ], folder: "p")
        return try #require(policies.onCall.rotations["r"])
    }

    private func time(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    @Test("turns change at the wall clock's hour, across the change to summer time")
    func summerTime() throws {
        let rotation = try rotation("{zone: Europe/Stockholm, starts: \"2026-03-23T09:00\", days: 7, people: [ana, bo]}")
        let turns = rotation.turns(from: try time("2026-03-24T00:00:00Z"), count: 3)
        #expect(
            turns.map(\.from.rfc3339) == ["2026-03-30T07:00:00Z", "2026-04-06T07:00:00Z", "2026-04-13T07:00:00Z"])
        #expect(turns.map(\.person) == ["bo", "ana", "bo"])
        for turn in turns {
            #expect(rotation.person(at: turn.from) == turn.person)
            #expect(rotation.person(at: turn.from.advanced(byNanoseconds: -1)) != turn.person)
        }
    }

    @Test("who stands in is a turn of its own")
    func override() throws {
        let rotation = try rotation(
            """
            {zone: Etc/UTC, starts: "2026-03-02T09:00", days: 7, people: [ana, bo],
             overrides: [{person: bo, from: "2026-03-03T09:00:00Z", until: "2026-03-04T09:00:00Z"}]}
            """)
        let turns = rotation.turns(from: try time("2026-03-02T10:00:00Z"), count: 3)
        #expect(
            turns == [
                .init(from: try time("2026-03-03T09:00:00Z"), person: "bo"),
                .init(from: try time("2026-03-04T09:00:00Z"), person: "ana"),
                .init(from: try time("2026-03-09T09:00:00Z"), person: "bo"),
            ])
    }

    @Test("one person alone has no next turn, and neither has an empty rotation")
    func alone() throws {
        for people in ["[ana]", "[]"] {
            let rotation = try rotation("{zone: Etc/UTC, starts: \"2026-03-02T09:00\", people: \(people)}")
            #expect(rotation.turns(from: try time("2026-03-02T10:00:00Z"), count: 3).isEmpty)
        }
    }
}
