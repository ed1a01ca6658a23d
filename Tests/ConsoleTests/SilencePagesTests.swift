import Console
import Events
import Foundation
import HTTPTypes
import Identity
import Incidents
import Testing

@Suite("Silences: pages and API")
struct SilencePagesTests {
    private static let evil = "<script>alert(1)</script>"

    private let world: World
    private let browser: Browser

    init() async throws {
        var finding = Samples.finding(0, text: Self.evil)
        finding.entities = [IncidentEntity(kind: .address, value: "192.0.2.7")]
        finding.incident = "SEC-2026-0001"
        var incident = Samples.incident(text: Self.evil)
        incident.findings = [finding]
        var taken = finding
        taken.sequence = 51
        taken.silence = "S-1"
        incident.findings.append(taken)
        world = try World(
            incidents: [incident], hidden: ["SEC-2026-0002"],
            silences: KeptSilences(
                recent: [(finding: finding, incidentTitle: Self.evil)], tally: SilenceTally(findings: 3, last: noon)))
        browser = try await world.signedIn()
    }

    private static let fields = ["address": "192.0.2.7", "for": "4h", "reason": evil, "line": "user \(evil)"]

    private func add(_ fields: [String: String] = Self.fields, as browser: Browser? = nil) async throws -> Browser.Answer {
        let browser = browser ?? self.browser
        _ = try await browser.get("/silences/new")
        return try await browser.post("/silences", fields)
    }

    @Test("from a finding to the form, a preview, a silence in force, its end: every text as text")
    func wholeWay() async throws {
        let page = try await browser.get("/incidents/SEC-2026-0001")
        let link = try #require(page.text.firstMatch(of: /href="(\/silences\/new\?kind=silence[^"]*)">Silence/)?.output.1)
        let form = try await browser.get(String(link).replacing("&amp;", with: "&"))
        #expect(form.status == 200 && form.text.contains(#"value="192.0.2.7""#) && form.text.contains("SEC-2026-0001"))
        #expect(page.text.contains(">Not an attack…</a>"))

        let before = try await browser.post("/silences/preview", Self.fields)
        #expect(before.status == 200 && before.text.contains("What it would have taken"))
        #expect(before.text.contains("<strong>0</strong>"), "its line does not stand in all lines of the finding")
        var plain = Self.fields
        plain["line"] = ""
        #expect(try await browser.post("/silences/preview", plain).text.contains("<strong>1</strong> finding"))

        let made = try await add()
        #expect(made.status == 303 && made.location == "/silences/S-1")
        for path in ["/silences", "/silences/S-1", "/silences/S-1/end", "/incidents/SEC-2026-0001"] {
            let shown = try await browser.get(path)
            #expect(shown.status == 200 && !shown.text.contains("<script>alert"), "\(path)")
        }
        let list = try await browser.get("/silences")
        #expect(list.text.contains("&lt;script&gt;") && list.text.contains("192.0.2.7") && list.text.contains("<b>3</b>"))
        #expect(try await browser.get("/incidents").text.contains("1 silence in force"))
        let incident = try await browser.get("/incidents/SEC-2026-0001")
        #expect(incident.text.contains("Silenced") && incident.text.contains(#"href="/silences/S-1""#))

        #expect(try await browser.post("/silences/S-1/end", ["reason": ""]).status == 422)
        #expect(try await browser.post("/silences/S-1/end", ["reason": "over"]).location == "/silences/S-1")
        #expect(try await browser.post("/silences/S-1/end", ["reason": "over"]).status == 409)
        #expect(try await browser.get("/silences").text.contains("Nothing is silenced"))
        #expect(try await browser.get("/silences/S-1").text.contains("Make it again"))
        #expect(try await !browser.get("/incidents").text.contains("in force"))
    }

    @Test("what is refused comes back in the form, with what was written")
    func refused() async throws {
        for (name, value) in [("for", ""), ("for", "0s"), ("for", "91d"), ("address", "192.0.2.0/33"), ("reason", "")] {
            var fields = Self.fields
            fields[name] = value
            let answer = try await add(fields)
            #expect(answer.status == 422 && answer.text.contains(#"role="alert""#), "\(name)=\(value)")
            #expect(answer.text.contains("user &lt;script&gt;") && !answer.text.contains("<script>alert"))
            #expect(try await browser.post("/silences/preview", fields).status == 422)
        }
        #expect(try await add(["for": "1h", "reason": "so"]).status == 422, "everything")
        #expect(try await add(Self.fields.merging(["incident": "SEC-2026-0009"]) { $1 }).status == 404)
        #expect(try await browser.get("/silences").text.contains("Nothing is silenced"))
    }

    @Test("under a finding, the link names the IPv6 network that a silence can be about; an address of it alone is refused")
    func ipv6() async throws {
        var finding = Samples.finding(0, text: "x")
        finding.entities = ["2001:db8:0:5::1", "2001:db8:0:5::2", "192.0.2.7"].map { IncidentEntity(kind: .address, value: $0) }
        finding.incident = "SEC-2026-0001"
        var incident = Samples.incident()
        incident.findings = [finding]
        let browser = try await World(incidents: [incident], silences: KeptSilences()).signedIn()
        let page = try await browser.get("/incidents/SEC-2026-0001")
        let link = try #require(page.text.firstMatch(of: /href="(\/silences\/new\?kind=silence[^"]*)">Silence/)?.output.1)
        let form = try await browser.get(String(link).replacing("&amp;", with: "&"))
        #expect(form.text.contains(#"name="address" value="2001:db8:0:5::/64 192.0.2.7""#))
        let refused = try await browser.post("/silences", ["address": "2001:db8:0:5::1", "for": "4h", "reason": "ours"])
        #expect(refused.status == 422 && refused.text.contains("2001:db8:0:5::/64"))
    }

    @Test("viewers look, responders silence few, commanders much")
    func roles() async throws {
        #expect(try await add().status == 303)
        let viewer = try await world.browser(as: .viewer)
        let list = try await viewer.get("/silences")
        #expect(list.status == 200 && !list.text.contains("New silence") && !list.text.contains("/silences/S-1/end"))
        #expect(try await !viewer.get("/incidents/SEC-2026-0001").text.contains("Not an attack"))
        #expect(try await viewer.get("/silences/new").status == 403)
        let responder = try await world.browser(as: .responder)
        let wide = ["rule": Self.evil, "for": "1h", "reason": "so"]
        #expect(try await add(wide, as: responder).status == 403)
        #expect(try await responder.post("/silences/preview", wide).status == 403)
        #expect(try await add(Self.fields.merging(["for": "31d"]) { $1 }, as: responder).status == 403)
        #expect(try await add(as: responder).status == 303)
        #expect(try await add(wide, as: try await world.browser(as: .commander)).status == 303)
    }

    @Test("of those that are over, the list shows a hundred at a time, the newest first, and what is in force on the first page")
    func pages() async throws {
        let silences = KeptSilences()
        let ana = Author(id: "0a", name: "ana")
        let matcher = SilenceMatcher(addresses: [try #require(AddressBlock("203.0.113.77"))])
        func add() async throws -> Silence {
            try await silences.carryOut(
                SilenceOrder(
                    .create(SilenceDraft(kind: .silence, matcher: matcher, duration: 3_600, reason: "ours")), by: ana,
                    isCommander: true))
        }
        for _ in 0..<201 {
            let made = try await add()
            _ = try await silences.carryOut(SilenceOrder(.end(id: made.id, reason: "over"), by: ana, isCommander: true))
        }
        let active = try await add()
        let browser = try await World(silences: silences).signedIn()
        func shown(_ path: String) async throws -> (ids: [String], text: String) {
            let text = try await browser.get(path).text
            return (text.matches(of: /data-key="(S-\d+)"/).map { String($0.output.1) }, text)
        }
        let ids = { (range: ClosedRange<Int>) in range.reversed().map { "S-\($0)" } }
        let first = try await shown("/silences")
        #expect(first.ids == [active.id] + ids(102...201))
        #expect(first.text.contains(#"href="/silences?page=2""#) && !first.text.contains("Newer"))
        let second = try await shown("/silences?page=2")
        #expect(second.ids == ids(2...101) && second.text.contains("1 in force"))
        #expect(second.text.contains(#"href="/silences""#) && second.text.contains(#"href="/silences?page=3""#))
        #expect(!second.text.contains("Nothing is silenced"))
        let last = try await shown("/silences?page=3")
        #expect(last.ids == ["S-1"] && !last.text.contains("Older"))
        for text in ["4", "99999999999999999999", "-1", "0", "x"] {
            let answer = try await browser.get("/silences?page=\(text)")
            #expect(answer.status == 200, "\(text)")
        }
        #expect(try await shown("/silences?page=9").ids == ["S-1"])
    }

    @Test("of one that came of a restricted incident, its readers alone see what and why")
    func needToKnow() async throws {
        let silences = KeptSilences(
            recent: [(finding: Samples.finding(0, text: "planted"), incidentTitle: nil)],
            tally: SilenceTally(findings: 77, last: noon))
        let order = SilenceOrder(
            .create(
                SilenceDraft(
                    kind: .exception, matcher: SilenceMatcher(addresses: [try #require(AddressBlock("203.0.113.77"))]),
                    duration: 3_600, reason: "planted", incident: "SEC-2026-0002")),
            by: Author(id: "0c", name: "carla"), isCommander: true)
        _ = try await silences.carryOut(order)
        let world = try World(incidents: [Samples.incident()], hidden: ["SEC-2026-0002"], silences: silences)
        let stranger = try await world.signedIn()
        let token = try await world.token(as: .admin, [.admin])
        for path in ["/silences", "/silences/S-1", "/silences/S-1/end", "/api/v1/silences", "/api/v1/silences/S-1"] {
            let answer =
                path.hasPrefix("/api")
                ? try await Browser(world).send(.get, path, headers: ["authorization": "Bearer \(token)"], body: "")
                : try await stranger.get(path)
            #expect(answer.status == 200 && answer.text.contains("carla"), "\(path)")
            for secret in ["203.0.113.77", "planted", "SEC-2026-0002", "<b>77</b>", #""findings":77"#] {
                #expect(!answer.text.contains(secret), "\(path) \(secret)")
            }
        }
    }

    @Test("programs do the same, with an array of addresses too")
    func api() async throws {
        let token = try await world.token(as: .commander, [.respond])
        let headers = ["authorization": "Bearer \(token)", "content-type": "application/json"]
        let body = #"{"kind":"exception","address":["192.0.2.7","2001:db8::/64"],"for":"30d","reason":"ours"}"#
        let made = try await Browser(world).send(.post, "/api/v1/silences", headers: headers, body: body)
        #expect(made.status == 201 && made.text.contains(#""addresses":["192.0.2.7","2001:db8::/64"]"#))
        let preview = try await Browser(world).send(.post, "/api/v1/silences/preview", headers: headers, body: body)
        #expect(preview.status == 200 && preview.text.contains(#""findings":1"#))
        let wrong = try await Browser(world).send(
            .post, "/api/v1/silences", headers: headers, body: #"{"address":"192.0.2.7","reason":"ours"}"#)
        #expect(wrong.status == 422 && wrong.text.contains("it has no end"))
        let ended = try await Browser(world).send(
            .post, "/api/v1/silences/S-1/end", headers: headers, body: #"{"reason":"over"}"#)
        #expect(ended.status == 200 && ended.text.contains(#""state":"ended""#))
        let list = try await Browser(world).send(.get, "/api/v1/silences", headers: headers, body: "")
        #expect(list.text.contains(#""silences":[]"#))
        #expect(try await Browser(world).send(.get, "/api/v1/silences?all=1", headers: headers, body: "").text.contains("S-1"))
    }
}
