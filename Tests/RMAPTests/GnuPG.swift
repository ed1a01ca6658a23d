import Foundation
import Testing

/// GnuPG as the client: its own key ring in a folder of its own, one process for each operation.
final class GnuPG: Sendable {
    let home: URL

    static let isHere = FileManager.default.isExecutableFile(atPath: "/usr/bin/gpg")

    init() throws {
        home = FileManager.default.temporaryDirectory.appendingPathComponent("gpg-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(
            at: home, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// gpg leaves an agent behind.
    func close() {
        _ = try? run("/usr/bin/gpgconf", ["--kill", "gpg-agent"])
        try? FileManager.default.removeItem(at: home)
    }

    @discardableResult
    private func run(_ program: String, _ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ["GNUPGHOME": home.path, "PATH": "/usr/bin:/bin", "LC_ALL": "C"]
        let source = home.appendingPathComponent("in-\(UUID().uuidString)")
        try Data(input).write(to: source)
        defer { try? FileManager.default.removeItem(at: source) }
        process.standardInput = try FileHandle(forReadingFrom: source)
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "\(program) \(arguments.joined(separator: " "))") }
        return [UInt8](data)
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    func gpg(_ arguments: [String], input: [UInt8] = []) throws -> [UInt8] {
        try run("/usr/bin/gpg", ["--batch", "--quiet", "--yes", "--trust-model", "always"] + arguments, input: input)
    }

    func makeKey(_ name: String, _ algorithm: String, _ usage: String, passphrase: String = "") throws {
        _ = try gpg([
            "--pinentry-mode", "loopback", "--passphrase", passphrase, "--quick-generate-key", name, algorithm, usage, "never",
        ])
    }

    func publicKey(_ name: String) throws -> [UInt8] { try gpg(["--armor", "--export", name]) }

    func privateKey(_ name: String, passphrase: String = "") throws -> [UInt8] {
        try gpg(["--armor", "--pinentry-mode", "loopback", "--passphrase", passphrase, "--export-secret-keys", name])
    }

    /// Armoured.
    func encrypt(_ text: String, to name: String, _ more: [String] = []) throws -> String {
        String(decoding: try gpg(more + ["--armor", "--recipient", name, "--encrypt"], input: Array(text.utf8)), as: UTF8.self)
    }

    func decrypt(_ message: [UInt8]) throws -> String {
        String(decoding: try gpg(["--decrypt"], input: message), as: UTF8.self)
    }
}

/// Keys of a server and three identities, made once for a suite.
struct People: Sendable {
    let gnupg: GnuPG
    let serverKey: [UInt8]
    let lockedServerKey: [UInt8]
    let clients: [String: [UInt8]]

    @TaskLocal static var here: People?

    fileprivate init(_ gnupg: GnuPG) throws {
        self.gnupg = gnupg
        try gnupg.makeKey("server", "future-default", "default")
        try gnupg.makeKey("locked", "future-default", "default", passphrase: "open sesame")
        try gnupg.makeKey("Jean", "future-default", "default")
        // One key for everything, without a subkey, as some have.
        try gnupg.makeKey("Group_17", "rsa2048", "sign,encr")
        try gnupg.makeKey("Signer", "ed25519", "sign")
        serverKey = try gnupg.privateKey("server")
        lockedServerKey = try gnupg.privateKey("locked", passphrase: "open sesame")
        var clients: [String: [UInt8]] = [:]
        for name in ["Jean", "Group_17", "Signer"] { clients[name] = try gnupg.publicKey(name) }
        self.clients = clients
    }
}

struct PeopleTrait: SuiteTrait, TestScoping {
    @concurrent func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        let gnupg = try GnuPG()
        defer { gnupg.close() }
        try await People.$here.withValue(try People(gnupg)) { try await function() }
    }
}

extension Trait where Self == PeopleTrait {
    static var people: PeopleTrait { PeopleTrait() }
}
