import Foundation
import Glibc
import HTTPTypes
import Testing

/// The built `tatou`, run as users run it.
final class Server {
    let client: Client
    private let process = Process()
    private let output = Pipe()

    private struct Absent: Error {}
    struct NotServing: Error {}

    /// Beside the test bundle. Where it is absent the test is cancelled with the reason; in CI it fails.
    static func path() throws -> String {
        let bundle = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let bundles =
            [bundle]
            + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map {
                URL(fileURLWithPath: $0).deletingLastPathComponent()
            }
        let found = bundles.map(\.path).first { folder in
            ["tatou", "tatou-worker"].allSatisfy { FileManager.default.isExecutableFile(atPath: "\(folder)/\($0)") }
        }
        if let found { return found + "/tatou" }
        let reason = "not run: the programs tatou and tatou-worker are not beside the tests; `swift build` makes them"
        if ProcessInfo.processInfo.environment["CI"] == "true" {
            Issue.record("\(reason); in CI they have to be there")
            throw Absent()
        }
        try Test.cancel("\(reason)")
    }

    /// Returns when it serves.
    init(data: String) throws {
        process.executableURL = URL(fileURLWithPath: try Server.path())
        process.arguments = ["serve", "--data", data, "--listen", "127.0.0.1:0", "--unlimited"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while !line.contains("\n") {
            let more = output.fileHandleForReading.availableData
            guard !more.isEmpty else { throw NotServing() }
            line += String(decoding: more, as: UTF8.self)
        }
        let number = line.split(separator: " ").first { $0.hasPrefix("http://127.0.0.1:") }?.split(separator: ":").last
        guard let port = number.flatMap({ Int($0.filter(\.isNumber)) }) else { throw NotServing() }
        client = Client(port: port)
    }

    /// As a power cut would: nothing is flushed, nothing is told. Returns when it is gone.
    func kill() {
        Glibc.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func stop() -> Int32 {
        process.terminate()
        process.waitUntilExit()
        return process.terminationStatus
    }

    deinit { if process.isRunning { kill() } }

    var identifier: pid_t { process.processIdentifier }
}

/// Asks a server by a connection for each request.
struct Client: Sendable {
    let port: Int

    /// Sends a request and reads until the server closes; `nil` where it went away in between.
    func ask(_ method: String, _ path: String, token: String? = nil, type: String? = nil, body: [UInt8] = []) -> Answer? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return nil }
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: \(body.count)\r\n"
        if let token { head += "Authorization: Bearer \(token)\r\n" }
        if let type { head += "Content-Type: \(type)\r\n" }
        let request = Array((head + "\r\n").utf8) + body
        var sent = 0
        while sent < request.count {
            let count = request.withUnsafeBytes {
                send(socket, $0.baseAddress?.advanced(by: sent), $0.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return nil }
            sent += count
        }
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            if count <= 0 { break }
            received += buffer[..<count]
        }
        let text = String(decoding: received, as: UTF8.self)
        guard let status = Int(text.split(separator: " ").dropFirst().first ?? ""),
            let end = received.firstRange(of: Array("\r\n\r\n".utf8))
        else { return nil }
        return Answer(status: status, headers: [:], body: Array(received[end.upperBound...]))
    }

    func post(_ path: String, _ json: [String: Any], token: String? = nil) throws -> Answer? {
        ask(
            "POST", path, token: token, type: "application/json",
            body: [UInt8](try JSONSerialization.data(withJSONObject: json)))
    }

    func upload(_ pdf: [UInt8], token: String) -> Answer? {
        ask("POST", "/api/upload-document", token: token, type: Form.contentType, body: Form.make(pdf))
    }
}
