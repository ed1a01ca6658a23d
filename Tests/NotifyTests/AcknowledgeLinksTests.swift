import Events
import Testing

@testable import Notify

@Suite("Links that acknowledge")
struct AcknowledgeLinksTests {
    private let links = AcknowledgeLinks(secret: String(repeating: "0123456789abcdef", count: 4))
    private let time = Timestamp(seconds: 1_772_445_600)

    private var token: String {
        links.token(incident: "SEC-2026-0001", page: "SEC-2026-0001/1/full.L1/person:ana/mail", intendedAt: time)
    }

    @Test("a link says what it was made of, the same at each attempt, and no name")
    func roundTrip() {
        #expect(token == token && !token.contains("ana"))
        let content = links.open(token)
        #expect(content?.incident == "SEC-2026-0001" && content?.expiresAt.seconds == time.seconds + 86_400)
        #expect(content?.page == AcknowledgeLinks.fingerprint(of: "SEC-2026-0001/1/full.L1/person:ana/mail"))
        #expect(AcknowledgeLinks(secret: String(repeating: "f", count: 64)).open(token) == nil, "of another Vigie")
    }

    /// Each change of one character, cut or repeat makes it none: there is one way to write a link.
    @Test("whatever is changed in a link, it is none any more")
    func forged() {
        let characters = Array(token)
        for index in characters.indices {
            for other in ["0", "1", "a", "A", "f", ".", "-", " ", "é"] where Character(other) != characters[index] {
                var changed = characters
                changed[index] = Character(other)
                #expect(links.open(String(changed)) == nil, "\(index) as \(other)")
            }
            #expect(links.open(String(characters[..<index])) == nil)
        }
        #expect(links.open(token + "0") == nil && links.open(token + "\n") == nil && links.open(" " + token) == nil)
        #expect(links.open(token.uppercased()) == nil)
        #expect(links.open("") == nil && links.open("...") == nil && links.open(String(repeating: ".", count: 100_000)) == nil)
    }

    @Test("any bytes are no link", arguments: 0..<200)
    func fuzz(seed: Int) {
        var state = UInt64(seed) &* 6_364_136_223_846_793_005 &+ 1
        func next() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let bytes = (0..<Int(next())).map { _ in next() }
        #expect(links.open(String(decoding: bytes, as: UTF8.self)) == nil)
        var parts = token.split(separator: ".").map(String.init)
        parts[Int(next()) % 4] = String(decoding: bytes, as: UTF8.self)
        let spliced = parts.joined(separator: ".")
        #expect(spliced == token || links.open(spliced) == nil)
    }
}
