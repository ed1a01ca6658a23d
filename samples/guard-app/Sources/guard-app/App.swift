import Foundation
import Guard
import Hummingbird
import Logging

/// Notes that belong to somebody: the smallest application that has something to protect.
@main
struct App {
    static func main() async throws {
        let environment = ProcessInfo.processInfo.environment
        var configuration = Configuration(service: "notes")
        configuration.trustedProxies = ["127.0.0.0/8", "::1"]
        configuration.addressLimit = RateLimit("requests", requests: 100, per: .seconds(60))
        configuration.requestMetrics = .init(
            requests: "notes_http_requests_total", duration: "notes_http_request_duration_seconds")
        configuration.metricsToken = environment["METRICS_TOKEN"]
        configuration.readBackToken = environment["READ_BACK_TOKEN"]
        if let token = environment["VIGIE_TOKEN"] {
            configuration.vigie = Vigie(url: environment["VIGIE"] ?? "http://127.0.0.1:8632", token: token)
        }
        let protection = try Protection(configuration)
        LoggingSystem.bootstrap(
            { label, provider in SecurityLogHandler(label: label, log: protection.log, metadataProvider: provider) },
            metadataProvider: Protection.requestMetadata)

        let router = Router(context: BasicGuardedContext.self)
        router.add(middleware: protection.middleware())
        protection.addRoutes(to: router)
        let failures = protection.metrics.counter("notes_login_failures_total", help: "Refused sign-ins.", labels: "reason")
        let attempts = RateLimit("sign-in", requests: 5, per: .seconds(60))

        router.post("/login") { request, context in
            struct Form: Decodable {
                var name: String
                var password: String
            }
            let form = try await request.decode(as: Form.self, context: context)
            try protection.limit(attempts, in: context)
            try protection.limit(attempts, account: form.name, in: context)
            // Here an application looks the account up; this one knows one.
            guard form.name == "alice", form.password == environment["ALICE_PASSWORD"], !protection.isDisabled(user: "u-1") else {
                failures.increment("bad_credentials")
                context.record(.loginFailed(name: form.name, reason: .badCredentials))
                throw Refusal("bad_credentials", status: .unauthorized, message: "Name or password is wrong.")
            }
            // Here an application knows when the password was set.
            guard !protection.mustResetPassword(user: "u-1", changed: nil) else {
                throw Refusal("password_reset_required", status: .forbidden, message: "Choose a new password.")
            }
            context.record(.loginSucceeded(user: "u-1", name: form.name))
            return "signed in"
        }
        router.get("/notes/:id") { _, context in
            var context = context
            // Here an application checks a token; the subject is what it says.
            try protection.admit(Subject(user: "u-1", token: "t-1", issued: Date()), in: &context)
            let note = SecurityEvent.Resource("note", id: context.parameters.get("id") ?? "", owner: "u-1", visibility: "private")
            try protection.checkAvailable(note, in: context)
            context.record(.read(note))
            return "my note"
        }
        let app = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: Int(environment["PORT"] ?? "") ?? 8080)),
            services: [protection])
        try await app.runService()
    }
}
