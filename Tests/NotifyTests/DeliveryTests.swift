import Events
import Foundation
import Incidents
import Testing

@testable import Notify

@Suite("Handing messages over")
struct DeliveryTests {
    private func secretFile(_ text: String) throws -> String {
        let path = NSTemporaryDirectory() + "vigie-test-\(UUID().uuidString)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func webhook(_ catcher: Catcher) throws -> WebhookChannel {
        WebhookChannel(
            endpoint: Endpoint(["url": "http://127.0.0.1:\(catcher.port)/hook"]),
            secret: SecretFile(path: try secretFile("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"))
        ) { Timestamp(seconds: 1_614_265_330) }
    }

    @Test("a webhook arrives with its id, and a signature that fits the very bytes")
    func webhook() async throws {
        let catcher = try Catcher(.http([204]))
        try await webhook(catcher).deliver(.sample(subject: "quotes \" backslash \\ newline \n å"))
        let request = try #require(catcher.messages.first)
        let parts = request.components(separatedBy: "\r\n\r\n")
        #expect(request.hasPrefix("POST /hook"))
        #expect(parts[0].contains("webhook-id: SEC-2026-0001/1/full.L1/rotation:on-call/mail"))
        let signature = WebhookSignature(secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").sign(
            id: Message.sample().key, time: 1_614_265_330, body: parts[1])
        #expect(parts[0].contains("webhook-signature: \(signature)"))
        #expect(parts[1].contains(#"quotes \" backslash \\ newline   å"#))
    }

    @Test(
        "what may pass is tried again, what will not is given up",
        arguments: [(500, false), (503, false), (429, false), (400, true), (401, false), (403, false), (404, false), (302, true)])
    func failures(status: Int, isPermanent: Bool) async throws {
        let catcher = try Catcher(.http([status]))
        let failure = await #expect(throws: DeliveryFailure.self) { try await webhook(catcher).deliver(.sample()) }
        #expect(failure?.isPermanent == isPermanent && failure?.reason == "the answer was \(status)")
        #expect(failure?.maximumAttempts == ((401...404).contains(status) ? 4 : nil))
    }

    @Test("where nobody listens, that is said, without the address")
    func refused() async throws {
        let channel = SlackChannel(endpoint: Endpoint(["url": "http://127.0.0.1:1/T000/secret"]))
        let failure = await #expect(throws: DeliveryFailure.self) { try await channel.deliver(.sample()) }
        #expect(failure?.isPermanent == false && failure?.reason.contains("secret") == false)
    }

    @Test("a secret that is missing is said by its file, and tried again: it may come")
    func missingSecret() async throws {
        let channel = PagerDutyChannel(endpoint: "http://127.0.0.1:1", key: SecretFile(path: "/nowhere/key"))
        let failure = await #expect(throws: DeliveryFailure.self) { try await channel.deliver(.sample()) }
        #expect(failure == DeliveryFailure("/nowhere/key cannot be read, or holds no secret"))
    }

    @Test("a receiver that hangs is left when the task is cancelled, and its curl with it", .timeLimit(.minutes(20)))
    func hanging() async throws {
        let catcher = try Catcher(.silence)
        var transfer = Transfer()
        transfer.set("url", "http://127.0.0.1:\(catcher.port)/")
        // Far longer than the test may take: curl does not end by itself.
        transfer.limit = 3600
        let hanging = transfer
        let task = Task { try await hanging.run(protocols: "=http") }
        while catcher.messages.isEmpty { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        let failure = await #expect(throws: DeliveryFailure.self) { try await task.value }
        // Not that it had waited for as long as it may.
        #expect(failure?.reason == "it was broken off")
    }

    @Test("mail is handed over by SMTP, to the person, under its id")
    func mail() async throws {
        let catcher = try Catcher(.smtp(refusal: nil))
        let channel = SMTPChannel(
            address: "smtp://127.0.0.1:\(catcher.port)", sender: "vigie@example.org", user: nil, password: nil, isPlain: true)
        try await channel.deliver(.sample())
        let mail = try #require(catcher.messages.first)
        #expect(mail.contains("To: <ana@example.org>\r\n"))
        #expect(mail.contains("Message-ID: <\(Mail.id(Message.sample().key))@example.org>\r\n"))
    }

    @Test("a server without TLS gets nothing, unless the policy says so; a refused recipient is a failure")
    func mailFailures() async throws {
        let catcher = try Catcher(.smtp(refusal: nil))
        let careful = SMTPChannel(
            address: "smtp://127.0.0.1:\(catcher.port)", sender: "vigie@example.org", user: nil, password: nil, isPlain: false)
        await #expect(throws: DeliveryFailure.self) { try await careful.deliver(.sample()) }
        #expect(catcher.messages.isEmpty)
        let refusing = try Catcher(.smtp(refusal: "550 no such user"))
        let channel = SMTPChannel(
            address: "smtp://127.0.0.1:\(refusing.port)", sender: "vigie@example.org", user: nil, password: nil, isPlain: true)
        let refused = await #expect(throws: DeliveryFailure.self) { try await channel.deliver(.sample()) }
        #expect(refused == DeliveryFailure("the mail server answered 550", maximumAttempts: 4))
        let busy = try Catcher(.smtp(refusal: "451 come again"))
        let patient = SMTPChannel(
            address: "smtp://127.0.0.1:\(busy.port)", sender: "vigie@example.org", user: nil, password: nil, isPlain: true)
        let later = await #expect(throws: DeliveryFailure.self) { try await patient.deliver(.sample()) }
        #expect(later == DeliveryFailure("the mail server answered 451"))
        var nobody = Message.sample()
        nobody.address = nil
        let failure = await #expect(throws: DeliveryFailure.self) { try await channel.deliver(nobody) }
        #expect(failure?.isPermanent == true)
    }
}
