import Events
import Foundation
import GRDB
import Identity

extension TatouDatabase {
    private static let columns = """
        SELECT version.*, owner_id, document.name AS document_name, document.correlation
        FROM version JOIN document ON document.id = document_id
        """

    /// - Returns: `nil` where the link is taken.
    func insert(_ version: Version, link: TokenDigest, sealed: Data) async throws -> Version? {
        try await write("insert_version") { database in
            let isTaken =
                try Bool.fetchOne(
                    database, sql: "SELECT EXISTS (SELECT 1 FROM version WHERE link_digest = ?)", arguments: [link.hex]) ?? false
            guard !isTaken else { return nil }
            try database.execute(
                sql: """
                    INSERT INTO version (document_id, link_digest, sealed, intended_for, method, position, file, sha256, size,
                        created_at, is_single_use, expires_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    version.document, link.hex, sealed, version.intendedFor, version.method, version.position, version.file,
                    version.sha256, version.size, version.createdAt.nanoseconds, version.isSingleUse,
                    version.expiresAt?.nanoseconds,
                ])
            var version = version
            version.id = database.lastInsertedRowID
            return version
        }
    }

    func version(link: TokenDigest) async throws -> Version? {
        try await read("version_select") {
            try Row.fetchOne($0, sql: "\(Self.columns) WHERE link_digest = ?", arguments: [link.hex]).map(Version.init)
        }
    }

    func version(file: String) async throws -> Version? {
        try await read("version_select") {
            try Row.fetchOne($0, sql: "\(Self.columns) WHERE version.file = ?", arguments: [file]).map(Version.init)
        }
    }

    /// A version of this owner whose file has these bytes.
    func version(sha256: String, owner: Int64) async throws -> Version? {
        try await read("version_select") {
            try Row.fetchOne(
                $0, sql: "\(Self.columns) WHERE version.sha256 = ? AND owner_id = ?", arguments: [sha256, owner]
            ).map(Version.init)
        }
    }

    /// In the order in which they were made, with what is sealed.
    func versions(document: Int64) async throws -> [(Version, Data)] {
        try await read("list_versions") {
            try Row.fetchAll($0, sql: "\(Self.columns) WHERE document_id = ? ORDER BY version.id", arguments: [document])
                .map { (Version($0), $0["sealed"]) }
        }
    }

    func versions(owner: Int64) async throws -> [(Version, Data)] {
        try await read("list_all_versions") {
            try Row.fetchAll($0, sql: "\(Self.columns) WHERE owner_id = ? ORDER BY version.id", arguments: [owner])
                .map { (Version($0), $0["sealed"]) }
        }
    }

    func sealed(version: Int64) async throws -> Data? {
        try await read("version_select") {
            try Data.fetchOne($0, sql: "SELECT sealed FROM version WHERE id = ?", arguments: [version])
        }
    }

    /// - Returns: whether this was the first use.
    func use(version: Int64, at now: Timestamp) async throws -> Bool {
        try await write("version_use") { database in
            try database.execute(
                sql: "UPDATE version SET used_at = ? WHERE id = ? AND used_at IS NULL", arguments: [now.nanoseconds, version])
            return database.changesCount > 0
        }
    }
}

extension Version {
    init(_ row: Row) {
        self.init(
            id: row["id"], document: row["document_id"], file: row["file"], intendedFor: row["intended_for"],
            method: row["method"], position: row["position"], sha256: row["sha256"], size: row["size"],
            createdAt: Timestamp(nanoseconds: row["created_at"]), isSingleUse: row["is_single_use"],
            expiresAt: (row["expires_at"] as Int64?).map(Timestamp.init(nanoseconds:)),
            usedAt: (row["used_at"] as Int64?).map(Timestamp.init(nanoseconds:)), owner: row["owner_id"],
            documentName: row["document_name"], correlation: row["correlation"])
    }
}
