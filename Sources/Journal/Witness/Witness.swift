/// Vouches that logs only grow: cosigns a checkpoint when it continues the one that this witness saw last (C2SP tlog-witness).
///
/// What was seen last lies in a folder, one file for each log, durable before a cosignature leaves. A witness on another machine, kept
/// by other people, is what makes a rewritten log show. One process at a time keeps a folder.
package struct Witness: ~Copyable {
    package enum Refusal: Error, Hashable, Sendable {
        /// The log's request begins at another size than the one seen last.
        case conflict(seen: UInt64)
        /// The proof does not show that the log only grew.
        case inconsistent(seen: UInt64, size: UInt64)
        /// No log that this witness knows signed it, or it is malformed.
        case note(NoteError)
    }

    package enum Failure: Error {
        case refused(Refusal)
        case journal(JournalError)
    }

    private let signer: NoteSigner
    private let logs: [NoteKey]
    private let directory: String
    private let lock: DirectoryLock

    /// - Parameter signer: a cosignature key.
    package init(signer: NoteSigner, logs: [NoteKey], directory: String) throws(JournalError) {
        try FileSystem.makeDirectory(directory)
        lock = try DirectoryLock(directory: directory)
        self.signer = signer
        self.logs = logs
        self.directory = directory
    }

    /// - Parameter time: POSIX seconds; part of the cosignature.
    package func cosign(_ request: WitnessRequest, at time: Int64) throws(Failure) -> SignedNote.Signature {
        let (checkpoint, key) = try verify(request.checkpoint)
        let path = "\(directory)/\(MerkleHash.leaf(Array(key.text.utf8)))"
        let seen = try seen(path, key: key)
        guard request.oldSize == seen?.size ?? 0 else { throw .refused(.conflict(seen: seen?.size ?? 0)) }
        let new = checkpoint.checkpoint
        if let seen, seen.size > 0 {
            guard
                MerkleProof.isConsistent(
                    oldSize: seen.size, size: new.size, oldRoot: seen.root.bytes, root: new.root.bytes, proof: request.proof)
            else { throw .refused(.inconsistent(seen: seen.size, size: new.size)) }
        } else if !request.proof.isEmpty || (new.size == 0 && new.root != .empty) {
            throw .refused(.inconsistent(seen: 0, size: new.size))
        }
        do {
            try FileSystem.replace(path, with: checkpoint.note.bytes)
            try FileSystem.syncDirectory(directory)
        } catch {
            throw .journal(error)
        }
        do {
            return try signer.sign(checkpoint.note.text, at: time)
        } catch {
            throw .refused(.note(error))
        }
    }

    private func verify(_ bytes: [UInt8]) throws(Failure) -> (VerifiedCheckpoint, NoteKey) {
        var last = NoteError(.unsigned, "no log that this witness knows signed the checkpoint")
        for key in logs {
            do {
                return (try VerifiedCheckpoint(bytes, key: key), key)
            } catch {
                if error.code != .unsigned { last = error }
            }
        }
        throw .refused(.note(last))
    }

    private func seen(_ path: String, key: NoteKey) throws(Failure) -> Checkpoint? {
        do {
            guard let bytes = try FileSystem.contents(path) else { return nil }
            do {
                return try VerifiedCheckpoint(bytes, key: key).checkpoint
            } catch {
                // To begin again at 0 would vouch for anything.
                throw JournalError.tree(TreeDamage(file: path, reason: .checkpoint(error.description)))
            }
        } catch let error as JournalError {
            throw .journal(error)
        } catch {
            throw .refused(.note(NoteError(.form, "\(error)")))
        }
    }
}

extension Witness.Refusal: CustomStringConvertible {
    package var description: String {
        switch self {
        case .conflict(let seen): "conflict \(seen)"
        case .inconsistent(let seen, let size):
            "refused: the log of \(size) entries does not continue the one of \(seen) entries that this witness saw: it was rewritten or forked"
        case .note(let error): "refused: \(error)"
        }
    }
}

extension Witness.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused(let refusal): refusal.description
        case .journal(let error): error.description
        }
    }
}
