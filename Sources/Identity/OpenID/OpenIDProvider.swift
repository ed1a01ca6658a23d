package import Events
import Foundation

/// A provider, asked over HTTP. Keeps its document and its keys for an hour, and never more requests running than a few.
///
/// Time is an argument; requests are given at the start.
package actor OpenIDProvider {
    /// Seconds for which document and keys are kept: a key that is withdrawn counts no longer than that.
    static let keptFor: Int64 = 3600
    /// Seconds after a failure within which it is not tried again, and between two requests for keys because
    /// of a token that none of them signed.
    static let pause: Int64 = 10
    /// Exchanges of codes at once. Each is a process or two.
    static let mostRunning = 4

    package nonisolated let options: OpenIDOptions
    /// Read for each exchange, so that a new one needs no restart; `nil` for a public client.
    private let secret: @Sendable () throws(OpenIDProblem) -> String?
    private let send: OpenIDTransport

    private struct Kept<Value: Sendable>: Sendable {
        var value: Result<Value, OpenIDProblem>
        var at: Timestamp

        func isFresh(at now: Timestamp) -> Bool {
            let life = (try? value.get()) == nil ? OpenIDProvider.pause : OpenIDProvider.keptFor
            // A clock that went back makes nothing fresh for longer.
            return at <= now && now < at.advanced(bySeconds: life)
        }
    }

    private var metadata: Kept<OpenIDMetadata>?
    private var keys: Kept<JSONWebKeySet>?
    private var metadataTask: Task<Kept<OpenIDMetadata>, Never>?
    private var keysTask: Task<Kept<JSONWebKeySet>, Never>?
    private var running = 0

    package init(
        _ options: OpenIDOptions, secret: @escaping @Sendable () throws(OpenIDProblem) -> String?, send: @escaping OpenIDTransport
    ) {
        self.options = options
        self.secret = secret
        self.send = send
    }

    package func metadata(at now: Timestamp) async throws(OpenIDProblem) -> OpenIDMetadata {
        if let metadata, metadata.isFresh(at: now) { return try metadata.value.get() }
        // Whoever comes while it is asked waits for the same answer.
        let task =
            metadataTask
            ?? Task { [options, send] in
                Kept(value: await Self.fetchMetadata(options.issuer, send), at: now)
            }
        metadataTask = task
        let kept = await task.value
        if metadataTask == task {
            metadataTask = nil
            metadata = kept
        }
        return try kept.value.get()
    }

    /// Whether one of the provider's keys signed it. Where none of those that are kept did, they are asked for once more, since
    /// providers change keys, with a new name or without one; not for every token, since anybody can make up what no key signed.
    private func isSigned(_ token: JSONWebToken, at now: Timestamp) async throws(OpenIDProblem) -> Bool {
        let isBy = { (keys: JSONWebKeySet) in keys.candidates(for: token).contains { $0.verifies(token) } }
        if let keys, keys.isFresh(at: now) {
            if isBy(try keys.value.get()) { return true }
            if now < keys.at.advanced(bySeconds: Self.pause) { return false }
        }
        return isBy(try await fetchedKeys(at: now))
    }

    /// How many keys it has that can be used here, by asking now.
    package func keyCount(at now: Timestamp) async throws(OpenIDProblem) -> Int { try await fetchedKeys(at: now).keys.count }

    /// How the client will show who it is.
    package func authentication(at now: Timestamp) async throws(OpenIDProblem) -> OpenIDMetadata.ClientAuthentication {
        try await metadata(at: now).authentication(hasSecret: try secret() != nil)
    }

    private func fetchedKeys(at now: Timestamp) async throws(OpenIDProblem) -> JSONWebKeySet {
        let address = try await metadata(at: now).keys
        let task = keysTask ?? Task { [send] in Kept(value: await Self.fetchKeys(address, send), at: now) }
        keysTask = task
        let kept = await task.value
        if keysTask == task {
            keysTask = nil
            keys = kept
        }
        return try kept.value.get()
    }

    /// Where the browser is sent, to sign in there.
    package func authorizationAddress(
        for attempt: OpenIDAttempt, returningTo address: String, at now: Timestamp
    ) async throws(OpenIDProblem) -> String {
        try await metadata(at: now).authorization.adding([
            ("response_type", "code"), ("client_id", options.clientID), ("redirect_uri", address),
            ("scope", options.scopes.joined(separator: " ")), ("state", attempt.state), ("nonce", attempt.nonce),
            ("code_challenge", attempt.challenge), ("code_challenge_method", "S256"),
        ])
    }

    /// Where somebody signs out at the provider, too (RP-Initiated Logout 1.0); `nil` where it offers nothing.
    package func endSessionAddress(returningTo address: String, at now: Timestamp) async -> String? {
        try? await metadata(at: now).endSession?.adding([
            ("client_id", options.clientID), ("post_logout_redirect_uri", address),
        ])
    }

    /// Takes the code to the provider, and says who signed in there.
    func identity(
        code: String, attempt: OpenIDAttempt, returnedTo address: String, at now: Timestamp
    ) async throws(OpenIDProblem) -> OpenIDIdentity {
        guard running < Self.mostRunning else {
            throw OpenIDProblem(.busy, "too many sign-ins are waiting for the provider", "try again in a few seconds")
        }
        running += 1
        defer { running -= 1 }
        let metadata = try await metadata(at: now)
        let tokens = try await tokens(code: code, attempt: attempt, returnedTo: address, metadata)
        guard let text = tokens["id_token"]?.text else {
            throw OpenIDProblem(
                .malformed, "the provider sent no ID token", "see whether the scope 'openid' is allowed for the client")
        }
        let token = try JSONWebToken(text)
        guard try await isSigned(token, at: now) else {
            throw .token("the ID token is not signed with a key of the provider")
        }
        let accessToken = tokens["access_token"]?.text
        let check = IDTokenCheck(
            issuer: options.issuer, clientID: options.clientID, nonce: attempt.nonce, accessToken: accessToken, now: now)
        let subject = try check.subject(of: token)
        var claims = token.claims
        // Some providers have groups only here (OpenID Connect Core 1.0 section 5.3).
        if claims.claim(options.rolesClaim) == nil, let address = metadata.userInfo, let accessToken {
            let more = try await userInfo(address, accessToken, subject)
            claims.merge(more) { signed, _ in signed }
        }
        return OpenIDIdentity(issuer: options.issuer.text, subject: subject, claims: claims)
    }

    private func tokens(
        code: String, attempt: OpenIDAttempt, returnedTo address: String, _ metadata: OpenIDMetadata
    ) async throws(OpenIDProblem) -> [String: ClaimValue] {
        let secret = try secret()
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", address), ("code_verifier", attempt.verifier),
        ]
        var request = OpenIDRequest(metadata.token.text)
        request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        switch try metadata.authentication(hasSecret: secret != nil) {
        case .basic:
            // RFC 6749 section 2.3.1: both halves are form-encoded first.
            let pair = "\(OpenIDAddress.escape(options.clientID)):\(OpenIDAddress.escape(secret ?? ""))"
            request.headers.append(("Authorization", "Basic \(Data(pair.utf8).base64EncodedString())"))
        case .post: form += [("client_id", options.clientID), ("client_secret", secret ?? "")]
        case .none: form.append(("client_id", options.clientID))
        }
        request.form = OpenIDAddress.form(form.map { (name: $0.0, value: $0.1) })
        let response = try await send(request)
        guard response.status == 200, let members = ClaimValue.object(response.body) else {
            // RFC 6749 section 5.2.
            let error = ClaimValue.object(response.body)?["error"]?.text
            switch error {
            case "invalid_client", "unauthorized_client":
                throw OpenIDProblem(
                    .mismatch, "the provider does not take this client or its secret",
                    "compare client_id and secret with the provider's")
            case "invalid_grant":
                throw OpenIDProblem(.codeRefused, "the provider does not take the code any more", "sign in again")
            default:
                throw OpenIDProblem(
                    .codeRefused, "the provider answered a code with status \(response.status)", "its log says why")
            }
        }
        return members
    }

    private func userInfo(
        _ address: OpenIDAddress, _ accessToken: String, _ subject: String
    ) async throws(OpenIDProblem) -> [String: ClaimValue] {
        // RFC 6750 section 2.1, b64token: nothing else gets into a header.
        guard accessToken.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw OpenIDProblem(.malformed, "the access token is none", "see the provider's log")
        }
        var request = OpenIDRequest(address.text)
        request.headers.append(("Authorization", "Bearer \(accessToken)"))
        let response = try await send(request)
        guard response.status == 200, let members = ClaimValue.object(response.body) else {
            throw OpenIDProblem(
                .malformed, "the provider's userinfo answers with status \(response.status), or no JSON object",
                "put the claim '\(options.rolesClaim)' into the ID token")
        }
        // Section 5.3.2: else it may be somebody else's.
        guard members["sub"]?.text == subject else { throw .token("the provider's userinfo is about somebody else") }
        return members
    }

    private static func fetchMetadata(
        _ issuer: OpenIDAddress, _ send: OpenIDTransport
    ) async -> Result<OpenIDMetadata, OpenIDProblem> {
        await result { () async throws(OpenIDProblem) in
            let location = OpenIDMetadata.location(of: issuer)
            return try OpenIDMetadata(try await get(location, send), issuer: issuer)
        }
    }

    private static func fetchKeys(
        _ address: OpenIDAddress, _ send: OpenIDTransport
    ) async -> Result<JSONWebKeySet, OpenIDProblem> {
        await result { () async throws(OpenIDProblem) in
            let keys = try JSONWebKeySet(try await get(address.text, send))
            guard !keys.keys.isEmpty else {
                throw OpenIDProblem(
                    .mismatch, "the provider publishes no key that can be used here",
                    "let it sign with RS256 (2048 bits or more), ES256 or EdDSA")
            }
            return keys
        }
    }

    private static func get(_ url: String, _ send: OpenIDTransport) async throws(OpenIDProblem) -> [UInt8] {
        let response = try await send(OpenIDRequest(url))
        guard response.status == 200 else {
            throw OpenIDProblem(.unreachable, "\(url) answers with status \(response.status)", "check the issuer's address")
        }
        return response.body
    }

    private static func result<Value>(
        _ body: () async throws(OpenIDProblem) -> Value
    ) async -> Result<Value, OpenIDProblem> {
        do throws(OpenIDProblem) {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }
}

/// Whom the provider vouches for.
struct OpenIDIdentity: Sendable, Equatable {
    var issuer: String
    /// Unique at the issuer and never given to somebody else (OpenID Connect Core 1.0 section 2), as names and addresses of mail are not.
    var subject: String
    var claims: [String: ClaimValue]
}
