import Crypto
package import Events
import Foundation
package import Journal

/// Writes one incident with its evidence into one file that anybody can check with the log's public key alone.
///
/// First everything is gathered and hashed; then the journal records those hashes (`evidence.exported`); then the archive is written with
/// proofs for that entry and for all others of the incident. So nothing can be added, left out or swapped later unseen.
package struct ArchiveExporter {
    package struct Request: Sendable {
        package var incident: String
        /// The strictest marking that the recipient may see; what is marked more strictly is withheld.
        package var marking: TrafficLight
        package var recipient: String
        package var actor: String
        package var now: Timestamp

        package init(incident: String, marking: TrafficLight, recipient: String, actor: String, now: Timestamp) {
            self.incident = incident
            self.marking = marking
            self.recipient = recipient
            self.actor = actor
            self.now = now
        }
    }

    package struct Outcome: Sendable {
        package var items: [EvidenceItem]
        package var withheld: [EvidenceItem]
        /// Their bytes were erased before; hash and proofs are there.
        package var erased: [EvidenceItem]
        package var entryCount: Int
        package var checkpoint: Checkpoint
    }

    private let journal: String
    private let store: BlobStore
    private let key: NoteKey
    private let record: (EntryDraft) async throws -> Entry
    private let checkpoint: (UInt64) async throws -> VerifiedCheckpoint

    /// - Parameters:
    ///   - journal: its folder.
    ///   - record: writes an entry down and returns it.
    ///   - checkpoint: returns a signed checkpoint over at least so many entries.
    package init(
        journal: String, store: BlobStore, key: NoteKey, record: @escaping (EntryDraft) async throws -> Entry,
        checkpoint: @escaping (UInt64) async throws -> VerifiedCheckpoint
    ) {
        self.journal = journal
        self.store = store
        self.key = key
        self.record = record
        self.checkpoint = checkpoint
    }

    /// - Parameter path: a file that is not there yet; `-` is not possible, since a failed archive has to be removed.
    package func export(_ request: Request, to path: String) async throws -> Outcome {
        let entries = try IncidentSlice.entries(of: request.incident, journal: journal)
        guard !entries.isEmpty else {
            throw EvidenceError(
                .unknown, "the journal has nothing about \(request.incident); `vigie incidents list` shows what there is")
        }
        let items = IncidentSlice.items(in: entries)
        let erased = IncidentSlice.erased(in: entries)
        let included = items.filter { $0.marking <= request.marking && !erased.contains($0.id) }
        let slice: [UInt8] = entries.flatMap { (entry: Entry) -> [UInt8] in entry.canonicalBytes + [0x0A] }

        var parts: [Manifest.Part] = []
        var listed: [Manifest.Item] = []
        for item in items {
            guard item.marking <= request.marking, !erased.contains(item.id) else {
                listed.append(Manifest.Item(id: item.id, path: nil, key: nil))
                continue
            }
            let name = "files/\(item.id)-\(item.name)\(item.isSuspicious ? ".sealed" : "")"
            let secret = item.isSuspicious ? RandomSource.system.bytes(32) : nil
            listed.append(Manifest.Item(id: item.id, path: name, key: secret))
            if let secret {
                var hasher = SHA256()
                try sealed(item, secret) { hasher.update(data: $0) }
                parts.append(
                    Manifest.Part(path: name, sha256: hasher.finalize().hexadecimal, size: SealedStream.sealedSize(item.size)))
            } else {
                parts.append(Manifest.Part(path: name, sha256: item.sha256, size: item.size))
            }
        }
        let page = ArchivePage(request: request, entries: entries, items: items, erased: erased).bytes
        let document = try CASEDocument(request: request, items: included).bytes()
        for (name, bytes) in [(ArchiveLayout.page, page), (ArchiveLayout.document, document)] {
            parts.append(Manifest.Part(path: name, sha256: SHA256.hash(data: bytes).hexadecimal, size: UInt64(bytes.count)))
        }
        let manifest = try Manifest(
            incident: request.incident, exportedAt: request.now, marking: request.marking, recipient: request.recipient,
            parts: parts,
            items: listed
        ).bytes()

        let exported = try await record(
            EntryDraft(
                type: "evidence.exported", occurredAt: request.now, actor: request.actor,
                data: [
                    "incident": .string(request.incident), "manifest": .string(SHA256.hash(data: manifest).hexadecimal),
                    "slice": .string(SHA256.hash(data: slice).hexadecimal), "entries": .integer(Int64(entries.count)),
                    "items": .integer(Int64(included.count)),
                    "withheld": .integer(Int64(items.count { $0.marking > request.marking })),
                    "erased": .integer(Int64(items.count { erased.contains($0.id) })),
                    "tlp": .string(request.marking.rawValue), "recipient": .string(request.recipient),
                ]))
        let checkpoint = try await checkpoint(exported.sequence + 1)
        let output = try ByteFile.creating(path)
        do {
            let tar = TarWriter(output)
            let folder = ArchiveLayout.folder(incident: request.incident, at: request.now) + "/"
            try tar.add(folder + Manifest.name, manifest)
            try tar.add(folder + ArchiveLayout.slice, slice)
            try tar.add(folder + ArchiveLayout.export, exported.canonicalBytes)
            try tar.add(folder + ArchiveLayout.checkpoint, checkpoint.note.bytes)
            try tar.add(folder + ArchiveLayout.key, Array((key.text + "\n").utf8))
            try addProofs(of: entries + [exported], in: checkpoint, to: tar, folder: folder)
            try addVouched(checkpoint, to: tar, folder: folder)
            try tar.add(folder + ArchiveLayout.page, page)
            try tar.add(folder + ArchiveLayout.document, document)
            for (item, listed) in zip(items, listed) {
                guard let name = listed.path else { continue }
                try tar.add(folder + name, size: listed.key == nil ? item.size : SealedStream.sealedSize(item.size)) { write in
                    if let secret = listed.key { try sealed(item, secret, write) } else { try store.read(item, write) }
                }
            }
            try tar.finish()
        } catch {
            unlink(path)
            throw error
        }
        return Outcome(
            items: included, withheld: items.filter { $0.marking > request.marking },
            erased: items.filter { erased.contains($0.id) }, entryCount: entries.count + 1,
            checkpoint: checkpoint.checkpoint)
    }

    /// The same bytes each time: the salt is part of the archive's key.
    private func sealed(_ item: EvidenceItem, _ secret: [UInt8], _ body: ([UInt8]) throws -> Void) throws {
        var sealer = SealedStream.Sealer(secret: secret, random: RandomSource { Array(secret.prefix($0)) })
        try store.read(item) { try body(try sealer.add($0)) }
        try body(try sealer.finish())
    }

    private func addProofs(of entries: [Entry], in checkpoint: VerifiedCheckpoint, to tar: TarWriter, folder: String) throws {
        let reader = TreeReader(journal: journal)
        for entry in entries {
            guard let proof = try reader.proof(of: entry, in: checkpoint, key: key) else {
                throw EvidenceError(.archive, "entry \(entry.sequence) is newer than the checkpoint; try again in a second")
            }
            try tar.add(folder + ArchiveLayout.proof(entry.sequence), proof.bytes)
        }
    }

    /// The newest checkpoints that others vouched for, each with a proof that the archive's checkpoint continues it.
    private func addVouched(_ checkpoint: VerifiedCheckpoint, to tar: TarWriter, folder: String) throws {
        let reader = TreeReader(journal: journal)
        let sizes = try reader.keptSizes().filter { $0 > 0 && $0 <= checkpoint.checkpoint.size }
        for size in sizes.suffix(16) {
            guard let kept = try reader.keptCheckpoint(size: size, key: key),
                let proof = try reader.prover(size: checkpoint.checkpoint.size).consistency(from: size)
            else { continue }
            try tar.add(folder + ArchiveLayout.vouched(size), kept.note.bytes)
            try tar.add(folder + ArchiveLayout.consistency(size), Array(proof.map { $0.base64 + "\n" }.joined().utf8))
            if let timestamp = try reader.timestamp(size: size) { try tar.add(folder + ArchiveLayout.timestamp(size), timestamp) }
        }
    }
}

/// What the journal has about one incident.
package enum IncidentSlice {
    package static func entries(of incident: String, journal: String) throws -> [Entry] {
        let reader = try JournalReader(directory: journal)
        var found: [Entry] = []
        while case let entries = try reader.next(), !entries.isEmpty {
            found += entries.filter { $0.data["incident"]?.stringValue == incident }
        }
        return found
    }

    /// Ids of items whose bytes were erased.
    package static func erased(in entries: [Entry]) -> Set<String> {
        Set(entries.filter { $0.type == Custody.erasedType }.compactMap { $0.data["evidence"]?.stringValue })
    }

    /// Each item once, what would have been gone soonest first.
    package static func items(in entries: [Entry]) -> [EvidenceItem] {
        var seen: Set<String> = []
        return entries.compactMap { EvidenceItem($0) }.filter { seen.insert($0.id).inserted }
            .sorted { ($0.volatility, $0.collectedAt, $0.id) < ($1.volatility, $1.collectedAt, $1.id) }
    }
}
