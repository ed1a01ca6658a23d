import Crypto
import Events
import Foundation
import Identity
import Synchronization

/// Marked copies: making them, reading their marks, and serving them by link. Knows nothing of HTTP.
package final class VersionService: Sendable {
    private let database: TatouDatabase
    private let documents: DocumentService
    private let folder: DocumentFolder
    private let processing: any DocumentProcessing
    private let vault: Vault
    private let randomness: Randomness
    private let now: @Sendable () -> Timestamp
    private let integrity: FileIntegrity
    private let knownMethods = Mutex<[MarkingMethod]?>(nil)

    init(
        database: TatouDatabase, documents: DocumentService, folder: DocumentFolder, integrity: FileIntegrity,
        processing: any DocumentProcessing, vault: Vault, randomness: Randomness, now: @escaping @Sendable () -> Timestamp
    ) {
        self.database = database
        self.documents = documents
        self.folder = folder
        self.integrity = integrity
        self.processing = processing
        self.vault = vault
        self.randomness = randomness
        self.now = now
    }

    /// Asked of the worker once; they come with the program.
    package func methods() async throws -> [MarkingMethod] {
        if let known = knownMethods.withLock({ $0 }) { return known }
        do {
            let methods = try await processing.methods()
            knownMethods.withLock { $0 = methods }
            return methods
        } catch {
            throw VersionRefusal.failed(error)
        }
    }

    /// Marks a copy of a document.
    ///
    /// - Throws: ``VersionRefusal``; ``DocumentRefusal`` where the original is not what was uploaded.
    package func create(_ order: VersionOrder, of document: Document) async throws -> (version: Version, secrets: VersionSecrets)
    {
        guard try await methods().contains(where: { $0.name == order.method }) else { throw VersionRefusal.unknownMethod }
        let original = try await documents.open(document)
        let secrets = VersionSecrets(
            link: order.link ?? SecretToken(bits: 128, from: randomness).text, secret: order.secret)
        let file = folder.newName()
        let staged = folder.stagingPath(file)
        let copy: MarkedFile
        do {
            copy = try await processing.embed(
                MarkingOrder(
                    method: order.method, secret: order.secret, key: order.key, intendedFor: order.intendedFor,
                    position: order.position, version: file, markingSecret: vault.markingSecret(document: document.file)),
                in: original, to: staged)
        } catch {
            throw error.kind == .refused || error.kind == .invalidKey
                ? VersionRefusal.notApplicable(message: error.message) : .failed(error)
        }
        do {
            // Of what was written into meanwhile nobody knows which bytes were marked.
            guard try original.isUnchanged() else { throw DocumentRefusal.damaged(document, isMissing: false) }
            try await folder.adopt(staged, as: .versions, name: file)
        } catch {
            _ = try? await folder.removeFile(staged)
            throw error
        }
        do {
            let moment = now()
            let version = Version(
                id: 0, document: document.id, file: file, intendedFor: order.intendedFor, method: order.method,
                position: order.position, sha256: copy.sha256, size: copy.size, createdAt: moment,
                isSingleUse: order.isSingleUse, expiresAt: order.lifetime.map(moment.advanced(bySeconds:)), usedAt: nil,
                owner: document.owner, documentName: document.name, correlation: document.correlation)
            let sealed = try vault.seal(try JSONEncoder().encode(secrets), place: file)
            let digest = SecretToken(text: secrets.link).digest
            guard let inserted = try await database.insert(version, link: digest, sealed: sealed) else {
                throw VersionRefusal.linkTaken
            }
            return (inserted, secrets)
        } catch {
            _ = try? await folder.remove(.versions, file)
            throw error
        }
    }

    /// What a mark said, and which version that was, if it is one of the owner's.
    package struct Reading: Sendable, Equatable {
        package var secret: String
        package var version: Version?
        /// The document is, byte for byte, a version that was issued with another secret.
        package var isMismatch: Bool
    }

    /// Reads the mark of an uploaded document: a leak, as a rule.
    ///
    /// - Throws: ``VersionRefusal``; ``DocumentRefusal`` where the document is not what was uploaded.
    package func read(_ document: Document, method: String, key: String) async throws -> Reading {
        guard try await methods().contains(where: { $0.name == method }) else { throw VersionRefusal.unknownMethod }
        let file = try await documents.open(document)
        do {
            let secret = try await processing.readSecret(file, method: method, key: key)
            let issued = try await database.version(sha256: document.sha256, owner: document.owner)
            if let issued {
                return Reading(secret: secret, version: issued, isMismatch: try await secrets(of: issued).secret != secret)
            }
            return Reading(secret: secret, version: nil, isMismatch: false)
        } catch let failure as ProcessingFailure {
            guard failure.kind == .notFound, let found = try await trace(file, owner: document.owner).versions.first?.version
            else {
                throw failure.kind == .notFound || failure.kind == .invalidKey
                    ? VersionRefusal.unreadable(failure) : .failed(failure)
            }
            return Reading(secret: try await secrets(of: found).secret, version: found, isMismatch: false)
        }
    }

    /// Which copies a leak was made from, by where its words stand, held against all of its owner's originals.
    ///
    /// - Throws: ``ProcessingFailure``.
    package func trace(
        _ leak: StoredFile, owner: Int64
    ) async throws -> (trace: TraceVerdict, versions: [(accused: TraceVerdict.Accused, version: Version)]) {
        let documents = Dictionary(
            try await database.documents(owner: owner).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let issued = Dictionary(grouping: try await database.versions(owner: owner).map(\.0), by: \.document)
        let originals = issued.keys.sorted(by: >).prefix(100).compactMap { id -> TraceableOriginal? in
            guard let document = documents[id] else { return nil }
            return TraceableOriginal(
                path: folder.path(.documents, document.file), markingSecret: vault.markingSecret(document: document.file),
                versions: (issued[id] ?? []).map(\.file), fingerprintPath: folder.path(.fingerprints, document.file))
        }
        guard !originals.isEmpty else { return (TraceVerdict(), []) }
        let trace = try await processing.trace(leak, among: originals)
        var versions: [(accused: TraceVerdict.Accused, version: Version)] = []
        for accused in trace.accused {
            guard let version = try await database.version(file: accused.version), version.owner == owner else { continue }
            versions.append((accused, version))
        }
        return (trace, versions)
    }

    /// What only the owner is shown.
    package func secrets(of version: Version) async throws -> VersionSecrets {
        guard let sealed = try await database.sealed(version: version.id) else { throw VersionRefusal.notFound }
        return try opened(sealed, of: version)
    }

    private func opened(_ sealed: Data, of version: Version) throws -> VersionSecrets {
        try JSONDecoder().decode(VersionSecrets.self, from: try vault.open(sealed, place: version.file))
    }

    /// In the order in which they were made.
    package func versions(of document: Document) async throws -> [(version: Version, secrets: VersionSecrets)] {
        try await database.versions(document: document.id).map { ($0, try opened($1, of: $0)) }
    }

    package func versions(owner: Int64) async throws -> [(version: Version, secrets: VersionSecrets)] {
        try await database.versions(owner: owner).map { ($0, try opened($1, of: $0)) }
    }

    /// The version behind a link, and its file, open and unchanged since it was issued. A use is not counted yet.
    ///
    /// - Throws: ``VersionRefusal``.
    package func version(link: String) async throws -> (version: Version, file: StoredFile) {
        guard Self.isLink(link), let version = try await database.version(link: SecretToken(text: link).digest) else {
            throw VersionRefusal.notFound
        }
        if let end = version.expiresAt, now() >= end { throw VersionRefusal.ended(version) }
        if version.isSingleUse, version.usedAt != nil { throw VersionRefusal.ended(version) }
        return (version, try await file(of: version))
    }

    /// Its file, open and what was issued.
    ///
    /// - Throws: ``VersionRefusal/damaged(_:isMissing:)``, ``VersionRefusal/notFound``.
    func file(of version: Version) async throws -> StoredFile {
        switch try await integrity.find(folder.path(.versions, version.file), sha256: version.sha256) {
        case .intact(let file): return file
        case .changed: throw VersionRefusal.damaged(version, isMissing: false)
        case .missing:
            // The document's owner may have deleted it since its row was read.
            guard try await database.version(file: version.file) != nil else { throw VersionRefusal.notFound }
            throw VersionRefusal.damaged(version, isMissing: true)
        }
    }

    /// Counts the use of a link that works once.
    ///
    /// - Throws: ``VersionRefusal`` where somebody was faster.
    package func use(_ version: Version) async throws {
        guard version.isSingleUse else { return }
        guard try await database.use(version: version.id, at: now()) else { throw VersionRefusal.ended(version) }
    }

    /// What names a link in the log: nobody gets from it to the link.
    static func identifier(ofLink link: String) -> String { String(SecretToken(text: link).digest.hex.prefix(12)) }

    static func isLink(_ text: String) -> Bool {
        text.utf8.count == 32 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
