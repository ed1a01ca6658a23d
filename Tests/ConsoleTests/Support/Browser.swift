import Console
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Calls the router as a browser would: keeps cookies, sends forms with the token of the page it saw last. No network.
final class Browser {
    var cookies: [String: String] = [:]
    /// The `csrf` field of the last page that had one.
    var formToken = ""
    var host = "localhost:8630"
    var address = "127.0.0.1"
    let world: World

    init(_ world: World) { self.world = world }

    struct Answer {
        let status: Int
        let headers: HTTPFields
        let text: String

        func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
        var location: String? { headers[.location] }
        var setCookies: [String] { headers[values: .setCookie] }
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Answer {
        try await send(.get, path, headers: headers, body: "")
    }

    /// Sends a form with the token, and the origin a browser would name.
    func post(
        _ path: String, _ fields: [String: String], token: String? = nil, headers: [String: String] = [:],
        method: HTTPRequest.Method = .post
    ) async throws -> Answer {
        var fields = fields
        fields["csrf"] = token ?? formToken
        let body = fields.map { "\($0.key)=\(Self.encode($0.value))" }.joined(separator: "&")
        var all = [
            "content-type": "application/x-www-form-urlencoded", "origin": "http://\(host)", "sec-fetch-site": "same-origin",
        ]
        all.merge(headers) { _, new in new }
        return try await send(method, path, headers: all, body: body)
    }

    func send(_ method: HTTPRequest.Method, _ path: String, headers: [String: String], body: String) async throws -> Answer {
        let response = try await respond(method, path, headers: headers, body: body)
        let collected = Collector()
        try await response.body.write(collected)
        let text = String(buffer: collected.bytes.withLock { $0 })
        for cookie in response.headers[values: .setCookie] {
            let pair = cookie.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            cookies[String(pair[0])] = cookie.contains("Max-Age=0") ? nil : String(pair[1])
        }
        if let token = text.firstMatch(of: #/name="csrf" value="([0-9a-f]+)"/#) { formToken = String(token.1) }
        return Answer(status: response.status.code, headers: response.headers, text: text)
    }

    func respond(_ method: HTTPRequest.Method, _ path: String, headers: [String: String] = [:], body: String = "") async throws
        -> Response
    {
        var fields = HTTPFields()
        for (name, value) in headers {
            if let name = HTTPField.Name(name) { fields[name] = value }
        }
        if !cookies.isEmpty { fields[.cookie] = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ") }
        if !body.isEmpty, fields[.contentLength] == nil { fields[.contentLength] = "\(body.utf8.count)" }
        let head = HTTPRequest(method: method, scheme: "http", authority: host, path: path, headerFields: fields)
        return try await world.responder.respond(
            to: Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body))),
            context: ConsoleContext(logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }), address: address))
    }

    private static func encode(_ text: String) -> String {
        text.utf8.map { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                ? String(Unicode.Scalar(byte)) : (byte < 16 ? "%0" : "%") + String(byte, radix: 16)
        }.joined()
    }
}

/// Gathers a response's body, and tells as it comes: for event streams.
final class Collector: ResponseBodyWriter, Sendable {
    let bytes = Shared(ByteBuffer())
    let chunks: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() { (chunks, continuation) = AsyncStream.makeStream() }

    func write(_ buffer: ByteBuffer) async throws {
        bytes.withLock { _ = $0.writeImmutableBuffer(buffer) }
        continuation.yield(String(buffer: buffer))
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { continuation.finish() }
}
