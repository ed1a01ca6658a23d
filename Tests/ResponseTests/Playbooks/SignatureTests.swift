import Foundation
import Journal
import Response
import Testing

@Suite struct SignatureTests {
    @Test func theOfficialSignatureVerifiesAndIsMadeAgain() throws {
        let vector = try Files.json(try Files.suite("signature-rsa.json"))
        let playbook = try #require(vector["playbook"])
        var fields = try #require(playbook["signatures"]?.arrayValue?.first?.objectValue)
        fields["value"] = vector["value"]
        let signature = JSONValue.object(fields)
        let text = try PlaybookSignature.canonicalText(of: playbook, signature: signature)
        #expect(String(decoding: text, as: UTF8.self) == vector["canonical_text"]?.stringValue)

        let key = try #require(fields["public_key"]?.stringValue)
        try PlaybookSignature.verify(playbook, signature: signature, publicKey: key)
        let pem = try #require(vector["published_example_private_key_pem"]?.stringValue)
        #expect(try PlaybookSignature.sign(playbook, signature: signature, with: .rsa(pem: pem)) == vector["value"]?.stringValue)

        let changed = playbook.setting("/name", to: "Playbook 2")
        #expect(throws: PlaybookSignature.Failure.mismatch) {
            try PlaybookSignature.verify(changed, signature: signature, publicKey: key)
        }
        #expect(throws: PlaybookSignature.Failure.algorithm("none")) {
            try PlaybookSignature.verify(playbook, signature: signature.setting("/algorithm", to: "none"), publicKey: key)
        }
    }

    @Test func anotherKeyDoesNotVerify() throws {
        let vector = try Files.json(try Files.suite("signature-rsa.json"))
        let playbook = try #require(vector["playbook"])
        let signature = JSONValue.object([
            "algorithm": "RS256", "hash_algorithm": "sha-256", "value": "AAAA",
        ])
        #expect(throws: PlaybookSignature.Failure.self) {
            try PlaybookSignature.verify(playbook, signature: signature, publicKey: "AAAA")
        }
    }

    @Test func theContentHashDoesNotDependOnSignatures() throws {
        let plain = try #require(PlaybookDecoder.read(Authoring.smallest).playbook)
        let renamed = try #require(PlaybookDecoder.read(Authoring.smallest.setting("/name", to: "Another")).playbook)
        #expect(plain.contentHash != renamed.contentHash)
        #expect(plain.contentHash.count == 64)
    }
}
