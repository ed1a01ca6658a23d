import Events
import Testing

struct HTMLTextTests {
    @Test(arguments: [
        ("plain text", "plain text"), ("<>&\"'", "&lt;&gt;&amp;&quot;&#39;"), ("\"\u{301}", "&quot;\u{301}"),
        ("a\u{202e}b", "a\\u{202e}b"), ("\u{1b}[31m\u{0}", "\\x1b[31m\\x00"), ("a\r\nb\tc", "a\\r\nb\tc"),
        ("ünïcödé 😀", "ünïcödé 😀"), ("\u{200b}\u{feff}", "\\u{200b}\\u{feff}"),
    ])
    func escapes(text: String, html: String) { #expect(HTMLText.escaped(text) == html) }

    @Test func noScalarSurvivesThatAParserWouldActOn() {
        for value in UInt32(0)...0x3000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for special in ["<", ">", "\"", "'", "&"] {
                let escaped = HTMLText.escaped("\(special)\(scalar)\(special)")
                #expect(!escaped.unicodeScalars.contains { "<>\"'".unicodeScalars.contains($0) })
            }
        }
    }
}

struct HexadecimalTests {
    @Test func everyByteHasTwoDigitsThatReadBackAsIt() {
        for byte in UInt8.min...UInt8.max {
            let digits = [byte].hexadecimal.utf8.compactMap(hexadecimalValue)
            #expect(digits == [byte >> 4, byte & 15])
        }
        #expect([0x00, 0x0f, 0xa0, 0xff].hexadecimal == "000fa0ff")
        #expect([UInt8]().hexadecimal == "")
    }
}
