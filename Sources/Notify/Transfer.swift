import Foundation
import Programs

/// One transfer with the program curl, which speaks HTTP and SMTP with TLS as it has for decades.
///
/// Everything it is told goes through its standard input: addresses and passwords are in no list of processes.
struct Transfer {
    private var options: [(name: String, value: String?)] = []
    /// Seconds.
    static let limit = 20
    var limit = Transfer.limit

    mutating func set(_ name: String, _ value: String? = nil) { options.append((name, value)) }

    /// curl's configuration file: `name = "value"`, with backslashes as curl(1) has them.
    private var text: String {
        options.map { name, value in
            guard let value else { return name }
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
                .replacing("\r", with: "\\r").replacing("\t", with: "\\t")
            return "\(name) = \"\(escaped)\""
        }.joined(separator: "\n") + "\n"
    }

    /// Bytes of an answer; a longer one is a failure.
    private static let maximumAnswer = 65_536

    /// - Returns: the status of an HTTP answer; 250 for mail.
    func run(protocols: String) async throws(DeliveryFailure) -> Int {
        try await exchange(protocols: protocols, keepsBody: false).status
    }

    private func exchange(protocols: String, keepsBody: Bool) async throws(DeliveryFailure) -> (status: Int, body: String) {
        var curl = Subprocess(
            "/usr/bin/env",
            [
                "curl", "--disable", "--silent", "--max-time", "\(limit)", "--connect-timeout", "10", "--proto", protocols,
                "--output", keepsBody ? "-" : "/dev/null", "--write-out", "\n%{response_code}", "--config", "-",
            ] + (keepsBody ? ["--max-filesize", "\(Transfer.maximumAnswer)"] : []),
            // Proxies and authorities are named there.
            environment: ProcessInfo.processInfo.environment, input: Array(text.utf8))
        curl.outputLimit = Transfer.maximumAnswer + 16
        let outcome: Subprocess.Outcome
        do {
            outcome = try await curl.run(seconds: Double(limit) + 5)
        } catch {
            throw DeliveryFailure(error.description)
        }
        switch outcome.ending {
        case .exited(0): break
        case .exited(let status):
            if protocols.contains("smtp"), let refusal = refusal(outcome.text) { throw refusal }
            throw failure(status)
        case .timedOut: throw failure(28)
        case .flooded: throw DeliveryFailure("the answer was larger than \(Transfer.maximumAnswer) bytes")
        case .cancelled: throw DeliveryFailure("it was broken off")
        case .killed(let signal): throw DeliveryFailure("curl was killed by signal \(signal)")
        }
        let answer = outcome.text
        let end = answer.lastIndex(of: "\n") ?? answer.startIndex
        return (Int(answer[end...].dropFirst()) ?? 0, String(answer[..<end]))
    }

    /// What a mail server said last, where that was a refusal (RFC 5321, section 4.2.1): 4xx passes by itself, 5xx hardly ever.
    private func refusal(_ outcome: String) -> DeliveryFailure? {
        guard let code = outcome.split(separator: "\n").last.flatMap({ Int($0) }), (400..<600).contains(code) else { return nil }
        return DeliveryFailure("the mail server answered \(code)", maximumAttempts: code < 500 ? nil : 4)
    }

    /// curl(1), exit codes.
    private func failure(_ status: Int32) -> DeliveryFailure {
        let reason =
            switch status {
            case 3: "the address is none"
            case 5, 6: "the name of the host is not known"
            case 7: "the host refuses the connection, or cannot be reached"
            case 28: "no answer within \(limit) seconds"
            case 35, 51, 53, 54, 58, 59, 60, 64, 77, 83, 90, 91: "no secure connection could be made"
            case 52, 55, 56: "the connection broke, or the server refused what was sent"
            case 67: "the server refuses the name or password"
            case 63: "the answer was larger than \(Transfer.maximumAnswer) bytes"
            case 127: "curl is not there; install it"
            default: "curl ended with \(status)"
            }
        return DeliveryFailure(reason, isPermanent: status == 3)
    }

    /// Sends JSON, and takes every 2xx for delivered.
    static func post(_ body: String, to address: String, headers: [String] = []) async throws(DeliveryFailure) {
        var transfer = Transfer()
        transfer.set("url", address)
        transfer.set("request", "POST")
        for header in ["Content-Type: application/json", "User-Agent: vigie"] + headers { transfer.set("header", header) }
        transfer.set("data-raw", body)
        try accept(try await transfer.run(protocols: "=http,https"))
    }

    /// The same, and what was answered.
    static func exchange(
        _ body: String, with address: String, headers: [String]
    ) async throws(DeliveryFailure) -> String {
        var transfer = Transfer()
        transfer.set("url", address)
        transfer.set("request", "POST")
        for header in ["Content-Type: application/json; charset=utf-8", "User-Agent: vigie"] + headers {
            transfer.set("header", header)
        }
        transfer.set("data-raw", body)
        let (status, answer) = try await transfer.exchange(protocols: "=http,https", keepsBody: true)
        try accept(status)
        return answer
    }

    private static func accept(_ status: Int) throws(DeliveryFailure) {
        switch status {
        case 200..<300: return
        // Too early, too many, or a passing state of the other side.
        case 408, 425, 429, 500...: throw DeliveryFailure("the answer was \(status)")
        // A proxy that restarts, a key or a path that is just being changed; the fourth attempt comes after two minutes.
        case 401, 403, 404: throw DeliveryFailure("the answer was \(status)", maximumAttempts: 4)
        default: throw DeliveryFailure("the answer was \(status)", isPermanent: true)
        }
    }
}
