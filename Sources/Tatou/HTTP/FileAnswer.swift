import Events
import HTTPTypes
import Hummingbird

/// A PDF file as an answer: validators, conditions and ranges (RFC 9110 sections 8.8, 13 and 14).
struct FileAnswer {
    var path: String
    var size: Int
    /// In hexadecimal; the entity tag.
    var sha256: String
    var modified: Timestamp
    var name: String
    var cacheControl: String
    /// Whether the whole file is sent whatever the conditions: what can be fetched once is fetched as a whole.
    var isUnconditional = false

    func response(to request: Request, context: some RequestContext) async throws -> Response {
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
            range = RequestedRange(request.headers[.range], size: size)
        }
        switch range {
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(size)"
            headers[.contentType] = nil
            headers[.contentDisposition] = nil
            return Response(status: .rangeNotSatisfiable, headers: headers)
        case .part(let part):
            headers[.contentRange] = "bytes \(part.lowerBound)-\(part.upperBound)/\(size)"
            return Response(
                status: .partialContent, headers: headers,
                body: try await FileIO().loadFile(path: path, range: part, context: context))
        case .everything:
            return Response(
                status: .ok, headers: headers,
                body: try await FileIO().loadFile(path: path, range: 0...max(size - 1, 0), context: context))
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
