package import Identity
import Yams

/// The OpenID Connect provider of the console, and where the client's secret is.
///
///     console:
///       openid:
///         issuer: https://login.example.org/realms/staff
///         name: Example
///         client_id: vigie
///         client_secret_file: /etc/vigie/openid.secret
///         scopes: [openid, profile, groups]
///         roles_claim: groups
///         roles: {admin: [vigie-admins], commander: [incident-leads], responder: [soc], viewer: [staff]}
package struct ProviderOptions: Sendable, Equatable {
    package enum Secret: Sendable, Equatable {
        case file(String)
        case environment(String)
        /// A public client.
        case none
    }

    package var openID: OpenIDOptions
    package var secret: Secret

    package init(openID: OpenIDOptions, secret: Secret) {
        self.openID = openID
        self.secret = secret
    }
}

extension ConfigurationReader {
    func provider(_ node: Node) throws(ConfigurationError) -> ProviderOptions {
        var issuer: OpenIDAddress?
        var clientID: String?
        var secret = ProviderOptions.Secret.none
        var roles: [String: Role] = [:]
        var change: [(inout OpenIDOptions) -> Void] = []
        let known = [
            "issuer", "name", "client_id", "client_secret_file", "client_secret_env", "scopes", "name_claim", "roles_claim",
            "roles",
            "second_factor_acr",
        ]
        for (key, value) in try mapping(node, known: known) {
            switch key {
            case "issuer":
                issuer = OpenIDAddress(try text(value))
                guard let issuer, !issuer.text.contains("?") else {
                    throw error(
                        value, "the issuer is an https address without '?' and '#'; http only at localhost, 127.0.0.1 and [::1]")
                }
            case "name":
                let name = try text(value)
                guard name.count <= 40 else { throw error(value, "the name stands on a button: at most 40 characters") }
                change.append { $0.name = name }
            case "client_id": clientID = try printable(value)
            case "client_secret_file", "client_secret_env":
                guard secret == .none else { throw error(value, "the secret is in a file or in the environment, not in both") }
                secret = key == "client_secret_file" ? .file(try text(value)) : .environment(try text(value))
            case "scopes":
                let scopes = try texts(value)
                guard scopes.contains("openid"), scopes.allSatisfy({ !$0.contains(" ") }) else {
                    throw error(value, "'scopes' is a list with 'openid' in it")
                }
                change.append { $0.scopes = scopes }
            case "name_claim":
                let claim = try text(value)
                change.append { $0.nameClaim = claim }
            case "roles_claim":
                let claim = try text(value)
                change.append { $0.rolesClaim = claim }
            case "roles": roles = try groups(value)
            default:
                let contexts = Set(try texts(value))
                change.append { $0.strongContexts = contexts }
            }
        }
        guard let issuer, let clientID, !roles.isEmpty else {
            throw error(
                node, "'openid' needs 'issuer', 'client_id' and 'roles': who has none of the groups under 'roles' is refused")
        }
        var options = OpenIDOptions(issuer: issuer, clientID: clientID, roles: roles)
        for apply in change { apply(&options) }
        return ProviderOptions(openID: options, secret: secret)
    }

    private func printable(_ node: Node) throws(ConfigurationError) -> String {
        let text = try text(node)
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw error(node, "only printable ASCII is allowed here (RFC 6749, appendix A.1)")
        }
        return text
    }

    /// Role → groups, as people write it, to group → role.
    private func groups(_ node: Node) throws(ConfigurationError) -> [String: Role] {
        var roles: [String: Role] = [:]
        for (key, value) in try mapping(node, known: Role.allCases.map(\.rawValue)) {
            guard let role = Role(rawValue: key) else { continue }
            for group in try texts(value) {
                guard roles[group] == nil else { throw error(value, "'\(group)' stands under two roles") }
                roles[group] = role
            }
        }
        return roles
    }
}
