import Foundation
import Testing

@testable import Notify

@Suite("A bot that posts in threads")
struct SlackBotTests {
    private func bot(_ catcher: Catcher) throws -> SlackBotChannel {
        let path = NSTemporaryDirectory() + "vigie-test-\(UUID().uuidString)"
        try "xoxb-planted\n".write(toFile: path, atomically: true, encoding: .utf8)
        return SlackBotChannel(address: "http://127.0.0.1:\(catcher.port)/api", token: SecretFile(path: path), room: "C0123")
    }

    @Test("the first message opens a thread, and the others go under it")
    func threads() async throws {
        let catcher = try Catcher(.json(#"{"ok":true,"channel":"C0123","ts":"1699999999.000100"}"#))
        let bot = try bot(catcher)
        var message = Message.sample(.room)
        #expect(try await bot.open(message) == "1699999999.000100")
        message.thread = "1699999999.000100"
        try await bot.deliver(message)
        #expect(catcher.messages.count == 2 && !catcher.messages[0].contains("thread_ts"))
        #expect(catcher.messages[1].contains(#""thread_ts":"1699999999.000100""#))
        #expect(catcher.messages.allSatisfy { $0.contains("Bearer xoxb-planted") && $0.contains(#""channel":"C0123""#) })
    }

    @Test("200 with a refusal in it is a failure, and tells no more than its word")
    func refusals() async throws {
        let catcher = try Catcher(.json(#"{"ok":false,"error":"not_in_channel<b> xoxb-1"}"#))
        let bot = try bot(catcher)
        let failure = await #expect(throws: DeliveryFailure.self) { _ = try await bot.open(.sample(.room)) }
        #expect(failure == DeliveryFailure("the answer was not_in_channelbxoxb", maximumAttempts: 4))
        #expect(throws: DeliveryFailure("the answer was ratelimited")) {
            try SlackBotChannel.thread(in: #"{"ok":false,"error":"ratelimited"}"#)
        }
        for answer in ["", "ok", "[]", "{}", #"{"ok":"yes"}"#, "<html>"] {
            #expect(throws: DeliveryFailure.self) { try SlackBotChannel.thread(in: answer) }
        }
        #expect(try SlackBotChannel.thread(in: #"{"ok":true,"ts":"a b\n"}"#) == nil, "no name of a thread")
    }

    @Test("an answer that is too large is refused, and does not hang")
    func large() async throws {
        let catcher = try Catcher(.json("{\"ok\":true,\"x\":\"" + String(repeating: "x", count: 4_000_000) + "\"}"))
        await #expect(throws: DeliveryFailure("the answer was larger than 65536 bytes")) {
            _ = try await bot(catcher).open(.sample(.room))
        }
    }
}
