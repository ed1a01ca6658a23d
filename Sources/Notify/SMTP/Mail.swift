import Crypto
import Events
import Foundation

/// A message as mail (RFC 5322, RFC 2045, RFC 2047).
struct Mail {
    let text: String

    init(_ message: Message, from sender: String, to recipient: String) {
        let domain = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        // The incident's own id is never sent; mails about it stand under it as one thread.
        let thread = "<\(message.incident.lowercased())@\(domain)>"
        let headers = [
            "From: Vigie <\(sender)>", "To: <\(recipient)>", "Subject: \(Mail.encoded(message.line))",
            "Date: \(Mail.date(message.time))", "Message-ID: <\(Mail.id(message.key))@\(domain)>", "In-Reply-To: \(thread)",
            "References: \(thread)", "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
        ]
        let body = Data(message.lines.joined(separator: "\r\n").utf8)
            .base64EncodedString(options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
        text = headers.joined(separator: "\r\n") + "\r\n\r\n" + body + "\r\n"
    }

    static func id(_ key: String) -> String { MessageID.local(key) }

    /// Words of at most 75 characters (RFC 2047 §2), each whole characters.
    static func encoded(_ text: String) -> String {
        if text.utf8.count <= 60, text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }), !text.contains("=?") { return text }
        var words: [String] = []
        var word = ""
        for character in text {
            if word.utf8.count + character.utf8.count > 45 {
                words.append(word)
                word = ""
            }
            // One character alone can be longer than a word may be.
            if character.utf8.count <= 45 { word.append(character) }
        }
        words.append(word)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// RFC 5322 §3.3, in UTC.
    static func date(_ time: Timestamp) -> String {
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let date = time.date
        let clock = time.rfc3339.dropFirst(11).prefix(8)
        let weekday = days[(date.daysSinceEpoch % 7 + 7) % 7]
        return "\(weekday), \(date.day < 10 ? "0" : "")\(date.day) \(months[date.month - 1]) \(date.year) \(clock) +0000"
    }
}

/// The Message-ID of a page's mail, and what the journal keeps of other mails' ids.
package enum MessageID {
    /// Tells mails apart without naming them.
    package static func fingerprint(of bytes: [UInt8]) -> String { SHA256.hash(data: bytes).hexadecimal }

    /// What stands before the `@`: of the message's key, which has characters that an id cannot have.
    package static func local(_ key: String) -> String {
        SHA256.hash(data: Data(key.utf8)).prefix(16).hexadecimal
    }
}
