import Events
import Foundation
import Guard
import HTTPTypes
import Hummingbird
import Identity
import Logging
import NIOCore
import NIOEmbedded
import Synchronization

@testable import Tatou

let quiet = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

/// A folder of one test's own.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "tatou-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func files(_ name: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(name)")) ?? []).sorted()
    }
}

/// A clock that stands still until it is moved.
final class Hands: Sendable {
    private let moment = Mutex(Timestamp(seconds: 1_772_470_563))

    var now: Timestamp { moment.withLock { $0 } }
    func advance(seconds: Int64) { moment.withLock { $0 = $0.advanced(bySeconds: seconds) } }
}

/// A platform in a folder of its own, asked without a network.
struct World: Sendable {
    let folder: Folder
    let hands = Hands()
    let processing = InProcessProcessing()
    let platform: Platform
    let responder: RouterResponder<TatouContext>

    static let metricsToken = "metrics-token-for-tests"

    init(
        folder: Folder? = nil, handshake: (any Handshake)? = nil,
        _ change: (inout Platform.Options) -> Void = { _ in },
        computing: @escaping @Sendable (PasswordHash.Cost) -> Void = { _ in }
    ) async throws {
        self.folder = try folder ?? Folder()
        var options = Platform.Options(data: self.folder.path)
        options.guarding.metricsToken = Self.metricsToken
        options.rates = .unlimited
        change(&options)
        // A hash that costs nothing: what is tested here is not Argon2.
        let hasher = try PasswordHasher(
            cost: .init(memoryKiB: 64, passes: 1, lanes: 1), maximumWaiting: 1000, computing: computing)
        platform = try Platform(options, processing: processing, hasher: hasher, logger: quiet, now: { [hands] in hands.now })
        _ = try await platform.sweep()
        responder = platform.router(handshake: handshake).buildResponder()
    }

    /// Asks, and reads the whole answer.
    func ask(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, headers: HTTPFields = [:], body: [UInt8]? = nil,
        pieces: Int = 64 << 10, from address: String = "203.0.113.9"
    ) async throws -> Answer {
        let response = try await respond(
            method, path, token: token, headers: headers, body: body, pieces: pieces, from: address)
        let collector = Collector()
        try await response.body.write(collector)
        return Answer(status: response.status.code, headers: response.headers, body: collector.bytes)
    }

    /// Asks, and leaves the answer's body to be read.
    func respond(
        _ method: HTTPRequest.Method, _ path: String, token: String? = nil, headers: HTTPFields = [:], body: [UInt8]? = nil,
        pieces: Int = 64 << 10, from address: String = "203.0.113.9"
    ) async throws -> Response {
        let channel = NIOAsyncTestingChannel()
        channel.remoteAddress = try SocketAddress(ipAddress: address, port: 4711)
        var fields = headers
        if let token { fields[.authorization] = "Bearer \(token)" }
        if let body, fields[.contentLength] == nil { fields[.contentLength] = String(body.count) }
        let head = HTTPRequest(method: method, scheme: "http", authority: "tatou", path: path, headerFields: fields)
        let buffers = stride(from: 0, to: body?.count ?? 0, by: pieces).map { start in
            ByteBuffer(bytes: (body ?? [])[start..<min(start + pieces, body?.count ?? 0)])
        }
        let request = Request(
            head: head,
            body: RequestBody(
                asyncSequence: AsyncStream { stream in
                    for buffer in buffers { stream.yield(buffer) }
                    stream.finish()
                }))
        let context = TatouContext(source: ApplicationRequestContextSource(channel: channel, logger: quiet))
        return try await responder.respond(to: request, context: context)
    }

    func post(
        _ path: String, _ json: [String: Any], token: String? = nil, from address: String = "203.0.113.9"
    ) async throws -> Answer {
        let body = [UInt8](try JSONSerialization.data(withJSONObject: json))
        return try await ask(
            .post, path, token: token, headers: [.contentType: "application/json"], body: body, from: address)
    }

    func upload(
        _ pdf: [UInt8] = SamplePDF.make(), name: String? = nil, fileName: String = "paper.pdf", type: String = "application/pdf",
        token: String, field: String = "file", pieces: Int = 64 << 10
    ) async throws -> Answer {
        let form = Form.make(pdf, name: name, fileName: fileName, type: type, field: field)
        return try await ask(
            .post, "/api/upload-document", token: token, headers: [.contentType: Form.contentType], body: form, pieces: pieces)
    }

    /// Registers somebody and signs in.
    func person(_ name: String) async throws -> Person {
        let email = "\(name)@example.org"
        let password = "a fine password of \(name)"
        let created = try await post("/api/create-user", ["login": name, "email": email, "password": password])
        guard created.status == 201, let id = created.number("id") else { throw Unexpected(created) }
        return Person(id: id, email: email, password: password, token: try await signIn(email, password))
    }

    func signIn(_ email: String, _ password: String) async throws -> String {
        let answer = try await post("/api/login", ["email": email, "password": password])
        guard answer.status == 200, let token = answer.text("token") else { throw Unexpected(answer) }
        return token
    }

    /// Uploads a document and says its identifier.
    func document(_ token: String, _ pdf: [UInt8] = SamplePDF.make(), name: String? = nil) async throws -> Int {
        let answer = try await upload(pdf, name: name, token: token)
        guard answer.status == 201, let id = answer.number("id") else { throw Unexpected(answer) }
        return id
    }

    /// Makes a version and gives the whole answer.
    func version(
        of document: Int, token: String, secret: String = "for bob only", key: String = "the key", recipient: String = "bob",
        method: String = "robust-xmp", and more: [String: Any] = [:]
    ) async throws -> Answer {
        var order: [String: Any] = ["method": method, "intended_for": recipient, "secret": secret, "key": key]
        order.merge(more) { _, new in new }
        let answer = try await post("/api/create-watermark/\(document)", order, token: token)
        guard answer.status == 201 else { throw Unexpected(answer) }
        return answer
    }

    /// The security log once everything is written.
    func log() async throws -> String {
        await platform.protection.log.flush()
        return (try? String(contentsOfFile: folder.path + "/logs/app.log", encoding: .utf8)) ?? ""
    }

    func events(_ action: String) async throws -> [[String: String]] {
        try await log().split(separator: "\n").compactMap { line in
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            let event = object?.mapValues { "\($0)" }
            return event?["event.action"] == action ? event : nil
        }
    }

    func metrics() async throws -> String {
        let name = HTTPField.Name("x-metrics-token")
        return try await ask(.get, "/metrics", headers: name.map { [$0: Self.metricsToken] } ?? [:]).string
    }
}

struct Person: Sendable {
    let id: Int
    let email: String
    let password: String
    let token: String
}

struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ answer: Answer) { description = "\(answer.status): \(answer.string.prefix(500))" }
}

struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let body: [UInt8]

    var string: String { String(decoding: body, as: UTF8.self) }
    var object: [String: Any] { (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:] }
    var error: String? { object["error"] as? String }
    func text(_ name: String) -> String? { object[name] as? String }
    func number(_ name: String) -> Int? { object[name] as? Int }
    func list(_ name: String) -> [[String: Any]] { object[name] as? [[String: Any]] ?? [] }
}

final class Collector: ResponseBodyWriter, Sendable {
    private let buffer = Mutex(ByteBuffer())
    /// Done once, when the first piece is there.
    private let meanwhile: Mutex<(@Sendable () async throws -> Void)?>

    init(meanwhile: (@Sendable () async throws -> Void)? = nil) { self.meanwhile = Mutex(meanwhile) }

    var bytes: [UInt8] { buffer.withLock { Array($0.readableBytesView) } }

    func write(_ part: ByteBuffer) async throws {
        buffer.withLock { _ = $0.writeImmutableBuffer(part) }
        let work = meanwhile.withLock { work in
            defer { work = nil }
            return work
        }
        try await work?()
    }

    func finish(_ trailingHeaders: HTTPFields?) async throws {}
}

enum Form {
    static let boundary = "----boundary-of-a-test"
    static let contentType = "multipart/form-data; boundary=\(boundary)"

    static func make(
        _ file: [UInt8], name: String? = nil, fileName: String? = "paper.pdf", type: String? = "application/pdf",
        field: String = "file"
    ) -> [UInt8] {
        var form: [UInt8] = []
        if let name {
            form += "--\(boundary)\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n\(name)\r\n".utf8
        }
        form += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field)\"".utf8
        if let fileName { form += "; filename=\"\(fileName)\"".utf8 }
        form += "\r\n".utf8
        if let type { form += "Content-Type: \(type)\r\n".utf8 }
        form += "\r\n".utf8
        form += file
        form += "\r\n--\(boundary)--\r\n".utf8
        return form
    }
}
