import Foundation

/// Mail by SMTP, with TLS.
struct SMTPChannel: Channel {
    let address: String
    let sender: String
    let user: String?
    let password: SecretFile?
    /// Only where the server is this machine, or the wire is trusted otherwise.
    let isPlain: Bool

    func deliver(_ message: Message) async throws(DeliveryFailure) {
        guard let recipient = message.address, !recipient.contains(where: \.isWhitespace) else {
            throw DeliveryFailure("there is no mail address to send to", isPermanent: true)
        }
        let path = NSTemporaryDirectory() + "vigie-mail-\(UUID().uuidString)"
        let mail = Mail(message, from: sender, to: recipient).text
        guard FileManager.default.createFile(atPath: path, contents: Data(mail.utf8), attributes: [.posixPermissions: 0o600])
        else { throw DeliveryFailure("no temporary file can be made") }
        defer { unlink(path) }
        var transfer = Transfer()
        transfer.set("url", address)
        transfer.set("mail-from", sender)
        transfer.set("mail-rcpt", recipient)
        transfer.set("upload-file", path)
        // STARTTLS is not taken for granted: without it, nothing is sent.
        if !isPlain { transfer.set("ssl-reqd") }
        if let user { transfer.set("user", "\(user):\(try password?.read() ?? "")") }
        _ = try await transfer.run(protocols: "=smtp,smtps")
    }
}
