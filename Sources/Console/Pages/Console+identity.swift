import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity
import NIOCore

extension Console {
    func addIdentityRoutes(to routes: ConsoleRoutes) {
        routes.get("setup", .everybody) { request, context in try await setupPage(request, context: context) }
        routes.post("setup", .everybody) { request, context in try await setUp(request, context: context) }
        routes.get("sign-in", .everybody) { request, context in try await signInPage(request, context: context) }
        routes.post("sign-in", .everybody) { request, context in try await signIn(request, context: context) }
        routes.get("sign-in/code", .everybody) { request, context in codePage(request, context: context) }
        routes.post("sign-in/code", .everybody) { request, context in try await takeCode(request, context: context) }
        // Nobody's role stands against leaving.
        routes.post("sign-out", .everybody) { request, context in try await signOut(request, context: context) }
    }

    private func setupPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        guard try await !dependencies.identity.hasAccounts() else { return HTTPAnswer.redirect(to: "/sign-in") }
        let token = FormFields(query: request.uri.query)["token"].map { String($0.prefix(64)) } ?? ""
        return form(
            "setup", ["setupToken": token, "accountName": ""], title: "First account", request: request, context: context)
    }

    private func setUp(_ request: Request, context: ConsoleContext) async throws -> Response {
        let fields = try await FormFields(bodyOf: request)
        let token = fields["token"] ?? ""
        let name = fields["name"] ?? ""
        var model: PageModel = ["setupToken": String(token.prefix(64)), "accountName": String(name.prefix(64))]
        let password = fields["password"] ?? ""
        if let again = fields["password_again"], again != password {
            model["problem"] = "The two passwords differ."
            return form("setup", model, title: "First account", status: .unprocessableContent, request: request, context: context)
        }
        let outcome = try await dependencies.identity.setUp(
            token: token, name: name, password: password, address: context.address, at: dependencies.now())
        switch outcome {
        case .created(let signedIn, let audit):
            try await dependencies.audit(audit)
            return welcome(signedIn, to: "/incidents")
        case .refused(let refusal, let audit):
            if let audit { try await dependencies.audit(audit) }
            let status: HTTPResponse.Status
            switch refusal {
            case .accountExists:
                throw ConsoleFailure(
                    status: .forbidden, code: "already_set_up", title: "The first account exists already",
                    advice: "Sign in with it. Further accounts are made by an admin.")
            case .busy: throw ConsoleFailure.busy
            case .wrongToken:
                status = .forbidden
                model["problem"] =
                    "This is not the current set-up token. The newest one stands on the terminal where the server runs."
            case .invalidName:
                status = .unprocessableContent
                model["problem"] =
                    "A name has 1 to 64 letters (a–z), digits, dots, dashes or underscores, and begins with a letter or digit."
            case .password(let violation):
                status = .unprocessableContent
                model["problem"] = violation.advice
            case .limited(let seconds):
                status = .tooManyRequests
                model["problem"] = "Too many attempts. Try again in \(seconds) s."
            }
            return form("setup", model, title: "First account", status: status, request: request, context: context)
        }
    }

    private func signInPage(_ request: Request, context: ConsoleContext) async throws -> Response {
        let next = LocalPath(FormFields(query: request.uri.query)["next"])
        if context.signedIn != nil { return HTTPAnswer.redirect(to: next?.text ?? "/incidents") }
        guard try await dependencies.identity.hasAccounts() else { return HTTPAnswer.redirect(to: "/setup") }
        var model: PageModel = ["accountName": ""]
        // Set by our own sign-out, and worth nothing to anybody else: the link leads to the provider's own page.
        if FormFields(query: request.uri.query)["left"] == "provider", let openID { model["leftProvider"] = openID.options.name }
        return signInForm(model, next: next, request: request, context: context)
    }

    func signInForm(
        _ model: PageModel, next: LocalPath?, status: HTTPResponse.Status = .ok, request: Request, context: ConsoleContext
    ) -> Response {
        var model = model
        model["next"] = next?.text ?? ""
        if let openID {
            model["provider"] = openID.options.name
            model["providerPath"] = "/sign-in/provider" + (next.map { "?next=\(FormFields.encode($0.text))" } ?? "")
        }
        return form("sign-in", model, title: "Sign in", status: status, request: request, context: context)
    }

    private func signIn(_ request: Request, context: ConsoleContext) async throws -> Response {
        let fields = try await FormFields(bodyOf: request)
        let name = fields["name"] ?? ""
        let next = LocalPath(fields["next"])
        var model: PageModel = ["accountName": String(name.prefix(64))]
        let outcome = try await dependencies.identity.signIn(
            name: name, password: fields["password"] ?? "", address: context.address, replacing: cookies.session(in: request),
            at: dependencies.now())
        switch outcome {
        case .signedIn(let signedIn, let audit):
            try await dependencies.audit(audit)
            return welcome(signedIn, to: next?.text ?? "/incidents")
        case .codeNeeded(let token):
            var response = HTTPAnswer.redirect(to: "/sign-in/code?next=\(FormFields.encode(next?.text ?? ""))")
            cookies.setStep(token, on: &response)
            return response
        case .refused(let audit):
            try await dependencies.audit(audit)
            model["problem"] = "Name or password is wrong."
            return signInForm(model, next: next, status: .forbidden, request: request, context: context)
        case .limited(let seconds, let audit):
            if let audit { try await dependencies.audit(audit) }
            model["problem"] = "Too many failed attempts from your address. Try again in \(seconds) s."
            var response = signInForm(model, next: next, status: .tooManyRequests, request: request, context: context)
            response.headers[.retryAfter] = "\(seconds)"
            return response
        case .busy:
            throw ConsoleFailure.busy
        }
    }

    private func codePage(_ request: Request, context: ConsoleContext) -> Response {
        guard cookies.step(in: request) != nil else { return HTTPAnswer.redirect(to: "/sign-in") }
        let next = LocalPath(FormFields(query: request.uri.query)["next"])
        return form("code", ["next": next?.text ?? ""], title: "Sign in", request: request, context: context)
    }

    private func takeCode(_ request: Request, context: ConsoleContext) async throws -> Response {
        let fields = try await FormFields(bodyOf: request)
        let next = LocalPath(fields["next"])
        guard let token = cookies.step(in: request) else { return HTTPAnswer.redirect(to: "/sign-in") }
        var model: PageModel = ["next": next?.text ?? ""]
        let outcome = try await dependencies.identity.signIn(
            code: String((fields["code"] ?? "").prefix(64)), pending: token, address: context.address,
            replacing: cookies.session(in: request), at: dependencies.now())
        switch outcome {
        case .signedIn(let signedIn, let audits):
            for audit in audits { try await dependencies.audit(audit) }
            var response = welcome(signedIn, to: next?.text ?? "/incidents")
            cookies.clearStep(on: &response)
            return response
        case .refused(let audit):
            try await dependencies.audit(audit)
            model["problem"] = "That code is wrong, or was used before."
            return form("code", model, title: "Sign in", status: .forbidden, request: request, context: context)
        case .limited(let seconds, let audit):
            if let audit { try await dependencies.audit(audit) }
            model["problem"] = "Too many wrong codes. Try again in \(seconds) s."
            var response = form("code", model, title: "Sign in", status: .tooManyRequests, request: request, context: context)
            response.headers[.retryAfter] = "\(seconds)"
            return response
        case .startAgain:
            var response = HTTPAnswer.redirect(to: "/sign-in")
            cookies.clearStep(on: &response)
            return response
        }
    }

    private func signOut(_ request: Request, context: ConsoleContext) async throws -> Response {
        var path = "/sign-in"
        if let signedIn = context.signedIn {
            let audit = try await dependencies.identity.signOut(signedIn, address: context.address, at: dependencies.now())
            try await dependencies.audit(audit)
            if let openID, signedIn.means != .password,
                await openID.provider.endSessionAddress(returningTo: "", at: dependencies.now()) != nil
            {
                path = "/sign-in?left=provider"
            }
        }
        var response = HTTPAnswer.redirect(to: path)
        cookies.clearSession(on: &response)
        return response
    }

    private func welcome(_ signedIn: SignedIn, to path: String) -> Response {
        var response = HTTPAnswer.redirect(to: path)
        guard let token = signedIn.token else { return response }
        cookies.setSession(token, maximumAge: dependencies.identity.rules.lifetime(of: .password), on: &response)
        return response
    }

    /// A form for people without a session: its token hangs on a cookie of its own.
    func form(
        _ template: String, _ model: PageModel, title: String, status: HTTPResponse.Status = .ok, request: Request,
        context: ConsoleContext
    ) -> Response {
        let known = cookies.form(in: request)
        let secret = known ?? SecretToken(bits: 128, from: .system)
        var model = model
        model["formToken"] = secret.proof(of: ForgeryProtection.purpose)
        let shell = shell(for: request, context: context, title: title)
        var response = HTTPAnswer.html(pages.page(template, model: model, shell: shell), status: status)
        if known == nil { cookies.setForm(secret, on: &response) }
        return response
    }
}
