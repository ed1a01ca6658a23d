/// A header and a body: a whole mail, or a part of one.
struct MailEntity {
    private var fields: [(name: String, value: String)] = []
    private(set) var body: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        body = bytes
        let limit = min(bytes.startIndex + MailMessage.maximumHeaderBytes, bytes.endIndex)
        while body.startIndex < limit {
            let end = body.firstIndex(of: 0x0A) ?? body.endIndex
            var line = body[body.startIndex..<end]
            body = body[min(end + 1, body.endIndex)...]
            if line.last == 0x0D { line = line.dropLast() }
            if line.isEmpty { return }
            // A line that begins with white space goes on with the one before (RFC 5322 §2.2.3).
            if line.first == 0x20 || line.first == 0x09 {
                if !fields.isEmpty { fields[fields.count - 1].value += " " + MailEntity.text(line) }
                continue
            }
            guard let colon = line.firstIndex(of: 0x3A) else { continue }
            fields.append((MailEntity.text(line[..<colon]).lowercased(), MailEntity.text(line[(colon + 1)...])))
        }
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var text = Substring(String(decoding: bytes, as: UTF8.self))
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }

    /// The first field of that name; empty where there is none.
    func text(_ name: String) -> String { fields.first { $0.name == name }?.value ?? "" }

    /// `multipart/mixed` with its parameters; what says nothing is plain text (RFC 2045 §5.2).
    var contentType: (type: String, parameters: [String: String]) {
        let pieces = text("content-type").split(separator: ";", omittingEmptySubsequences: true)
        guard let type = pieces.first else { return ("text/plain", [:]) }
        var parameters: [String: String] = [:]
        for piece in pieces.dropFirst() {
            guard let equals = piece.firstIndex(of: "=") else { continue }
            let name = piece[..<equals].filter { $0 != " " && $0 != "\t" }.lowercased()
            var value = piece[piece.index(after: equals)...]
            while value.first == " " { value.removeFirst() }
            while value.last == " " { value.removeLast() }
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            parameters[name] = String(value)
        }
        return (type.filter { $0 != " " && $0 != "\t" }.lowercased(), parameters)
    }

    /// What stands between the lines `--boundary`, to the line `--boundary--` or the end (RFC 2046 §5.1).
    func parts(boundary: String) -> [ArraySlice<UInt8>] {
        let mark = Array("--\(boundary)".utf8)
        var parts: [ArraySlice<UInt8>] = []
        var start: Int?
        var place = body.startIndex
        while place < body.endIndex, parts.count < MailMessage.maximumParts {
            let end = body[place...].firstIndex(of: 0x0A) ?? body.endIndex
            let line = body[place..<end]
            if line.starts(with: mark) {
                // The line end in front of the mark belongs to it.
                if let start {
                    let part = body[start..<max(start, place - 1)]
                    parts.append(part.last == 0x0D ? part.dropLast() : part)
                }
                if line.dropFirst(mark.count).starts(with: [0x2D, 0x2D]) { return parts }
                start = min(end + 1, body.endIndex)
            }
            place = end + 1
        }
        if let start, parts.count < MailMessage.maximumParts { parts.append(body[start...]) }
        return parts
    }
}
