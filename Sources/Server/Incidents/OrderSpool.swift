package import Console
package import Events
import Foundation
import Identity
package import Incidents
import Journal
import Logging

/// Orders of commands that run beside a server: they are left in a folder that only Vigie's user can write, the server carries
/// them out, and leaves the answer there.
///
/// An order has an id of its own. Carried out twice, because a server died before it could answer, it is done once.
package struct OrderSpool: Sendable {
    package enum Answer: Sendable {
        /// The incident that it was about, or that it opened; the run, for an order about runs.
        case done(incident: String)
        case refused(IncidentRefusal)
    }

    let folder: OrderFolder

    package init(_ data: DataFolder) { folder = OrderFolder(data.path + "/orders") }

    /// What a command asks for.
    package struct Request: Sendable {
        /// `open`, `mail`, or a verb of `IncidentOrder`.
        package var verb: String
        package var incident: String
        package var arguments: [String: String]
        package var author: Author
        package var at: Timestamp?
        package var text: String?
        package var id: String

        package init(
            verb: String, incident: String, arguments: [String: String], author: Author, at: Timestamp?, text: String?
        ) {
            self.verb = verb
            self.incident = incident
            self.arguments = arguments
            self.author = author
            self.at = at
            self.text = text
            id = UUID().uuidString.lowercased()
        }

        /// A mail that is to be taken in.
        package init(_ mail: ReportedMail, severity: Severity) {
            self.init(
                verb: "mail", incident: "",
                arguments: [
                    "key": mail.key, "answers": mail.answers.joined(separator: " "), "title": mail.title,
                    "severity": severity.code,
                ],
                author: mail.author, at: nil, text: mail.text)
        }

        /// Does what is asked for.
        ///
        /// - Parameter runs: `nil` where no server runs; then no playbook does either.
        package func carryOut(on desk: IncidentDesk, runs: (any RunDirecting)? = nil) async throws -> Answer {
            do {
                if let order = try RunOrder(self) {
                    guard let runs else {
                        throw IncidentRefusal(.notAllowed, "no server runs here", "start it: vigie serve")
                    }
                    return .done(
                        incident: try await runs.carryOut(order, by: RunPerson(id: author.id, role: .admin, request: id)))
                }
                if verb == "open" {
                    guard let severity = Severity(arguments["severity"] ?? "P2") else {
                        throw IncidentRefusal(.invalid, "that is no severity", "known are P0 to P3, critical, high, medium, low")
                    }
                    guard let kind = IncidentKind(rawValue: arguments["kind"] ?? "real") else {
                        throw IncidentRefusal(.invalid, "that is no kind of incident", "known are real, drill, test, imported")
                    }
                    let opened = try await desk.open(
                        title: text ?? "", severity: severity, kind: kind, author: author, request: id)
                    return .done(incident: opened ?? "")
                }
                if verb == "mail" {
                    let mail = ReportedMail(
                        key: arguments["key"] ?? "", answers: (arguments["answers"] ?? "").split(separator: " ").map(String.init),
                        title: arguments["title"] ?? "", text: text ?? "", author: author)
                    return .done(incident: try await desk.take(mail, severity: Severity(arguments["severity"] ?? "") ?? .medium))
                }
                let order = IncidentOrder(
                    incident: incident, verb: try IncidentOrder.Verb(verb, arguments), author: author, at: at ?? desk.now(),
                    text: text, request: id)
                try await desk.carryOut(order)
                return .done(incident: incident)
            } catch let refusal as IncidentRefusal {
                return .refused(refusal)
            } catch let refusal as RunRefusal {
                return .refused(IncidentRefusal(refusal))
            }
        }
    }

    /// Leaves a request for the server, and waits for its answer.
    ///
    /// - Returns: `nil` when no answer came; the request is taken back then, unless it is being carried out.
    package func ask(_ request: Request, seconds: Int = 20) async throws -> Answer? {
        var document: [String: JSONValue] = [
            "verb": .string(request.verb), "incident": .string(request.incident),
            "arguments": .object(request.arguments.mapValues { .string($0) }), "author": .string(request.author.id),
        ]
        document["name"] = request.author.name.map { .string($0) }
        document["text"] = request.text.map { .string($0) }
        document["at"] = request.at.map { .string($0.rfc3339) }
        return try await folder.ask(.object(document), id: request.id, seconds: seconds).map(OrderSpool.answer)
    }

    private static func answer(_ document: JSONValue) -> Answer {
        guard let refusal = AnsweredRefusal(document) else {
            return .done(incident: document["incident"]?.stringValue ?? "")
        }
        return .refused(
            IncidentRefusal(IncidentRefusalCode(rawValue: refusal.code) ?? .invalid, refusal.reason, refusal.advice))
    }

    /// Carries out what waits, oldest first.
    func serve(_ desk: IncidentDesk, runs: (any RunDirecting)? = nil, logger: Logger) async throws {
        try await folder.serve(logger: logger, failureAdvice: "nothing was done; the server's log says more") { id, document in
            guard let request = OrderSpool.request(document, id: id) else {
                throw IncidentRefusal(.invalid, "the order cannot be read", "use the `vigie` of the same version")
            }
            switch try await request.carryOut(on: desk, runs: runs) {
            case .done(let incident): return ["incident": .string(incident)]
            case .refused(let refusal): throw refusal
            }
        }
    }

    private static func request(_ document: JSONValue, id: String) -> Request? {
        guard let verb = document["verb"]?.stringValue, let author = document["author"]?.stringValue else { return nil }
        var request = Request(
            verb: verb, incident: document["incident"]?.stringValue ?? "",
            arguments: (document["arguments"]?.objectValue ?? [:]).compactMapValues(\.stringValue),
            author: Author(id: author, name: document["name"]?.stringValue),
            at: document["at"]?.stringValue.flatMap { Timestamp(rfc3339: $0) }, text: document["text"]?.stringValue)
        request.id = id
        return request
    }
}
