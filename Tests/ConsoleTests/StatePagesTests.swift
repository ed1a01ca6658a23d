import Console
import Events
import Identity
import Incidents
import Testing

/// Pages that are made of what incidents are by now, and of the policies.
struct StatePagesTests {
    private static let policies = """
        use: t
        tables: {t: {acknowledgement: {title: Acknowledgement, starts: opened, stops: acknowledged, within: 15m}}}
        """

    /// Two incidents: one acknowledged after four minutes, one that pages a channel.
    private func world(saying text: String? = nil) throws -> World {
        let policies = try Policies(
            files: [
                "clocks.yml": Self.policies,
                "channels.yml": "channels: {hook: {kind: webhook, url: \"https://example.org\", secret_file: /s}}",
                "oncall.yml": """
                people: {ana: {contacts: [{channel: hook}]}}
                rotations:
                  day: {zone: Etc/UTC, starts: "2026-01-05T09:00", people: [ana]}
                  night: {zone: Etc/UTC, starts: "2026-01-05T09:00", people: []}
                """,
                "escalation.yml": """
                routes: {P1: p}
                policies: {p: [{name: L1, page: ["rotation:day"], answers_within: 15m}]}
                """,
            ], folder: "policies")
        var ledger = IncidentLedger()
        let ana = Author(id: "0a", name: "ana")
        func take(_ events: [IncidentEvent], at time: Timestamp) {
            for event in events { ledger.apply(event, recordedAt: time) }
        }
        let start = noon.advanced(bySeconds: -600)
        for number in 1...2 {
            take(
                try ledger.open(title: "Number \(number)", severity: .high, kind: .real, author: ana, request: nil, now: start),
                at: start)
        }
        let ids = ledger.incidents.keys.sorted()
        let later = start.advanced(bySeconds: 240)
        take(
            try ledger.decide(
                IncidentOrder(incident: ids[0], verb: .acknowledge, author: ana, at: later, text: nil), policies: policies,
                now: later), at: later)
        if let text {
            take(
                try ledger.decide(
                    IncidentOrder(incident: ids[0], verb: .say, author: ana, at: later, text: text), policies: policies,
                    now: later),
                at: later)
        }
        let incident = try #require(ledger[ids[1]])
        let pages = EscalationPlan.events(for: incident, policies, now: start)
        take(pages.map { .page($0) }, at: start)
        for page in pages {
            for what in [PageEvent.What.attempted(number: 1), .dead(number: 1, reason: "the answer was <404>")] {
                take([.page(PageEvent(incident: page.incident, key: page.key, at: start, what: what))], at: start)
            }
        }
        return try World(
            incidents: ids.map { Samples.incident($0) },
            states: FakeStates(all: Array(ledger.incidents.values), policies: policies))
    }

    /// What a page leaves out must not be taken from the frame around it: a token of the frame once stood in such a place.
    @Test(arguments: [
        "/incidents", "/incidents/SEC-2026-0001", "/incidents/SEC-2026-0002", "/on-call", "/metrics", "/metrics?kind=drill",
        "/sources",
        "/rules", "/journal",
    ])
    func aPageSaysWhatItsPartSays(path: String) async throws {
        let browser = try await world().signedIn()
        let page = try await browser.get(path)
        let part = try await browser.get(path, headers: ["vigie-partial": "1"])
        #expect(page.status == 200 && part.status == 200)
        let start = try #require(page.text.firstRange(of: "<main id=\"main\" tabindex=\"-1\">"))
        let end = try #require(page.text.firstRange(of: "</main>"))
        #expect(page.text[start.upperBound..<end.lowerBound] == part.text[...])
        #expect(!page.text.contains("PageModel(") && !page.text.contains("Optional("))
    }

    /// What people write is text, and only who works on incidents has a place to write.
    @Test func theWarRoomIsShownAndWrittenInWithoutScript() async throws {
        let world = try world(saying: "<script>alert(1)</script>")
        let browser = try await world.signedIn()
        let page = try await browser.get("/incidents/SEC-2026-0001").text
        #expect(
            page.contains("War room") && page.contains("&lt;script&gt;alert(1)&lt;/script&gt;") && !page.contains("<script>alert")
        )
        #expect(page.contains("stays here: no channel is named"))
        #expect(page.contains(#"<button name="verb" value="say">Send</button>"#))
        let sent = try await browser.post("/incidents/SEC-2026-0001/orders", ["verb": "say", "text": "Looking"])
        #expect(sent.status == 303 && world.orders.withLock { $0.last?.verb } == .say)
        let viewer = try await world.browser(as: .viewer)
        let seen = try await viewer.get("/incidents/SEC-2026-0001").text
        #expect(seen.contains("War room") && !seen.contains("value=\"say\""))
    }

    @Test func whoIsOnCallAndWhatWasGivenUp() async throws {
        let text = try await world().signedIn().get("/on-call").text
        #expect(text.contains("<b>ana</b>") && text.contains("<span class=\"warn\">nobody</span>"))
        #expect(text.contains("1 given up") && text.contains("the answer was &lt;404&gt;"))
        #expect(text.contains("rotation:day") && text.contains("nobody is paged"))
    }

    @Test func metricsHaveTheirNumberAndTheIncidentsBehindThem() async throws {
        let browser = try await world().signedIn()
        let text = try await browser.get("/metrics").text
        #expect(text.contains("4 min") && text.contains("n = 1") && text.contains("1 running"))
        #expect(text.contains("href=\"/incidents/SEC-2026-0001\""))
        let json = try await browser.get("/api/v1/metrics").text
        #expect(json.contains("\"median\":240") && json.contains("\"measure\":\"MTTA\""))
        #expect(try await browser.get("/metrics?from=yesterday").status == 400)
        #expect(try await browser.get("/metrics?from=2026-02-01&until=2026-01-01").status == 400)
        #expect(try await browser.get("/metrics?from=2020-01-01&until=2020-02-01").text.contains("No real incident began"))
    }

    @Test func clocksCountDownAndPagesAreListed() async throws {
        let browser = try await world().signedIn()
        let first = try await browser.get("/incidents/SEC-2026-0001").text
        #expect(first.contains("Acknowledgement") && first.contains("<b>met</b>") && first.contains("4 min"))
        let second = try await browser.get("/incidents/SEC-2026-0002").text
        #expect(second.contains("<b>running</b>") && second.contains("in 5 min") && second.contains("dead"))
    }
}

@Suite("Policy files that are refused")
struct PolicyProblemTests {
    @Test("the page On call says why the files are not in force, and renders nothing of it")
    func shown() async throws {
        let world = try World(policyProblem: PolicyProblem(text: "policies/clocks.yml:3: '<b>' is not known", at: noon))
        let page = try await world.signedIn().get("/on-call")
        #expect(page.text.contains("policies/clocks.yml:3: &#39;&lt;b&gt;&#39; is not known") || page.text.contains("&lt;b&gt;"))
        #expect(page.text.contains("stay in force") && !page.text.contains("<b>'"))
        #expect(try await World().signedIn().get("/on-call").text.contains("stay in force") == false)
    }
}
