import Events
import Incidents
import Testing

@Suite("The war room")
struct WarRoomTests {
    static func policies(_ room: String? = "{channels: [chat, hook]}", clocks: String? = nil) throws -> Policies {
        var files = [
            "channels.yml": """
            channels:
              chat: {kind: slack, token_file: /t, room: C1}
              hook: {kind: webhook, url: "https://example.org", secret_file: /s}
              mail: {kind: smtp, url: "smtp://example.org", from: a@example.org}
            """ + (room.map { "\nwar_room: \($0)" } ?? "")
        ]
        files["clocks.yml"] = clocks
        return try Policies(files: files, folder: "policies")
    }

    private func intents(_ desk: Desk, _ minutes: Int64, _ id: String = "SEC-2026-0001") throws -> [String] {
        let incident = try #require(desk.ledger[id])
        let now = Desk.start.advanced(bySeconds: minutes * 60)
        return EscalationPlan.events(for: incident, desk.policies, now: now).compactMap { event in
            if case .intended(let intent) = event.what { intent.key } else { nil }
        }
    }

    private func take(_ desk: inout Desk, _ minutes: Int64) throws -> [String] {
        let incident = try #require(desk.ledger["SEC-2026-0001"])
        let now = Desk.start.advanced(bySeconds: minutes * 60)
        let events = EscalationPlan.events(for: incident, desk.policies, now: now)
        desk.apply(events.map { .page($0) }, at: now)
        return events.map(\.key)
    }

    @Test("one thread on each channel, then each message once, in order; updates are messages, notes are not")
    func messages() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open()
        #expect(try take(&desk, 0) == ["SEC-2026-0001/room/000000/chat", "SEC-2026-0001/room/000000/hook"])
        #expect(try take(&desk, 1) == [])
        try desk.order(.say, minutes: 2, text: "first")
        try desk.order(.note, minutes: 2, text: "not for all")
        try desk.order(.statusUpdate, minutes: 3, text: "second")
        #expect(
            try take(&desk, 3)
                == ["chat", "hook"].flatMap { channel in
                    [1, 2].map { "SEC-2026-0001/room/00000\($0)/\(channel)" }
                })
        #expect(try take(&desk, 4) == [])
        let state = try #require(desk.ledger["SEC-2026-0001"])
        #expect(state.room.map(\.text) == ["first", "second"] && state.room.map(\.isUpdate) == [false, true])
        #expect(state.room.map(\.author.label) == ["ana", "ana"])
    }

    @Test("nothing is told of what is restricted, of a low severity, of a test, or hours later")
    func silence() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open()
        try desk.order(.restrict(readers: ["0a"]), minutes: 0)
        try desk.order(.say, minutes: 1, text: "secret")
        #expect(try intents(desk, 1) == [])
        try desk.order(.unrestrict, minutes: 90)
        #expect(try intents(desk, 90) == [], "too late")

        var low = Desk(policies: try Self.policies())
        try low.open(.low)
        try low.order(.say, minutes: 1)
        #expect(try intents(low, 1) == [])
        low.policies = try Self.policies("{channels: [chat], severities: [P3]}")
        #expect(try intents(low, 1).count == 2)

        var test = Desk(policies: try Self.policies())
        try test.open(kind: .test)
        try test.order(.say, minutes: 1)
        #expect(try intents(test, 1) == [])

        var none = Desk(policies: try Self.policies(nil))
        try none.open()
        try none.order(.say, minutes: 1)
        #expect(try intents(none, 1) == [])
    }

    @Test("a message that waits is not sent once the incident is restricted, or the channel is none of the room's any more")
    func cancelled() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open()
        try desk.order(.say, minutes: 0)
        _ = try take(&desk, 0)
        let state = try #require(desk.ledger["SEC-2026-0001"])
        let pages = state.pages.values.map(\.intent)
        #expect(pages.count == 4)
        #expect(pages.allSatisfy { EscalationPlan.reasonToCancel($0, state, desk.policies) == nil })
        let fewer = try Self.policies("{channels: [hook]}")
        #expect(pages.filter { EscalationPlan.reasonToCancel($0, state, fewer) != nil }.map(\.channel) == ["chat", "chat"])
        try desk.order(.restrict(readers: ["0a"]), minutes: 1)
        let restricted = try #require(desk.ledger["SEC-2026-0001"])
        #expect(pages.allSatisfy { EscalationPlan.reasonToCancel($0, restricted, desk.policies) != nil })
    }

    @Test("reminders of the status update are told in the room, every 15 minutes")
    func reminders() throws {
        let clocks = """
            use: t
            tables: {t: {status_update: {title: Status update, starts: acknowledged, stops: update_sent, within: 15m, repeats: true}}}
            """
        var desk = Desk(policies: try Self.policies("{channels: [hook]}", clocks: clocks))
        try desk.open()
        try desk.order(.acknowledge, minutes: 0)
        _ = try take(&desk, 0)
        for round in 1...2 {
            let now = Desk.start.advanced(bySeconds: Int64(round) * 900 + 1)
            let incident = try #require(desk.ledger["SEC-2026-0001"])
            let missed = desk.policies.clocks.missed(of: incident, now: now)
            #expect(missed.count == 1)
            desk.apply(missed.map { .clockMissed($0) }, at: now)
            #expect(try intents(desk, Int64(round) * 15 + 1) == ["\(missed[0].key)/channel:hook/hook"])
            _ = try take(&desk, Int64(round) * 15 + 1)
        }
    }

    @Test("a closed incident takes no messages, an empty one is none; the state keeps the newest")
    func bounds() throws {
        var desk = Desk(policies: try Self.policies())
        try desk.open()
        #expect(throws: IncidentRefusal.self) { try desk.order(.say, text: "  ") }
        #expect(throws: IncidentRefusal.self) {
            try desk.order(.say, text: String(repeating: "x", count: IncidentChange.maximumTextBytes + 1))
        }
        for number in 1...250 { try desk.order(.say, minutes: 1, text: "\(number)") }
        let state = try #require(desk.ledger["SEC-2026-0001"])
        #expect(state.room.count == RoomMessage.maximumKept && state.room.last?.number == 250)
        try desk.order(.phase(.triage), minutes: 2)
        try desk.order(.close(.falsePositive), minutes: 3)
        #expect(throws: IncidentRefusal.self) { try desk.order(.say, minutes: 4) }
    }

    @Test("channels that cannot hold a room are refused")
    func refused() {
        for room in [
            "{channels: [nowhere]}", "{channels: [mail]}", "{channels: [chat, chat]}", "{severities: [P0]}",
            "{channels: [chat], severities: [P9]}",
        ] {
            #expect(throws: PolicyError.self, "\(room)") { try Self.policies(room) }
        }
    }
}
