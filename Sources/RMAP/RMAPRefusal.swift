/// Why a message was not accepted: for counters and the security log. Clients are told ``description``, the same for all.
package struct RMAPRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Reason: String, Sendable, CaseIterable {
        /// No form of a message, or what it says is none of the protocol.
        case malformed
        /// Not encrypted to the server, or changed on its way.
        case notDecrypted = "not_decrypted"
        case unknownIdentity = "unknown_identity"
        /// This second message was sent before.
        case replayed
        /// Nothing waits for this second message: it comes too late, or was made up.
        case notPending = "not_pending"
        /// Too many handshakes wait, of this client or of all.
        case tooMany = "too_many"
        /// The process that read the message died of it, or did not come to an end.
        case readerDied = "reader_died"
        /// Too much is waiting, or no process can be started: not the message's fault.
        case unavailable
    }

    package var reason: Reason
    /// As it was claimed, where it could be read; otherwise empty. Whatever it says comes from a stranger.
    package var identity: String

    package init(_ reason: Reason, identity: String = "") {
        self.reason = reason
        self.identity = String(
            String.UnicodeScalarView(identity.unicodeScalars.filter { $0.value > 0x20 && $0.value < 0x7F }.prefix(64)))
    }

    package var description: String { "The message was not accepted." }
}
