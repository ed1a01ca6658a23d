import RMAP
import Testing

@Suite struct MessagePayloadTests {
    @Test(arguments: MessagePayload.Form.allCases) func everyFormIsReadAsItIsWritten(_ form: MessagePayload.Form) {
        var random = Numbers(state: 3)
        for length in [1, 2, 3, 47, 48, 49, 400] {
            let message = [0x85] + (1..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let payload = MessagePayload(form: form, message: message)
            #expect(MessagePayload(payload.text) == payload, "\(length) bytes")
        }
    }

    @Test func armoursWithHeadersAndCarriageReturnsAreRead() {
        let text = "-----BEGIN PGP MESSAGE-----\r\nVersion: x\r\nComment: y\r\n\r\nhQEM\r\n=abcd\r\n-----END PGP MESSAGE-----\r\n"
        #expect(MessagePayload(text)?.message == [0x85, 0x01, 0x0C])
    }

    /// The checksum of "123456789", as CRC-24/OPENPGP is known by.
    @Test func checksumsAreThoseOfTheStandard() {
        let text = MessagePayload(form: .bodyLines, message: Array("123456789".utf8)).text
        #expect(text == "MTIzNDU2Nzg5\n=Ic8C")
    }

    @Test(arguments: [
        "", "=", "====", "A", "AAA=A", "-----BEGIN PGP MESSAGE-----", "-----BEGIN PGP MESSAGE-----\n\n-----END PGP MESSAGE-----",
        "-----END PGP MESSAGE-----\n-----BEGIN PGP MESSAGE-----", "aGVsbG8=", "ÿÿÿÿ",
    ])
    func whatIsNoneIsNone(_ text: String) {
        #expect(MessagePayload(text) == nil)
    }

    @Test func anyTextEnds() {
        var random = Numbers(state: 11)
        let alphabet = Array("AZaz09+/=\n\r- BEGINPMSGED:\u{0}é".unicodeScalars)
        for _ in 0..<20_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...80, using: &random) { text.append(alphabet.randomElement(using: &random) ?? "A") }
            if let payload = MessagePayload(String(text)) { #expect(MessagePayload(payload.text)?.message == payload.message) }
        }
    }
}
