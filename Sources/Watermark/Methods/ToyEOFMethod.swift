import Crypto
import Foundation

/// The secret in the clear behind the document's end, as copies of the platform's first version carry it.
///
/// For clients that ask for it by its name, and for copies that are out already; its own usage says what it is worth.
package struct ToyEOFMethod: WatermarkMethod {
    package let name = "toy-eof"
    package let usage = """
        Appends the secret behind the end of the file, as the first clients of the platform expect it. Anyone who opens the file in \
        an editor can read and remove it, and nearly every program that saves the document does. For leaks use word-shift.
        """

    package init() {}

    private static let marker = "%%WM-ADD-AFTER-EOF:v1"
    private static let context = "wm:add-after-eof:v1:"
    /// A secret of 320 characters is far shorter.
    private static let longest = 8_192

    private struct Payload: Codable {
        var v: Int
        var alg: String
        /// In hexadecimal.
        var mac: String
        /// In base64.
        var secret: Data
    }

    package func applicability(_ pdf: [UInt8]) throws(WatermarkError) -> Applicability {
        try TokenWriting.applicability(pdf)
    }

    package var applicabilityOfUnsigned: Applicability {
        Applicability(strength: .weak, notes: ["Anyone can read the secret and remove it."])
    }

    package func embed(_ pdf: [UInt8], secret: String, key: String, position: String?) throws(WatermarkError) -> [UInt8] {
        try check(secret: secret, key: key)
        guard !Signatures.areIn(try PDFDocument(pdf)) else {
            throw .badInput("The document is signed, and any mark would break its signature. Mark a copy without signature.")
        }
        return pdf + (try Self.ending(secret, key: key, behind: pdf.last))
    }

    /// What stands behind a document that ends in `last`; one that is there already stays before it, and the last one counts.
    static func ending(_ secret: String, key: String, behind last: UInt8?) throws(WatermarkError) -> [UInt8] {
        let payload = Payload(
            v: 1, alg: "HMAC-SHA256", mac: code(secret, key: key).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(),
            secret: Data(secret.utf8))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            let line = Base64URL.encode([UInt8](try encoder.encode(payload)))
            let isOnALine = last == 0x0A
            return Array("\(isOnALine ? "" : "\n")\(marker)\n\(line)\n".utf8)
        } catch {
            throw WatermarkError(.other, "The mark could not be made.")
        }
    }

    package func extract(_ pdf: [UInt8], key: String) throws(WatermarkError) -> String {
        try check(key: key)
        guard pdf.starts(with: "%PDF-".utf8) else { throw .badInput("This is not a PDF document. Give a PDF file.") }
        let end = max(0, pdf.count - 2 * Self.longest)
        let lines = pdf[end...].split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        guard let index = lines.lastIndex(where: { $0.elementsEqual(Self.marker.utf8) }), index + 1 < lines.count,
            lines[index + 1].count <= Self.longest,
            let bytes = Base64URL.decode(lines[index + 1].filter { $0 != UInt8(ascii: "=") }),
            let payload = try? JSONDecoder().decode(Payload.self, from: Data(bytes)), payload.v == 1,
            payload.alg == "HMAC-SHA256", let secret = String(validating: payload.secret, as: UTF8.self)
        else { throw .notFound("There is no mark behind the end of this document.") }
        var given: [UInt8] = []
        var digits = Array(payload.mac.utf8)[...]
        while let high = digits.popFirst(), let low = digits.popFirst() {
            guard let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) else { break }
            given.append(value)
        }
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                given, authenticating: [UInt8]((Self.context + secret).utf8), using: SymmetricKey(data: [UInt8](key.utf8)))
        else {
            throw WatermarkError(
                .invalidKey, "There is a mark behind the end of this document, and it was made with another key.")
        }
        return secret
    }

    private static func code(_ secret: String, key: String) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: [UInt8]((context + secret).utf8), using: SymmetricKey(data: [UInt8](key.utf8)))
    }
}
