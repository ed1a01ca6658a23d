import Events
import HTTPTypes
import Hummingbird

/// A PDF file as an answer: validators, conditions and ranges (RFC 9110 sections 8.8, 13 and 14), all of one open file.
struct FileAnswer {
    var file: StoredFile
    /// In hexadecimal; the entity tag.
    var sha256: String
    var modified: Timestamp
    var name: String
    var cacheControl: String
    /// Whether the whole file is sent whatever the conditions: what can be fetched once is fetched as a whole.
    var isUnconditional = false

    /// What is read and sent at a time, in bytes.
    private static let piece = 128 << 10

    func response(to request: Request) -> Response {
        let tag = "\"\(sha256)\""
        let date = HTTPDate.text(modified)
        var headers = HTTPFields()
        headers[.eTag] = tag
        headers[.lastModified] = date
        headers[.cacheControl] = cacheControl
        if !isUnconditional {
            headers[.acceptRanges] = "bytes"
            if isUnchanged(request.headers, tag: tag) { return Response(status: .notModified, headers: headers) }
        }
        headers[.contentType] = "application/pdf"
        headers[.contentDisposition] = "inline; filename=\"\(asciiName)\"; filename*=UTF-8''\(escapedName)"
        var range = RequestedRange.everything
        if !isUnconditional, allowsRange(request.headers[.ifRange], tag: tag, date: date) {
            range = RequestedRange(request.headers[.range], size: file.size)
        }
        switch range {
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(file.size)"
            headers[.contentType] = nil
            headers[.contentDisposition] = nil
            return Response(status: .rangeNotSatisfiable, headers: headers)
        case .part(let part):
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound)/\(file.size)"
            return Response(status: .partialContent, headers: headers, body: body(part.lowerBound..<(part.upperBound + 1)))
        case .everything:
            return Response(status: .ok, headers: headers, body: body(0..<file.size))
        }
    }

    private func body(_ part: Range<Int>) -> ResponseBody {
        ResponseBody(contentLength: part.count) { [file] writer in
            for start in stride(from: part.lowerBound, to: part.upperBound, by: Self.piece) {
                try await writer.write(file.read(start..<min(start + Self.piece, part.upperBound)))
            }
            try await writer.finish(nil)
        }
    }

    private func isUnchanged(_ headers: HTTPFields, tag: String) -> Bool {
        if let tags = headers[.ifNoneMatch] {
            return tags.split(separator: ",").map { String($0).trimmed }.contains {
                $0 == "*" || $0 == tag || $0 == "W/\(tag)"
            }
        }
        guard let since = headers[.ifModifiedSince].flatMap(HTTPDate.parse) else { return false }
        return modified.seconds <= since.seconds
    }

    private func allowsRange(_ condition: String?, tag: String, date: String) -> Bool {
        guard let condition else { return true }
        return condition == tag || condition == date
    }

    private var asciiName: String {
        String(
            name.unicodeScalars.map {
                $0.isASCII && $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0 != "%" ? Character($0) : "_"
            })
    }

    /// RFC 8187.
    private var escapedName: String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "%" + [byte].hexadecimal.uppercased()
            }
        }
        return text
    }
}
