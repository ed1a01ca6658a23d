import Events
import Yams

/// The roles that people can have in an incident: several sets, of which any may be used, and one person can have several.
package struct RolePolicy: Sendable, Equatable {
    package struct Role: Sendable, Equatable {
        package var id: String
        package var title: String
        package var duty: String
        /// The set it comes from.
        package var set: String
    }

    package var roles: [Role] = []

    package init() {}

    func check(role: String) throws(IncidentRefusal) {
        guard roles.contains(where: { $0.id == role }) else {
            throw IncidentRefusal(
                .invalid, "there is no role '\(role)'", "there are \(roles.map(\.id).joined(separator: ", "))")
        }
    }

    init(_ node: Node?, _ reader: PolicyReader) throws(PolicyError) {
        guard let node, let sets = try reader.members(node, known: ["sets"])["sets"] else { return }
        for set in try reader.mapping(sets) {
            for role in try reader.mapping(set.value) {
                let members = try reader.members(role.value, known: ["title", "duty"], needed: ["title"])
                guard !roles.contains(where: { $0.id == role.name }) else {
                    throw reader.error(role.key, "role '\(role.name)' is there twice")
                }
                roles.append(
                    Role(
                        id: role.name, title: try members["title"].map(reader.text) ?? role.name,
                        duty: try members["duty"].map(reader.text) ?? "", set: set.name))
            }
        }
    }
}
