import Events
import Guard
import Identity
import Logging

/// Documents and whose they are. Knows nothing of HTTP.
package struct DocumentService: Sendable {
    package struct Limits: Sendable {
        /// Bytes of one document.
        package var documentBytes = 50 << 20
        /// Bytes of all documents of one account, versions not counted.
        package var accountBytes = 5 << 30
        package var accountDocuments = 10_000
        /// What a document may not do or carry to be taken in. Everything else is taken in with a warning.
        package var refusedContent: Set<ContentFinding> = []

        package init() {}
    }

    package let limits: Limits
    let database: TatouDatabase
    let folder: DocumentFolder
    let integrity: FileIntegrity
    let processing: any DocumentProcessing
    let scanning: MalwareScanning?
    let logger: Logger
    let randomness: Randomness
    let now: @Sendable () -> Timestamp

    /// Begins to take a file in.
    func stage() async throws -> StagedFile { try await folder.stage() }

    /// Makes a document of what came in, or removes it: nothing is kept that was not checked. Says what it does beyond showing pages.
    ///
    /// - Throws: ``DocumentRefusal``.
    func accept(
        _ staged: StagedFile, name: String, owner: Int64
    ) async throws -> (document: Document, content: [ContentFinding]) {
        do {
            return try await checked(staged, name: name, owner: owner)
        } catch {
            _ = try? await folder.removeFile(staged.path)
            throw error
        }
    }

    /// Forgets what came in.
    func discard(_ staged: StagedFile) async {
        _ = try? await folder.removeFile(staged.path)
    }

    private func checked(
        _ staged: StagedFile, name: String, owner: Int64
    ) async throws -> (document: Document, content: [ContentFinding]) {
        let (head, tail) = try await staged.ends(head: FileSignature.headLength, tail: FileSignature.tailLength)
        switch FileSignature.fault(head: head, tail: tail) {
        case nil: break
        case .polyglot?: throw DocumentRefusal.fault(.polyglot, message: "the file is more than a PDF document")
        default: throw DocumentRefusal.fault(.typeMismatch, message: "the file is not a PDF document")
        }
        try await scan(staged)
        let file = try await staged.opened()
        let inspection: DocumentInspection
        do {
            inspection = try await processing.inspect(file)
        } catch {
            throw DocumentRefusal(error)
        }
        guard !inspection.isPolyglot else {
            throw DocumentRefusal.fault(.polyglot, message: "the file is more than a PDF document")
        }
        guard limits.refusedContent.isDisjoint(with: inspection.content) else {
            throw DocumentRefusal.unwanted(inspection.content)
        }
        let document = Document(
            id: 0, name: name, file: folder.newName(), owner: owner, createdAt: now(), sha256: staged.sha256, size: staged.size,
            pages: inspection.pages, correlation: SecretToken(bits: 64, from: randomness).text)
        try await folder.adopt(staged.path, as: .documents, name: document.file)
        do {
            let quota = TatouDatabase.Quota(documents: limits.accountDocuments, bytes: limits.accountBytes)
            guard let inserted = try await database.insert(document, quota: quota) else { throw DocumentRefusal.quota }
            return (inserted, inspection.content)
        } catch {
            _ = try? await folder.remove(.documents, document.file)
            throw error
        }
    }

    /// Before anything else looks into the file.
    private func scan(_ staged: StagedFile) async throws {
        guard let scanning else { return }
        do {
            switch try await scanning.scanner.scan(staged.path) {
            case .clean: return
            case .infected(let signature): throw DocumentRefusal.infected(signature: signature)
            }
        } catch let failure as ScanFailure {
            logger.error(
                "an upload was not scanned for malware",
                metadata: ["reason": "\(failure)", "then": "\(scanning.withoutVerdict.rawValue)"])
            guard scanning.withoutVerdict == .accept else {
                throw DocumentRefusal.busy(message: "the file could not be scanned for malware; try again later")
            }
        }
    }

    /// Newest first.
    package func documents(of owner: Int64) async throws -> [Document] { try await database.documents(owner: owner) }

    /// - Throws: ``DocumentRefusal/notFound``, or ``DocumentRefusal/notOwner(_:)``.
    package func document(_ id: Int64, for account: Int64) async throws -> Document {
        guard let document = try await database.document(id) else { throw DocumentRefusal.notFound }
        guard document.owner == account else { throw DocumentRefusal.notOwner(document) }
        return document
    }

    /// Its file, open and what was uploaded: whatever is sent or made of it is made of this.
    ///
    /// - Throws: ``DocumentRefusal/damaged(_:isMissing:)``, ``DocumentRefusal/notFound``.
    func open(_ document: Document) async throws -> StoredFile {
        switch try await integrity.find(folder.path(.documents, document.file), sha256: document.sha256) {
        case .intact(let file): return file
        case .changed: throw DocumentRefusal.damaged(document, isMissing: false)
        case .missing:
            // Its owner may have deleted it since its row was read.
            guard try await database.document(document.id) != nil else { throw DocumentRefusal.notFound }
            throw DocumentRefusal.damaged(document, isMissing: true)
        }
    }

    /// What became of the files of a deleted document.
    package struct Deletion: Sendable, Equatable {
        package var fileDeleted: Bool
        package var fileMissing: Bool
        /// Something went wrong with a file; it is removed at the next start.
        package var note: String?
    }

    /// Deletes a document with its versions and their files.
    ///
    /// - Throws: ``DocumentRefusal``.
    package func delete(_ id: Int64, for account: Int64) async throws -> Deletion {
        let document = try await document(id, for: account)
        // The row first: what is left after a crash is a file without one, which the next start removes.
        guard let versions = try await database.deleteDocument(document.id) else { throw DocumentRefusal.notFound }
        var deletion = Deletion(fileDeleted: false, fileMissing: false, note: nil)
        do {
            deletion.fileDeleted = try await folder.remove(.documents, document.file)
            deletion.fileMissing = !deletion.fileDeleted
            _ = try await folder.remove(.fingerprints, document.file)
            for version in versions { _ = try await folder.remove(.versions, version) }
        } catch {
            deletion.note = "a file could not be removed now; it is removed at the next start"
        }
        return deletion
    }

    /// How well each method can mark a document, in words for its owner.
    ///
    /// - Throws: ``DocumentRefusal``.
    package func inspection(of document: Document) async throws -> DocumentInspection {
        let file = try await open(document)
        do {
            return try await processing.inspect(file)
        } catch {
            throw DocumentRefusal(error)
        }
    }
}

extension DocumentRefusal {
    init(_ failure: ProcessingFailure) {
        switch failure.kind {
        case .refused, .notFound, .invalidKey: self = .fault(.parseError, message: failure.message)
        case .tooSlow, .tooLarge: self = .fault(.decompressionBomb, message: failure.message)
        case .crashed: self = .fault(.parseError, message: failure.message)
        case .busy, .unavailable: self = .busy(message: failure.message)
        }
    }
}
