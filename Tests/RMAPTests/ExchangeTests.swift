import DocumentWorker
import Foundation
import RMAP
import Testing

/// Whole handshakes with GnuPG on the other side.
@Suite(.enabled(if: GnuPG.isHere, "gnupg is not installed"), .serialized, .people)
struct ExchangeTests {
    private func server(_ people: People, _ form: RMAPServer.ResultForm = .encrypted) async throws -> RMAPServer {
        RMAPServer(
            keys: try await OpenPGPKeys(
                serverKey: people.serverKey, passphrase: nil, clients: people.clients, configuration: .patient), resultForm: form)
    }

    private func first(_ people: People, _ identity: String, nonce: String = "18446744073709551615") throws -> String {
        let armour = try people.gnupg.encrypt("{\"nonceClient\": \(nonce), \"identity\": \"\(identity)\"}", to: "server")
        return Data(armour.utf8).base64EncodedString()
    }

    private func second(_ people: People, _ nonce: UInt64) throws -> String {
        Data(try people.gnupg.encrypt("{\"nonceServer\": \(nonce)}", to: "server").utf8).base64EncodedString()
    }

    private func json(_ people: People, _ payload: String) throws -> [String: UInt64] {
        let message = try #require(MessagePayload(payload)).message
        return try JSONDecoder().decode([String: UInt64].self, from: Data(try people.gnupg.decrypt(message).utf8))
    }

    private func reason(_ body: () async throws -> Void) async -> RMAPRefusal? {
        do {
            try await body()
            return nil
        } catch {
            return error as? RMAPRefusal
        }
    }

    @Test(arguments: ["Jean", "Group_17"], MessagePayload.Form.allCases)
    func anIdentityGetsItsLinkInItsOwnForm(_ identity: String, _ form: MessagePayload.Form) async throws {
        let people = try #require(People.here)
        let server = try await server(people)
        var random = Numbers(state: 5)
        let armour = try people.gnupg.encrypt("{\"nonceClient\": 42, \"identity\": \"\(identity)\"}", to: "server")
        let message = try #require(MessagePayload(armour)).message
        let answer = try await server.initiate(
            MessagePayload(form: form, message: message).text, from: "192.0.2.1", now: 0, using: &random)
        #expect(answer.identity == identity)
        #expect(MessagePayload(answer.payload)?.form == form)
        let nonces = try json(people, answer.payload)
        #expect(nonces["nonceClient"] == 42 && nonces.count == 2)
        let nonce = try #require(nonces["nonceServer"])

        let grant = try await server.finish(try second(people, nonce), now: 1)
        #expect(grant.identity == identity)
        #expect(grant.link == "000000000000002a" + String(format: "%016lx", nonce))
        guard case .payload(let payload) = try await server.reply(to: grant) else {
            Issue.record("the link went out in the clear")
            return
        }
        let plain = try people.gnupg.decrypt(try #require(MessagePayload(payload)).message)
        #expect(plain == "{\"result\":\"\(grant.link)\"}")
        #expect(server.pendingCount == 0)
    }

    @Test func theCompatibilitySwitchGivesTheLinkInTheClear() async throws {
        let people = try #require(People.here)
        let server = try await server(people, .clear)
        var random = Numbers(state: 1)
        let answer = try await server.initiate(try first(people, "Jean"), from: "c", now: 0, using: &random)
        let nonce = try #require(try json(people, answer.payload)["nonceServer"])
        let grant = try await server.finish(try second(people, nonce), now: 0)
        #expect(try await server.reply(to: grant) == .result(grant.link))
    }

    @Test func handshakesAreUsedOnceAndExpire() async throws {
        let people = try #require(People.here)
        let server = try await server(people)
        var random = Numbers(state: 2)
        let one = try json(people, await server.initiate(try first(people, "Jean"), from: "c", now: 0, using: &random).payload)
        let other = try json(people, await server.initiate(try first(people, "Jean"), from: "c", now: 0, using: &random).payload)
        let message = try second(people, try #require(one["nonceServer"]))
        _ = try await server.finish(message, now: 59)
        #expect(await reason { _ = try await server.finish(message, now: 59) }?.reason == .replayed)
        #expect(await reason { _ = try await server.finish(message, now: 60) }?.reason == .notPending)
        let late = try second(people, try #require(other["nonceServer"]))
        #expect(await reason { _ = try await server.finish(late, now: 60) }?.reason == .notPending)
    }

    @Test func refusalsReadTheSameAndTellTheirReasonInside() async throws {
        let people = try #require(People.here)
        let server = try await server(people)
        var random = Numbers(state: 3)
        func initiate(_ payload: String) async -> RMAPRefusal? {
            await reason { _ = try await server.initiate(payload, from: "c", now: 0, using: &random) }
        }
        func said(_ text: String, to name: String = "server", _ more: [String] = []) throws -> String {
            try people.gnupg.encrypt(text, to: name, more)
        }
        let fine = "{\"nonceClient\": 1, \"identity\": \"Jean\"}"
        var altered = try #require(MessagePayload(try said(fine)))
        altered.message[altered.message.count - 3] ^= 1
        altered.form = .body
        let plain = try people.gnupg.gpg(["--armor", "--store"], input: Array(fine.utf8))
        let symmetric = try people.gnupg.gpg(
            ["--armor", "--pinentry-mode", "loopback", "--passphrase", "x", "--symmetric"], input: Array(fine.utf8))
        let cases: [(RMAPRefusal.Reason, String)] = [
            (.malformed, ""), (.malformed, "not base64!"), (.malformed, String(repeating: "A", count: 20_000)),
            (.notDecrypted, "gICAgICA"), (.notDecrypted, try said(fine, to: "Jean")), (.notDecrypted, altered.text),
            (.notDecrypted, String(decoding: plain, as: UTF8.self)), (.notDecrypted, String(decoding: symmetric, as: UTF8.self)),
            (.notDecrypted, try said("{\"nonceClient\": 1, \"identity\": \"\(String(repeating: "a", count: 9_000_000))\"}")),
            (.malformed, try said("[1]")), (.malformed, try said("{\"nonceClient\": 1}")),
            (.malformed, try said("{\"nonceClient\": true, \"identity\": \"Jean\"}")),
            (.malformed, try said("{\"nonceClient\": -1, \"identity\": \"Jean\"}")),
            (.malformed, try said("{\"nonceClient\": 18446744073709551616, \"identity\": \"Jean\"}")),
            (.malformed, try said("{\"nonceClient\": \"1\", \"identity\": \"Jean\"}")),
            (.malformed, try said("{\"nonceClient\": 1, \"identity\": 7}")),
            (.unknownIdentity, try said("{\"nonceClient\": 1, \"identity\": \"Nobody\"}")),
            (.unknownIdentity, try said("{\"nonceClient\": 1, \"identity\": \"../Jean\"}")),
            (.unknownIdentity, try said("{\"nonceClient\": 1, \"identity\": \"Signer\"}")),
        ]
        for (expected, payload) in cases {
            let refusal = await initiate(payload)
            #expect(refusal?.reason == expected, "\(payload.prefix(60))")
            #expect(refusal?.description == "The message was not accepted.")
        }
        #expect(
            await reason { _ = try await server.finish(try second(people, 99), now: 0) }?.description
                == "The message was not accepted.")
        #expect(server.pendingCount == 0)
    }

    @Test func aFloodInAnothersNameLeavesThatOneItsPlace() async throws {
        let people = try #require(People.here)
        let server = try await server(people)
        var random = Numbers(state: 4)
        let message = try first(people, "Jean", nonce: "7")
        let victim = try await server.initiate(message, from: "198.51.100.1", now: 0, using: &random)
        let stranger = try first(people, "Jean", nonce: "666")
        var refused = 0
        for _ in 0..<50 {
            refused +=
                await reason { _ = try await server.initiate(stranger, from: "203.0.113.9", now: 0, using: &random) } == nil
                ? 0 : 1
        }
        #expect(refused == 42)
        let nonces = try json(people, victim.payload)
        let grant = try await server.finish(try second(people, try #require(nonces["nonceServer"])), now: 5)
        #expect(grant.link.hasPrefix("0000000000000007"))
        _ = try await server.initiate(message, from: "198.51.100.1", now: 5, using: &random)
    }

    @Test func passphrasesOpenTheServersKey() async throws {
        let people = try #require(People.here)
        let keys = try await OpenPGPKeys(
            serverKey: people.lockedServerKey, passphrase: "open sesame", clients: people.clients, configuration: .patient)
        let message = try #require(MessagePayload(try people.gnupg.encrypt("hello", to: "locked"))).message
        #expect(try await keys.decrypt(message, most: 100) == Array("hello".utf8))
        #expect(try await keys.decrypt(message, most: 4) == nil)
        #expect(keys.unusable == ["Signer"])
        await #expect(throws: OpenPGPKeys.Failure.self) {
            try await OpenPGPKeys(serverKey: people.lockedServerKey, passphrase: "wrong", clients: [:])
        }
        await #expect(throws: OpenPGPKeys.Failure.self) {
            try await OpenPGPKeys(serverKey: try people.gnupg.publicKey("server"), passphrase: nil, clients: [:])
        }
        await #expect(throws: OpenPGPKeys.Failure.self) {
            try await OpenPGPKeys(serverKey: [1, 2, 3], passphrase: nil, clients: [:])
        }
    }

    /// Fine messages with bytes changed, and noise that begins as packets do: each is refused, and the next fine one is read.
    @Test func hostileMessagesAreRefused() async throws {
        let people = try #require(People.here)
        let server = try await server(people)
        var random = Numbers(state: 6)
        let fine = try #require(
            MessagePayload(try people.gnupg.encrypt("{\"nonceClient\": 1, \"identity\": \"Jean\"}", to: "server")))
        for round in 0..<150 {
            var bytes =
                round % 3 == 0
                ? (0..<Int.random(in: 1...600, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
                : fine.message
            if round % 3 == 0 {
                bytes[0] |= 0x80
            } else if round % 3 == 1 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= UInt8.random(in: 1...255, using: &random)
            } else {
                bytes = Array(bytes.prefix(Int.random(in: 1..<bytes.count, using: &random)))
            }
            let payload = MessagePayload(form: .body, message: bytes).text
            #expect(await reason { _ = try await server.finish(payload, now: 0) } != nil)
        }
        _ = try await server.initiate(fine.text, from: "c", now: 0, using: &random)
    }
}

extension OpenPGPKeys.Configuration {
    /// A reader that waits for its turn beside many other tests has not been too slow.
    static var patient: Self {
        var configuration = Self()
        configuration.limits.seconds = 3_600
        return configuration
    }
}
