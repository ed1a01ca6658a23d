import Events

/// What a mail says to whoever takes reports (RFC 5322, MIME RFC 2045–2047): who, about what, in answer to what, and its text.
///
/// Total: whatever the bytes, something is read, and never more than the limits below. Attachments stay in the bytes, which are kept
/// as evidence.
package struct MailMessage: Sendable, Equatable {
    /// Lines of a header beyond this are text of the mail's end.
    static let maximumHeaderBytes = 256 << 10
    static let maximumReferences = 100
    static let maximumDepth = 8
    static let maximumParts = 100
    /// Of the text that is given.
    package static let maximumTextBytes = 64 << 10

    /// The address in `From`, without the name; empty where there is none. Nobody has checked it.
    package var sender = ""
    package var subject = ""
    /// `Message-ID` without its brackets.
    package var id: String?
    /// Ids of the messages it answers, the nearest first.
    package var references: [String] = []
    /// The first plain text, decoded; empty where there is none.
    package var text = ""
    /// A program sent it: a bounce, an absence note, a list (RFC 3834).
    package var isAutomatic = false

    package init(parsing bytes: [UInt8]) {
        var rest = bytes[...]
        // An mbox's line in front is no header.
        if rest.starts(with: Array("From ".utf8)) { rest = rest.drop { $0 != 0x0A }.dropFirst() }
        let entity = MailEntity(rest)
        sender = MailMessage.address(in: entity.text("from"))
        subject = MailMessage.tidy(EncodedWords.decode(entity.text("subject")))
        id = MailMessage.ids(in: entity.text("message-id")).first
        let answered = MailMessage.ids(in: entity.text("in-reply-to"))
        let thread = MailMessage.ids(in: entity.text("references")).reversed().filter { !answered.contains($0) }
        references = Array((answered + thread).prefix(MailMessage.maximumReferences))
        let automatic = entity.text("auto-submitted").lowercased()
        let precedence = entity.text("precedence").lowercased()
        isAutomatic =
            !(automatic.isEmpty || automatic.hasPrefix("no")) || ["bulk", "junk", "list"].contains(precedence)
            || entity.text("return-path") == "<>"
        var parts = 0
        text = MailMessage.plainText(in: entity, depth: 0, parts: &parts) ?? ""
    }

    /// The first `text/plain` that is no attachment.
    private static func plainText(in entity: MailEntity, depth: Int, parts: inout Int) -> String? {
        parts += 1
        guard parts <= maximumParts else { return nil }
        let (type, parameters) = entity.contentType
        if type.hasPrefix("multipart/"), let boundary = parameters["boundary"], !boundary.isEmpty, depth < maximumDepth {
            for part in entity.parts(boundary: boundary) {
                if let text = plainText(in: MailEntity(part), depth: depth + 1, parts: &parts) { return text }
            }
            return nil
        }
        guard type == "text/plain", !entity.text("content-disposition").lowercased().hasPrefix("attachment") else { return nil }
        let decoded = TransferEncoding.decode(
            entity.body, entity.text("content-transfer-encoding").lowercased(), limit: maximumTextBytes)
        return Charset.decode(decoded, parameters["charset"] ?? "")
    }

    /// `Ana <ana@example.org>`, or the bare address.
    private static func address(in header: String) -> String {
        var address = header[...]
        if let open = header.lastIndex(of: "<"), let close = header[open...].firstIndex(of: ">") {
            address = header[header.index(after: open)..<close]
        }
        let text = tidy(String(address))
        return text.contains("@") && text.utf8.count <= 254 && !text.contains(" ") ? text : ""
    }

    private static func ids(in header: String) -> [String] {
        header.split(separator: "<").dropFirst(header.hasPrefix("<") ? 0 : 1).compactMap { piece in
            guard let close = piece.firstIndex(of: ">"), close > piece.startIndex else { return nil }
            let id = String(piece[..<close])
            return id.utf8.count <= 998 ? id : nil
        }
    }

    /// Without what a terminal or a page would act on.
    private static func tidy(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        return String(scalars).split(separator: " ").joined(separator: " ")
    }
}
