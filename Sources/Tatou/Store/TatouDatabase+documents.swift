import Events
import GRDB

extension TatouDatabase {
    /// How much one account may keep.
    struct Quota: Sendable {
        var documents: Int
        var bytes: Int
    }

    /// - Returns: `nil` where the account has no room left for it.
    func insert(_ document: Document, quota: Quota) async throws -> Document? {
        try await write("insert_document") { database in
            let row = try Row.fetchOne(
                database, sql: "SELECT COUNT(*) AS count, COALESCE(SUM(size), 0) AS bytes FROM document WHERE owner_id = ?",
                arguments: [document.owner])
            let (count, bytes): (Int, Int) = (row?["count"] ?? 0, row?["bytes"] ?? 0)
            guard count < quota.documents, bytes <= quota.bytes - document.size else { return nil }
            try database.execute(
                sql: """
                    INSERT INTO document (name, file, owner_id, created_at, sha256, size, pages, correlation)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    document.name, document.file, document.owner, document.createdAt.nanoseconds, document.sha256, document.size,
                    document.pages, document.correlation,
                ])
            var document = document
            document.id = database.lastInsertedRowID
            return document
        }
    }

    func document(_ id: Int64) async throws -> Document? {
        try await read("document_select") {
            try Row.fetchOne($0, sql: "SELECT * FROM document WHERE id = ?", arguments: [id]).map(Document.init)
        }
    }

    /// Newest first.
    func documents(owner: Int64) async throws -> [Document] {
        try await read("list_documents") {
            try Row.fetchAll(
                $0, sql: "SELECT * FROM document WHERE owner_id = ? ORDER BY created_at DESC, id DESC", arguments: [owner]
            ).map(Document.init)
        }
    }

    /// Deletes the row, and those of its versions.
    ///
    /// - Returns: the names of the versions' files; `nil` where somebody else deleted it meanwhile.
    func deleteDocument(_ id: Int64) async throws -> [String]? {
        try await write("delete_document") { database in
            let files = try String.fetchAll(database, sql: "SELECT file FROM version WHERE document_id = ?", arguments: [id])
            try database.execute(sql: "DELETE FROM document WHERE id = ?", arguments: [id])
            return database.changesCount > 0 ? files : nil
        }
    }

    /// The names of all files that belong to something.
    func knownFiles() async throws -> [DocumentFolder.Kind: Set<String>] {
        try await read("list_files") { database in
            let documents = try String.fetchSet(database, sql: "SELECT file FROM document")
            return [
                .documents: documents,
                .fingerprints: documents,
                .versions: try String.fetchSet(database, sql: "SELECT file FROM version"),
            ]
        }
    }
}

extension Document {
    init(_ row: Row) {
        self.init(
            id: row["id"], name: row["name"], file: row["file"], owner: row["owner_id"],
            createdAt: Timestamp(nanoseconds: row["created_at"]), sha256: row["sha256"], size: row["size"], pages: row["pages"],
            correlation: row["correlation"])
    }
}
