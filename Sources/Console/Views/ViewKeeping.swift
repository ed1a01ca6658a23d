package import Incidents

/// Where views of the incident list are kept.
package protocol ViewKeeping: Sendable {
    /// One's own and those that are shared, by name.
    func views(for account: String) async -> [SavedView]
    /// - Returns: the view as it is now; `nil` for one that was deleted.
    /// - Throws: `SavedViewRefusal`; nothing was done then.
    func carryOut(_ order: SavedViewOrder) async throws -> SavedView?
}
