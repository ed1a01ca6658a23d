import Foundation
package import Journal

/// Where commands leave orders of one kind that only a server can carry out.
package protocol OrderSpooling: Sendable {
    init(_ data: DataFolder)

    var folder: OrderFolder { get }
}

extension OrderSpooling {
    /// Leaves an order and waits for its answer.
    ///
    /// - Returns: `nil` when no server answers; the order is taken back then, unless it is being carried out.
    package func ask(_ order: JSONValue, seconds: Int = 30) async throws -> JSONValue? {
        try await folder.ask(order, id: UUID().uuidString.lowercased(), seconds: seconds)
    }
}
