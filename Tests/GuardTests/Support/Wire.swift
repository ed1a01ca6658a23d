import Hummingbird
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

@testable import Guard

let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// Runs an application on a free port of the loopback for the length of `body`.
func withApplication<Context: RequestContext>(
    _ router: Router<Context>, services: [any Service] = [], logger: Logger = quiet,
    _ body: (_ port: Int) async throws -> Void
) async throws where Context.Source == ApplicationRequestContextSource {
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    let application = Application(
        router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), services: services,
        onServerRunning: { found.yield($0.localAddress?.port ?? 0) }, logger: logger)
    let group = ServiceGroup(configuration: .init(services: [application], logger: quiet))
    // Stopped gracefully whatever happens: cancelling a server traps in swift-nio when a connection waits to be taken.
    let serving = Task {
        defer { found.finish() }
        try await group.run()
    }
    var iterator = ports.makeAsyncIterator()
    let port = await iterator.next(isolation: #isolation) ?? 0
    do {
        try await body(port)
    } catch {
        await group.triggerGracefulShutdown()
        try await serving.value
        throw error
    }
    await group.triggerGracefulShutdown()
    try await serving.value
}

/// An answer as it came over the wire.
struct Answer: Sendable {
    let status: Int
    let head: String
    let body: String

    init(_ text: String) {
        let parts = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
        head = parts.first.map(String.init) ?? ""
        body = parts.count > 1 ? String(parts[1]) : ""
        status = Int(head.split(separator: " ").dropFirst().first ?? "") ?? 0
    }

    /// The value of a header; `nil` where it is missing.
    func header(_ name: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts[0].lowercased() == name.lowercased() { return parts[1].drop { $0 == " " }.description }
        }
        return nil
    }
}

/// One request on a connection of its own, to the end of the answer.
func ask(
    _ port: Int, _ path: String, method: String = "GET", headers: [String] = [], body: String? = nil
) async throws -> Answer {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost", "Connection: close"] + headers
    if let body { lines.append("Content-Length: \(body.utf8.count)") }
    return try await send(port, lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
}

/// Sends bytes as they are, and reads until the server closes.
func send(_ port: Int, _ text: String) async throws -> Answer {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
        .connect(host: "127.0.0.1", port: port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
    return try await channel.executeThenClose { inbound, outbound in
        try await outbound.write(ByteBuffer(string: text))
        var answer = ""
        do {
            for try await bytes in inbound { answer += String(buffer: bytes) }
        } catch is IOError {
            // A server that closes while we still send resets the connection; what came before counts.
        }
        return Answer(answer)
    }
}

/// Asks again until the answer is as wanted: for what another task has to have done first, and cannot tell. Bounded by the test's time
/// limit.
func eventually(_ condition: () async throws -> Bool) async throws {
    while try await !condition() {
        try await Task.sleep(for: .milliseconds(10))
    }
}
