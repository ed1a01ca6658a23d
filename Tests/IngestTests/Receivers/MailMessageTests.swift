import Foundation
import Ingest
import Testing

@Suite("Mail that reports something")
struct MailMessageTests {
    private func mail(_ name: String) throws -> MailMessage {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Fixtures/mail")
        return MailMessage(parsing: Array(try Data(contentsOf: folder.appending(path: name + ".eml"))))
    }

    @Test("a report in several parts: encoded words, the plain text, and no attachment")
    func report() throws {
        let mail = try mail("report-with-attachment")
        #expect(mail.sender == "ana@example.org")
        #expect(mail.subject == "Défect in your login")
        #expect(mail.id == "one@example.org" && mail.references.isEmpty && !mail.isAutomatic)
        #expect(mail.text == "Anybody can sign in as anybody: café.")
    }

    @Test("a reply names what it answers, the nearest first; base64 and Latin 1 are read")
    func reply() throws {
        let mail = try mail("reply-in-latin1")
        #expect(mail.references == ["one@example.org", "zero@example.org"])
        #expect(mail.text == "Still there, más" && mail.id == "two@example.org")
    }

    @Test("a bounce says so")
    func bounce() throws {
        let mail = try mail("bounce")
        #expect(mail.isAutomatic && mail.id == nil && mail.subject == "Undelivered" && mail.text == "It came back.\n")
    }

    @Test("what is no mail has nothing, and traps nothing")
    func noHeader() throws {
        let mail = try mail("no-header")
        #expect(mail.sender.isEmpty && mail.subject.isEmpty && mail.id == nil)
        #expect(MailMessage(parsing: []) == MailMessage(parsing: [0x0A]))
    }

    @Test("signs that a terminal or a page acts on are not in a subject; forged addresses are none")
    func hostileHeaders() {
        let mail = MailMessage(parsing: Array("From: <a b@x>\nSubject: =?utf-8?Q?a=1B[31mb=0D=0AX:_y=E2=80=AE?=\n\n".utf8))
        #expect(mail.subject == "a [31mb X: y" && mail.sender.isEmpty)
    }

    @Test("nested a thousand times, or in a thousand parts, it ends")
    func bombs() {
        var nested = "Content-Type: multipart/mixed; boundary=b\n\n"
        for _ in 0..<1_000 { nested += "--b\nContent-Type: multipart/mixed; boundary=b\n\n" }
        #expect(MailMessage(parsing: Array((nested + "--b\n\ntext\n").utf8)).text.utf8.count < 1_000)
        let many =
            "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\nContent-Type: x/y\n\n.\n", count: 10_000)
        #expect(MailMessage(parsing: Array((many + "--b\n\ntext\n").utf8)).text.isEmpty)
        let long = "Subject: a\n" + String(repeating: "x", count: 2 << 20)
        #expect(MailMessage(parsing: Array(long.utf8)).subject == "a")
        let text = MailMessage(parsing: Array(("\n" + String(repeating: "y", count: 1 << 20)).utf8)).text
        #expect(text.utf8.count == MailMessage.maximumTextBytes)
    }

    @Test("any bytes are read without a trap", arguments: 0..<200)
    func anyBytes(seed: Int) throws {
        var random = SeededGenerator(state: UInt64(seed))
        var bytes = Array("From: a@b\nContent-Type: multipart/mixed; boundary=\"b\"\n\n--b\n\n=?u?q?=4?=".utf8)
        for _ in 0..<(seed % 20) {
            bytes.insert(UInt8.random(in: 0...255, using: &random), at: Int.random(in: 0...bytes.count, using: &random))
        }
        bytes.removeLast(min(seed % 7, bytes.count))
        #expect(MailMessage(parsing: bytes).text.utf8.count <= 3 * MailMessage.maximumTextBytes)
    }
}
