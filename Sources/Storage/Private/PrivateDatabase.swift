import GRDB

/// Accounts, their sessions and tokens, and subject keys: what is not in the journal and cannot be made anew from it.
///
/// One file, `private.db`, readable by Vigie's user only; every commit is durable, deleted rows are overwritten.
package struct PrivateDatabase: Sendable {
    let pool: DatabasePool

    /// - Throws: `StorageError` when the file is damaged or cannot be opened.
    package init(path: String) throws(StorageError) {
        pool = try DatabaseFile.open(
            path: path, durable: true, erases: true,
            advice: """
                restore it from a backup; without one, move it away and start again: accounts have to be made anew, \
                and personal data in the journal stays unreadable
                """,
            migrator: PrivateDatabase.migrator)
    }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: accounts, sessions, subject keys") { database in
            try database.execute(
                sql: """
                    CREATE TABLE account (
                        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,
                        password_hash TEXT NOT NULL, created_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE sign_in_session (
                        digest TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
                        created_at INTEGER NOT NULL, last_seen_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE setup_token (digest TEXT NOT NULL) STRICT;
                    CREATE TABLE subject_key (
                        id TEXT PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, key BLOB NOT NULL, UNIQUE (kind, value)
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("2: invitations, tokens, accounts without use") { database in
            try database.execute(
                sql: """
                    ALTER TABLE account ADD COLUMN disabled_at INTEGER;
                    CREATE TABLE account_link (
                        digest TEXT PRIMARY KEY, account_id TEXT NOT NULL UNIQUE REFERENCES account(id) ON DELETE CASCADE,
                        kind TEXT NOT NULL, expires_at INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE api_token (
                        id TEXT PRIMARY KEY, digest TEXT NOT NULL UNIQUE,
                        account_id TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE, name TEXT NOT NULL,
                        scopes TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, last_used_at INTEGER
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("3: second factors") { database in
            try database.execute(
                sql: """
                    CREATE TABLE second_factor (
                        account_id TEXT PRIMARY KEY REFERENCES account(id) ON DELETE CASCADE, secret BLOB NOT NULL,
                        since INTEGER, last_step INTEGER NOT NULL
                    ) STRICT;
                    CREATE TABLE recovery_code (
                        digest TEXT PRIMARY KEY, account_id TEXT NOT NULL REFERENCES account(id) ON DELETE CASCADE
                    ) STRICT;
                    """)
        }
        migrator.registerMigration("4: accounts of an OpenID Connect provider") { database in
            try database.execute(
                sql: """
                    ALTER TABLE account ADD COLUMN provider_issuer TEXT;
                    ALTER TABLE account ADD COLUMN provider_subject TEXT;
                    ALTER TABLE account ADD COLUMN suspended_at INTEGER;
                    CREATE UNIQUE INDEX account_provider ON account (provider_issuer, provider_subject);
                    ALTER TABLE sign_in_session ADD COLUMN means TEXT NOT NULL DEFAULT 'password';
                    """)
        }
        return migrator
    }
}
