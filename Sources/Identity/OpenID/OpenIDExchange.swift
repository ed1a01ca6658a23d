/// One request to a provider.
package struct OpenIDRequest: Sendable {
    package var url: String
    package var headers: [(name: String, value: String)] = [("Accept", "application/json")]
    /// Sent by POST; without it the request is a GET.
    package var form: String?

    init(_ url: String) { self.url = url }
}

package struct OpenIDResponse: Sendable, Equatable {
    package var status: Int
    package var body: [UInt8]

    package init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Carries out one request: with an end, an answer of bounded size, and following no redirect.
package typealias OpenIDTransport = @Sendable (OpenIDRequest) async throws(OpenIDProblem) -> OpenIDResponse
