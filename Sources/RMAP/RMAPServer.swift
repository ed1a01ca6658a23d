import DocumentWorker
import Foundation
import Synchronization

/// The server's side of RMAP: two messages, by which an identity proves that it has its private key and gets the link to a copy of its own.
///
/// Safe to use from any thread. What waits is in this process's memory: with several processes, both messages have to reach the same one.
package final class RMAPServer: Sendable {
    package enum ResultForm: Sendable {
        /// The link goes out encrypted to the identity.
        case encrypted
        /// The link goes out in the clear, as clients of the first protocol versions ask for: whoever reads the answer on its way has the copy.
        case clear
    }

    package struct Answer: Sendable, Equatable {
        package var payload: String
        /// Claimed, and not proven yet.
        package var identity: String
    }

    /// A handshake that was finished: the caller makes the version, and then answers with ``RMAPServer/reply(to:)``.
    package struct Grant: Sendable, Equatable {
        package var identity: String
        /// 32 hexadecimal digits. Half of them are the client's: it is no use to anybody else, and is not to be overwritten by a second one.
        package var link: String
        let form: MessagePayload.Form
    }

    package enum Reply: Sendable, Equatable {
        /// `{"payload": …}`
        case payload(String)
        /// `{"result": …}`
        case result(String)
    }

    private let keys: OpenPGPKeys
    private let resultForm: ResultForm
    private let pending: Mutex<PendingHandshakes>

    package init(keys: OpenPGPKeys, resultForm: ResultForm = .encrypted, limits: PendingHandshakes.Limits = .init()) {
        self.keys = keys
        self.resultForm = resultForm
        pending = Mutex(PendingHandshakes(limits: limits))
    }

    package var pendingCount: Int { pending.withLock(\.count) }

    /// Answers the first message.
    ///
    /// - Parameters:
    ///   - client: the address it came from; bounds what one stranger can have pending.
    ///   - now: seconds on a clock that never goes back.
    package func initiate(
        _ payload: String, from client: String, now: Double, using random: inout some RandomNumberGenerator
    ) async throws(RMAPRefusal) -> Answer {
        let (message, form) = try await open(payload, as: FirstMessage.self)
        guard OpenPGPKeys.isIdentity(message.identity), keys.identities.contains(message.identity) else {
            throw RMAPRefusal(.unknownIdentity, identity: message.identity)
        }
        let handshake = pending.withLock {
            $0.begin(identity: message.identity, nonceClient: message.nonceClient, client: client, now: now, using: &random)
        }
        guard let handshake else { throw RMAPRefusal(.tooMany, identity: message.identity) }
        let text = "{\"nonceClient\":\(handshake.nonceClient),\"nonceServer\":\(handshake.nonceServer)}"
        return Answer(payload: try await seal(text, to: handshake.identity, form), identity: handshake.identity)
    }

    /// Takes the second message, and with it the handshake: it cannot be used again.
    package func finish(_ payload: String, now: Double) async throws(RMAPRefusal) -> Grant {
        let (message, form) = try await open(payload, as: SecondMessage.self)
        switch pending.withLock({ $0.finish(nonceServer: message.nonceServer, now: now) }) {
        case .granted(let handshake): return Grant(identity: handshake.identity, link: handshake.link, form: form)
        case .replayed: throw RMAPRefusal(.replayed)
        case .unknown: throw RMAPRefusal(.notPending)
        }
    }

    /// What the second message is answered with, once the version can be had under its link.
    package func reply(to grant: Grant) async throws(RMAPRefusal) -> Reply {
        switch resultForm {
        case .clear: .result(grant.link)
        case .encrypted: .payload(try await seal("{\"result\":\"\(grant.link)\"}", to: grant.identity, grant.form))
        }
    }

    // MARK: - Messages

    /// Plain messages are below 200 bytes.
    private static let mostPlainBytes = 1_024

    private struct FirstMessage: Decodable {
        var nonceClient: UInt64
        var identity: String
    }

    private struct SecondMessage: Decodable {
        var nonceServer: UInt64
    }

    private func open<Message: Decodable>(
        _ payload: String, as type: Message.Type
    ) async throws(RMAPRefusal) -> (Message, MessagePayload.Form) {
        guard let payload = MessagePayload(payload) else { throw RMAPRefusal(.malformed) }
        let plain: [UInt8]?
        do {
            plain = try await keys.decrypt(payload.message, most: Self.mostPlainBytes)
        } catch {
            throw RMAPRefusal(error)
        }
        guard let plain else { throw RMAPRefusal(.notDecrypted) }
        guard let message = try? JSONDecoder().decode(type, from: Data(plain)) else { throw RMAPRefusal(.malformed) }
        return (message, payload.form)
    }

    private func seal(_ text: String, to identity: String, _ form: MessagePayload.Form) async throws(RMAPRefusal) -> String {
        let message: [UInt8]?
        do {
            message = try await keys.encrypt(Array(text.utf8), to: identity)
        } catch {
            throw RMAPRefusal(error, identity: identity)
        }
        guard let message else { throw RMAPRefusal(.unknownIdentity, identity: identity) }
        return MessagePayload(form: form, message: message).text
    }
}

extension RMAPRefusal {
    init(_ error: WorkerError, identity: String = "") {
        self.init(error.isSuspicious ? .readerDied : .unavailable, identity: identity)
    }
}
