import GRDB

/// The database did not do what was asked of it. Holds neither values nor statements.
package struct DatabaseFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// `timeout`, `disk_full`, `unique_violation`, … as events and rules name it.
    package var reason: String
    /// What happened and what to do, for the operator's log.
    package var message: String

    package var description: String { message }

    init(reason: String, message: String) {
        self.reason = reason
        self.message = message
    }

    /// GRDB's own text may hold values; its code does not.
    init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(reason: "timeout", message: "The database was busy for five seconds. See what else has it open.")
        case .SQLITE_FULL:
            self.init(reason: "disk_full", message: "The disk is full. Make room; nothing that was accepted is lost.")
        case .SQLITE_CONSTRAINT where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE:
            self.init(reason: "unique_violation", message: "A value that must be the only one is there already.")
        case .SQLITE_CONSTRAINT:
            self.init(reason: "constraint_violation", message: "A row refers to another that is gone.")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            self.init(reason: "damaged", message: "The database is damaged. Stop Tatou, and restore it from a backup.")
        case .SQLITE_ERROR:
            self.init(reason: "syntax_error", message: "The database refused a statement. This is a mistake in Tatou: report it.")
        default:
            self.init(
                reason: "sqlite_\(error.resultCode.rawValue)",
                message: "SQLite reported error \(error.resultCode.rawValue). Check the disk and the data folder's permissions.")
        }
    }

    init(_ error: any Error, opening path: String) {
        switch error {
        case let failure as DatabaseFailure: self = failure
        case let error as DatabaseError:
            let failure = DatabaseFailure(error)
            self.init(reason: failure.reason, message: "\(path) cannot be opened. \(failure.message)")
        default: self.init(reason: "unavailable", message: "\(path) cannot be opened: \(error)")
        }
    }
}
