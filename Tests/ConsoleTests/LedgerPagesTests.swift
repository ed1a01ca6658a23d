import Console
import Events
import Foundation
import Identity
import Incidents
import Testing

struct LedgerPagesTests {
    static func proof(_ sequence: Int, text: String = "{}", problems: [String] = []) -> LedgerProof {
        LedgerProof(
            entry: LedgerEntry(
                sequence: sequence, type: "incident.opened", actor: text, occurredAt: noon, recordedAt: noon,
                incident: "SEC-2026-0001"),
            bytes: Array(text.utf8), leaf: "ab", steps: [.init(sibling: "cd", isSiblingLeft: true, result: "ef")], root: "ef",
            size: 9,
            checkpoint: "origin\n9\n\(text)\n", key: "log+1+key", file: Array("c2sp.org/tlog-proof@v1".utf8),
            vouchers: [.init(size: 8, witnesses: [text], timestamp: noon)], problems: problems)
    }

    static func item(_ text: String = "access.log", isErased: Bool = false) -> EvidenceView {
        EvidenceView(
            id: "EV-0011223344556677", sequence: 3, incident: "SEC-2026-0001", sha256: "abc", size: 2048, name: text,
            source: text,
            collector: text, host: text, clockOffset: -12, occurredAt: noon, collectedAt: noon, volatility: 4,
            marking: "TLP:AMBER",
            isSuspicious: true, isErased: isErased,
            custody: [CustodyView(sequence: 5, kind: "evidence.viewed", actor: text, at: noon, text: "Evidence viewed: \(text)")])
    }

    private func world(_ text: String = "{}", problem: String? = nil, isErased: Bool = false) throws -> World {
        try World(
            incidents: [Samples.incident(text: "sample", findings: 1)],
            ledger: FakeLedger(
                proofs: (0..<120).map { Self.proof($0, text: text) }, items: [Self.item(text, isErased: isErased)],
                problem: problem))
    }

    @Test("every entry of a timeline leads to its proof, which is shown checked, with everything to check it elsewhere")
    func oneClick() async throws {
        let browser = try await world().signedIn()
        let incident = try await browser.get("/incidents/SEC-2026-0001")
        let path = try #require(incident.text.firstMatch(of: #/href="(/journal/[0-9]+)"/#)?.1)
        let page = try await browser.get(String(path))
        #expect(page.status == 200)
        for words in ["Proved:", "data-side=\"left\"", "<code>cd</code>", "origin", "log+1+key", "cosigned by", "check-proof"] {
            #expect(page.text.contains(words), "\(words)")
        }
        #expect(page.text.contains("data-entry=\"\(Data("{}".utf8).base64EncodedString())\""))
        #expect(try await browser.get("\(path)/entry.json").text == "{}")
        #expect(try await browser.get("\(path)/entry.tlog-proof").text.hasPrefix("c2sp.org/tlog-proof@v1"))
        #expect(try await browser.get("\(path)/entry.json").header("content-disposition")?.hasPrefix("attachment") == true)
    }

    @Test("who did it is said by name where the entry has an account's id, in the list and on the entry's page")
    func names() async throws {
        let actor = Shared("somebody")
        let world = try World(ledger: FakeLedger(proofs: [Self.proof(0)], actor: actor))
        let browser = try await world.signedIn()
        #expect(try await browser.get("/journal/0").text.contains("<dt>Who</dt><dd>somebody</dd>"))
        let id = try await world.accounts.account(named: "ana").id
        actor.withLock { $0 = id }
        for path in ["/journal", "/journal/0"] { #expect(!(try await browser.get(path)).text.contains(id), "\(path)") }
        #expect(try await browser.get("/journal/0").text.contains("<dt>Who</dt><dd>ana</dd>"))
    }

    @Test("what does not hold is said, and never called proved")
    func unproved() async throws {
        let world = try World(ledger: FakeLedger(proofs: [Self.proof(0, problems: ["the tile is another"])]))
        let page = try await world.signedIn().get("/journal/0")
        #expect(page.text.contains("the tile is another") && !page.text.contains("Proved:"))
        #expect(!page.text.contains("check-proof"))
    }

    @Test("the journal in pages, newest first, and nothing for those who are not signed in")
    func list() async throws {
        let world = try world()
        let browser = try await world.signedIn()
        let first = try await browser.get("/journal")
        #expect(first.text.contains(#"href="/journal/119""#) && !first.text.contains(#"href="/journal/69""#))
        #expect(first.text.contains("/journal?before=70"))
        let second = try await browser.get("/journal?before=70")
        #expect(second.text.contains(#"href="/journal/69""#) && second.text.contains(#"rel="prev" href="/journal""#))
        for path in ["/journal/120", "/journal/-1", "/journal/x", "/journal/99999999999999999999"] {
            #expect(try await browser.get(path).status == 404, "\(path)")
        }
        #expect(try await browser.get("/journal?before=-5").status == 200)
        let stranger = Browser(world)
        for path in ["/journal", "/journal/1", "/journal/1/entry.json", "/evidence/EV-0011223344556677"] {
            #expect(try await stranger.get(path).status == 303, "\(path)")
        }
        #expect(try await stranger.get("/api/v1/journal/1").status == 401)
    }

    @Test("evidence stands on its incident with a button that verifies it, forms only")
    func evidence() async throws {
        let browser = try await world().signedIn()
        let incident = try await browser.get("/incidents/SEC-2026-0001")
        #expect(incident.text.contains(#"action="/evidence/EV-0011223344556677/verify""#))
        let answer = try await browser.post("/evidence/EV-0011223344556677/verify", [:])
        #expect(answer.status == 200 && answer.text.contains("Whole: read again"))
        #expect(answer.text.contains("Evidence viewed") && answer.text.contains(#"href="/journal/5""#))
        #expect(try await browser.post("/evidence/EV-0011223344556677/verify", [:], token: "00").status == 403)
        #expect(try await browser.get("/evidence/EV-0011223344556677/verify").location == "/evidence/EV-0011223344556677")
        #expect(try await browser.get("/evidence/EV-nothing").status == 404)
        // A page that an open browser asked to refresh has its own token.
        let partial = try await browser.get("/incidents/SEC-2026-0001", headers: ["vigie-partial": "1"])
        let token = try #require(partial.text.firstMatch(of: #/name="csrf" value="([0-9a-f]+)"/#)?.1)
        #expect(try await browser.post("/evidence/EV-0011223344556677/verify", [:], token: String(token)).status == 200)

        let changed = try await world(problem: "the bytes are others").signedIn()
        _ = try await changed.get("/evidence/EV-0011223344556677")
        let bad = try await changed.post("/evidence/EV-0011223344556677/verify", [:])
        #expect(bad.text.contains("the bytes are others") && !bad.text.contains("Whole:"))
        let erased = try await world(isErased: true).signedIn().get("/incidents/SEC-2026-0001")
        #expect(erased.text.contains(">erased<") && !erased.text.contains("/verify"))
    }

    @Test(arguments: PagesTests.attacks)
    func anAttackersWordsNeverBecomeMarkup(text: String) async throws {
        let attacked = try await world(text).signedIn()
        let plain = try await world("sample").signedIn()
        for path in ["/incidents/SEC-2026-0001", "/journal", "/journal/7", "/evidence/EV-0011223344556677"] {
            let answer = try await attacked.get(path)
            #expect(answer.status == 200)
            #expect(try await PagesTests.structure(of: plain.get(path).text) == PagesTests.structure(of: answer.text), "\(path)")
        }
    }

    @Test("programs read the same")
    func api() async throws {
        let browser = try await world().signedIn()
        let proof = try await browser.get("/api/v1/journal/7")
        for words in [#""sequence":7"#, #""side":"left""#, #""problems":[]"#] { #expect(proof.text.contains(words), "\(words)") }
        let items = try await browser.get("/api/v1/incidents/SEC-2026-0001/evidence")
        #expect(items.text.contains(#""sha256":"abc""#) && items.text.contains(#""clock_offset_ms":-12"#))
    }
}
