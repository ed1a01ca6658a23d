import Console
import Events
import Foundation
import Journal
import Logging
import Response

/// Orders about leases from commands that run beside a server, by files as `OrderSpool` has them. There is no doing without a server:
/// nobody would lift what is applied.
package struct LeaseOrders: OrderSpooling {
    package let folder: OrderFolder

    package init(_ data: DataFolder) { folder = OrderFolder(data.path + "/lease-orders") }

    /// Carries out what waits, oldest first.
    func serve(_ counter: LeaseCounter, logger: Logger) async throws {
        try await folder.serve(logger: logger) { id, order in try await LeaseOrders.carryOut(order, id: id, counter) }
    }

    private static func carryOut(_ order: JSONValue, id: String, _ counter: LeaseCounter) async throws -> JSONValue {
        let text = { (name: String) in order[name]?.stringValue ?? "" }
        let lease = text("lease")
        // Whoever may write into the data folder may do what Vigie can: the user is named, not asked for a role.
        let by = text("by")
        let wanted = LeaseOrder(
            verb: text("verb"), target: text("target"), scope: text("scope").isEmpty ? "platform" : text("scope"),
            reason: text("reason"), incident: text("incident"), duration: text("duration"), enforcer: text("enforcer"),
            parameters: (order["parameters"]?.objectValue ?? [:]).compactMapValues(\.stringValue))
        switch text("order") {
        case "list":
            let list = await counter.leases(
                of: text("incident").isEmpty ? nil : text("incident"), includesOver: text("all") == "true")
            return try JSONValue(parsing: try JSONBytes.encode(APILeaseList(list)))
        case "preview":
            return try JSONValue(parsing: try JSONBytes.encode(APILeasePreview(try await counter.preview(wanted))))
        case "apply":
            var request = try counter.request(wanted, by: by, from: nil)
            // Carried out twice, because a server died before it could answer, it is one lease.
            request.key = "order/\(id)"
            let lease = try await counter.desk.apply(request)
            _ = await counter.desk.settle(id: lease.id, by: counter.now().advanced(bySeconds: 5))
            return try await answer(lease.id, counter)
        case "undo": return try json(try await counter.undo(lease, reason: text("reason"), by: by))
        case "approve": return try json(try await counter.approve(lease, by: by))
        case "proof": return try json(try await counter.prove(lease))
        case "probed":
            return try json(try await counter.probed(lease, outcome: text("outcome"), by: by))
        default: throw LeaseRefusal(.invalid, "that is no order", "use the `vigie` of the same version")
        }
    }

    private static func answer(_ id: String, _ counter: LeaseCounter) async throws -> JSONValue {
        guard let view = await counter.lease(id) else {
            throw LeaseRefusal(.unknown, "there is no lease \(id)", "`vigie lease list` shows those there are")
        }
        return try json(view)
    }

    private static func json(_ view: LeaseView) throws -> JSONValue {
        try JSONValue(parsing: try JSONBytes.encode(APILease(view)))
    }
}

/// As the API writes it.
enum JSONBytes {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(value))
    }
}
