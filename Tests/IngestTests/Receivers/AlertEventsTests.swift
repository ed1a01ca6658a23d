import Events
import Ingest
import Testing

@Suite("Alerts of other systems")
struct AlertEventsTests {
    private static func notification(
        _ status: String = "firing", start: String = "2026-03-01T11:59:00Z", fingerprint: String = "a1b2"
    )
        -> [UInt8]
    {
        Array(
            """
            {"version":"4","groupKey":"{}:{}","truncatedAlerts":0,"status":"\(status)","receiver":"vigie","alerts":[{"status":"\(status)",
            "labels":{"alertname":"HighErrorRate","severity":"critical","instance":"web1:9100","team":"a"},
            "annotations":{"summary":"5 % errors"},"startsAt":"\(start)","endsAt":"0001-01-01T00:00:00Z",
            "generatorURL":"http://prometheus/graph","fingerprint":"\(fingerprint)"}]}
            """.utf8)
    }

    private static let names = ["event.kind", "event.module", "rule.name", "event.id", "labels.team"]

    @Test("an alert of Alertmanager becomes an event")
    func alert() throws {
        var states = AlertStates()
        var lines = ReceivedLines()
        try AlertEvents.decode(alertmanager: Self.notification().span, states: &states, into: &lines)
        let event = try #require(lines.read(fields: Self.names).first)
        #expect(event["event.kind"] == "alert" && event["event.module"] == "alertmanager" && event["event.action"] == "firing")
        #expect(event["rule.name"] == "HighErrorRate" && event["log.level"] == "critical" && event["host.name"] == "web1:9100")
        #expect(event["event.id"] == "a1b2" && event["labels.team"] == "a" && event["message"] == "5 % errors")
        #expect(event.time.rfc3339 == "2026-03-01T11:59:00Z")
    }

    @Test("the same fingerprint, start and status is one event; another of the three is another, also after a restart")
    func repeated() throws {
        var states = AlertStates()
        var lines = ReceivedLines()
        let all = [
            Self.notification(), Self.notification(), Self.notification("resolved"), Self.notification(fingerprint: "c3"),
            Self.notification(start: "2026-03-01T11:59:30Z"), Self.notification(),
        ]
        for one in all { try AlertEvents.decode(alertmanager: one.span, states: &states, into: &lines) }
        #expect(lines.count == 4 && lines.counters.repeated == 2)
        var memory = SpoolMemory()
        let spooled = Array(lines.text.utf8)
        #expect(memory.learn(spooled.span, .keys) == spooled.count)
        var again = ReceivedLines()
        for one in all { try AlertEvents.decode(alertmanager: one.span, states: &memory.alerts, into: &again) }
        #expect(again.count == 0)
    }

    @Test(
        "another version of the webhook is refused, and so is what is none",
        arguments: [#"{"version":"5","alerts":[]}"#, "[]", "{}", "{"])
    func refused(_ text: String) {
        var states = AlertStates()
        var lines = ReceivedLines()
        let bytes = Array(text.utf8)
        #expect(throws: ReceiverRefusal.self) { try AlertEvents.decode(alertmanager: bytes.span, states: &states, into: &lines) }
    }

    @Test("PagerDuty's events tell of changes, once each")
    func pagerDuty() throws {
        var states = AlertStates()
        var lines = ReceivedLines()
        func send(_ action: String, _ key: String?) throws -> AlertEvents.Answer {
            let bytes = Array(
                """
                {"routing_key":"r","event_action":"\(action)"\(key.map { ",\"dedup_key\":\"\($0)\"" } ?? ""),
                "payload":{"summary":"disk full","source":"db1","severity":"critical","component":"postgres","class":"disk",
                "custom_details":{"free":"1 %"}}}
                """.utf8)
            return try AlertEvents.decode(pagerDuty: bytes.span, newKey: "made", states: &states, into: &lines)
        }
        #expect(try send("trigger", nil) == AlertEvents.Answer(routingKey: "r", deduplicationKey: "made"))
        for action in ["trigger", "trigger", "acknowledge", "resolve", "resolve", "trigger"] { _ = try send(action, "k") }
        let events = lines.read(fields: Self.names + ["service.name", "labels.free"])
        #expect(events.map { $0["event.action"] } == ["firing", "firing", "acknowledged", "resolved", "firing"])
        #expect(events[0]["rule.name"] == "disk" && events[0]["host.name"] == "db1" && events[0]["message"] == "disk full")
        #expect(events[0]["service.name"] == "postgres" && events[0]["labels.free"] == "1 %")
        #expect(lines.counters.repeated == 2)
        #expect(throws: ReceiverRefusal.self) { try send("explode", "k") }
        #expect(throws: ReceiverRefusal.self) { try send("resolve", nil) }
    }

    /// Keys are remembered, tens of thousands of them: 255 bytes each, not characters, of which one can be megabytes long.
    @Test(
        "a key that is too long to be remembered is refused",
        arguments: [String(repeating: "k", count: 256), "e" + String(repeating: "\u{301}", count: 128)])
    func longKeys(_ key: String) throws {
        var states = AlertStates()
        var lines = ReceivedLines()
        for bytes in [Self.notification(fingerprint: key), Self.notification(start: key)] {
            try AlertEvents.decode(alertmanager: bytes.span, states: &states, into: &lines)
        }
        #expect(lines.count == 0 && lines.counters.rejected == 2)
        #expect(lines.counters.firstRejection?.contains("255 bytes") == true)
        for action in ["trigger", "resolve"] {
            let event = Array(
                #"{"event_action":"\#(action)","dedup_key":"\#(key)","payload":{"summary":"s","source":"d","severity":"info"}}"#
                    .utf8)
            #expect(throws: ReceiverRefusal.self) {
                try AlertEvents.decode(pagerDuty: event.span, newKey: "made", states: &states, into: &lines)
            }
        }
        #expect(states == AlertStates())
    }

    @Test("a key of 255 bytes is remembered")
    func longestKey() throws {
        var states = AlertStates()
        var lines = ReceivedLines()
        let bytes = Self.notification(fingerprint: String(repeating: "k", count: 255))
        for _ in 0..<2 { try AlertEvents.decode(alertmanager: bytes.span, states: &states, into: &lines) }
        #expect(lines.count == 1 && lines.counters.repeated == 1)
    }
}
