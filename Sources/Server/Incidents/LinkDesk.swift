import Console
import Events
import Foundation
import Incidents
import Notify

/// Where links are used that were sent with pages: each acknowledges one incident, once, as whom it was sent to.
struct LinkDesk: AcknowledgeByLink {
    let links: AcknowledgeLinks
    let desk: IncidentDesk

    func offer(_ token: String) async throws(LinkRefusal) -> AcknowledgeOffer {
        guard let content = links.open(token) else { throw .unknown }
        guard desk.now() < content.expiresAt else { throw .expired }
        guard let incident = await desk.recorder.incident(content.incident),
            let page = incident.pages.values.first(where: {
                AcknowledgeLinks.fingerprint(of: $0.intent.key) == content.page
            }), !page.intent.isErased
        else { throw .unknown }
        if await desk.recorder.incident(ofRequest: LinkDesk.request(of: page.intent)) != nil { throw .used }
        guard page.intent.cycle == incident.cycle else { throw .expired }
        guard !incident.isClosed, incident.mergedInto == nil else { throw .closed(incident.id) }
        guard !incident.isAcknowledged else { throw .acknowledged(incident.id) }
        return AcknowledgeOffer(
            incident: incident.id, severity: incident.severity, title: incident.isRestricted ? nil : incident.title,
            person: LinkDesk.name(of: page.intent), isDrill: incident.kind == .drill)
    }

    func acknowledge(_ token: String) async throws -> AcknowledgeOffer {
        let offer = try await offer(token)
        guard let content = links.open(token), let incident = await desk.recorder.incident(content.incident),
            let page = incident.pages.values.first(where: {
                AcknowledgeLinks.fingerprint(of: $0.intent.key) == content.page
            })
        else { throw LinkRefusal.unknown }
        try await desk.carryOut(
            IncidentOrder(
                incident: incident.id, verb: .acknowledge, author: .link(to: LinkDesk.name(of: page.intent)), at: desk.now(),
                request: LinkDesk.request(of: page.intent)))
        return offer
    }

    /// Whom the page was sent to: a person, or where nobody in particular was meant, the channel.
    private static func name(of page: PageIntent) -> String { page.person ?? page.target }

    /// Of all uses of one link.
    private static func request(of page: PageIntent) -> String { "link/\(page.key)" }
}

/// The secret behind links: a file of its own, made at the first start.
enum LinkSecret {
    /// - Throws: `ServerError` when it can neither be read nor made.
    static func readOrMake(_ path: String) throws(ServerError) -> String {
        if let data = FileManager.default.contents(atPath: path) {
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            guard text.count == 64 else {
                throw ServerError(
                    .dataFolder, "\(path) does not hold the secret of acknowledge links",
                    "move it away: another is made, and links that were sent before end")
            }
            return text
        }
        var generator = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef")
        let secret = String((0..<64).map { _ in digits[Int.random(in: 0..<16, using: &generator)] })
        let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
        let fresh = path + ".new"
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            guard
                FileManager.default.createFile(
                    atPath: fresh, contents: Data((secret + "\n").utf8), attributes: [.posixPermissions: 0o600]),
                rename(fresh, path) == 0
            else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            throw ServerError(
                .dataFolder, "\(path) cannot be made: \(error.localizedDescription)", "let Vigie's user write there")
        }
        return secret
    }
}
