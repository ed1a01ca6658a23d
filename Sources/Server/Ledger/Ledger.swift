import Console
import Dispatch
import Events
import Evidence
import Foundation
import Incidents
import Journal
import Storage

/// The journal and its tree as the console reads them: from the files, as any verifier would, and nothing is believed unchecked.
struct Ledger: LedgerReading {
    let folder: DataFolder
    let key: NoteKey
    let count: @Sendable () -> UInt64
    let projections: Projections
    let store: BlobStore
    let now: @Sendable () -> Timestamp
    /// One at a time: whoever clicks often does not fill all threads with hashing.
    private let queue = DispatchQueue(label: "evidence.verify", qos: .utility)

    init(
        folder: DataFolder, key: NoteKey, count: @escaping @Sendable () -> UInt64, projections: Projections, store: BlobStore,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.folder = folder
        self.key = key
        self.count = count
        self.projections = projections
        self.store = store
        self.now = now
    }

    func entries(before sequence: Int?, limit: Int) async throws -> (entries: [LedgerEntry], total: Int) {
        let total = Int(clamping: count())
        let end = min(max(sequence ?? total, 0), total)
        let start = max(end - limit, 0)
        guard end > start else { return ([], total) }
        let found = try await read(from: UInt64(start), limit: end - start)
        return (try await lines(found.reversed()), total)
    }

    func proof(of sequence: Int) async throws -> LedgerProof? {
        guard sequence < Int(clamping: count()), let entry = try await read(from: UInt64(sequence), limit: 1).first else {
            return nil
        }
        guard let line = try await lines([entry]).first else { return nil }
        var proof = LedgerProof(
            entry: line, bytes: entry.canonicalBytes, leaf: entry.leafHash.description, key: key.text)
        let reader = TreeReader(journal: folder.journal)
        do {
            guard let checkpoint = try reader.checkpoint(key: key) else {
                proof.problems.append("There is no checkpoint yet: the server signs one about once a second. Reload this page.")
                return proof
            }
            proof.root = checkpoint.checkpoint.root.description
            proof.size = Int(clamping: checkpoint.checkpoint.size)
            proof.checkpoint = String(decoding: checkpoint.note.bytes, as: UTF8.self)
            guard let found = try reader.proof(of: entry, in: checkpoint, key: key) else {
                proof.problems.append(
                    "It is newer than the last checkpoint: the next is signed within a second. Reload this page.")
                return proof
            }
            proof.steps = MerkleProof.path(
                entry.leafHash, at: entry.sequence, size: checkpoint.checkpoint.size, proof: found.hashes
            ).map { .init(sibling: $0.sibling.description, isSiblingLeft: $0.isSiblingLeft, result: $0.result.description) }
            proof.file = found.bytes
            proof.vouchers = vouchers(for: entry, reader)
        } catch {
            proof.problems.append("\(error)")
        }
        return proof
    }

    /// The oldest checkpoint that others vouched for and that the entry stands under, and the newest.
    private func vouchers(for entry: Entry, _ reader: TreeReader) -> [LedgerProof.Voucher] {
        let sizes = ((try? reader.keptSizes()) ?? []).filter { $0 > entry.sequence }
        let chosen = sizes.count > 1 ? [sizes[0], sizes[sizes.count - 1]] : sizes
        return chosen.compactMap { size in
            guard let kept = try? reader.keptCheckpoint(size: size, key: key),
                (try? reader.proof(of: entry, in: kept, key: key)) != nil
            else { return nil }
            let answer = (try? reader.timestamp(size: size)).flatMap { $0 }.flatMap { try? Timestamp3161(parsing: $0) }
            let isAbout = answer?.isAbout(Array(kept.note.text.utf8)) == true
            return LedgerProof.Voucher(
                size: Int(clamping: size), witnesses: kept.note.signatures.map(\.name).filter { $0 != key.name },
                timestamp: isAbout ? answer?.time : nil)
        }
    }

    func evidence(of incident: String) async throws -> [EvidenceView] { try await projections.evidence(of: incident) }

    func evidence(id: String) async throws -> EvidenceView? { try await projections.evidence(id: id) }

    /// The hash comes from the journal's entry, whose proof is checked; the tables are not asked.
    func verify(evidence: EvidenceView) async throws -> EvidenceVerdict {
        guard let entry = try await read(from: UInt64(evidence.sequence), limit: 1).first, let item = EvidenceItem(entry),
            item.id == evidence.id
        else {
            return EvidenceVerdict(at: now(), problem: "entry \(evidence.sequence) of the journal is not the one that sealed it")
        }
        if evidence.isErased { return EvidenceVerdict(at: now(), problem: "its bytes were erased; the hash is all there is") }
        if let problem = try await proof(of: evidence.sequence)?.problems.first {
            return EvidenceVerdict(at: now(), problem: "its entry is not proved: \(problem)")
        }
        let problem = await onQueue { () -> String? in
            do {
                try store.read(item) { _ in }
                return nil
            } catch {
                return "\(error)"
            }
        }
        return EvidenceVerdict(at: now(), problem: problem)
    }

    private func read(from start: UInt64, limit: Int) async throws -> [Entry] {
        let (directory, count) = (folder.journal, count)
        return try await onQueue {
            Result { try JournalReader(directory: directory, from: start, bound: count).next(limit: limit) }
        }
        .get()
    }

    /// Reading blocks: on a thread of its own.
    private func onQueue<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: body()) } }
    }

    /// What belongs to no incident, and to a silence that came of one, is that incident's to know.
    private func lines(_ entries: [Entry]) async throws -> [LedgerEntry] {
        let areSilences = entries.contains { $0.data["silence"] != nil }
        let origins = areSilences ? try await projections.silenceOrigins() : [:]
        return entries.map { entry in
            LedgerEntry(
                sequence: Int(clamping: entry.sequence), type: entry.type, actor: entry.actor, occurredAt: entry.occurredAt,
                recordedAt: entry.recordedAt,
                incident: entry.data["incident"]?.stringValue ?? entry.data["silence"]?.stringValue.flatMap { origins[$0] })
        }
    }
}
