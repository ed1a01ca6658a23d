import Detection
import Yams

/// Which playbooks start by themselves, and who has to agree to what they do: `response.yml`.
package struct ResponsePolicy: Sendable, Equatable {
    /// A playbook starts when an incident has one of the severities, and a rule of one of the categories and levels spoke in it.
    package struct Start: Sendable, Equatable {
        /// A file's name without extension, a playbook's name, or its identifier.
        package var playbook: String
        package var categories: [String]
        package var severities: Set<Severity>
        /// An incident's severity may be held down while a rule of any level speaks; this goes by what the rule itself said.
        package var ruleLevels: Set<String>
        package var line: Int

        /// - Parameter levels: of the rules that spoke in the incident, by category.
        package func fits(_ severity: Severity, _ levels: [String: Set<String>]) -> Bool {
            severities.contains(severity) && categories.contains { !ruleLevels.isDisjoint(with: levels[$0] ?? []) }
        }
    }

    /// Who has to agree from an impact on.
    package struct Approval: Sendable, Equatable {
        /// 0 to 100, as CACAO counts.
        package var impact: Int64
        package var role: String
        package var people: Int
    }

    package var starts: [Start] = []
    /// `nil` where the file says nothing: the defaults of the executor hold.
    package var approvals: [Approval]?
    /// Seconds; `nil` likewise.
    package var approvalTime: Int64?
    package var manualTime: Int64?
    package var demandsSignature = false
    /// Public keys (base64 DER) whose signatures count.
    package var trustedKeys: [String] = []
    /// The least role that may trust a playbook from outside.
    package var trustRole = "commander"

    /// Roles of accounts that can be asked to agree.
    private static let roles = ["responder", "commander", "admin"]

    package init() {}

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node else { return }
        let members = try reader.members(
            node,
            known: ["starts", "approvals", "approve_within", "manual_within", "signed_only", "trusted_keys", "trust"])
        if let list = members["starts"] {
            for element in try reader.list(list) { starts.append(try Self.start(element, reader)) }
        }
        if let list = members["approvals"] {
            var rules: [Approval] = []
            for element in try reader.list(list) { rules.append(try Self.approval(element, reader)) }
            approvals = rules
        }
        if let value = members["approve_within"] { approvalTime = try reader.duration(value) }
        if let value = members["manual_within"] { manualTime = try reader.duration(value) }
        if let value = members["signed_only"] { demandsSignature = try reader.flag(value) }
        if let value = members["trusted_keys"] { trustedKeys = try reader.texts(value) }
        if let value = members["trust"] { trustRole = try Self.role(value, reader) }
        if demandsSignature, trustedKeys.isEmpty {
            throw reader.error(node, "signed_only without trusted_keys refuses every playbook")
        }
    }

    private static func start(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> Start {
        let members = try reader.members(
            node, known: ["playbook", "categories", "severities", "rule_levels"], needed: ["playbook", "categories"])
        guard let playbook = members["playbook"], let categories = members["categories"] else {
            throw reader.error(node, "a playbook and categories are expected here")
        }
        var severities = Set(Severity.allCases)
        if let list = members["severities"] {
            severities = []
            for element in try reader.list(list) { severities.insert(try reader.severity(element)) }
        }
        var levels = Set(Level.allCases.map(\.rawValue))
        if let list = members["rule_levels"] {
            levels = []
            for element in try reader.list(list) { levels.insert(try reader.choice(element, "level", Level.self).rawValue) }
        }
        return Start(
            playbook: try reader.text(playbook), categories: try reader.texts(categories), severities: severities,
            ruleLevels: levels, line: node.mark?.line ?? 0)
    }

    private static func approval(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> Approval {
        let members = try reader.members(node, known: ["impact", "role", "people"], needed: ["impact", "role"])
        guard let impact = members["impact"]?.int, (0...100).contains(impact), let role = members["role"] else {
            throw reader.error(node, "an impact from 0 to 100 is expected here")
        }
        let people = try members["people"].map(reader.number) ?? 1
        return Approval(impact: Int64(impact), role: try Self.role(role, reader), people: people)
    }

    private static func role(_ node: Node, _ reader: PolicyReader) throws(PolicyError) -> String {
        let name = try reader.text(node)
        guard roles.contains(name) else { throw reader.unknown(node, "role", name, known: roles) }
        return name
    }
}
