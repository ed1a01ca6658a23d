import Guard
import HTTPTypes
import Hummingbird
import NIOCore

/// The form that brings a document: `file`, and `name` if it is to be called otherwise. Nothing of the file is held in memory.
///
/// A form with a fault is read to its end all the same, within the limits of size and time: clients that are still sending would
/// not read the answer.
struct UploadForm {
    struct Upload {
        var file: StagedFile
        var name: String
        /// Before anything was cut off it.
        var clientName: String
    }

    /// What a form may bring.
    struct Kind {
        let extensions: Set<String>
        let types: Set<String>
        /// What else is answered.
        let refusedExtension: String
        let refusedType: String

        static let document = Kind(
            extensions: ["pdf"], types: ["application/pdf", "application/x-pdf", "application/octet-stream"],
            refusedExtension: "only PDF documents are accepted", refusedType: "only application/pdf is accepted")
        /// A document, or a picture of a page.
        static let leak = Kind(
            extensions: document.extensions.union(["png", "jpg", "jpeg"]),
            types: document.types.union(["image/png", "image/jpeg"]),
            refusedExtension: "only PDF documents, and PNG or JPEG pictures, are accepted",
            refusedType: "only application/pdf, image/png and image/jpeg are accepted")
    }

    let documents: DocumentService
    let kind: Kind
    /// What the client called its file, as far as that was read; for the log.
    private(set) var clientName = ""

    private var file: StagedFile?
    private var fileName: String?
    private var name: [UInt8]?
    private var fault: DocumentRefusal?
    /// What the part that is being read is.
    private var current = Part.other
    private var announcedType: String?

    private enum Part {
        case file
        case name
        case other
    }

    private static let longestName = 1024

    init(documents: DocumentService, kind: Kind = .document) {
        self.documents = documents
        self.kind = kind
    }

    /// - Throws: ``DocumentRefusal``, or `Refusal` where the request itself ends badly. Nothing is left behind then.
    mutating func read(_ request: Request) async throws -> Upload {
        do {
            try await take(request)
            return try finished()
        } catch {
            if let file { await documents.discard(file) }
            throw error
        }
    }

    private mutating func take(_ request: Request) async throws {
        guard let type = request.headers[.contentType], type.lowercased().hasPrefix("multipart/form-data"),
            var parser = try? MultipartParser(contentType: type)
        else { throw Self.missing }
        do {
            for try await buffer in request.body {
                for event in try parser.feed(buffer.readableBytesView) { try await handle(event) }
            }
            try parser.finish()
        } catch is MultipartParser.Malformation {
            throw DocumentRefusal.fault(.missingFile, message: "the form is not valid multipart/form-data")
        }
    }

    private mutating func handle(_ event: MultipartParser.Event) async throws {
        switch event {
        case .part(let head): try await begin(head)
        case .data(let bytes): try await add(bytes)
        case .endOfPart, .end: current = .other
        }
    }

    private mutating func begin(_ head: PartHead) async throws {
        switch head.name {
        case "file":
            guard let given = head.fileName else { return }
            guard fileName == nil else {
                note(.fault(.missingFile, message: "send one file at a time"))
                return
            }
            clientName = String(given.prefix(1024))
            fileName = given
            announcedType = head.contentType
            current = .file
            check(given)
            if fault == nil { file = try await documents.stage() }
        case "name" where head.fileName == nil && name == nil:
            name = []
            current = .name
        default: break
        }
    }

    private mutating func check(_ given: String) {
        guard !given.isEmpty else { return note(.fault(.missingFile, message: "empty filename")) }
        switch FileName.checked(given) {
        case .failure(.pathTraversal): note(.fault(.pathTraversal, message: "the filename leaves its folder"))
        case .failure(.empty): note(.fault(.missingFile, message: "empty filename"))
        case .failure(.tooLong): note(.unprocessable(message: "the filename is longer than \(FileName.longest) characters"))
        case .success(let name):
            if !FileName.hasExtension(name, of: kind.extensions) {
                note(.fault(.badExtension, message: kind.refusedExtension))
            } else if let announcedType, !kind.types.contains(announcedType) {
                note(.fault(.badMIME, message: kind.refusedType))
            }
        }
    }

    private mutating func add(_ bytes: [UInt8]) async throws {
        switch current {
        case .file:
            guard fault == nil, let file else { return }
            guard file.size + bytes.count <= documents.limits.documentBytes else {
                note(.fault(.tooLarge, message: "a document may have at most \(documents.limits.documentBytes) bytes"))
                await documents.discard(file)
                return
            }
            try await file.append(ByteBuffer(bytes: bytes))
        case .name:
            guard let count = name?.count, count + bytes.count <= Self.longestName else {
                return note(.unprocessable(message: "name is too long"))
            }
            name?.append(contentsOf: bytes)
        case .other: break
        }
    }

    private mutating func note(_ refusal: DocumentRefusal) {
        if fault == nil { fault = refusal }
    }

    private mutating func finished() throws -> Upload {
        if let fault { throw fault }
        guard let file, let fileName else { throw Self.missing }
        guard file.size > 0 else { throw DocumentRefusal.fault(.typeMismatch, message: "the file is empty") }
        let given = name.map { String(decoding: $0, as: UTF8.self).trimmed } ?? ""
        switch FileName.checked(given.isEmpty ? fileName : given) {
        case .success(let name): return Upload(file: file, name: name, clientName: clientName)
        case .failure(.pathTraversal):
            clientName = given
            throw DocumentRefusal.fault(.pathTraversal, message: "the name leaves its folder")
        case .failure: throw DocumentRefusal.unprocessable(message: "name must have 1 to \(FileName.longest) characters")
        }
    }

    private static let missing = DocumentRefusal.fault(
        .missingFile, message: "file is required (multipart/form-data)")
}
