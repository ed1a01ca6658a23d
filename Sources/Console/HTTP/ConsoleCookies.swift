import HTTPTypes
import Hummingbird
import HummingbirdCore
import Identity

/// The cookies the console sets and reads.
struct ConsoleCookies: Sendable {
    /// Over TLS the `__Host-` prefix (RFC 6265bis 4.1.3.2) keeps other hosts of the domain from planting a session.
    let isSecure: Bool

    private var sessionName: String { isSecure ? "__Host-vigie" : "vigie" }
    private var stepName: String { isSecure ? "__Host-vigie-step" : "vigie-step" }
    private var attemptName: String { isSecure ? "__Host-vigie-provider" : "vigie-provider" }
    private var formName: String { isSecure ? "__Host-vigie-form" : "vigie-form" }

    func session(in request: Request) -> SecretToken? { secret(sessionName, in: request) }

    /// Ties a form that needs no session (sign-in, set-up) to the browser that asked for it.
    func form(in request: Request) -> SecretToken? { secret(formName, in: request) }

    func setSession(_ token: SecretToken, maximumAge: Int64, on response: inout Response) {
        add("\(sessionName)=\(token.text); Max-Age=\(maximumAge)", to: &response)
    }

    func clearSession(on response: inout Response) {
        add("\(sessionName)=; Max-Age=0", to: &response)
    }

    /// That the password was right, until the code is shown, too.
    func step(in request: Request) -> SecretToken? { secret(stepName, in: request) }

    func setStep(_ token: SecretToken, on response: inout Response) {
        add("\(stepName)=\(token.text); Max-Age=300", to: &response)
    }

    func clearStep(on response: inout Response) {
        add("\(stepName)=; Max-Age=0", to: &response)
    }

    /// A sign-in that is on its way through the provider.
    func attempt(in request: Request) -> OpenIDAttempt? {
        value(attemptName, in: request).flatMap(OpenIDAttempt.init(cookie:))
    }

    /// The one cookie that comes along a link from another site: the provider's answer is such a link. It opens nothing by itself.
    func setAttempt(_ attempt: OpenIDAttempt, on response: inout Response) {
        add("\(attemptName)=\(attempt.cookie); Max-Age=\(OpenIDAttempt.life)", sameSite: "Lax", to: &response)
    }

    func clearAttempt(on response: inout Response) {
        add("\(attemptName)=; Max-Age=0", sameSite: "Lax", to: &response)
    }

    func setForm(_ token: SecretToken, on response: inout Response) {
        add("\(formName)=\(token.text)", to: &response)
    }

    /// `dark` or `light` when the person chose one. Set by the script; a wish, not a secret, so anything else reads as no wish.
    func theme(in request: Request) -> String? {
        ["dark", "light"].first { $0 == value("vigie-theme", in: request) }
    }

    private func add(_ cookie: String, sameSite: String = "Strict", to response: inout Response) {
        let secure = isSecure ? "; Secure" : ""
        response.headers.append(
            HTTPField(name: .setCookie, value: "\(cookie); Path=/; HttpOnly; SameSite=\(sameSite)\(secure)"))
    }

    private func secret(_ name: String, in request: Request) -> SecretToken? {
        guard let text = value(name, in: request), (1...128).contains(text.utf8.count) else { return nil }
        return SecretToken(text: text)
    }

    private func value(_ name: String, in request: Request) -> String? {
        for field in request.headers[values: .cookie] {
            for pair in field.split(separator: ";") {
                let sides = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                if sides.count == 2, sides[0] == name { return String(sides[1]) }
            }
        }
        return nil
    }
}
