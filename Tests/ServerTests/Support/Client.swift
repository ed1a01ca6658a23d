import Foundation
import FoundationNetworking

/// A browser of few words: keeps cookies, follows no redirects.
final class Client {
    private let port: Int
    private let bearer: String?
    private var cookies: [String: String] = [:]

    /// - Parameter bearer: an API token, for a program instead of a browser.
    init(port: Int, bearer: String? = nil) {
        self.port = port
        self.bearer = bearer
    }

    struct Answer {
        var status: Int
        var text: String
    }

    func get(_ path: String) async throws -> Answer { try await send(path, form: nil) }

    /// Sends the form that `page` shows, with its hidden token; by default the page is where the form goes.
    func submit(_ path: String, _ fields: [String: String], from page: String? = nil) async throws -> Answer {
        let page = try await get(page ?? path)
        let token = page.text.firstMatch(of: /name="csrf" value="([0-9a-f]+)"/).map { String($0.1) } ?? ""
        let all = fields.merging(["csrf": token]) { $1 }
        return try await send(path, form: all.map { "\($0.key)=\($0.value)" }.joined(separator: "&"))
    }

    /// Sends a form that no page showed.
    func post(_ path: String, _ fields: [String: String]) async throws -> Answer {
        try await send(path, form: fields.map { "\($0.key)=\($0.value)" }.joined(separator: "&"))
    }

    private func send(_ path: String, form: String?) async throws -> Answer {
        guard let url = URL(string: "http://127.0.0.1:\(port)\(path)") else { throw URLError(.badURL) }
        var request = URLRequest(url: url)
        if let form {
            request.httpMethod = "POST"
            request.httpBody = Data(form.utf8)
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "content-type")
        }
        request.setValue(cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; "), forHTTPHeaderField: "cookie")
        if let bearer { request.setValue("Bearer \(bearer)", forHTTPHeaderField: "authorization") }
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        // Beside the rest of the suite an answer may take minutes; the test's own limit ends what hangs.
        configuration.timeoutIntervalForRequest = 600
        let session = URLSession(configuration: configuration, delegate: NoRedirects(), delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let (data, response) = try await session.data(for: request)
        guard let response = response as? HTTPURLResponse else { throw URLError(.badServerResponse) }
        for cookie in HTTPCookie.cookies(withResponseHeaderFields: response.allHeaderFields as? [String: String] ?? [:], for: url)
        {
            cookies[cookie.name] = cookie.value
        }
        return Answer(status: response.statusCode, text: String(decoding: data, as: UTF8.self))
    }
}

private final class NoRedirects: NSObject, URLSessionTaskDelegate {
    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }
}
