import Events
import Testing

@Suite("Nearest names")
struct NearestNameTests {
    private let names = ["contains", "startswith", "endswith", "all", "re", "cidr", "exists", "gt", "gte"]

    @Test(
        "a slip of the pen finds what was meant",
        arguments: [
            ("contians", "contains"), ("contain", "contains"), ("startwith", "startswith"), ("startsWith", "startswith"),
            ("cdir", nil), ("cidrs", "cidr"), ("exist", "exists"), ("al", "all"), ("gte", "gte"), ("re", "re"),
        ] as [(String, String?)])
    func slips(_ word: String, meant: String?) {
        #expect(NearestName.find(word, among: names) == meant)
    }

    @Test(
        "what is far from everything finds nothing",
        arguments: ["", "x", "regex", "base64offset", "🦆", String(repeating: "q", count: 5_000)])
    func nothing(_ word: String) {
        #expect(NearestName.find(word, among: names) == nil)
    }

    @Test("of equals the first in the alphabet is named, whatever their order")
    func ties() {
        #expect(NearestName.find("cat", among: ["cut", "bat", "cot"]) == "bat")
        #expect(NearestName.find("cat", among: ["cot", "bat", "cut"]) == "bat")
        #expect(NearestName.find("cat", among: []) == nil)
    }
}
