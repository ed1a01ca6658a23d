import HTTPTypes
import Hummingbird
import HummingbirdCore
import Incidents

extension Console {
    /// Where links of pages lead: a page with one button. Looking at it does nothing, as programs that check links do that, too.
    func addAcknowledgeRoutes(to routes: ConsoleRoutes) {
        routes.get("acknowledge", .everybody) { request, context in
            let token = FormFields(query: request.uri.query)["token"] ?? ""
            let offer: AcknowledgeOffer
            do throws(LinkRefusal) {
                offer = try await links().offer(token)
            } catch {
                throw ConsoleFailure(error)
            }
            var model = AcknowledgeModels.model(offer)
            model["linkToken"] = token
            return form("acknowledge", model, title: "Acknowledge", request: request, context: context)
        }
        routes.post("acknowledge", .everybody) { request, context in
            let token = try await FormFields(bodyOf: request)["token"] ?? ""
            do {
                var model = AcknowledgeModels.model(try await links().acknowledge(token))
                model["isDone"] = true
                return form("acknowledge", model, title: "Acknowledged", request: request, context: context)
            } catch let refusal as LinkRefusal {
                throw ConsoleFailure(refusal)
            }
        }
    }

    private func links() throws(LinkRefusal) -> any AcknowledgeByLink {
        guard let links = dependencies.links else { throw .unknown }
        return links
    }
}

enum AcknowledgeModels {
    static func model(_ offer: AcknowledgeOffer) -> PageModel {
        var model: PageModel = [
            "incident": offer.incident, "severity": IncidentModels.severity(offer.severity), "person": offer.person,
            "isDrill": offer.isDrill, "incidentPath": "/incidents/\(FormFields.encode(offer.incident))",
        ]
        model["incidentTitle"] = offer.title
        return model
    }
}

extension ConsoleFailure {
    init(_ refusal: LinkRefusal) {
        let advice = "Sign in to the console to see what has become of the incident."
        switch refusal {
        case .unknown:
            self.init(
                status: .notFound, code: "unknown_link", title: "This is no link of this Vigie",
                advice: "Check that the address is whole. \(advice)")
        case .expired:
            self.init(status: .gone, code: "dead_link", title: "This link has ended", advice: advice)
        case .used:
            self.init(
                status: .gone, code: "used_link", title: "This link was used already",
                advice: "A link acknowledges once. \(advice)")
        case .acknowledged(let incident):
            self.init(
                status: .conflict, code: "already_done", title: "\(incident) is acknowledged already", advice: advice)
        case .closed(let incident):
            self.init(status: .conflict, code: "not_allowed", title: "\(incident) is closed, or was merged", advice: advice)
        }
    }
}
