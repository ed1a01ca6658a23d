import Foundation
import FoundationNetworking
import Logging
import Testing

@testable import Server

extension World {
    /// A server with receivers on free ports, and the ports by their names.
    func withReceivers(
        _ change: (inout ServerOptions) -> Void = { _ in },
        _ body: @escaping @Sendable (VigieServer, [String: Int]) async throws -> Void
    ) async throws {
        var options = options
        options.sources = []
        options.receivers.http = [HTTPReceiverOptions(listen: ListenAddress(host: "127.0.0.1", port: 0))]
        change(&options)
        let server = try await VigieServer.start(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let (opened, found) = AsyncStream.makeStream(of: (String, Int).self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { found.finish() }
                do {
                    try await server.run {
                        found.yield(($0, $1))
                    } listening: { _ in
                    }
                } catch is CancellationError {
                    // The way a test stops it.
                }
            }
            let wanted = options.receivers.http.count + options.receivers.syslog.count
            var ports: [String: Int] = [:]
            for await (name, port) in opened {
                ports[name] = port
                if ports.count == wanted { break }
            }
            let all = ports
            group.addTask { try await body(server, all) }
            try await group.next()
            group.cancelAll()
            try await group.waitForAll()
        }
    }
}

/// A sender over HTTP that no test of its own is about.
enum Sender {
    /// One request; the answer's status, headers and text.
    static func send(
        _ port: Int, _ path: String, _ body: [UInt8], type: String = "application/json", headers: [String: String] = [:]
    ) async throws -> (status: Int, headers: [AnyHashable: Any], text: String) {
        var request = URLRequest(url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")))
        request.httpMethod = "POST"
        request.timeoutInterval = 600
        request.httpBody = Data(body)
        request.setValue(type, forHTTPHeaderField: "content-type")
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession.shared.data(for: request)
        let answer = try #require(response as? HTTPURLResponse)
        return (answer.statusCode, answer.allHeaderFields, String(decoding: data, as: UTF8.self))
    }
}

extension ReceiverPatience {
    /// No deadline that a test beside many others could miss. The pace of entries is as it is for everybody.
    static var hours: ReceiverPatience {
        let long = Duration.seconds(36_000)
        var patience = ReceiverPatience()
        (patience.handshake, patience.headers, patience.rest, patience.idle) = (long, long, long, long)
        (patience.proxyHeader, patience.message) = (long, long)
        return patience
    }
}
