/// What an API token may be used for. What its account may not do, no scope gives it.
package enum TokenScope: String, Sendable, Hashable, CaseIterable, Codable {
    /// To read.
    case read
    /// To read, and to work on incidents.
    case respond
    /// Everything, accounts and configuration included.
    case admin
    /// To hand in logs, and nothing else: for log shippers on machines that may be lost.
    case ingest

    /// Whether it is enough where `needed` is.
    package func covers(_ needed: TokenScope) -> Bool {
        switch self {
        case .ingest: needed == .ingest
        case .read: needed == .read
        case .respond: needed == .read || needed == .respond
        case .admin: needed != .ingest
        }
    }
}
