import GRDB
package import Incidents

extension Projections {
    package func incidents(matching query: IncidentQuery) async throws -> IncidentPage {
        try await pool.read { database in
            let (filter, arguments) = try Projections.filter(query, database)
            var counts: [Severity: Int] = [:]
            let rows = try Row.fetchAll(
                database, sql: "SELECT severity, count(*) AS incidents FROM incident WHERE \(filter) GROUP BY severity",
                arguments: arguments)
            for row in rows {
                if let severity = Severity(rawValue: row["severity"]) { counts[severity] = row["incidents"] }
            }
            let newest = try Projections.newest(query, filter, arguments, database)
            return IncidentPage(
                incidents: try newest.map { try Projections.summary($0, database) }, counts: counts, query: query)
        }
    }

    /// The rows of one page. Which they are is read from an index alone: one over all severities, or one for each asked for.
    private static func newest(
        _ query: IncidentQuery, _ filter: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [Row] {
        let isEach = query.severities.count < Severity.allCases.count
        let conditions = isEach ? query.severities.sorted().map { "severity = \($0.rawValue) AND " } : [""]
        guard !conditions.isEmpty else { return [] }
        var places = StatementArguments()
        let candidates = conditions.map { condition in
            places += arguments + [query.offset + query.limit]
            return """
                SELECT * FROM (
                    SELECT rowid AS place, updated_sequence AS news FROM incident WHERE \(condition)\(filter)
                    ORDER BY updated_sequence DESC LIMIT ?)
                """
        }
        return try Row.fetchAll(
            database,
            sql: """
                SELECT incident.* FROM (
                    SELECT place, news FROM (\(candidates.joined(separator: " UNION ALL "))) ORDER BY news DESC LIMIT ? OFFSET ?)
                CROSS JOIN incident ON incident.rowid = place ORDER BY news DESC
                """, arguments: places + [query.limit, query.offset])
    }

    /// Every word has to occur somewhere; a word is taken as it is, wildcards included.
    private static func filter(
        _ query: IncidentQuery, _ database: Database
    ) throws -> (sql: String, arguments: StatementArguments) {
        var (condition, arguments) = readable(by: query.reader)
        if !query.includesClosed { condition += " AND phase <> 'closed'" }
        for word in query.search.split(whereSeparator: \.isWhitespace).prefix(8) {
            let escaped = word.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
            let pattern = "%\(escaped)%"
            // The index knows every three characters in a row; what is shorter is looked for in the texts themselves.
            if word.unicodeScalars.count >= 3 {
                let phrase = "\"\(word.replacing("\"", with: "\"\""))\""
                condition += """
                     AND (incident.rowid IN (
                        SELECT rowid FROM incident_text WHERE incident_text MATCH ?
                        UNION SELECT i.rowid FROM incident_entity e JOIN incident i ON i.id = e.incident
                        WHERE e.rowid IN (SELECT rowid FROM entity_text WHERE entity_text MATCH ?))
                    """
                arguments += [phrase, phrase]
            } else {
                condition += """
                     AND (incident.rowid IN (
                        SELECT rowid FROM incident WHERE id LIKE ? ESCAPE '\\' OR title LIKE ? ESCAPE '\\'
                        UNION SELECT i.rowid FROM incident_entity e JOIN incident i ON i.id = e.incident
                        WHERE e.value LIKE ? ESCAPE '\\')
                    """
                arguments += [pattern, pattern, pattern]
            }
            // Asked row by row: most incidents can be of a category, and another word leaves few of them.
            let categories = try categories(like: pattern, database)
            if !categories.isEmpty {
                let places = Array(repeating: "?", count: categories.count).joined(separator: ", ")
                condition += """
                     OR EXISTS (SELECT 1 FROM incident_category c WHERE c.category IN (\(places)) AND c.incident = incident.id)
                    """
                arguments += StatementArguments(categories)
            }
            condition += ")"
        }
        return (condition, arguments)
    }

    /// There are few, in very many rows: each is found by one step in the index.
    private static func categories(like pattern: String, _ database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                WITH RECURSIVE name (category) AS (
                    SELECT min(category) FROM incident_category
                    UNION ALL
                    SELECT (SELECT min(next.category) FROM incident_category next WHERE next.category > name.category)
                    FROM name WHERE name.category IS NOT NULL)
                SELECT category FROM name WHERE category LIKE ? ESCAPE '\\'
                """, arguments: [pattern])
    }
}
