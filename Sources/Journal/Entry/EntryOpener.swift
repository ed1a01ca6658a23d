/// Reads the personal fields of entries, as far as their subjects' keys still exist.
package struct EntryOpener: Sendable {
    package enum OpenError: Error {
        /// All keys are there, yet the box does not open: it, or a key, was changed. Not an erasure.
        case damaged(sequence: UInt64, field: String)
        case keyStore(any Error)
    }

    private let keys: any SubjectKeyStore

    package init(keys: any SubjectKeyStore) {
        self.keys = keys
    }

    /// The personal fields by name; a `nil` value was erased.
    package func open(_ entry: Entry) async throws(OpenError) -> [String: JSONValue?] {
        var known: [String: SubjectKey?] = [:]
        return try await open(entry, known: &known)
    }

    /// The personal fields of each entry, in order; each key is fetched once.
    package func open(_ entries: [Entry]) async throws(OpenError) -> [[String: JSONValue?]] {
        var known: [String: SubjectKey?] = [:]
        var opened: [[String: JSONValue?]] = []
        opened.reserveCapacity(entries.count)
        for entry in entries { opened.append(try await open(entry, known: &known)) }
        return opened
    }

    private func open(
        _ entry: Entry,
        known: inout [String: SubjectKey?]
    ) async throws(OpenError) -> [String: JSONValue?] {
        var opened: [String: JSONValue?] = [:]
        for (name, field) in entry.sealed {
            opened.updateValue(try await open(field, name: name, of: entry, known: &known), forKey: name)
        }
        return opened
    }

    private func open(
        _ field: SealedField,
        name: String,
        of entry: Entry,
        known: inout [String: SubjectKey?]
    ) async throws(OpenError) -> JSONValue? {
        var needed: [SubjectKey] = []
        for id in field.keys {
            let key: SubjectKey?
            if let found = known[id] {
                key = found
            } else {
                do {
                    key = try await keys.key(id: id)
                } catch {
                    throw .keyStore(error)
                }
                known.updateValue(key, forKey: id)
            }
            guard let key else { return nil }
            needed.append(key)
        }
        guard let value = FieldSeal.open(field, name: name, sequence: entry.sequence, keys: needed) else {
            throw .damaged(sequence: entry.sequence, field: name)
        }
        return value
    }
}

extension EntryOpener.OpenError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let sequence, let field):
            "field \(field) of journal entry \(sequence) does not open although its keys exist: the entry or a key was changed. "
                + "Run `vigie journal verify`; if the journal is whole, restore the key store from a backup."
        case .keyStore(let cause):
            "the subject keys could not be read: \(cause)"
        }
    }
}
