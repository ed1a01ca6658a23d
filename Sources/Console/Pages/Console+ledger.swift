import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import Incidents
import NIOCore

extension Console {
    func addLedgerRoutes(to routes: ConsoleRoutes) {
        routes.get("journal", .viewer) { request, context in try await journalPage(request, context: context) }
        routes.get("journal/:sequence", .viewer) { request, context in try await proofPage(request, context: context) }
        routes.get("journal/:sequence/entry.json", .viewer) { _, context in
            Self.download(try await proof(context).bytes, type: "application/json", name: "entry.json")
        }
        routes.get("journal/:sequence/entry.tlog-proof", .viewer) { _, context in
            let proof = try await proof(context)
            guard !proof.file.isEmpty else { throw ConsoleFailure.notFound }
            return Self.download(proof.file, type: "application/octet-stream", name: "\(proof.entry.sequence).tlog-proof")
        }
        routes.get("evidence/:id", .viewer) { request, context in
            try await evidencePage(try await evidence(context), verdict: nil, request: request, context: context)
        }
        // Where a browser comes back to after signing in again.
        routes.get("evidence/:id/verify", .viewer) { _, context in
            HTTPAnswer.redirect(to: "/evidence/\(try await evidence(context).id)")
        }
        // A POST, since it may read gigabytes: nothing that a link elsewhere can start.
        routes.post("evidence/:id/verify", .viewer) { request, context in
            let item = try await evidence(context)
            return try await evidencePage(
                item, verdict: try await dependencies.ledger.verify(evidence: item), request: request, context: context)
        }
    }

    private func journalPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let before = FormFields(query: request.uri.query)["before"].flatMap { Int($0) }
        let page = try await dependencies.ledger.entries(before: before, limit: Self.rowsPerPage)
        var entries: [LedgerEntry] = []
        for entry in page.entries where try await !isHidden(entry.incident, from: context) { entries.append(entry) }
        let (names, now) = (try await accountNames(), dependencies.now())
        var model: PageModel = [
            "rows": entries.map { LedgerModels.row($0, names: names, now: now) }, "total": NumberText.grouped(page.total),
            "isEmpty": page.entries.isEmpty,
        ]
        if let last = page.entries.last, last.sequence > 0 { model["olderPath"] = "/journal?before=\(last.sequence)" }
        if let first = page.entries.first, first.sequence + 1 < page.total {
            let next = first.sequence + 1 + Self.rowsPerPage
            model["newerPath"] = next >= page.total ? "/journal" : "/journal?before=\(next)"
        }
        return answer(
            "journal", model, title: "Journal", section: "journal", sequence: sequence, request: request, context: context)
    }

    private func proofPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let proof = try await proof(context)
        return answer(
            "proof", LedgerModels.proof(proof, names: try await accountNames(), now: dependencies.now()),
            title: "Entry \(proof.entry.sequence)", section: "journal", sequence: sequence, request: request, context: context)
    }

    /// By the ids of accounts.
    private func accountNames() async throws -> [String: String] {
        Dictionary(try await accounts.accounts().map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
    }

    private func evidencePage(
        _ item: EvidenceView, verdict: EvidenceVerdict?, request: Request, context: ConsoleContext
    ) async throws -> Response {
        let sequence = dependencies.updates.sequence
        let now = dependencies.now()
        var model = LedgerModels.evidence(item, now: now)
        model["formToken"] = formToken(context)
        if let verdict {
            var result: PageModel = ["isWhole": verdict.problem == nil, "at": TimeText.model(verdict.at, now: now)]
            result["trouble"] = verdict.problem
            model["verdict"] = result
        }
        return answer(
            "evidence", model, title: "\(item.id) \(item.name)", section: "evidence", sequence: sequence, request: request,
            context: context)
    }

    /// Forms inside a page have their own token: a page that refreshes itself comes without the layout.
    func formToken(_ context: ConsoleContext) -> String {
        context.signedIn?.token?.proof(of: ForgeryProtection.purpose) ?? ""
    }

    private func proof(_ context: ConsoleContext) async throws -> LedgerProof {
        guard let sequence = Int(try context.parameters.require("sequence")), sequence >= 0,
            let proof = try await dependencies.ledger.proof(of: sequence),
            try await !isHidden(proof.entry.incident, from: context)
        else { throw ConsoleFailure.noEntry }
        return proof
    }

    private func evidence(_ context: ConsoleContext) async throws -> EvidenceView {
        guard let item = try await dependencies.ledger.evidence(id: try context.parameters.require("id")),
            try await !isHidden(item.incident, from: context)
        else { throw ConsoleFailure.noEvidence }
        return item
    }

    private static func download(_ bytes: [UInt8], type: String, name: String) -> Response {
        Response(
            status: .ok,
            headers: [.contentType: type, .contentDisposition: "attachment; filename=\"\(name)\""],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}

extension ConsoleFailure {
    static let noEntry = ConsoleFailure(
        status: .notFound, code: "no_such_entry", title: "The journal has no such entry",
        advice: "Entries are numbered from 0; the journal page lists them.")

    static let noEvidence = ConsoleFailure(
        status: .notFound, code: "no_such_evidence", title: "There is no such evidence",
        advice: "The page of an incident lists what was sealed for it.")
}
