import GRDB

@testable import Storage

extension Projections {
    /// Every row of every table as text, sorted: equal dumps are equal tables. How the search's index is cut up depends on when
    /// things were written, and is left out.
    func dump() throws -> [String] {
        try pool.read { database in
            let tables = try String.fetchAll(
                database,
                sql:
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT GLOB '*_text_*' ORDER BY name"
            )
            return try tables.flatMap { table in
                try Row.fetchAll(database, sql: "SELECT * FROM \(table)").map { "\(table) \($0)" }.sorted()
            }
        }
    }
}
