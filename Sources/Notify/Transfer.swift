import Foundation
import Synchronization

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

    /// Of an answer that is read; what is longer is cut.
    private static let maximumAnswer = 65_536

    /// - Returns: the status of an HTTP answer; 250 for mail.
    func run(protocols: String) async throws(DeliveryFailure) -> Int {
        try await exchange(protocols: protocols, keepsBody: false).status
    }

    private func exchange(protocols: String, keepsBody: Bool) async throws(DeliveryFailure) -> (status: Int, body: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "curl", "--disable", "--silent", "--max-time", "\(limit)", "--connect-timeout", "10", "--proto", protocols,
            "--output", keepsBody ? "-" : "/dev/null", "--write-out", "\n%{response_code}", "--config", "-",
        ]
        process.standardError = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        do {
            process.standardInput = try Transfer.input(text)
        } catch {
            throw DeliveryFailure("no temporary file can be made: \(error.localizedDescription)")
        }
        // Read beside the process: what fills the pipe would hold it up.
        async let answer = Transfer.drain(output.fileHandleForReading)
        let pid = Atomic<pid_t>(0)
        let status: Int32? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
                do {
                    try process.run()
                    pid.store(process.processIdentifier, ordering: .sequentiallyConsistent)
                    // Cancelled before there was anything to end.
                    if Task.isCancelled { kill(process.processIdentifier, SIGKILL) }
                } catch {
                    process.terminationHandler = nil
                    try? output.fileHandleForWriting.close()
                    continuation.resume(returning: nil)
                }
            }
        } onCancel: {
            // SIGKILL: a child of a pool thread inherits its mask, in which SIGTERM is blocked.
            let running = pid.load(ordering: .sequentiallyConsistent)
            if running > 0 { kill(running, SIGKILL) }
        }
        let text = String(decoding: await answer, as: UTF8.self)
        guard let status else { throw DeliveryFailure("curl cannot be run; install it") }
        guard status == 0 else { throw Transfer.failure(status) }
        let end = text.lastIndex(of: "\n") ?? text.startIndex
        return (Int(text[end...].dropFirst()) ?? 0, String(text[..<end].prefix(Transfer.maximumAnswer)))
    }

    /// All that comes, of which the first and the last are kept: the status stands at the end.
    private static func drain(_ handle: FileHandle) async -> Data {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                var (head, tail) = (Data(), Data())
                while let piece = try? handle.read(upToCount: 65_536), !piece.isEmpty {
                    let room = maximumAnswer - head.count
                    head += piece.prefix(room)
                    tail = (tail + piece.dropFirst(room)).suffix(16)
                }
                continuation.resume(returning: head + tail)
            }
        }
    }

    /// A file that has no name any more: nothing is left behind, whatever happens.
    private static func input(_ text: String) throws -> FileHandle {
        let path = NSTemporaryDirectory() + "vigie-\(UUID().uuidString)"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        unlink(path)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.seek(toOffset: 0)
        return handle
    }

    /// curl(1), exit codes.
    private static func failure(_ status: Int32) -> DeliveryFailure {
        let reason =
            switch status {
            case 3: "the address is none"
            case 5, 6: "the name of the host is not known"
            case 7: "the host refuses the connection, or cannot be reached"
            case 28: "no answer within \(limit) seconds"
            case 35, 51, 53, 54, 58, 59, 60, 64, 77, 83, 90, 91: "no secure connection could be made"
            case 52, 55, 56: "the connection broke, or the server refused what was sent"
            case 67: "the server refuses the name or password"
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
