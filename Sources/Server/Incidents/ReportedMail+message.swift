import Events
package import Incidents
package import Ingest
import Notify

extension ReportedMail {
    /// - Parameter bytes: the whole mail, which names it where it has no Message-ID.
    package init(_ message: MailMessage, bytes: [UInt8]) {
        let title = message.subject.isEmpty ? "Mail without a subject" : message.subject
        self.init(
            key: message.id.map(ReportedMail.key(ofID:)) ?? MessageID.fingerprint(of: bytes),
            answers: message.references.map(ReportedMail.key(ofID:)),
            title: title.cut(toJSONBytes: FindingRecord.maximumNameBytes),
            text: ReportedMail.note(message.text),
            author: .mail(from: message.sender.isEmpty ? nil : message.sender.cut(toJSONBytes: 256)))
    }

    /// Of a Message-ID; the part in front alone where it is one of Vigie's own, whose domain may change.
    static func key(ofID id: String) -> String {
        let local = id.prefix { $0 != "@" }
        if local.utf8.count == 32, local.utf8.allSatisfy({ hexadecimalValue($0) != nil }) { return String(local) }
        return MessageID.fingerprint(of: Array(id.utf8))
    }

    /// Of the mail that carries a page.
    static func key(ofPage key: String) -> String { MessageID.local(key) }

    /// Without what a terminal or a page would act on; line ends stay.
    private static func note(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars where scalar != "\r" {
            let category = scalar.properties.generalCategory
            scalars.append(scalar != "\n" && (category == .control || category == .format) ? "\u{FFFD}" : scalar)
        }
        let lines = String(scalars).split(separator: "\n", omittingEmptySubsequences: false).prefix(200)
        let first = lines.drop { $0.allSatisfy(\.isWhitespace) }.reversed().drop { $0.allSatisfy(\.isWhitespace) }.reversed()
        return first.joined(separator: "\n").cut(toJSONBytes: 8_000)
    }
}
