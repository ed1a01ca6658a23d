import Foundation
import Journal
import Response

/// One request to something that enforces leases.
struct HTTPCall: Sendable {
    /// Of an answer; a list of a hundred thousand decisions is some ten megabytes.
    private static let maximumBytes = 16 << 20

    var url: String
    var method = "GET"
    var headers: [String] = []
    var body: String?
    /// A path, where the other side listens on a socket of this machine.
    var socket: String?
    /// Seconds.
    var limit = 5

    struct Answer: Sendable {
        var status: Int
        var body: String

        /// - Throws: where the answer is no JSON.
        func json() throws -> JSONValue {
            try JSONValue(parsing: Array(body.utf8), limits: .init(depth: 32, bytes: HTTPCall.maximumBytes))
        }
    }

    /// `unix:/run/app.sock` in the place of scheme and host means a socket of this machine.
    init(base: String, path: String) {
        if base.hasPrefix("unix:") {
            socket = String(base.dropFirst("unix:".count))
            url = "http://localhost" + path
        } else {
            url = (base.hasSuffix("/") ? String(base.dropLast()) : base) + path
        }
    }

    func send() async throws -> Answer {
        let fields = headers.map { header in
            let colon = header.firstIndex(of: ":") ?? header.endIndex
            return (name: String(header[..<colon]), value: header[colon...].dropFirst().trimmingCharacters(in: .whitespaces))
        }
        var exchange = HTTPExchange(method, url, headers: fields, body: body)
        exchange.socket = socket
        exchange.answerLimit = HTTPCall.maximumBytes
        do {
            let answer = try await exchange.send(seconds: Double(limit))
            return Answer(status: answer.status, body: String(decoding: answer.body, as: UTF8.self))
        } catch {
            throw Program.Failure(description: "\(HTTPCall.host(url)) does not answer: \(error.description)")
        }
    }

    /// What is shown of an address: never what may be secret in it.
    private static func host(_ url: String) -> String {
        let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).dropFirst(2).first ?? ""
        return String(rest.prefix { $0 != "/" && $0 != "?" }.split(separator: "@").last ?? "")
    }
}
