import Crypto
import Events
import Foundation
import Testing

@testable import Tatou

@Suite struct ValueTests {
    @Test(arguments: [
        (nil, RequestedRange.everything), ("bytes=0-0", .part(0...0)), ("bytes=0-", .part(0...99)),
        ("bytes=90-200", .part(90...99)),
        ("bytes=-10", .part(90...99)), ("bytes=-1000", .part(0...99)), ("bytes=-0", .unsatisfiable),
        ("bytes=100-", .unsatisfiable), ("bytes=100-200", .unsatisfiable), ("bytes=5-4", .everything),
        ("bytes=0-1,3-4", .everything), ("items=0-1", .everything), ("bytes=a-b", .everything), ("bytes=", .everything),
        ("bytes=-", .everything), ("bytes=99999999999999999999-", .unsatisfiable), ("bytes=+1-2", .everything),
    ])
    func ranges(header: String?, range: RequestedRange) {
        #expect(RequestedRange(header, size: 100) == range)
    }

    @Test func datesOfHTTPGoBothWays() {
        var generator = SplitMix(state: 3)
        for _ in 0..<1000 {
            let moment = Timestamp(seconds: Int64.random(in: 0...4_102_444_800, using: &generator))
            #expect(HTTPDate.parse(HTTPDate.text(moment)) == moment)
        }
        #expect(HTTPDate.text(Timestamp(seconds: 784_111_777)) == "Sun, 06 Nov 1994 08:49:37 GMT")
        for text in [
            "", "yesterday", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 66 Nov 1994 08:49:37 GMT",
        ] {
            #expect(HTTPDate.parse(text) == nil, "\(text)")
        }
    }

    @Test(arguments: [
        "a@example.org", "first.last+tag@sub.example.co.uk", "o'brien@example.org", "x_y-z@ex-ample.org",
    ])
    func addressesThatAre(text: String) { #expect(AccountRules.isEmail(text)) }

    @Test(arguments: [
        "", "@", "a@", "@example.org", "a@b@example.org", "a@example", "a b@example.org", "a@exa mple.org", ".a@example.org",
        "a.@example.org", "a..b@example.org", "a@-example.org", "a@example-.org", "a@.org", "a@example.org.", "a\n@example.org",
        "<script>@example.org", "ä@example.org",
    ])
    func addressesThatAreNot(text: String) { #expect(!AccountRules.isEmail(text)) }

    @Test(arguments: [
        "../x", "..", "a/../b", "/etc/passwd", "..\\x", "%2e%2e/x", "..%2fx", "%252e%252e%252f", "x\0.pdf", "..../x", "a/.../b",
    ])
    func namesThatLeaveTheirFolder(text: String) {
        #expect(FileName.checked(text) == .failure(.pathTraversal))
    }

    @Test func namesOfCopiesAreHarmless() {
        for (text, slug) in [
            ("Annual Report 2026", "annual-report-2026"), ("../..", "document"), ("", "document"), ("Ünï", "n"), ("a--b", "a-b"),
        ] { #expect(FileName.slug(text).isEmpty == false && FileName.slug(text) == slug, "\(text)") }
    }

    @Test func sealedTextOpensOnlyWhereItBelongs() throws {
        let vault = Vault(key: SymmetricKey(size: .bits256))
        let sealed = try vault.seal(Data("text".utf8), place: "a")
        #expect(try vault.open(sealed, place: "a") == Data("text".utf8))
        #expect(throws: VaultFailure.self) { try vault.open(sealed, place: "b") }
        #expect(throws: VaultFailure.self) { try Vault(key: SymmetricKey(size: .bits256)).open(sealed, place: "a") }
        #expect(try vault.seal(Data("text".utf8), place: "a") != sealed)
        #expect(vault.markingSecret(document: "1") != vault.markingSecret(document: "2"))
    }
}
