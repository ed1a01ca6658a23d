/// What the headers of a part say.
struct PartHead: Equatable {
    var name: String
    /// As the client wrote it, folders and all; `nil` for fields that are no files.
    var fileName: String?
    /// Without parameters, in lower case.
    var contentType: String?

    init(_ bytes: some Collection<UInt8>) throws(MultipartParser.Malformation) {
        let text = String(decoding: bytes, as: UTF8.self)
        var disposition: HeaderParameters?
        var type: String?
        for line in text.split(separator: "\r\n", omittingEmptySubsequences: true) {
            guard let colon = line.firstIndex(of: ":") else { throw .badHead }
            let value = String(line[line.index(after: colon)...])
            switch line[..<colon].lowercased() {
            case "content-disposition": disposition = HeaderParameters(value)
            case "content-type": type = HeaderParameters(value).value.lowercased()
            default: continue
            }
        }
        guard let disposition, disposition.value.lowercased() == "form-data", let name = disposition["name"] else {
            throw .badHead
        }
        self.name = name
        // RFC 7578 section 4.2 forbids filename*: it would be a second name for the same file.
        fileName = disposition["filename"]
        contentType = type
    }
}

/// `value; name=token; name="quoted"` (RFC 9110 section 5.6.6).
struct HeaderParameters {
    var value: String
    private var parameters: [String: String] = [:]

    /// The first of a name counts.
    subscript(_ name: String) -> String? { parameters[name] }

    init(_ text: String) {
        var rest = text[...]
        value = String(rest.prefix { $0 != ";" }).trimmed
        rest = rest.drop { $0 != ";" }
        while rest.first == ";" {
            rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
            let name = String(rest.prefix { $0 != "=" && $0 != ";" }).trimmed.lowercased()
            rest = rest.drop { $0 != "=" && $0 != ";" }
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            let value: String
            if rest.first == "\"" {
                value = Self.quoted(&rest)
                rest = rest.drop { $0 != ";" }
            } else {
                value = String(rest.prefix { $0 != ";" }).trimmed
                rest = rest.drop { $0 != ";" }
            }
            if parameters[name] == nil { parameters[name] = value }
        }
    }

    /// Only quotes are unescaped: old clients send the backslashes of whole Windows paths as they are.
    private static func quoted(_ rest: inout Substring) -> String {
        var value = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
            if character == "\"" { break }
            if character == "\\", rest.first == "\"" {
                value.append("\"")
                rest = rest.dropFirst()
            } else {
                value.append(character)
            }
        }
        return value
    }
}
