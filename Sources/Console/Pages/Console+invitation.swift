import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

extension Console {
    /// Where a link leads that lets somebody choose a password.
    func addInvitationRoutes(to routes: ConsoleRoutes) {
        routes.get("invitation", .everybody) { request, context in
            let token = FormFields(query: request.uri.query)["token"] ?? ""
            return try await invitationPage(token, status: .ok, request: request, context: context)
        }
        routes.post("invitation", .everybody) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let token = fields["token"] ?? ""
            do {
                guard fields["password"] == fields["password_again"] else {
                    throw AccountRefusal(.invalid, "the two passwords differ", "type them again")
                }
                let name = try await accounts.redeem(
                    SecretToken(text: token), password: fields["password"] ?? "", address: context.address,
                    at: dependencies.now())
                var response = signInForm(
                    ["accountName": name, "isWelcome": true], next: nil, request: request, context: context)
                // Whoever used this browser before is signed out: the password is somebody else's now, or a new one.
                if context.signedIn != nil { cookies.clearSession(on: &response) }
                return response
            } catch let refusal as AccountRefusal {
                return try await invitationPage(token, refusal: refusal, request: request, context: context)
            }
        }
    }

    private func invitationPage(
        _ token: String, refusal: AccountRefusal? = nil, status: HTTPResponse.Status = .ok, request: Request,
        context: ConsoleContext
    ) async throws -> Response {
        guard let (account, kind) = try await accounts.link(SecretToken(text: token), at: dependencies.now()) else {
            throw ConsoleFailure(
                status: .notFound, code: "dead_link", title: "This link is used up or too old",
                advice: "Ask the admin who sent it for a new one.")
        }
        var model: PageModel = ["linkToken": token, "accountName": account.name, "isReset": kind == .reset]
        model["problem"] = refusal.map { "\($0.reason): \($0.advice)" }
        return form(
            "invitation", model, title: kind == .reset ? "New password" : "Welcome",
            status: refusal.map { ConsoleFailure($0).status } ?? status, request: request, context: context)
    }
}
