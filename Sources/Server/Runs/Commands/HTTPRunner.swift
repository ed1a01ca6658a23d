import Foundation
import Journal
import Response

/// `http-api` and `openc2-http` commands: the step's key with every attempt, a deadline, no redirects, a bounded answer.
struct HTTPRunner: Sendable {
    /// The key's header (draft-ietf-httpapi-idempotency-key-header); its value is a string of RFC 9651, in quotes.
    static let keyHeader = "Idempotency-Key"
    /// Seconds before another attempt at a target that honours the key.
    static let pauses: [Double] = [0.5, 1, 2, 4, 8]

    func carryOut(_ request: CommandRequest, seconds: Double) async -> CommandEnding {
        guard let exchange = exchange(request) else {
            return .finished(
                CommandResult(.failed, detail: "\(request.agent.name) has no address to send to, or the request no path"))
        }
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        var attempt = 0
        while true {
            let left = clock.now.duration(to: end) / .seconds(1)
            var reason: String
            do {
                let answer = try await exchange.send(seconds: left)
                if (200..<300).contains(answer.status) { return .finished(succeeded(answer, request)) }
                reason = "the answer was \(answer.status): \(CommandOutput.detail(String(decoding: answer.body, as: UTF8.self)))"
                if (300..<400).contains(answer.status) { reason = "the answer was \(answer.status): redirects are not followed" }
                let isPassing = [408, 425, 429].contains(answer.status) || answer.status >= 500
                guard isPassing, request.isRepeatable else {
                    // A server's failure may have come after the deed.
                    if answer.status >= 500, !request.isRepeatable { return .unknown }
                    return .finished(CommandResult(.failed, detail: reason))
                }
            } catch {
                reason = error.description
                if !request.isRepeatable { return error.isUnsent ? .finished(CommandResult(.failed, detail: reason)) : .unknown }
            }
            let pause = HTTPRunner.pauses[min(attempt, HTTPRunner.pauses.count - 1)]
            attempt += 1
            let rest = clock.now.duration(to: end) / .seconds(1)
            guard rest > pause else {
                return .finished(CommandResult(rest <= 0 ? .timedOut : .failed, detail: "\(reason) (\(attempt) attempts)"))
            }
            do {
                try await Task.sleep(for: .seconds(pause))
            } catch {
                return .finished(CommandResult(.failed, detail: "broken off; \(reason)"))
            }
        }
    }

    private func exchange(_ request: CommandRequest) -> HTTPExchange? {
        // §7.4: the agent is whom the request goes to; a target, where there is one, is told in it.
        guard let address = request.agent.addresses["url"]?.first else { return nil }
        var method = "POST"
        var url = address
        if request.kind == .httpAPI {
            guard let line = RequestLine(request.text), line.path.hasPrefix("/") else { return nil }
            method = line.method
            url = RequestLine.join(address, line.path)
        }
        var headers = request.headers.sorted { $0.key < $1.key }.flatMap { name, values in values.map { (name: name, value: $0) }
        }
        let has = { (name: String) in headers.contains { $0.name.lowercased() == name } }
        if !has("content-type"), request.content != nil {
            // OpenC2 over HTTP 1.1, §3.2.
            headers.append(
                (
                    name: "Content-Type",
                    value: request.kind == .openC2 ? "application/openc2+json;version=1.0" : "application/json"
                ))
        }
        headers.append((name: HTTPRunner.keyHeader, value: "\"\(request.key)\""))
        if request.kind == .openC2, !has("x-request-id") { headers.append((name: "X-Request-ID", value: request.key)) }
        let body = request.content.map { String(decoding: $0, as: UTF8.self) } ?? (request.kind == .openC2 ? request.text : nil)
        return HTTPExchange(method, url, headers: headers, body: body)
    }

    private func succeeded(_ answer: HTTPExchange.Answer, _ request: CommandRequest) -> CommandResult {
        let text = String(decoding: answer.body, as: UTF8.self)
        let json = try? JSONValue(parsing: answer.body)
        // OpenC2 Language §3.3.2: the status within the answer is the command's own.
        if request.kind == .openC2, let status = json?["status"]?.integerValue, !(200..<300).contains(status) {
            return CommandResult(.failed, detail: "the answer's status was \(status): \(CommandOutput.detail(text))")
        }
        let values =
            json.map { CommandOutput.values($0, request.results) }
            ?? CommandOutput.values(text, request.results)
        return CommandResult(.succeeded, outputs: values, detail: "\(answer.status) \(CommandOutput.detail(text))")
    }
}
