import Events
import Foundation
import Testing

@testable import Notify

extension Message {
    static func sample(_ purpose: Purpose = .page, subject: String = "SEC-2026-0001 P0 SSH brute force") -> Message {
        Message(
            key: "SEC-2026-0001/1/full.L1/rotation:on-call/mail", purpose: purpose, incident: "SEC-2026-0001", severity: "P0",
            subject: subject, details: ["L1: nobody has acknowledged it yet"],
            link: "https://vigie.example.org/incidents/SEC-2026-0001", isDrill: false, time: Timestamp(seconds: 1_772_445_600),
            address: "ana@example.org")
    }
}

@Suite("What messages look like")
struct MessageFormTests {
    /// Computed with Python's hmac; id, time, body and secret are those of the specification's example.
    @Test("a webhook is signed as Standard Webhooks has it")
    func signature() {
        let signature = WebhookSignature(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
        #expect(
            signature.sign(id: "msg_p5jXN8AQM9LWM0D4loKWxJek", time: 1_614_265_330, body: #"{"test": 2432232314}"#)
                == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
    }

    @Test("a mail has one subject line, whatever stands in a title, and the same id at each attempt")
    func mail() {
        let hostile = Message.sample(subject: "x\r\nBcc: everybody@example.org\r\n\r\nbody")
        let mail = Mail(hostile, from: "vigie@example.org", to: "ana@example.org").text
        let head = mail.components(separatedBy: "\r\n\r\n")[0].components(separatedBy: "\r\n")
        #expect(!head.contains { $0.hasPrefix("Bcc") })
        #expect(head.count { $0.hasPrefix("Subject: x  Bcc:") } == 1)
        #expect(head.contains("Date: Mon, 02 Mar 2026 10:00:00 +0000"))
        #expect(head.contains("In-Reply-To: <sec-2026-0001@example.org>"))
        #expect(Mail(.sample(), from: "a@b.c", to: "d").text == Mail(.sample(), from: "a@b.c", to: "d").text)
        #expect(Mail.id("a") != Mail.id("b"))
    }

    @Test("words that are not ASCII are coded in pieces of whole characters, none too long")
    func codedWords() {
        let text = String(repeating: "å🔐", count: 40)
        let words = Mail.encoded(text).components(separatedBy: "\r\n ")
        #expect(words.allSatisfy { $0.utf8.count <= 75 })
        let decoded = words.map { word in
            String(decoding: Data(base64Encoded: String(word.dropFirst(10).dropLast(2))) ?? Data(), as: UTF8.self)
        }
        #expect(decoded.joined() == text)
        #expect(Mail.encoded("plain text") == "plain text")
    }

    @Test("nothing of a title is markup in a chat, and only a real page of P0 calls everybody")
    func slack() throws {
        let body = SlackChannel.body(.sample(subject: "<!channel> & <https://evil|click>"))
        let text = try #require(try JSONDecoder().decode([String: String].self, from: Data(body.utf8))["text"])
        #expect(text.contains("&lt;!channel&gt; &amp; &lt;https://evil|click&gt;"))
        #expect(text.hasPrefix("<!channel> "))
        #expect(!SlackChannel.body(.sample(.clock)).contains("<!channel>"))
        var digest = Message.sample(.digest)
        #expect(!SlackChannel.body(digest).contains("<!channel>"))
        digest.holdsAlarm = true
        #expect(SlackChannel.body(digest).contains("<!channel>"))
    }

    @Test("the link that acknowledges stands beside the one to the incident, and nowhere without")
    func links() throws {
        var message = Message.sample()
        #expect(!SlackChannel.body(message).contains("Acknowledge") && !message.lines.contains { $0.contains("Acknowledge") })
        #expect(WebhookBody(message).text.contains(#""acknowledge":"#) == false)
        message.acknowledge = "https://vigie.example.org/acknowledge?token=a.b"
        #expect(
            SlackChannel.body(message).contains("<https://vigie.example.org/acknowledge?token=a.b|Acknowledge SEC-2026-0001>"))
        #expect(message.lines.suffix(2).first == "Acknowledge: https://vigie.example.org/acknowledge?token=a.b")
        #expect(WebhookBody(message).text.contains(#""acknowledge":"https://vigie.example.org/acknowledge?token=a.b""#))
        #expect(!PagerDutyChannel.body(message, routingKey: "r").contains("token="))
    }

    @Test("a pager is triggered under the page's key, and told to stop under the same")
    func pagerDuty() throws {
        let trigger = PagerDutyChannel.body(.sample(), routingKey: "r")
        #expect(trigger.contains(#""event_action":"trigger""#) && trigger.contains(#""severity":"critical""#))
        var stop = Message.sample(.stop)
        stop.key += "/stop"
        let acknowledge = PagerDutyChannel.body(stop, routingKey: "r")
        #expect(acknowledge.contains(#""event_action":"acknowledge""#))
        let key = #""dedup_key":"SEC-2026-0001/1/full.L1/rotation:on-call/mail""#
        #expect(trigger.contains(key) && acknowledge.contains(key))
    }
}
