import Foundation
import Journal

/// One request to something that enforces leases, with the program curl. Everything it is told goes through its standard input:
/// keys are in no list of processes.
struct HTTPCall: Sendable {
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
            try JSONValue(parsing: Array(body.utf8), limits: .init(depth: 32, bytes: 16 << 20))
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
        var options: [(String, String)] = [("url", url), ("request", method)]
        for header in headers { options.append(("header", header)) }
        if let body { options.append(("data-raw", body)) }
        if let socket { options.append(("unix-socket", socket)) }
        // curl(1): backslashes in a configuration file's quoted values.
        let text = options.map { name, value in
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
                .replacing("\r", with: "\\r").replacing("\t", with: "\\t")
            return "\(name) = \"\(escaped)\"\n"
        }.joined()
        let program = Program(
            words: [
                "curl", "--disable", "--silent", "--noproxy", "*", "--max-time", "\(limit)", "--proto", "=http,https",
                "--max-filesize", "16777216", "--write-out", "\\n%{response_code}", "--config", "-",
            ], seconds: limit + 2)
        let output: String
        do {
            output = try await program.run(input: text)
        } catch let failure as Program.Failure {
            throw Program.Failure(description: "\(HTTPCall.host(url)) does not answer: \(HTTPCall.reason(failure.description))")
        }
        let end = output.lastIndex(of: "\n") ?? output.startIndex
        return Answer(status: Int(output[end...].dropFirst()) ?? 0, body: String(output[..<end]))
    }

    /// What is shown of an address: never what may be secret in it.
    private static func host(_ url: String) -> String {
        let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).dropFirst(2).first ?? ""
        return String(rest.prefix { $0 != "/" && $0 != "?" }.split(separator: "@").last ?? "")
    }

    private static func reason(_ failure: String) -> String {
        for (code, words) in [
            ("ended with 7:", "it refuses the connection, or cannot be reached"), ("ended with 28:", "it took too long"),
            ("ended with 6:", "its name is not known"), ("ended with 52:", "it said nothing"),
            ("ended with 56:", "the connection broke"), ("ended with 60:", "its certificate is not trusted"),
        ] where failure.contains(code) { return words }
        return String(failure.split(separator: " ").suffix(8).joined(separator: " "))
    }
}
