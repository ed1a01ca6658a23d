import Crypto
package import Events
package import Journal

/// Checks an archive with nothing but the log's public key: no database, no network, nothing is unpacked.
///
/// Reads once from front to back; memory grows with the number of entries and files, not with their size.
package struct ArchiveVerifier {
    package struct Problem: Hashable, Sendable, CustomStringConvertible {
        /// The file inside the archive, or the archive.
        package var file: String
        package var what: String

        package var description: String { "\(file): \(what)" }
    }

    package struct Report: Sendable {
        package var incident: String?
        package var recipient: String?
        package var marking: TrafficLight?
        package var entryCount = 0
        package var items: [EvidenceItem] = []
        package var withheld: [EvidenceItem] = []
        /// Erased before the export, as an entry of the journal says.
        package var erased: [EvidenceItem] = []
        package var checkpoint: VerifiedCheckpoint?
        /// Those of the given witnesses that cosigned a checkpoint which this archive's continues.
        package var cosigners: [NoteKey] = []
        package var timestampCount = 0
        package var problems: [Problem] = []
    }

    private struct Found {
        var sha256: String
        var size: UInt64
        /// What is inside a sealed file.
        var inner: (sha256: String, size: UInt64)?
    }

    private let key: NoteKey
    private let witnesses: [NoteKey]
    private var report = Report()
    private var folder = ""
    private var manifest: Manifest?
    /// The files it lists, and the keys of those that are encrypted: by path, since there may be as many as the archive has files.
    private var listed: Set<String> = []
    private var keys: [String: [UInt8]] = [:]
    private var manifestHash = ""
    private var slice: [Entry] = []
    private var sliceHash = ""
    private var leaves: [UInt64: MerkleHash] = [:]
    private var exported: Entry?
    private var proved: Set<UInt64> = []
    private var found: [String: Found] = [:]
    private var vouched: [UInt64: (note: VerifiedCheckpoint, consistency: [MerkleHash]?, timestamp: [UInt8]?)] = [:]

    private static let smallLimit = 256 << 10
    private static let sliceLimit = 512 << 20
    private static let problemLimit = 1000

    private init(key: NoteKey, witnesses: [NoteKey]) {
        self.key = key
        self.witnesses = witnesses
    }

    /// - Parameter key: the log's, from somebody who is trusted; never the one in the archive.
    package static func verify(_ file: ByteFile, key: NoteKey, witnesses: [NoteKey] = []) -> Report {
        var verifier = ArchiveVerifier(key: key, witnesses: witnesses)
        do {
            try verifier.read(TarReader(file))
        } catch {
            verifier.add(file.path, "\(error)")
        }
        verifier.conclude()
        return verifier.report
    }

    private mutating func add(_ file: String, _ what: String) {
        // An archive of nothing but faults must not fill the memory.
        if report.problems.count < Self.problemLimit { report.problems.append(Problem(file: file, what: what)) }
    }

    // MARK: - One file after the other

    private mutating func read(_ reader: TarReader) throws {
        guard let first = try reader.next(), first.path.hasSuffix("/" + Manifest.name) else {
            throw EvidenceError(.archive, "the manifest is not the first file")
        }
        folder = String(first.path.dropLast(Manifest.name.utf8.count))
        let bytes = try reader.contents(limit: 64 << 20)
        manifestHash = SHA256.hash(data: bytes).hexadecimal
        let manifest = try Manifest(parsing: bytes)
        guard folder == ArchiveLayout.folder(incident: manifest.incident, at: manifest.exportedAt) + "/" else {
            throw EvidenceError(.archive, "the folder \(folder) is not the one of \(manifest.incident)")
        }
        self.manifest = manifest
        listed = Set(manifest.parts.map(\.path))
        var seen: Set<String> = []
        for item in manifest.items {
            if let path = item.path, seen.insert(path).inserted { keys[path] = item.key }
        }
        while let header = try reader.next() {
            guard header.path.hasPrefix(folder) else {
                add(header.path, "it lies outside of \(folder)")
                continue
            }
            let name = String(header.path.dropFirst(folder.utf8.count))
            do {
                try take(name, reader)
            } catch let error as EvidenceError where error.code != .archive {
                add(name, error.description)
            } catch let error as NoteError {
                add(name, error.description)
            }
        }
    }

    private mutating func take(_ name: String, _ reader: TarReader) throws {
        switch name {
        case ArchiveLayout.slice: try takeSlice(try reader.contents(limit: Self.sliceLimit))
        case ArchiveLayout.export:
            let bytes = try reader.contents(limit: Entry.byteLimit)
            exported = entry(bytes, name)
            if let exported { leaves[exported.sequence] = exported.leafHash }
        case ArchiveLayout.checkpoint:
            report.checkpoint = try VerifiedCheckpoint(try reader.contents(limit: Self.smallLimit), key: key)
        case ArchiveLayout.key:
            let text = String(decoding: try reader.contents(limit: 4096).prefix { $0 != 0x0A }, as: UTF8.self)
            if text != key.text { add(name, "it is another key than the one you trust (\(key.name))") }
        case _ where name.hasPrefix("proofs/"): try takeProof(name, try reader.contents(limit: Self.smallLimit))
        case _ where name.hasPrefix("vouched/"): try takeVouched(name, try reader.contents(limit: 1 << 20))
        default: try takePart(name, reader)
        }
    }

    private mutating func takeSlice(_ bytes: [UInt8]) throws {
        sliceHash = SHA256.hash(data: bytes).hexadecimal
        // From line feed to line feed: a list of lines could take many times the memory of the lines.
        var next = bytes.startIndex
        while next < bytes.endIndex, report.problems.count < Self.problemLimit {
            let line = next..<(bytes[next...].firstIndex(of: 0x0A) ?? bytes.endIndex)
            next = line.upperBound + 1
            guard !line.isEmpty, let entry = entry(Array(bytes[line]), ArchiveLayout.slice) else { continue }
            if let last = slice.last, last.sequence >= entry.sequence {
                add(ArchiveLayout.slice, "entry \(entry.sequence) stands behind entry \(last.sequence)")
            }
            slice.append(entry)
            leaves[entry.sequence] = entry.leafHash
        }
    }

    private mutating func entry(_ bytes: [UInt8], _ name: String) -> Entry? {
        do {
            let entry = try Entry(parsing: bytes)
            if !entry.isCanonical { add(name, "entry \(entry.sequence) is not in its canonical form") }
            if entry.data["incident"]?.stringValue != manifest?.incident {
                add(name, "entry \(entry.sequence) is about another incident")
            }
            return entry
        } catch {
            add(name, "a line is no entry: \(error)")
            return nil
        }
    }

    private mutating func takeProof(_ name: String, _ bytes: [UInt8]) throws {
        let proof = try LogProof(parsing: bytes)
        guard name == ArchiveLayout.proof(proof.index), let leaf = leaves[proof.index] else {
            return add(name, "it is about entry \(proof.index), which is not the one of its name or not in this archive")
        }
        let verified = try proof.verify(leaf, key: key)
        if let checkpoint = report.checkpoint?.checkpoint, verified.checkpoint != checkpoint {
            add(name, "it is about another checkpoint than the archive's")
        }
        proved.insert(proof.index)
    }

    private mutating func takeVouched(_ name: String, _ bytes: [UInt8]) throws {
        let parts = name.dropFirst("vouched/".utf8.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let size = UInt64(parts[0]), String(size) == parts[0] else {
            return add(name, "nothing of that name belongs here")
        }
        switch parts[1] {
        case "checkpoint":
            let note = try VerifiedCheckpoint(bytes, key: key)
            guard note.checkpoint.size == size else { return add(name, "it is about \(note.checkpoint.size) entries") }
            vouched[size] = (note, nil, nil)
        case "consistency" where vouched[size] != nil:
            vouched[size]?.consistency = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
                Base64.decode(line).flatMap { MerkleHash(bytes: $0) }
            }
        case "tsr" where vouched[size] != nil: vouched[size]?.timestamp = bytes
        default: add(name, "nothing of that name belongs here")
        }
    }

    /// A file that the manifest lists, of any size.
    private mutating func takePart(_ name: String, _ reader: TarReader) throws {
        guard listed.contains(name) else {
            return add(name, "the manifest does not know it")
        }
        var hasher = SHA256()
        var size: UInt64 = 0
        let secret = keys[name]
        var opener = secret.map { SealedStream.Opener(secret: $0) }
        var inner = SHA256()
        var innerSize: UInt64 = 0
        var failure: String?
        func open(_ bytes: [UInt8], isLast: Bool) {
            guard opener != nil, failure == nil else { return }
            do {
                let opened = isLast ? try opener?.finish() : try opener?.add(bytes)
                inner.update(data: opened ?? [])
                innerSize += UInt64(opened?.count ?? 0)
            } catch {
                failure = "\(error)"
            }
        }
        while case let piece = try reader.read(), !piece.isEmpty {
            hasher.update(data: piece)
            size += UInt64(piece.count)
            open(piece, isLast: false)
        }
        open([], isLast: true)
        if let failure { add(name, failure) }
        found[name] = Found(
            sha256: hasher.finalize().hexadecimal, size: size,
            inner: secret == nil || failure != nil ? nil : (inner.finalize().hexadecimal, innerSize))
    }

    // MARK: - Whether it fits together

    private mutating func conclude() {
        guard let manifest else { return }
        report.incident = manifest.incident
        report.recipient = manifest.recipient
        report.marking = manifest.marking
        report.entryCount = slice.count + (exported == nil ? 0 : 1)
        checkRecord(manifest)
        for part in manifest.parts {
            guard let found = found[part.path] else {
                add(part.path, "it is missing")
                continue
            }
            if found.sha256 != part.sha256 || found.size != part.size {
                add(part.path, "it is not the file that was exported: its hash is another")
            }
        }
        checkItems(manifest)
        checkVouched()
    }

    /// The journal's own word about this archive.
    private mutating func checkRecord(_ manifest: Manifest) {
        if report.checkpoint == nil { add(ArchiveLayout.checkpoint, "there is no valid checkpoint of \(key.name)") }
        for entry in slice where !proved.contains(entry.sequence) {
            add(ArchiveLayout.proof(entry.sequence), "entry \(entry.sequence) is not proved to stand in the log")
        }
        guard let exported, exported.type == "evidence.exported" else {
            return add(ArchiveLayout.export, "the entry that records the export is missing")
        }
        if !proved.contains(exported.sequence) {
            add(ArchiveLayout.proof(exported.sequence), "the entry that records the export is not proved to stand in the log")
        }
        if exported.data["manifest"]?.stringValue != manifestHash {
            add(Manifest.name, "it is not the manifest that was recorded")
        }
        if exported.data["slice"]?.stringValue != sliceHash {
            add(
                ArchiveLayout.slice,
                "these are not the entries that were recorded as exported: some were left out, added or changed")
        }
        if exported.data["tlp"]?.stringValue != manifest.marking.rawValue {
            add(Manifest.name, "the marking is not the one that was recorded")
        }
    }

    private mutating func checkItems(_ manifest: Manifest) {
        let items = IncidentSlice.items(in: slice)
        let erased = IncidentSlice.erased(in: slice)
        let listed = Dictionary(manifest.items.map { ($0.id, $0) }) { first, _ in first }
        if listed.count != manifest.items.count { add(Manifest.name, "an item is listed twice") }
        for item in items {
            guard let entry = listed[item.id] else {
                add(Manifest.name, "\(item.id) (\(item.name)) is evidence of this incident and not listed")
                continue
            }
            guard let path = entry.path else {
                if erased.contains(item.id) {
                    report.erased.append(item)
                    continue
                }
                if item.marking <= manifest.marking {
                    add(Manifest.name, "\(item.id) is withheld, although its marking allows it")
                }
                report.withheld.append(item)
                continue
            }
            if item.marking > manifest.marking {
                add(path, "it is marked \(item.marking.rawValue) and must not be in an archive for \(manifest.marking.rawValue)")
            }
            if item.isSuspicious != (entry.key != nil) {
                add(path, "it is \(item.isSuspicious ? "suspicious and not encrypted" : "encrypted without need")")
            }
            guard let found = found[path] else { continue }
            let (hash, size) = item.isSuspicious ? found.inner ?? ("", 0) : (found.sha256, found.size)
            if hash != item.sha256 || size != item.size {
                add(path, "it does not hold the bytes that were collected as \(item.id)")
            } else {
                report.items.append(item)
            }
        }
        let known = Set(items.map(\.id))
        for entry in manifest.items where !known.contains(entry.id) {
            add(Manifest.name, "\(entry.id) is listed, but the journal does not know it")
        }
    }

    private mutating func checkVouched() {
        guard let checkpoint = report.checkpoint?.checkpoint else { return }
        for (size, one) in vouched.sorted(by: { $0.key < $1.key }) {
            let name = ArchiveLayout.vouched(size)
            let old = one.note.checkpoint
            guard
                let proof = one.consistency,
                MerkleProof.isConsistent(
                    oldSize: old.size, size: checkpoint.size, oldRoot: old.root.bytes, root: checkpoint.root.bytes, proof: proof)
            else {
                add(name, "the archive's checkpoint does not continue it: one of the two belongs to a rewritten log")
                continue
            }
            do {
                for cosigner in try one.note.cosigners(witnesses) where !report.cosigners.contains(cosigner.witness) {
                    report.cosigners.append(cosigner.witness)
                }
                if let timestamp = one.timestamp {
                    guard try Timestamp3161(parsing: timestamp).isAbout(Array(one.note.note.text.utf8)) else {
                        throw NoteError(.content, "the timestamp is about something else")
                    }
                    report.timestampCount += 1
                }
            } catch {
                add(name, "\(error)")
            }
        }
        for witness in witnesses where !report.cosigners.contains(witness) {
            add("vouched", "the witness \(witness.name) did not cosign")
        }
    }
}
