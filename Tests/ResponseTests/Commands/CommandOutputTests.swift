import Response
import Testing

@Suite struct CommandOutputTests {
    /// What a server answers is an attacker's text as well: a mebibyte of it used to keep a run busy for hours.
    @Test(
        .timeLimit(.minutes(20)),
        arguments: [
            "x", "eyJ", "eyJ.", "password", "password ", "bearer ", "-----BEGIN PRIVATE KEY-----", "a=", "\u{1F600}", "\n",
        ])
    func longTextIsShownAtOnce(_ piece: String) {
        let text = String(repeating: piece, count: (1 << 20) / piece.utf8.count)
        #expect(CommandOutput.detail(text).utf8.count <= CommandOutput.maximumDetailBytes + 16)
    }

    @Test(arguments: [
        ("db_password=hunter22 next", "db_password=*** next"), ("API-key: abc", "API-key: abc"), ("api_key: abc", "api_key: ***"),
        ("Authorization: Bearer abcdefgh", "Authorization: *** ***"), ("nothing here", "nothing here"),
        ("set-cookie=\"a b\"; x", "set-cookie=***; x"),
    ])
    func whatSoundsSecretIsNotShown(_ text: String, _ shown: String) {
        #expect(CommandOutput.detail(text) == shown)
    }

    /// Of a secret that the cut goes through nothing is shown.
    @Test func aSecretAtTheCutIsNotShown() {
        let token = "eyJ" + String(repeating: "a", count: 400) + "." + String(repeating: "b", count: 400) + ".c"
        for filler in 1_000..<1_100 {
            // Redaction makes the first part short, so that what stands at the cut comes into view.
            let text =
                "password=" + String(repeating: "p", count: 3_000) + String(repeating: " .", count: filler / 4) + " " + token
            let shown = CommandOutput.detail(text)
            #expect(!shown.contains("aaaa") && !shown.contains("pppp"))
        }
    }
}
