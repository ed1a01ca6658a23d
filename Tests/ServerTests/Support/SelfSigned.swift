import Foundation
import Server

/// A certificate for tests over TLS.
enum SelfSigned {
    private struct Failure: Error {}

    /// `nil` where there is no openssl to make one.
    static func make(in folder: String) throws -> ReceiverTLSOptions? {
        let program = "/usr/bin/openssl"
        guard FileManager.default.isExecutableFile(atPath: program) else { return nil }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let (certificate, key) = ("\(folder)/test-certificate.pem", "\(folder)/test-key.pem")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
            "/CN=localhost", "-keyout", key, "-out", certificate,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure() }
        return ReceiverTLSOptions(certificate: certificate, key: key)
    }
}
