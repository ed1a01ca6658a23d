import Synchronization

/// What happens on the journal's queue: one thread at a time, blocking on the disk.
extension Journal {
    /// Appends whose frames wait for the same write and fsync.
    private struct Batch {
        var bytes: [UInt8] = []
        var members: [(append: PendingAppend, entries: [Entry])] = []
    }

    /// Bytes written with one fsync, about: bounds the memory of a commit.
    private static let batchLimit = 16 << 20

    /// Commits until nobody waits any more; appends that arrive during an fsync share the next one.
    func commitWaiting() {
        while true {
            let group = state.withLock { state -> [PendingAppend] in
                defer { state.waiting = [] }
                state.isCommitting = !state.waiting.isEmpty
                return state.waiting
            }
            if group.isEmpty { return }
            writer.withLock { writer in
                if writer == nil {
                    for append in group { append.continuation.resume(returning: .failure(.closed)) }
                } else {
                    commit(group, with: &writer)
                }
            }
        }
    }

    private func commit(_ group: [PendingAppend], with writer: inout JournalWriter?) {
        var batch = Batch()
        var nextSequence = count
        for append in group {
            do {
                try refuseIfPoisoned()
                let entries = try entries(of: append, from: nextSequence)
                let frame = try Frame.encode(entries)
                let begins = writer?.needsNewSegment(for: frame.count, behind: batch.bytes.count) ?? false
                if begins || batch.bytes.count + frame.count > Self.batchLimit {
                    flush(&batch, with: &writer)
                    try refuseIfPoisoned()
                }
                if begins { try poisoning { () throws(JournalError) in try writer?.beginSegment() } }
                batch.bytes += frame
                batch.members.append((append, entries))
                nextSequence += UInt64(entries.count)
            } catch {
                append.continuation.resume(returning: .failure(error))
            }
        }
        flush(&batch, with: &writer)
    }

    /// Makes a batch durable and answers everybody in it.
    private func flush(_ batch: inout Batch, with writer: inout JournalWriter?) {
        guard !batch.members.isEmpty else { return }
        let done = batch
        batch = Batch()
        let added = done.members.flatMap(\.entries)
        do {
            try poisoning { () throws(JournalError) in
                try writer?.commit(done.bytes, nextSequence: count + UInt64(added.count))
            }
        } catch {
            for member in done.members { member.append.continuation.resume(returning: .failure(error)) }
            return
        }
        do {
            try poisoning { () throws(JournalError) in try writer?.markAcknowledged() }
        } catch {
            // These entries are durable all the same; the next append learns that the disk fails.
        }
        state.withLock { state in
            for entry in added { state.frontier.append(entry.leafHash) }
            state.commitCount += 1
        }
        for member in done.members { member.append.continuation.resume(returning: .success(member.entries)) }
    }

    private func entries(of append: PendingAppend, from first: UInt64) throws(JournalError) -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(append.drafts.count)
        for draft in append.drafts {
            let sequence = first + UInt64(entries.count)
            var sealed: [String: SealedField] = [:]
            for field in draft.personal {
                sealed[field.name] = try seal(field, sequence: sequence, keys: append.keys)
            }
            entries.append(try Entry(draft, sequence: sequence, recordedAt: append.recordedAt, sealed: sealed))
        }
        return entries
    }

    private func seal(
        _ field: PersonalField,
        sequence: UInt64,
        keys: [Subject: SubjectKey]
    ) throws(JournalError) -> SealedField {
        let needed = field.subjects.compactMap { keys[$0] }
        guard needed.count == field.subjects.count else { throw .keys(MissingKeys(field: field.name)) }
        do {
            return try FieldSeal.seal(field.value, name: field.name, sequence: sequence, keys: needed, random: random)
        } catch {
            throw .keys(error)
        }
    }

    private func refuseIfPoisoned() throws(JournalError) {
        if let refusal = state.withLock({ $0.refusal }), case .poisoned = refusal { throw refusal }
    }

    /// After a failed write nobody knows what the disk holds: nothing more is appended until an open has looked.
    private func poisoning(_ write: () throws(JournalError) -> Void) throws(JournalError) {
        do {
            try write()
        } catch {
            let failure = error
            state.withLock { $0.refusal = .poisoned(cause: failure) }
            throw failure
        }
    }
}

/// A key store that returned fewer keys than it was asked for.
private struct MissingKeys: Error, CustomStringConvertible {
    var field: String
    var description: String { "the key store has no key for a subject of \(field)" }
}
