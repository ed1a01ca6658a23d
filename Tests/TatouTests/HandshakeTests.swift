import Events
import Foundation
import Guard
import Testing

@testable import Tatou

@Suite struct HandshakeTests {
    struct Fixed: Handshake {
        var refusal: HandshakeRefusal?

        func initiate(_ payload: String, from client: String) async throws -> HandshakeAnswer {
            if let refusal { throw refusal }
            return HandshakeAnswer(.payload("answer to \(payload)"), identity: "Jean")
        }

        func link(_ payload: String, from client: String) async throws -> HandshakeAnswer {
            if let refusal { throw refusal }
            return HandshakeAnswer(.result("0123456789abcdef0123456789abcdef"), identity: "Jean")
        }
    }

    private static let paths = ["/api/rmap-initiate", "/api/rmap-get-link"]

    @Test func bothMessagesAreAnswered() async throws {
        let world = try await World(handshake: Fixed())
        let first = try await world.post(Self.paths[0], ["payload": "one"])
        #expect(first.status == 200)
        #expect(first.text("payload") == "answer to one")
        let second = try await world.post(Self.paths[1], ["payload": "two"])
        #expect(second.text("result") == "0123456789abcdef0123456789abcdef")
        #expect(try await world.events("rmap_handshake").map { $0["user.name"] } == ["Jean", "Jean"])
        #expect(try await world.log().contains("0123456789abcdef0123456789abcdef") == false)
    }

    /// Unknown identity, wrong key, replay and nonsense look the same from outside; the log and the counter tell them apart.
    @Test func allFaultsAreOneAnswer() async throws {
        var answers: Set<String> = []
        for fault in SecurityEvent.HandshakeFault.allCases {
            let world = try await World(handshake: Fixed(refusal: HandshakeRefusal(fault, identity: "Group_09")))
            for path in Self.paths {
                let answer = try await world.post(path, ["payload": "x"])
                #expect(answer.status == 400)
                answers.insert(answer.error ?? "")
            }
            #expect(try await world.events("rmap_handshake").map { $0["event.reason"] } == [fault.rawValue, fault.rawValue])
            #expect(try await world.metrics().contains("tatou_rmap_handshakes_total{outcome=\"\(fault.rawValue)\"} 2"))
        }
        let world = try await World(handshake: Fixed())
        for body in [["payload": ""], ["payload": 7], [:], ["payload": NSNull()]] as [[String: Any]] {
            for path in Self.paths {
                let answer = try await world.post(path, body)
                #expect(answer.status == 400)
            }
        }
        #expect(answers == ["the message was not accepted"])
    }

    /// Its original is not what was uploaded when the copy is to be made.
    struct Broken: Handshake {
        func initiate(_ payload: String, from client: String) async throws -> HandshakeAnswer {
            HandshakeAnswer(.payload("answer"), identity: "Jean")
        }

        func link(_ payload: String, from client: String) async throws -> HandshakeAnswer {
            let document = Document(
                id: 1, name: "a.pdf", file: "file", owner: 7, createdAt: Timestamp(seconds: 0), sha256: "", size: 0, pages: 1,
                correlation: "")
            throw DocumentRefusal.damaged(document, isMissing: false)
        }
    }

    @Test func aChangedOriginalIsToldToWhoeverWatchesAndNotToTheIdentity() async throws {
        let world = try await World(handshake: Broken())
        let answer = try await world.post(Self.paths[1], ["payload": "x"])
        #expect(answer.status == 503)
        #expect(answer.error == "the copy cannot be made now")
        #expect(try await world.events("watermark_verify").map { $0["event.reason"] } == ["hash_mismatch"])
        #expect(try await world.events("rmap_handshake").isEmpty)
        #expect(try await world.metrics().contains("tatou_suspicious_events_total{reason=\"integrity\"} 1"))
    }

    @Test func withoutAHandshakeBothAreUnavailable() async throws {
        let world = try await World()
        for path in Self.paths {
            let answer = try await world.post(path, ["payload": "x"])
            #expect(answer.status == 503)
            #expect(answer.error == "RMAP is not configured")
        }
    }
}
