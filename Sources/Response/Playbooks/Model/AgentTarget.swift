package import Journal

/// Who or what executes commands, or what they are executed on (§7).
package struct AgentTarget: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case group
        case httpAPI = "http-api"
        case individual
        case linux
        case location
        case netAddress = "net-address"
        case organization
        case sector
        case securityCategory = "security-category"
        case ssh
    }

    /// `nil` for a type of somebody's own.
    package var kind: Kind?
    package var type: String
    package var name: String
    package var about: String?
    /// By kind of address: `dname`, `ipv4`, `ipv6`, `l2mac`, `vlan`, `url`.
    package var addresses: [String: [String]]
    package var port: String?
    package var authentication: Identifier?
    package var categories: [String]

    init(_ json: JSONValue) {
        type = json["type"]?.stringValue ?? ""
        kind = Kind(rawValue: type)
        name = json["name"]?.stringValue ?? ""
        about = json["description"]?.stringValue
        addresses = (json["address"]?.objectValue ?? [:]).mapValues { list in
            (list.arrayValue ?? []).compactMap { $0.stringValue ?? $0.integerValue.map(String.init) }
        }
        port = json["port"]?.stringValue
        authentication = json["authentication_info"]?.stringValue.flatMap { Identifier($0) }
        categories = (json["category"]?.arrayValue ?? json["sector"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// Whether this is people rather than a machine.
    package var isPeople: Bool {
        switch kind {
        case .group, .individual, .organization, .sector, .location: true
        default: false
        }
    }
}

/// How an agent proves who it is (§6). Secrets stand in variables or in a key store, never in the model's description.
package struct AuthenticationInfo: Hashable, Sendable {
    package var type: String
    package var name: String?
    /// The name of the secret in the key store; `nil` where the playbook carries it.
    package var keyName: String?
    /// The properties as they are written, `__name__:value` included.
    package var members: [String: JSONValue]

    init(_ json: JSONValue) {
        type = json["type"]?.stringValue ?? ""
        name = json["name"]?.stringValue
        keyName = json["kms"]?.boolValue == true ? json["kms_key_identifier"]?.stringValue : nil
        members = json.objectValue ?? [:]
    }
}

/// Who may see the playbook (§9).
package struct DataMarking: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        case trafficLight(String)
        case statement(String)
        case exchangePolicy(name: String, tlp: String)
        case other(String)
    }

    package var id: String
    package var content: Content
    package var isRevoked: Bool

    init(_ json: JSONValue) {
        id = json["id"]?.stringValue ?? ""
        isRevoked = json["revoked"]?.boolValue ?? false
        content =
            switch json["type"]?.stringValue ?? "" {
            case "marking-tlp": .trafficLight(json["tlpv2_level"]?.stringValue ?? "")
            case "marking-statement": .statement(json["statement"]?.stringValue ?? "")
            case "marking-iep":
                .exchangePolicy(name: json["name"]?.stringValue ?? "", tlp: json["tlp"]?.stringValue ?? "")
            case let type: .other(type)
            }
    }
}
