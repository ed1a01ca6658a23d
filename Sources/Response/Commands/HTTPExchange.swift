import Foundation
import Programs

/// One HTTP request of a playbook or a lease, by the program curl: a deadline, no redirects, an answer of bounded size.
///
/// Addresses, headers and bodies go through curl's standard input: they are in no list of processes.
package struct HTTPExchange: Sendable, Hashable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: String?
    /// A path, where the other side listens on a socket of this machine.
    package var socket: String?
    /// Bytes of an answer's body; more is an answer that cannot be trusted.
    package var answerLimit = 1 << 20

    package struct Answer: Sendable, Hashable {
        package var status: Int
        package var body: [UInt8]
    }

    package struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        package var description: String
        /// The request cannot have reached anybody.
        package var isUnsent = false
        package var isTimeout = false
    }

    package init(_ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: String? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    package static func == (left: HTTPExchange, right: HTTPExchange) -> Bool { left.text == right.text }
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// curl's configuration: `name = "value"`, with backslashes as curl(1) has them.
    private var text: String {
        var options: [(String, String)] = [("url", url), ("request", method)]
        if method == "HEAD" { options = [("url", url), ("head", "")] }
        options += headers.map { ("header", "\($0.name): \($0.value)") }
        if let socket { options.append(("unix-socket", socket)) }
        // Raw: a body that begins with @ names no file.
        if let body { options.append(("data-raw", body)) }
        return options.map { name, value in
            if name == "head" { return "head" }
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
                .replacing("\r", with: "\\r").replacing("\t", with: "\\t")
            return "\(name) = \"\(escaped)\""
        }.joined(separator: "\n") + "\n"
    }

    package func send(seconds: Double) async throws(Failure) -> Answer {
        try check()
        let limit = max(0.1, seconds)
        var curl = Subprocess(
            "/usr/bin/curl",
            [
                "--disable", "--silent", "--globoff", "--path-as-is", "--max-time", "\(limit)", "--connect-timeout", "10",
                "--proto", "=http,https", "--max-redirs", "0", "--max-filesize", "\(answerLimit)", "--write-out",
                "\n%{response_code}", "--config", "-",
            ], input: Array(text.utf8))
        curl.outputLimit = answerLimit + 16
        curl.floodLimit = answerLimit + 65_536
        let outcome: Subprocess.Outcome
        do {
            outcome = try await curl.run(seconds: limit + 2)
        } catch {
            throw Failure(description: error.description, isUnsent: true)
        }
        switch outcome.ending {
        case .exited(0): return try HTTPExchange.answer(outcome.output)
        case .exited(let code): throw failure(code, limit)
        case .flooded: throw Failure(description: "the answer was larger than \(answerLimit >> 20) MiB")
        case .timedOut: throw Failure(description: "no answer within \(Int(limit)) s", isTimeout: true)
        case .cancelled: throw Failure(description: "it was broken off")
        case .killed(let signal): throw Failure(description: "curl was killed by signal \(signal)")
        }
    }

    /// What curl would take for something else than a text.
    private func check() throws(Failure) {
        let token = { (text: String) in
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"()<>@,;:\\\"/[]?={}".utf8.contains($0) }
        }
        let isClean = { (text: String) in !text.utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F } }
        guard token(method), headers.allSatisfy({ token($0.name) && isClean($0.value) }) else {
            throw Failure(description: "the method or a header is none (RFC 9110)", isUnsent: true)
        }
        guard url.hasPrefix("http://") || url.hasPrefix("https://"), url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Failure(description: "'\(url)' is no HTTP address", isUnsent: true)
        }
        guard body?.utf8.contains(0) != true else { throw Failure(description: "the body has a NUL byte", isUnsent: true) }
    }

    private static func answer(_ output: [UInt8]) throws(Failure) -> Answer {
        guard let end = output.lastIndex(of: 0x0A),
            let status = Int(String(decoding: output[(end + 1)...], as: UTF8.self)), status > 0
        else { throw Failure(description: "the answer is no HTTP") }
        return Answer(status: status, body: Array(output[..<end]))
    }

    /// curl(1), exit codes.
    private func failure(_ code: Int32, _ limit: Double) -> Failure {
        switch code {
        case 3: Failure(description: "the address is none", isUnsent: true)
        case 5, 6: Failure(description: "the name of the host is not known", isUnsent: true)
        case 7: Failure(description: "the host refuses the connection, or cannot be reached", isUnsent: true)
        case 28: Failure(description: "no answer within \(Int(limit)) s", isTimeout: true)
        case 35, 51, 53, 54, 58, 59, 60, 64, 77, 83, 90, 91:
            Failure(description: "no secure connection could be made", isUnsent: true)
        case 63: Failure(description: "the answer was larger than \(answerLimit >> 20) MiB")
        case 52, 55, 56: Failure(description: "the connection broke")
        default: Failure(description: "curl ended with \(code)")
        }
    }
}
