import EmbeddedFiles
import Events
import NIOCore
import Testing

@testable import Console

struct FormFieldsTests {
    @Test(arguments: [
        ("a=b&c=d", "a", "b"), ("a=b+c", "a", "b c"), ("a=%41%zz%4", "a", "A%zz%4"), ("a", "a", ""), ("a=1=2", "a", "1=2"),
        ("%61=x", "a", "x"), ("a=%F0%9F%98%80", "a", "😀"), ("&&a=x&", "a", "x"),
    ])
    func reads(text: String, name: String, value: String) {
        #expect(FormFields(text: text)[name] == value)
    }

    @Test func keepsEveryValueButNotTooMany() {
        #expect(FormFields(text: "s=1&s=2").all("s") == ["1", "2"])
        #expect(FormFields(text: String(repeating: "s=1&", count: 10_000)).all("s").count == FormFields.maximumFields)
    }

    @Test func whatIsEncodedReadsBack() {
        for text in ["a b&c=d", "ünïcödé 😀", "%2541+", "\u{0}\n", "<script>"] {
            #expect(FormFields(text: "x=\(FormFields.encode(text))")["x"] == text)
        }
    }
}

struct HTMLEscapingTests {
    @Test(arguments: [
        ("plain text", "plain text"), ("<>&\"'", "&lt;&gt;&amp;&quot;&#39;"), ("\"\u{301}", "&quot;\u{301}"),
        ("a\u{202e}b", "a\\u{202e}b"),
        ("\u{1b}[31m\u{0}", "\\x1b[31m\\x00"), ("a\r\nb\tc", "a\\r\nb\tc"), ("ünïcödé 😀", "ünïcödé 😀"),
        ("\u{200b}\u{feff}", "\\u{200b}\\u{feff}"),
    ])
    func escapes(text: String, html: String) {
        #expect(HTMLEscaping().escapeText(text) == html)
    }

    @Test func noScalarSurvivesThatAParserWouldActOn() {
        for value in UInt32(0)...0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for special in ["<", ">", "\"", "'", "&"] {
                let escaped = HTMLEscaping().escapeText("\(special)\(scalar)\(special)")
                #expect(!escaped.unicodeScalars.contains { "<>\"'".unicodeScalars.contains($0) })
            }
        }
    }
}

struct TextTests {
    @Test(arguments: [
        (0, "now"), (4, "now"), (5, "5 s ago"), (59, "59 s ago"), (60, "1 min ago"), (3599, "59 min ago"), (3600, "1 h ago"),
        (86_400, "1 d ago"), (-120, "in 2 min"),
    ])
    func distances(seconds: Int64, text: String) {
        #expect(TimeText.ago(noon.advanced(bySeconds: -seconds), now: noon) == text)
    }

    @Test func distancesReachTheEndsOfTime() {
        #expect(TimeText.ago(Timestamp(nanoseconds: .min), now: noon).hasSuffix(" d ago"))
        #expect(TimeText.ago(Timestamp(nanoseconds: .max), now: Timestamp(nanoseconds: .min)).hasPrefix("in "))
    }

    @Test func numbers() {
        #expect(NumberText.grouped(0) == "0")
        #expect(NumberText.grouped(1_234_567) == "1\u{202f}234\u{202f}567")
        #expect(NumberText.grouped(-1000) == "−1\u{202f}000")
        #expect(NumberText.bytes(1023) == "1023 B" && NumberText.bytes(1536) == "1.5 KiB" && NumberText.bytes(48_211) == "47 KiB")
    }

    @Test(arguments: ["/", "/incidents", "/incidents?q=a%20b#x"])
    func localPaths(text: String) { #expect(LocalPath(text)?.text == text) }

    @Test(arguments: ["", "a", "//a", "/\\a", "http://a", "/a\nb", "/é", "/ a"])
    func foreignPaths(text: String) { #expect(LocalPath(text) == nil) }
}

struct AssetTests {
    @Test func everyAssetIsEmbeddedAndEveryTemplateParses() throws {
        let names = Set(ConsoleAssets.embedded.files.map(\.name))
        #expect(names.isSuperset(of: ["console.css", "console.js", "favicon.svg", "layout.mustache", "incident.mustache"]))
        #expect(ConsoleAssets.embedded.files.allSatisfy { $0.bytes.readableBytes > 0 })
        _ = try PageRenderer(assets: .embedded)
    }

    @Test func templatesNeverSwitchEscapingOff() {
        for (name, text) in ConsoleAssets.embedded.templates {
            #expect(!text.contains("{{{") && !text.contains("{{&") && !text.contains("CONTENT_TYPE"), "\(name)")
        }
    }

    @Test func everyPartialExists() {
        let templates = ConsoleAssets.embedded.templates
        for (name, text) in templates {
            for partial in text.matches(of: #/\{\{>([a-z-]+)\}\}/#) {
                #expect(templates[String(partial.1)] != nil, "\(name) uses \(partial.1)")
            }
        }
    }
}
