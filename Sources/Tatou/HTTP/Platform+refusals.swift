import Guard
import HTTPTypes
import Hummingbird

extension Platform {
    /// A document that is the caller's and not in quarantine.
    ///
    /// - Throws: `Refusal` with 404, the same whether it is somebody else's or nobody's; the log tells them apart.
    func document(
        _ id: Int64, for caller: Caller, action: String, _ context: TatouContext
    ) async throws -> Document {
        let document: Document
        do {
            document = try await documents.document(id, for: caller.account.id)
        } catch let refusal as DocumentRefusal {
            throw answer(to: refusal, action: action, context)
        }
        try protection.checkAvailable(document.resource, in: context)
        return document
    }

    /// The document's file, open: what is sent of it is what was uploaded, whatever happens to its name meanwhile.
    ///
    /// - Throws: `Refusal` with 410 where the file is missing or not what was uploaded.
    func file(of document: Document, action: String, _ context: TatouContext) async throws -> StoredFile {
        do {
            return try await documents.open(document)
        } catch let refusal as DocumentRefusal {
            throw answer(to: refusal, action: action, context)
        }
    }

    /// Writes and counts why a document was refused, and says what the client may know.
    func answer(to refusal: DocumentRefusal, action: String, file: String? = nil, _ context: TatouContext) -> Refusal {
        switch refusal {
        case .notFound: return .missing
        case .notOwner(let document):
            metrics.suspicious(.foreignObject)
            context.record(
                .authorizationDenied(action, reason: .notOwner, resource: document.resource).with { $0.status = 404 })
            return .missing
        case .damaged(let document, let isMissing):
            metrics.suspicious(.integrity)
            context.record(
                .watermark(.verify, resource: document.resource, fault: isMissing ? .missing : .hashMismatch).with {
                    $0.level = .error
                })
            return .gone
        case .fault(let fault, let message):
            // Oversize is counted where Guard's own refusals of the same are.
            if fault != .tooLarge, let suspicion = TatouMetrics.Suspicion(fault) { metrics.suspicious(suspicion) }
            let status = Self.status(of: fault)
            context.record(.upload("document", file: file ?? "", fault: fault).with { $0.status = status.code })
            return Refusal(fault.rawValue, status: status, message: message)
        case .unwanted(let content):
            metrics.suspicious(.activeContent)
            let status = Self.status(of: .activeContent)
            context.record(
                .upload("document", file: file ?? "", fault: .activeContent).with {
                    $0.status = status.code
                    $0.details[ContentFinding.label] = ContentFinding.list(content)
                })
            let reasons = content.filter(documents.limits.refusedContent.contains).map(\.message)
            return Refusal(
                SecurityEvent.UploadFault.activeContent.rawValue, status: status,
                message: "documents of this kind are not taken in here. \(reasons.joined(separator: " "))")
        case .infected(let signature):
            context.record(.malwareDetected(file: file ?? "", signature: signature).with { $0.status = 422 })
            return answer(
                to: .fault(.infected, message: "the file contains malware and is refused"), action: action, file: file, context)
        case .unprocessable(let message):
            return Refusal("unprocessable", status: .badRequest, message: message)
        case .quota:
            context.record(.rateLimited(action).with { $0.status = 413 })
            return Refusal("quota", status: .contentTooLarge, message: "your share of the storage is used up; delete documents")
        case .busy(let message):
            return Refusal("busy", status: .serviceUnavailable, message: message, retryAfter: 5)
        }
    }

    private static func status(of fault: SecurityEvent.UploadFault) -> HTTPResponse.Status {
        switch fault {
        case .missingFile, .pathTraversal: .badRequest
        case .tooLarge: .contentTooLarge
        case .badMIME, .badExtension, .typeMismatch, .polyglot: .unsupportedMediaType
        case .parseError, .decompressionBomb, .pixelFlood, .infected, .activeContent: .unprocessableContent
        }
    }
}
