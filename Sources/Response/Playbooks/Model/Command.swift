import Journal

/// One command of an action step (§5).
package struct Command: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case manual
        case bash
        case calderaCommand = "caldera-cmd"
        case elastic
        case httpAPI = "http-api"
        case jupyter
        case kestrel
        case openC2 = "openc2-http"
        case powershell
        case sigma
        case ssh
        case yara
    }

    /// `nil` for a type of somebody's own, which nothing here runs.
    package var kind: Kind?
    package var type: String
    /// The command, decoded where it was base64.
    package var text: String
    package var about: String?
    package var activity: String?
    package var version: String?
    package var headers: [String: [String]]
    /// The body of an HTTP request.
    package var content: [UInt8]?

    init(_ json: JSONValue) {
        type = json["type"]?.stringValue ?? ""
        kind = Kind(rawValue: type)
        let encoded = json["command_b64"]?.stringValue.flatMap { Base64.decode($0) }.map { String(decoding: $0, as: UTF8.self) }
        text = json["command"]?.stringValue ?? encoded ?? ""
        about = json["description"]?.stringValue
        activity = json["playbook_activity"]?.stringValue
        version = json["version"]?.stringValue
        headers = (json["headers"]?.objectValue ?? [:]).mapValues { ($0.arrayValue ?? []).compactMap(\.stringValue) }
        content =
            json["content"]?.stringValue.map { Array($0.utf8) } ?? json["content_b64"]?.stringValue.flatMap { Base64.decode($0) }
    }

    /// Every text of the command in which variables may stand.
    package var texts: [String] {
        [text] + headers.values.flatMap { $0 } + (content.map { [String(decoding: $0, as: UTF8.self)] } ?? [])
    }
}
