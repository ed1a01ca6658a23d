import Console
import Events
import Foundation
import Identity
import Incidents
import Testing

struct PagesTests {
    /// Breaks out of text, double-quoted and single-quoted attributes, comments and scripts, if anything does.
    static let attacks = [
        #"<script>alert(1)</script>"#, #""><img src=x onerror=alert(1)>"#, "' onmouseover='alert(1)", "-->{{{name}}}{{>layout}}",
        // A combining mark makes one Character of it and the quote.
        "\"\u{301} onfocus=alert(1) x=", "<\u{301}b>", "\u{600}\"\u{fe0f} onfocus=alert(1)",
    ]

    @Test(arguments: attacks)
    func anAttackersWordsNeverBecomeMarkup(text: String) async throws {
        let world = try World(
            incidents: [Samples.incident(text: text, findings: 2)], sources: [Samples.source(text: text)],
            rules: [
                RuleSummary(id: text, title: text, level: text, category: text, file: text),
                RuleSummary(id: "", title: text, level: "", category: "", file: text, problem: text),
            ])
        let plain = try World(
            incidents: [Samples.incident(text: "sample", findings: 2)], sources: [Samples.source()],
            rules: [
                RuleSummary(id: "sample", title: "sample", level: "sample", category: "sample", file: "sample"),
                RuleSummary(id: "", title: "sample", level: "", category: "", file: "sample", problem: "sample"),
            ])
        let attacked = try await world.signedIn()
        let quiet = try await plain.signedIn()
        for path in ["/incidents", "/incidents/SEC-2026-0001", "/sources", "/rules"] {
            let answer = try await attacked.get(path)
            #expect(answer.status == 200)
            #expect(answer.text.contains(markup(escaped(text))), "\(path) shows the words")
            // The tags and their attribute names are the same whatever the words: nothing of them became structure.
            #expect(try await Self.structure(of: quiet.get(path).text) == Self.structure(of: answer.text), "\(path)")
        }
        let search = try await attacked.get("/incidents?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E%22%27")
        #expect(!search.text.contains("<script>alert"))
        let missing = try await attacked.get("/incidents/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        #expect(missing.status == 404 && !missing.text.contains("<script>alert"))
    }

    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private func markup(_ text: String) -> String { text }

    /// Every tag with the names of its attributes, as an HTML parser meets them (HTML 13.2.5, quoted values only).
    static func structure(of html: String) -> [String] {
        var tags: [String] = []
        var scalars = Array(html.unicodeScalars)[...]
        while let start = scalars.firstIndex(of: "<") {
            scalars = scalars[(start + 1)...]
            guard let first = scalars.first,
                first.properties.isASCIIHexDigit || first.properties.isAlphabetic || first == "/" || first == "!"
            else { continue }
            var tag = ""
            var quote: Unicode.Scalar?
            while let scalar = scalars.popFirst() {
                if let open = quote {
                    if scalar == open { quote = nil }
                } else if scalar == "\"" || scalar == "'" {
                    quote = scalar
                } else if scalar == ">" {
                    break
                } else {
                    tag.unicodeScalars.append(scalar)
                }
            }
            tags.append(tag)
        }
        return tags
    }

    @Test func theListShowsWhatMatters() async throws {
        let browser = try await (try World(incidents: [Samples.incident(text: "alice")])).signedIn()
        let text = try await browser.get("/incidents").text
        for part in [
            "SEC-2026-0001", "Title alice", "P1", "High", "203.0.113.9", "alice", "erased", "detection", "1 min ago", "T",
            "events",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(text.contains(#"<time datetime="\#(noon.advanced(bySeconds: -60).rfc3339)""#))
    }

    @Test func theListIsNarrowedByItsAddress() async throws {
        let world = try World(incidents: [
            Samples.incident("SEC-2026-0001", severity: .critical, text: "one"),
            Samples.incident("SEC-2026-0002", severity: .low, text: "two"),
            Samples.incident("SEC-2026-0003", severity: .low, phase: .closed, text: "three"),
        ])
        let browser = try await world.signedIn()
        let open = try await browser.get("/incidents").text
        #expect(open.contains("SEC-2026-0001") && open.contains("SEC-2026-0002") && !open.contains("SEC-2026-0003"))
        #expect(try await browser.get("/incidents?closed=1").text.contains("SEC-2026-0003"))
        let critical = try await browser.get("/incidents?severity=P0").text
        #expect(critical.contains("SEC-2026-0001") && !critical.contains("SEC-2026-0002"))
        #expect(critical.contains(#"value="P0" checked"#))
        let found = try await browser.get("/incidents?q=Title+two").text
        #expect(!found.contains("SEC-2026-0001") && found.contains("SEC-2026-0002") && found.contains(#"value="Title two""#))
        #expect(try await browser.get("/incidents?q=nothing").text.contains("No incident matches"))
    }

    @Test func longListsHavePages() async throws {
        let many = (1...120).map { Samples.incident("SEC-2026-\(1000 + $0)") }
        let browser = try await (try World(incidents: many)).signedIn()
        let first = try await browser.get("/incidents").text
        #expect(first.contains("1–50 of 120") && first.contains("/incidents?page=2") && !first.contains("Newer"))
        let last = try await browser.get("/incidents?page=3").text
        #expect(last.contains("101–120 of 120") && !last.contains("Older"))
        for odd in ["0", "-1", "99999999999999999999", "x"] {
            #expect(try await browser.get("/incidents?page=\(odd)").status == 200)
        }
    }

    @Test func theIncidentPageShowsBothTimesAndTheVeryLines() async throws {
        let browser = try await (try World(incidents: [Samples.incident(findings: 40)])).signedIn()
        let text = try await browser.get("/incidents/SEC-2026-0001").text
        #expect(text.contains(noon.advanced(bySeconds: -600).rfc3339))
        #expect(text.contains(noon.advanced(bySeconds: -590).rfc3339) && text.contains("+10 s"))
        #expect(text.contains("line sample") && text.contains("sample:100") && text.contains("Because sample"))
        #expect(text.contains("4 more lines"))
        #expect(text.contains("newest 25 of 40"))
        let all = try await browser.get("/incidents/SEC-2026-0001?findings=all").text
        #expect(all.contains("finding-89") && !all.contains("newest 25"))
    }

    @Test func aCountThatIsALowerBoundSaysSo() async throws {
        var incident = Samples.incident(findings: 1)
        let exact = try await (try World(incidents: [incident])).signedIn().get("/incidents/SEC-2026-0001").text
        #expect(!exact.contains("at least"))
        incident.findings[0].isLowerBound = true
        let bound = try await (try World(incidents: [incident])).signedIn().get("/incidents/SEC-2026-0001").text
        #expect(bound.contains(">at least</span> <b>3</b>"))
    }

    @Test func theSourcesPageCountsEverything() async throws {
        let browser = try await (try World(sources: [Samples.source()])).signedIn()
        let text = try await browser.get("/sources").text
        for (label, value) in [
            ("parsed", 12), ("unparsed", 5), ("overlong", 1), ("invalid UTF-8", 2), ("with NUL", 3), ("partial", 4),
        ] {
            #expect(text.contains("<dt>\(label)</dt><dd>\(value)</dd>"), "\(label)")
        }
        #expect(text.contains("2.0 KiB") && text.contains("Problem sample") && text.contains("raw sample"))
    }

    private static let detection = DetectionStatus(
        events: 12_345, matches: 7,
        correlations: [
            .init(ruleID: "1", title: "Whole", groups: 3, events: 9, bytes: 2048),
            .init(ruleID: "2", title: "Short", groups: 1, evictedGroups: 4, late: 1_005),
            .init(ruleID: "3", title: "Unused"),
        ])

    @Test func theSourcesPageShowsWhatCorrelationsHoldAndLeftOut() async throws {
        let text = try await (try World(detection: Self.detection)).signedIn().get("/sources").text
        #expect(text.contains("12\u{202f}345 events since the start, 7 matches, 2.0 KiB held"))
        #expect(text.contains("<dt>groups given up</dt><dd>4</dd>") && text.contains("<dt>late</dt><dd>1\u{202f}005</dd>"))
        #expect(text.contains("Whole") && !text.contains("Unused"))
        #expect(text.split(separator: "its counts are lower bounds").count == 2)
    }

    @Test func theAPIGivesEveryCorrelation() async throws {
        let text = try await (try World(detection: Self.detection)).signedIn().get("/api/v1/detection").text
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        let correlations = try #require(object["correlations"] as? [[String: Any]])
        #expect(correlations.compactMap { $0["rule"] as? String } == ["1", "2", "3"])
        #expect(correlations.compactMap { $0["evicted_groups"] as? Int } == [0, 4, 0])
        #expect(correlations.compactMap { $0["late"] as? Int } == [0, 1_005, 0])
    }

    @Test func refusedRulesSayWhy() async throws {
        let rules = [
            RuleSummary(id: "1", title: "Good", level: "high", category: "scan", file: "a.yml"),
            RuleSummary(id: "2", title: "Bad", level: "", category: "", file: "b.yml", problem: "b.yml:3: unknown modifier"),
        ]
        let text = try await (try World(rules: rules)).signedIn().get("/rules").text
        #expect(text.contains("1 loaded, 1 refused") && text.contains("b.yml:3: unknown modifier"))
        #expect(text.contains("The others do."))
    }

    @Test func rulesShowTheirTextAndWhatTheyFound() async throws {
        var rule = RuleSummary(id: "1", title: "Script", level: "high", category: "exploit", file: "a.yml:1")
        rule.hash = String(repeating: "ab", count: 32)
        rule.text = "detection: {probe: {url.query|contains: '<script>alert(1)</script>'}}"
        rule.techniques = ["T1059.007"]
        rule.requirements = ["D4"]
        rule.logSource = "category webserver"
        rule.matches = 1_234
        rule.lastMatch = Timestamp(seconds: 1_772_323_200)
        var problem = RuleSummary(id: "", title: "b.yml", level: "", category: "", file: "b.yml:3", problem: "no <b>")
        problem.isReloadRefused = true
        let text = try await (try World(rules: [problem, rule])).signedIn().get("/rules").text
        #expect(!text.contains("<script>alert") && text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(text.contains("abababababab") && text.contains("T1059.007") && text.contains("D4"))
        #expect(text.contains("category webserver") && text.contains("2026-03-01T00:00:00Z"))
        #expect(text.contains("stay in force") && text.contains("no &lt;b&gt;"))
    }

    @Test(arguments: ["/nothing", "/incidents/SEC-2026-9999", "/incidents/", "/assets/../layout.mustache", "/incidents/%00"])
    func whatIsNotThereIsA404(path: String) async throws {
        let world = try World()
        let browser = try await world.signedIn()
        let answer = try await browser.get(path)
        #expect(answer.status == 404 || path == "/incidents/")
        #expect(answer.header("content-type")?.hasPrefix("text/html") == true)
    }

    @Test func pagesStandWithoutScript() async throws {
        let browser = try await (try World(incidents: [Samples.incident()])).signedIn()
        for path in ["/incidents", "/incidents/SEC-2026-0001", "/sources", "/rules"] {
            let text = try await browser.get(path).text
            #expect(text.components(separatedByTag: "script") == 1)
            #expect(!text.contains(" style=") && !text.contains("javascript:") && !text.contains("<style"))
            #expect(!text.contains(#/\son[a-z]+="/#))
        }
    }

    @Test func partsArePagesWithoutTheFrame() async throws {
        let browser = try await (try World(incidents: [Samples.incident()])).signedIn()
        let part = try await browser.get("/incidents", headers: ["vigie-partial": "1"])
        #expect(part.text.contains("SEC-2026-0001") && !part.text.contains("<html") && !part.text.contains("Sign out"))
        #expect(part.header("vigie-sequence") == "100")
        #expect(try await browser.get("/incidents").text.contains(part.text))
    }

    @Test func theChosenThemeIsPaintedFirst() async throws {
        let browser = try await (try World()).signedIn()
        browser.cookies["vigie-theme"] = "dark"
        #expect(try await browser.get("/incidents").text.contains(#"data-theme="dark""#))
        browser.cookies["vigie-theme"] = "\"><script>"
        #expect(try await !browser.get("/incidents").text.contains("data-theme"))
    }

    @Test func assetsAreKeptForEver() async throws {
        let browser = Browser(try World())
        let page = try await browser.get("/setup").text
        for pattern in [
            #/href="(\/assets\/console-[0-9a-f]+\.css)"/#, #/src="(\/assets\/console-[0-9a-f]+\.js)"/#,
            #/href="(\/assets\/favicon-[0-9a-f]+\.svg)"/#,
        ] {
            let path = try #require(page.firstMatch(of: pattern)?.1)
            let answer = try await browser.get(String(path))
            #expect(answer.status == 200)
            #expect(answer.header("cache-control") == "public, max-age=31536000, immutable")
            #expect(answer.text.count > 100)
        }
    }
}

extension String {
    fileprivate func components(separatedByTag tag: String) -> Int { ranges(of: "<\(tag)").count }
}
