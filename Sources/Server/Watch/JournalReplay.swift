package import Incidents
package import Journal
package import Storage

/// Brings state and tables to where the journal is.
package enum JournalReplay {
    /// Reads the whole journal: makes the ledger of incidents anew, and gives the tables what they lack.
    ///
    /// - Parameters:
    ///   - observe: called with every entry and its personal fields.
    ///   - progress: called with the number of entries read so far.
    /// - Throws: `ServerError` when the tables are ahead of the journal, which only a swapped or cut journal explains.
    package static func run(
        reader: JournalReader, count: UInt64, keys: any SubjectKeyStore, projections: Projections,
        observe: (_ entry: Entry, _ personal: [String: JSONValue?]) -> Void = { _, _ in }, progress: (UInt64) -> Void = { _ in }
    ) async throws -> IncidentLedger {
        let applied = try await projections.applied()
        guard applied <= count else {
            throw ServerError(
                .journal, "the tables have seen \(applied) journal entries, but the journal holds \(count)",
                "if an older journal was restored on purpose, run `vigie journal rebuild`; otherwise find out who cut it")
        }
        let opener = EntryOpener(keys: keys)
        var ledger = IncidentLedger()
        while true {
            let entries = try reader.next(limit: 512)
            guard let last = entries.last else { return ledger }
            let personal = try await opener.open(entries)
            var missing: [(entry: Entry, event: IncidentEvent?)] = []
            for (entry, fields) in zip(entries, personal) {
                observe(entry, fields)
                let event = ledger.replay(entry, personal: fields)
                if entry.sequence >= applied { missing.append((entry, event)) }
            }
            try await projections.apply(missing)
            progress(last.sequence + 1)
        }
    }
}
