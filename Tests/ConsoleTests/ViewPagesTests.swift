import Console
import Foundation
import HTTPTypes
import Identity
import Testing

@Suite("Saved views: pages and API")
struct ViewPagesTests {
    let world: World
    let browser: Browser

    init() async throws {
        world = try World(incidents: [Samples.incident()])
        browser = try await world.signedIn()
    }

    private func tabs(_ page: Browser.Answer) -> [String] {
        let nav = page.text.firstMatch(of: /<nav class="views"[^>]*>(.*?)<\/nav>/.dotMatchesNewlines())
        return (nav.map { String($0.output.1) } ?? "").matches(of: /<a href="([^"]*)"( aria-current="page")?>([^<]*)/).map {
            "\($0.output.3)\($0.output.2 == nil ? "" : "*") \($0.output.1)"
        }
    }

    @Test("a filter is kept under a name, is a tab, is renamed, taken from the tabs, and deleted")
    func wholeWay() async throws {
        let plain = try await browser.get("/incidents")
        #expect(tabs(plain) == ["All open* /incidents"] && !plain.text.contains("Save this view"))
        let filtered = try await browser.get("/incidents?q=web%20%3Cb%3E&severity=P0&severity=P1&closed=1&page=2")
        #expect(filtered.text.contains("Save this view") && filtered.text.contains("P0, P1, “web &lt;b&gt;”, closed too"))
        // As the form has it: two severities, which a dictionary cannot hold.
        let body = "csrf=\(browser.formToken)&name=Bad+%3Ci%3E&q=web+%3Cb%3E&severity=P0&severity=P1&closed=1"
        let headers = [
            "content-type": "application/x-www-form-urlencoded", "origin": "http://localhost:8630",
            "sec-fetch-site": "same-origin",
        ]
        let saved = try await browser.send(.post, "/views", headers: headers, body: body)
        let path = "/incidents?q=web%20%3Cb%3E&severity=P0&severity=P1&closed=1"
        #expect(saved.status == 303 && saved.location == path)
        let page = try await browser.get(path)
        let shown = path.replacing("&", with: "&amp;")
        #expect(tabs(page) == ["All open /incidents", "Bad &lt;i&gt;* \(shown)"])
        #expect(!page.text.contains("Save this view"), "it is kept already")
        let list = try await browser.get("/views")
        #expect(list.text.contains("Bad &lt;i&gt;") && !list.text.contains("Bad <i>"))
        let id = try #require(list.text.firstMatch(of: /action="\/views\/([0-9a-f]{16})"/)?.output.1)
        #expect(try await browser.post("/views/\(id)", ["verb": "rename", "name": "Worst"]).location == "/views")
        #expect(tabs(try await browser.get("/incidents")).last == "Worst \(shown)")
        #expect(try await browser.post("/views/\(id)", ["verb": "unpin"]).status == 303)
        #expect(tabs(try await browser.get("/incidents")) == ["All open* /incidents"])
        #expect(try await browser.get("/views").text.contains("Make it a tab"))
        #expect(try await browser.post("/views/\(id)", ["verb": "dance"]).status == 422)
        #expect(try await browser.post("/views/\(id)", ["verb": "rename", "name": ""]).status == 422)
        #expect(try await browser.post("/views/\(id)", ["verb": "delete"]).status == 303)
        #expect(try await browser.get("/views").text.contains("There is no saved view"))
        #expect(try await browser.post("/views/\(id)", ["verb": "delete"]).status == 404)
    }

    @Test("what is private is nobody else's; what is shared is everybody's to see and its owner's to change")
    func others() async throws {
        let responder = try await world.browser(as: .responder)
        let viewer = try await world.browser(as: .viewer)
        _ = try await responder.get("/incidents?q=a")
        #expect(try await responder.post("/views", ["name": "Private", "q": "a"]).status == 303)
        #expect(try await responder.post("/views", ["name": "Shared", "q": "b", "shared": "1"]).status == 303)
        #expect(tabs(try await viewer.get("/incidents")).map { $0.prefix(6) } == ["All op", "Shared"])
        #expect(!(try await browser.get("/views")).text.contains("Private"), "not even to admins")
        let page = try await viewer.get("/views")
        #expect(!page.text.contains("<summary>Change"))
        let admin = try await browser.get("/views")
        let shared = try #require(admin.text.firstMatch(of: /action="\/views\/([0-9a-f]{16})"/)?.output.1)
        _ = try await viewer.get("/incidents?q=c")
        for fields in [["verb": "rename", "name": "x"], ["verb": "unshare"], ["verb": "delete"]] {
            #expect(try await viewer.post("/views/\(shared)", fields).status == 403)
        }
        #expect(!(try await viewer.get("/incidents?q=c")).text.contains("Share it with everybody"))
        #expect(try await viewer.post("/views", ["name": "Mine", "q": "c", "shared": "1"]).status == 403)
        #expect(try await viewer.post("/views", ["name": "Mine", "q": "c"]).status == 303)
        #expect(try await browser.post("/views/\(shared)", ["verb": "rename", "name": "x"]).status == 403)
        #expect(try await browser.post("/views/\(shared)", ["verb": "delete"]).status == 303, "somebody has to tidy up")
        #expect(tabs(try await responder.get("/incidents")).map { $0.prefix(7) } == ["All ope", "Private"])
    }

    @Test("programs keep views, too, each of its own account")
    func programs() async throws {
        let token = try await world.token(as: .responder, [.respond])
        let headers = ["authorization": "Bearer \(token)", "content-type": "application/json"]
        func call(_ method: HTTPRequest.Method, _ path: String, _ body: String = "") async throws -> (Int, [String: Any]) {
            let answer = try await Browser(world).send(method, path, headers: headers, body: body)
            let object = try? JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any]
            return (answer.status, object ?? [:])
        }
        let (status, view) = try await call(
            .post, "/api/v1/views", #"{"name":"Night","q":"ssh","severity":["P0"],"closed":true,"shared":true,"pinned":false}"#)
        #expect(status == 201 && view["path"] as? String == "/incidents?q=ssh&severity=P0&closed=1")
        #expect(view["pinned"] as? Bool == false && view["shared"] as? Bool == true && view["severities"] as? [String] == ["P0"])
        let id = try #require(view["id"] as? String)
        let changed = try await call(.post, "/api/v1/views/\(id)", #"{"name":"Day","shared":false}"#)
        #expect(changed.0 == 200 && changed.1["name"] as? String == "Day" && changed.1["shared"] as? Bool == false)
        #expect(try await call(.get, "/api/v1/views").1["views"].map { ($0 as? [Any])?.count } == 1)
        #expect(try await call(.delete, "/api/v1/views/\(id)").0 == 204)
        #expect(try await call(.delete, "/api/v1/views/\(id)").0 == 404)
        let reading = try await world.token(as: .responder, [.read])
        let weak = ["authorization": "Bearer \(reading)", "content-type": "application/json"]
        #expect(try await Browser(world).send(.post, "/api/v1/views", headers: weak, body: #"{"name":"x"}"#).status == 403)
    }
}
