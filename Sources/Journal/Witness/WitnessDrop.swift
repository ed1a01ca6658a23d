/// A folder that a log and a witness share, by whatever carries files: no network between them is needed.
///
/// The log puts `ORIGIN-HASH.SIZE.request` there; the witness answers with the same name and `.cosignature` (one line of a note) or
/// `.refusal` (one line of text). Files are there as a whole or not at all.
package struct WitnessDrop: Sendable {
    private let directory: String
    private static let sizeLimit = SignedNote.byteLimit * 2 + 1

    package init(directory: String) {
        self.directory = directory
    }

    /// What became of the files of one visit, in words.
    package typealias Outcome = (name: String, answer: String)

    // MARK: - The witness's side

    /// Answers every request that has no answer yet.
    package func answer(with witness: borrowing Witness, at time: Int64) throws(JournalError) -> [Outcome] {
        let names = try FileSystem.names(in: directory)
        var outcomes: [Outcome] = []
        for name in names.sorted(by: { Self.size($0) < Self.size($1) }) where name.hasSuffix(".request") {
            let stem = String(name.dropLast(".request".count))
            guard !names.contains("\(stem).cosignature"), !names.contains("\(stem).refusal") else { continue }
            let bytes = try FileSystem.contents("\(directory)/\(name)", limit: Self.sizeLimit) ?? []
            do {
                let signature = try witness.cosign(try Self.parse(bytes), at: time)
                try FileSystem.replace("\(directory)/\(stem).cosignature", with: Array((signature.line + "\n").utf8))
                outcomes.append((stem, "cosigned"))
            } catch Witness.Failure.refused(let refusal) {
                try FileSystem.replace("\(directory)/\(stem).refusal", with: Array("\(refusal)\n".utf8))
                outcomes.append((stem, refusal.description))
            } catch Witness.Failure.journal(let error) {
                throw error
            } catch let error as JournalError {
                throw error
            } catch {
                outcomes.append((stem, "\(error)"))
            }
        }
        try FileSystem.syncDirectory(directory)
        return outcomes
    }

    private static func parse(_ bytes: [UInt8]) throws(Witness.Failure) -> WitnessRequest {
        do {
            return try WitnessRequest(parsing: bytes)
        } catch {
            throw .refused(.note(error))
        }
    }

    // MARK: - The log's side

    /// Puts a request for a checkpoint there; `nil` when there is one already.
    ///
    /// - Parameter oldSize: what the witness is believed to have seen last; a conflict in the answer says better.
    package func ask(
        _ checkpoint: VerifiedCheckpoint, oldSize: UInt64, reader: TreeReader
    ) throws -> String? {
        let size = checkpoint.checkpoint.size
        let stem = Self.stem(origin: checkpoint.checkpoint.origin, size: size)
        guard try FileSystem.contents("\(directory)/\(stem).request", limit: 0) == nil else { return nil }
        let proof = oldSize == 0 ? [] : try reader.prover(size: size).consistency(from: oldSize)
        guard let proof else {
            throw JournalError.tree(TreeDamage(file: stem, reason: .entriesMissing(size: oldSize, count: size)))
        }
        let request = WitnessRequest(oldSize: oldSize, proof: proof, checkpoint: checkpoint.note.bytes)
        try FileSystem.replace("\(directory)/\(stem).request", with: request.bytes)
        try FileSystem.syncDirectory(directory)
        return stem
    }

    /// Takes the answers to this log's requests out of the folder: valid cosignatures are kept with their checkpoint.
    ///
    /// - Returns: what became of each, and the size that the witness saw last where it says so in a conflict.
    package func collect(
        journal: String, log: NoteKey, witness: NoteKey
    ) throws -> (outcomes: [Outcome], seen: UInt64?) {
        var outcomes: [Outcome] = []
        var seen: UInt64?
        let prefix = Self.stem(origin: log.name, size: 0).dropLast(1)
        let folder = TreeFolder(journal: journal)
        for name in try FileSystem.names(in: directory).sorted() where name.hasPrefix(prefix) && name.hasSuffix(".request") {
            let stem = String(name.dropLast(".request".count))
            let path = "\(directory)/\(stem)"
            if let refusal = try FileSystem.contents("\(path).refusal", limit: 1024) {
                let text = String(decoding: refusal.prefix { $0 != 0x0A }, as: UTF8.self)
                if text.hasPrefix("conflict ") { seen = UInt64(text.dropFirst("conflict ".count)) }
                outcomes.append((stem, text))
            } else if let line = try FileSystem.contents("\(path).cosignature", limit: 4096) {
                do {
                    let request = try WitnessRequest(parsing: FileSystem.contents("\(path).request", limit: Self.sizeLimit) ?? [])
                    let asked = try VerifiedCheckpoint(request.checkpoint, key: log)
                    let note = try SignedNote(parsing: Array((asked.note.text + "\n").utf8) + line)
                    _ = try note.verify([witness])
                    try folder.keep(asked, adding: note.signatures)
                    outcomes.append((stem, "cosigned by \(witness.name)"))
                } catch let error as NoteError {
                    outcomes.append((stem, "the cosignature is not valid: \(error)"))
                }
            } else {
                continue
            }
            for suffix in [".request", ".refusal", ".cosignature"] { try FileSystem.remove(path + suffix) }
        }
        return (outcomes, seen)
    }

    private static func stem(origin: String, size: UInt64) -> String {
        "\(MerkleHash.leaf(Array(origin.utf8)).description.prefix(16)).\(size)"
    }

    private static func size(_ name: String) -> UInt64 {
        name.split(separator: ".").dropFirst().first.flatMap { UInt64($0) } ?? 0
    }
}

extension TreeFolder {
    /// Keeps a checkpoint with more signatures than its log's; those that are kept already stay.
    func keep(_ checkpoint: VerifiedCheckpoint, adding signatures: [SignedNote.Signature] = []) throws(JournalError) {
        try FileSystem.makeDirectory(kept)
        let path = keptCheckpoint(checkpoint.checkpoint.size)
        var note = checkpoint.note
        if let bytes = try FileSystem.contents(path), let old = try? SignedNote(parsing: bytes), old.text == note.text {
            note = old
        }
        for signature in signatures { note.add(signature) }
        try FileSystem.replace(path, with: note.bytes)
        try FileSystem.syncDirectory(kept)
    }
}
