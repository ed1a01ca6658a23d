import Events
import Foundation
import Journal
import Testing

/// `openssl ts` is the authority and the verifier; where it is not installed, the tests are cancelled and say so.
@Suite("Timestamps", .serialized)
struct TimestampTests {
    private let signed: SignedJournal

    init() throws {
        signed = try SignedJournal()
    }

    @discardableResult
    private func openssl(_ arguments: String...) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: signed.folder.path)
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    private func makeAuthority() throws {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl") else {
            try Test.cancel("not run: /usr/bin/openssl is not installed")
        }
        let configuration = """
            [req]
            distinguished_name = name
            prompt = no
            x509_extensions = tsa
            [name]
            CN = Test authority
            [tsa]
            extendedKeyUsage = critical,timeStamping
            basicConstraints = critical,CA:TRUE
            [ts]
            default_tsa = one
            [one]
            serial = serial
            crypto_device = builtin
            signer_digest = sha256
            default_policy = 1.2.3.4.1
            digests = sha256
            accuracy = secs:1
            ordering = no
            tsa_name = no
            ess_cert_id_chain = no
            """
        try Files.write(Array(configuration.utf8), to: signed.folder.file("tsa.cnf"))
        try Files.write(Array("01\n".utf8), to: signed.folder.file("serial"))
        let made = try openssl(
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.crt", "-days", "2", "-config",
            "tsa.cnf")
        try #require(made.status == 0, "\(made.text)")
    }

    private func answer(_ request: TimestampRequest) throws -> [UInt8] {
        try Files.write(request.bytes, to: signed.folder.file("query.tsq"))
        let replied = try openssl(
            "ts", "-reply", "-config", "tsa.cnf", "-section", "one", "-queryfile", "query.tsq", "-signer", "tsa.crt", "-inkey",
            "tsa.key",
            "-out", "answer.tsr")
        try #require(replied.status == 0, "\(replied.text)")
        return try Files.read(signed.folder.file("answer.tsr"))
    }

    @Test("openssl answers our request, we read its answer, openssl verifies it against the checkpoint's text")
    func roundTrip() async throws {
        try makeAuthority()
        try await signed.fill(3)
        let reader = TreeReader(journal: signed.path)
        let checkpoint = try #require(try reader.checkpoint(key: signed.signer.key))
        let text = Array(checkpoint.note.text.utf8)
        let request = TimestampRequest(of: text, random: Sample.random(3))
        let response = try answer(request)
        let query = try openssl("ts", "-query", "-in", "query.tsq", "-text")
        #expect(query.text.contains("Certificate required: yes"))

        let timestamp = try Timestamp3161(parsing: response)
        #expect(timestamp.answers(request))
        #expect(timestamp.isAbout(text))
        #expect(!timestamp.isAbout(text + [0x0A]))
        #expect(!timestamp.answers(TimestampRequest(of: text, random: Sample.random(4))))
        #expect(abs(timestamp.time.date.year - 2026) < 50)

        try Files.write(text, to: signed.folder.file("text"))
        let verified = try openssl("ts", "-verify", "-data", "text", "-in", "answer.tsr", "-CAfile", "tsa.crt")
        #expect(verified.status == 0 && verified.text.contains("Verification: OK"), "\(verified.text)")

        try reader.keep(checkpoint, timestamp: response)
        let report = try signed.verify()
        #expect(report.tree?.problems == [])
        #expect(report.tree?.timestampCount == 1)

        // Of another moment's checkpoint: refused when kept, named when it was put there.
        try await signed.fill(1, from: 3)
        let later = try #require(try reader.checkpoint(key: signed.signer.key))
        #expect(throws: JournalError.self) { try reader.keep(later, timestamp: response) }
        try Files.write(later.note.bytes, to: signed.file("tlog/kept/4.checkpoint"))
        try Files.write(response, to: signed.file("tlog/kept/4.tsr"))
        #expect(try signed.problems().map(\.code) == ["timestamp"])
    }

    @Test("no byte of the statement can change unseen, and no change crashes the reader")
    func changes() async throws {
        try makeAuthority()
        let text = Array("something".utf8)
        let response = try answer(TimestampRequest(of: text, random: Sample.random(3)))
        let original = try Timestamp3161(parsing: response)
        var silent = 0
        for position in response.indices {
            for mask in [0x01, 0x80] as [UInt8] {
                var bytes = response
                bytes[position] ^= mask
                // The certificate and the signature are openssl's to check; the statement is ours.
                if let changed = try? Timestamp3161(parsing: bytes), changed != original { silent += 1 }
            }
        }
        #expect(silent == 0)
        for length in 0..<response.count {
            #expect(throws: NoteError.self) { try Timestamp3161(parsing: Array(response[..<length])) }
        }
    }

    /// As many bytes as a time has, in fewer characters; and bytes that are no UTF-8, each of which would be read as one of three bytes.
    @Test(
        "a time that is no ASCII is none",
        arguments: [
            [0x32, 0x30] + [0xCC, 0x81, 0xCC, 0x81, 0xCC, 0x81, 0xCC, 0x81, 0xCC, 0x81, 0xCC, 0x81],
            [UInt8](repeating: 0xFF, count: 14),
        ])
    func times(_ time: [UInt8]) throws {
        try makeAuthority()
        let response = try answer(TimestampRequest(of: Array("something".utf8), random: Sample.random(3)))
        // GeneralizedTime, 15 bytes: 20261121030405Z. The first is the statement's.
        let start = try #require(response.indices.dropLast(16).first { response[$0] == 0x18 && response[$0 + 1] == 15 })
        var bytes = response
        bytes.replaceSubrange(start + 2..<start + 16, with: time)
        #expect(throws: NoteError.self) { try Timestamp3161(parsing: bytes) }
    }

    @Test("a refusal and random bytes are no timestamp")
    func refusals() {
        #expect(throws: NoteError.self) { try Timestamp3161(parsing: [0x30, 0x05, 0x30, 0x03, 0x02, 0x01, 0x02]) }
        var generator = SeededGenerator(state: 3)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                UInt8.random(in: .min ... .max, using: &generator)
            }
            #expect(throws: NoteError.self) { try Timestamp3161(parsing: bytes) }
        }
    }
}
