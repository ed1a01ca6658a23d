import Crypto

/// A public key that signs notes, with its name: `name+id+base64` (C2SP signed-note, verifier keys).
package struct NoteKey: Hashable, Sendable {
    /// What a signature of this key stands for, and how it is made.
    package enum Kind: UInt8, Hashable, Sendable {
        /// Over the text itself: a log's own signature.
        case ed25519 = 0x01
        /// Over the text behind a header and the time: a witness's (C2SP tlog-cosignature).
        case cosignature = 0x04
    }

    package let name: String
    package let kind: Kind
    /// 32 bytes.
    package let publicKey: [UInt8]
    /// The first 4 bytes of SHA-256(name ‖ 0x0A ‖ kind ‖ key).
    package let id: UInt32

    /// `nil` when the name or the key cannot be one.
    package init?(name: String, kind: Kind, publicKey: [UInt8]) {
        guard Self.isName(name), publicKey.count == 32 else { return nil }
        self.name = name
        self.kind = kind
        self.publicKey = publicKey
        id = UInt32(bigEndianBytes: Array(SHA256.hash(data: Array(name.utf8) + [0x0A, kind.rawValue] + publicKey))[..<4])
    }

    /// Reads `name+id+base64(kind ‖ key)`; the id has to be the key's own.
    package init(parsing text: String) throws(NoteError) {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(parts[2]), let kind = bytes.first.flatMap(Kind.init(rawValue:)),
            let key = NoteKey(name: String(parts[0]), kind: kind, publicKey: Array(bytes.dropFirst()))
        else { throw NoteError(.form, "not a public key of the form NAME+ID+KEY") }
        guard hexadecimal(key.id) == parts[1] else {
            throw NoteError(.form, "the public key \(key.name) does not have the id \(parts[1]) that stands beside it")
        }
        self = key
    }

    package var text: String { "\(name)+\(hexadecimal(id))+\(Base64.encode([kind.rawValue] + publicKey))" }

    /// Names are one word without a plus sign: they stand between spaces in a note, between plus signs in a key.
    package static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 255
            && name.unicodeScalars.allSatisfy { $0 != "+" && $0.value >= 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace }
    }

    func isValid(_ signature: [UInt8], for text: String) -> Bool {
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: publicKey) else { return false }
        switch kind {
        case .ed25519:
            return signature.count == 64 && key.isValidSignature(signature, for: Array(text.utf8))
        case .cosignature:
            guard let time = Self.time(of: signature) else { return false }
            return key.isValidSignature(signature[8...], for: Self.cosigned(text, at: time))
        }
    }

    /// The POSIX time in a cosignature; `nil` when it is none.
    package static func time(of signature: [UInt8]) -> Int64? {
        guard signature.count == 72 else { return nil }
        return Int64(exactly: UInt64(bigEndianBytes: signature[..<8]))
    }

    fileprivate static func cosigned(_ text: String, at time: Int64) -> [UInt8] {
        Array("cosignature/v1\ntime \(time)\n\(text)".utf8)
    }
}

/// The secret half of a ``NoteKey``. Printed, it shows the public half only.
package struct NoteSigner: Sendable {
    package let key: NoteKey
    private let secret: Curve25519.Signing.PrivateKey

    /// A new key. - Parameter name: called with the public key; gives the key's name.
    package init(kind: NoteKey.Kind, random: RandomSource = .system, name: (_ publicKey: [UInt8]) -> String) throws(NoteError) {
        try self.init(seed: random.bytes(32), kind: kind, name: name)
    }

    /// Reads `PRIVATE+KEY+name+id+base64(kind ‖ seed)`.
    package init(parsing text: String) throws(NoteError) {
        let parts = text.split(separator: "+", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0] == "PRIVATE", parts[1] == "KEY", let bytes = Base64.decode(parts[4]), bytes.count == 33,
            let kind = bytes.first.flatMap(NoteKey.Kind.init(rawValue:))
        else { throw NoteError(.form, "not a private key of the form PRIVATE+KEY+NAME+ID+KEY") }
        try self.init(seed: Array(bytes.dropFirst()), kind: kind) { _ in String(parts[2]) }
        guard hexadecimal(key.id) == parts[3] else {
            throw NoteError(.form, "the private key does not have the id that stands beside it")
        }
    }

    private init(seed: [UInt8], kind: NoteKey.Kind, name: (_ publicKey: [UInt8]) -> String) throws(NoteError) {
        do {
            secret = try Curve25519.Signing.PrivateKey(rawRepresentation: seed)
        } catch {
            throw NoteError(.form, "the private key is none")
        }
        let publicKey = Array(secret.publicKey.rawRepresentation)
        guard let key = NoteKey(name: name(publicKey), kind: kind, publicKey: publicKey) else {
            throw NoteError(.form, "a key's name is one word of at most 255 bytes without a plus sign")
        }
        self.key = key
    }

    /// The secret, for the one file that keeps it.
    package var privateText: String {
        "PRIVATE+KEY+\(key.name)+\(hexadecimal(key.id))+\(Base64.encode([key.kind.rawValue] + Array(secret.rawRepresentation)))"
    }

    /// - Parameter time: POSIX seconds; only a cosignature says it.
    package func sign(_ text: String, at time: Int64) throws(NoteError) -> SignedNote.Signature {
        let time = max(0, time)
        do {
            let bytes: [UInt8] =
                switch key.kind {
                case .ed25519: Array(try secret.signature(for: Array(text.utf8)))
                case .cosignature:
                    UInt64(time).bigEndianBytes + Array(try secret.signature(for: NoteKey.cosigned(text, at: time)))
                }
            return SignedNote.Signature(name: key.name, keyID: key.id, bytes: bytes)
        } catch {
            throw NoteError(.signature, "the key \(key.name) does not sign: \(error)")
        }
    }
}

extension NoteSigner: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "NoteSigner(\(key.text))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["key": key.text]) }
}

private func hexadecimal(_ id: UInt32) -> String {
    let digits = String(id, radix: 16)
    return String(repeating: "0", count: 8 - digits.utf8.count) + digits
}
