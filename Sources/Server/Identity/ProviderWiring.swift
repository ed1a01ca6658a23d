package import Events
import Foundation
package import Identity
import Response

/// A provider that is asked by curl (ADR 0010), with the client's secret from where the configuration says.
package enum ProviderWiring {
    /// Seconds for one request. Three of them are one sign-in.
    static let patience: Double = 10
    static let answerLimit = 1 << 20

    package static func provider(_ options: ProviderOptions) -> OpenIDProvider {
        OpenIDProvider(options.openID) { () throws(OpenIDProblem) in
            try secret(options.secret)
        } send: { request async throws(OpenIDProblem) in
            try await send(request)
        }
    }

    /// The secret, or why it cannot be had.
    package static func secret(_ source: ProviderOptions.Secret) throws(OpenIDProblem) -> String? {
        switch source {
        case .none: return nil
        case .environment(let name):
            guard let value = ProcessInfo.processInfo.environment[name], isSecret(value) else {
                throw OpenIDProblem(
                    .mismatch, "the client's secret is not in the environment variable \(name)", "set it where Vigie is started")
            }
            return value
        case .file(let path):
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            if let mode = (attributes?[.posixPermissions] as? NSNumber)?.intValue, mode & 0o007 != 0 {
                throw OpenIDProblem(
                    .mismatch, "everybody on this machine may read the client's secret in \(path)", "chmod o= \(path)")
            }
            guard let data = FileManager.default.contents(atPath: path), data.count <= 4_096,
                let text = String(data: data, encoding: .utf8)?.trimmingCharacters(in: .whitespacesAndNewlines), isSecret(text)
            else {
                throw OpenIDProblem(
                    .mismatch, "the client's secret cannot be read from \(path)", "put it there, readable for Vigie's user only")
            }
            return text
        }
    }

    private static func isSecret(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
    }

    private static func send(_ request: OpenIDRequest) async throws(OpenIDProblem) -> OpenIDResponse {
        var exchange = HTTPExchange(
            request.form == nil ? "GET" : "POST", request.url, headers: request.headers, body: request.form)
        exchange.answerLimit = answerLimit
        do {
            let answer = try await exchange.send(seconds: patience)
            return OpenIDResponse(status: answer.status, body: answer.body)
        } catch {
            throw OpenIDProblem(
                .unreachable, "\(place(request.url)): \(error.description)", "see whether it can be reached from this machine")
        }
    }

    /// Scheme and host: nothing else of an address is said.
    private static func place(_ url: String) -> String {
        url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).prefix(3).joined(separator: "/")
    }
}

/// Whether people could sign in through the provider, as far as that can be seen from here.
package struct ProviderCheck: Sendable {
    package struct Step: Sendable {
        package var name: String
        /// What was found.
        package var found: String?
        package var problem: OpenIDProblem?
    }

    package private(set) var steps: [Step] = []
    package var isFine: Bool { steps.allSatisfy { $0.problem == nil } }

    /// Asks the provider for its document and its keys. Goes on after a failure where that makes sense.
    package init(_ options: ProviderOptions, now: Timestamp) async {
        let provider = ProviderWiring.provider(options)
        await step("secret") { () async throws(OpenIDProblem) in
            try ProviderWiring.secret(options.secret) == nil ? "none: a public client, with PKCE alone" : "there"
        }
        await step("provider") { () async throws(OpenIDProblem) in
            let metadata = try await provider.metadata(at: now)
            return "\(options.openID.issuer) answers; people are sent to \(metadata.authorization)"
        }
        guard steps.last?.problem == nil else { return }
        await step("keys") { () async throws(OpenIDProblem) in "\(try await provider.keyCount(at: now)) that can be used" }
        if steps.first?.problem == nil {
            await step("client") { () async throws(OpenIDProblem) in
                "\(options.openID.clientID), by \(try await provider.authentication(at: now).rawValue)"
            }
        }
        await step("sign-out") { () async throws(OpenIDProblem) in
            try await provider.metadata(at: now).endSession == nil
                ? "only here: the provider offers none" : "at the provider, too"
        }
    }

    private mutating func step(_ name: String, _ body: () async throws(OpenIDProblem) -> String) async {
        do throws(OpenIDProblem) {
            steps.append(Step(name: name, found: try await body()))
        } catch {
            steps.append(Step(name: name, problem: error))
        }
    }
}
