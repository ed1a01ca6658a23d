import Guard
import HTTPTypes
import Hummingbird

/// Versions for their owner, and for whoever knows a link.
struct VersionRoutes {
    let platform: Platform

    func add(to router: Router<TatouContext>) {
        router.get("/api/list-versions", use: list)
        router.get("/api/list-versions/:id", use: list)
        router.get("/api/list-all-versions", use: listAll)
        router.get("/api/get-version/:link", use: fetch)
    }

    private struct Listed: Encodable {
        var id: Int64
        var documentid: Int64
        var link: String
        var intended_for: String
        /// Left out of the list of all.
        var secret: String?
        var method: String
    }

    private struct List: Encodable {
        var versions: [Listed]
    }

    private func list(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        let id = try DocumentIdentifier.find(request, context)
        let document = try await platform.document(id, for: caller, action: "versions_listed", context)
        let versions = try await platform.versions.versions(of: document)
        return try JSONAnswer.response(List(versions: versions.map { Self.listed($0, $1, showsSecret: true) }))
    }

    private func listAll(_ request: Request, _ context: TatouContext) async throws -> Response {
        var context = context
        let caller = try await platform.authenticate(request, &context)
        let versions = try await platform.versions.versions(owner: caller.account.id)
        return try JSONAnswer.response(List(versions: versions.map { Self.listed($0, $1, showsSecret: false) }))
    }

    private static func listed(_ version: Version, _ secrets: VersionSecrets, showsSecret: Bool) -> Listed {
        Listed(
            id: version.id, documentid: version.document, link: secrets.link, intended_for: version.intendedFor,
            secret: showsSecret ? secrets.secret : nil, method: version.method)
    }

    /// Whoever knows the link is served; it is the only proof asked for.
    private func fetch(_ request: Request, _ context: TatouContext) async throws -> Response {
        try platform.protection.limit(platform.rates.link, in: context)
        let link = context.parameters.get("link") ?? ""
        let (version, file): (Version, StoredFile)
        do {
            (version, file) = try await platform.versions.version(link: link)
            // Both may be in quarantine, the copy and what it was made of.
            try platform.protection.checkAvailable(version.resource, in: context)
            let document = SecurityEvent.Resource("document", id: String(version.document), owner: String(version.owner))
            try platform.protection.checkAvailable(document, in: context)
            if request.method != .head { try await platform.versions.use(version) }
        } catch let refusal as VersionRefusal {
            throw try answer(to: refusal, link: link, context)
        }
        let response = FileAnswer(
            file: file, sha256: version.sha256, modified: version.createdAt, name: "\(link).pdf",
            cacheControl: "private, max-age=0", isUnconditional: version.isSingleUse
        ).response(to: request)
        context.record(
            .read(version.resource, grant: .capabilityLink).with {
                $0.status = response.status.code
                $0.details["labels.correlation_id"] = version.correlation
            })
        return response
    }

    private func answer(to refusal: VersionRefusal, link: String, _ context: TatouContext) throws -> Refusal {
        switch refusal {
        case .ended(let version):
            context.record(.readDenied(version.resource, reason: .forbidden).with { $0.status = 410 })
            return Refusal("link_ended", status: .gone, message: "this link is no longer valid")
        case .damaged(let version, let isMissing):
            platform.metrics.suspicious(.integrity)
            context.record(
                .watermark(.verify, resource: version.resource, fault: isMissing ? .missing : .hashMismatch).with {
                    $0.level = .error
                })
            return .gone
        default:
            platform.metrics.suspicious(.unknownLink)
            // The digest of what was tried: guesses are told apart, and no link is in the log.
            let tried = SecurityEvent.Resource("version", id: VersionService.identifier(ofLink: link))
            context.record(.readDenied(tried, reason: .forbidden).with { $0.status = 404 })
            try platform.protection.limit(platform.rates.unknownLink, in: context)
            return .missing
        }
    }
}
