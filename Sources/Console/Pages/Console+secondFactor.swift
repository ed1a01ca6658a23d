import Events
import Hummingbird
import HummingbirdCore
import Identity

extension Console {
    /// Where people turn their second factor on and off.
    func addSecondFactorRoutes(to routes: ConsoleRoutes) {
        routes.get("account/second-factor", .viewer) { request, context in
            try await secondFactorPage(request, context: context)
        }
        routes.post("account/second-factor", .viewer) { request, context in
            let fields = try await FormFields(bodyOf: request)
            let signedIn = try signedIn(context)
            let (password, code) = (fields["old"] ?? "", String((fields["code"] ?? "").prefix(64)))
            do {
                if fields["verb"] == "disable" {
                    try await accounts.disableSecondFactor(
                        of: signedIn, password: password, code: code, address: context.address, at: dependencies.now())
                    return HTTPAnswer.redirect(to: "/account")
                }
                let codes = try await accounts.enableSecondFactor(
                    of: signedIn, password: password, code: code, address: context.address, at: dependencies.now())
                return try await secondFactorPage(request, context: context, codes: codes)
            } catch let refusal as AccountRefusal {
                return try await secondFactorPage(request, context: context, refusal: refusal)
            }
        }
    }

    private func secondFactorPage(
        _ request: Request, context: ConsoleContext, codes: [String]? = nil, refusal: AccountRefusal? = nil
    ) async throws -> Response {
        let signedIn = try signedIn(context)
        var model: PageModel = ["formToken": formToken(context), "name": signedIn.accountName]
        if let codes {
            model["codes"] = codes
            model["hasCodes"] = true
        } else if let offer = try await accounts.secondFactorOffer(accountID: signedIn.accountID) {
            let address = offer.address(account: signedIn.accountName)
            let code = QRCode(address)
            model["offer"] =
                [
                    "drawing": code?.drawing ?? "", "side": code?.drawingSide ?? 1, "secret": Self.groups(offer.text),
                ] as PageModel
            model["isRequired"] = dependencies.identity.requiresSecondFactor(signedIn.role)
        } else {
            model["isOn"] = true
            model["canBeOff"] = !dependencies.identity.requiresSecondFactor(signedIn.role)
            model["codesLeft"] = try await accounts.recoveryCodesLeft(accountID: signedIn.accountID)
        }
        model["problem"] = refusal?.sentence
        var response = answer(
            "second-factor", model, title: "Second factor", section: "account", sequence: dependencies.updates.sequence,
            request: request, context: context)
        if let refusal { response.status = ConsoleFailure(refusal).status }
        return response
    }

    /// In fours, as people type it.
    private static func groups(_ text: String) -> String {
        var grouped = ""
        for (index, letter) in text.enumerated() {
            if index > 0, index % 4 == 0 { grouped += " " }
            grouped.append(letter)
        }
        return grouped
    }
}
