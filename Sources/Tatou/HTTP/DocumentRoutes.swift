import Events
import Guard
import HTTPTypes
import Hummingbird

/// Uploading, listing, fetching and deleting documents.
struct DocumentRoutes {
    static let uploadPath = "/api/upload-document"

    let platform: Platform

    func add(to router: Router<TatouContext>) {
        router.post(RouterPath(Self.uploadPath), use: upload)
        router.get("/api/list-documents", use: list)
        router.get("/api/get-document", use: fetch)
        router.get("/api/get-document/:id", use: fetch)
        router.get("/api/inspect-document/:id", use: inspect)
        router.delete("/api/delete-document", use: delete)
        router.post("/api/delete-document", use: delete)
        router.delete("/api/delete-document/:id", use: delete)
    }

    /// What a document does beyond showing pages, in plain words for its owner.
    private struct Warning: Encodable {
        var kind: String
        var message: String

        init(_ finding: ContentFinding) { (kind, message) = (finding.rawValue, finding.message) }
    }

    private struct Listed: Encodable {
        var id: Int64
        var name: String
        var creation: String
        var sha256: String
        var size: Int
        /// Only where it has just come in.
        var warnings: [Warning]?

        init(_ document: Document) {
            id = document.id
            name = document.name
            creation = document.createdAt.rfc3339
            sha256 = document.sha256
            size = document.size
        }
    }

    private func upload(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        try platform.protection.limit(platform.rates.upload, account: caller.account.subject, in: context)
        var form = UploadForm(documents: platform.documents)
        do {
            let upload = try await form.read(request)
            let (document, content) = try await platform.documents.accept(
                upload.file, name: upload.name, owner: caller.account.id)
            platform.metrics.uploaded(bytes: document.size)
            context.record(
                .upload("document", file: upload.clientName).with {
                    $0.resource = document.resource
                    $0.details["labels.correlation_id"] = document.correlation
                    guard !content.isEmpty else { return }
                    $0.reason = SecurityEvent.UploadFault.activeContent.rawValue
                    $0.details[ContentFinding.label] = ContentFinding.list(content)
                })
            var answer = Listed(document)
            answer.warnings = content.map(Warning.init)
            return try JSONAnswer.response(answer, status: .created)
        } catch let refusal as DocumentRefusal {
            throw platform.answer(to: refusal, action: "document_upload", file: form.clientName, context)
        }
    }

    private struct List: Encodable {
        var documents: [Listed]
    }

    private func list(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        let documents = try await platform.documents.documents(of: caller.account.id)
        return try JSONAnswer.response(List(documents: documents.map(Listed.init)))
    }

    private func fetch(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        let id = try DocumentIdentifier.find(request, context)
        let document = try await platform.document(id, for: caller, action: "document_retrieved", context)
        let response = FileAnswer(
            file: try await platform.file(of: document, action: "document_retrieved", context), sha256: document.sha256,
            modified: document.createdAt, name: document.name, cacheControl: "private, max-age=0, must-revalidate"
        ).response(to: request)
        context.record(.read(document.resource).with { $0.status = response.status.code })
        return response
    }

    private struct Inspected: Encodable {
        struct Method: Encodable {
            var name: String
            var applicable: Bool
            var strength: String
            var notes: [String]
        }
        var documentid: Int64
        var pages: Int
        var is_signed: Bool
        var methods: [Method]
        var warnings: [Warning]
    }

    /// How well each method can mark a document, before anything is marked. Beyond the documented API.
    private func inspect(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        try platform.protection.limit(platform.rates.watermark, account: caller.account.subject, in: context)
        let document = try await platform.document(
            try DocumentIdentifier.find(request, context), for: caller, action: "document_inspected", context)
        do {
            let found = try await platform.documents.inspection(of: document)
            return try JSONAnswer.response(
                Inspected(
                    documentid: document.id, pages: found.pages, is_signed: found.isSigned,
                    methods: found.methods.map {
                        .init(name: $0.name, applicable: $0.isApplicable, strength: $0.strength, notes: $0.notes)
                    }, warnings: found.content.map(Warning.init)))
        } catch let refusal as DocumentRefusal {
            throw platform.answer(to: refusal, action: "document_inspected", context)
        }
    }

    private struct Deleted: Encodable {
        var deleted = true
        var id: Int64
        var file_deleted: Bool
        var file_missing: Bool
        var note: NullableMember<String>
    }

    private func delete(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        var given = DocumentIdentifier.text(request, context)
        if given == nil {
            given = try await JSONObject(request, isOptional: true).identifier
        }
        let id = try DocumentIdentifier.checked(given)
        // Quarantine holds evidence: nobody deletes it.
        let document = try await platform.document(id, for: caller, action: "document_delete", context)
        do {
            let deletion = try await platform.documents.delete(id, for: caller.account.id)
            context.record(
                SecurityEvent("document_delete", category: "file", outcome: .success).with { $0.resource = document.resource })
            return try JSONAnswer.response(
                Deleted(
                    id: id, file_deleted: deletion.fileDeleted, file_missing: deletion.fileMissing,
                    note: NullableMember(deletion.note)))
        } catch let refusal as DocumentRefusal {
            throw platform.answer(to: refusal, action: "document_delete", context)
        }
    }
}
