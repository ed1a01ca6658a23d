/// A text with the signatures under it (C2SP signed-note). Nothing of it means anything before ``verify(_:)`` says so.
package struct SignedNote: Hashable, Sendable {
    package struct Signature: Hashable, Sendable {
        package var name: String
        package var keyID: UInt32
        /// What follows the key id: 64 bytes for Ed25519, 72 for a cosignature.
        package var bytes: [UInt8]

        package init(name: String, keyID: UInt32, bytes: [UInt8]) {
            self.name = name
            self.keyID = keyID
            self.bytes = bytes
        }

        /// The line as it stands in a note, without its end.
        package var line: String { "\u{2014} \(name) \(Base64.encode(keyID.bigEndianBytes + bytes))" }
    }

    /// Ends with a line feed.
    package let text: String
    package private(set) var signatures: [Signature]

    /// Notes come from outside; these bound what a reader does for one.
    package static let byteLimit = 64 << 10
    package static let signatureLimit = 64

    package init(text: String, signatures: [Signature]) {
        self.text = text
        self.signatures = signatures
    }

    package init(parsing bytes: [UInt8]) throws(NoteError) {
        guard bytes.count <= Self.byteLimit else {
            throw NoteError(.form, "the note has \(bytes.count) bytes, more than \(Self.byteLimit)")
        }
        guard String(decoding: bytes, as: UTF8.self).utf8.elementsEqual(bytes) else {
            throw NoteError(.form, "the note is not UTF-8")
        }
        guard bytes.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }) else { throw NoteError(.form, "the note holds a control character") }
        // The last empty line parts text and signatures. Bytes, not characters: a combining mark must not swallow a line feed.
        guard bytes.last == 0x0A,
            let end = bytes.indices.dropLast().last(where: { bytes[$0] == 0x0A && bytes[$0 + 1] == 0x0A })
        else { throw NoteError(.form, "the note has no signatures under an empty line") }
        text = String(decoding: bytes[...end], as: UTF8.self)
        let lines = bytes[(end + 2)...].dropLast().split(separator: 0x0A, omittingEmptySubsequences: false)
        guard lines.count <= Self.signatureLimit else {
            throw NoteError(.form, "the note has \(lines.count) signatures, more than \(Self.signatureLimit)")
        }
        signatures = []
        for line in lines { signatures.append(try Self.signature(line)) }
    }

    private static func signature(_ line: ArraySlice<UInt8>) throws(NoteError) -> Signature {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].elementsEqual("\u{2014}".utf8) else {
            throw NoteError(.form, "a line under the note is no signature")
        }
        let name = String(decoding: parts[1], as: UTF8.self)
        guard NoteKey.isName(name), let bytes = Base64.decode(String(decoding: parts[2], as: UTF8.self)), bytes.count > 4 else {
            throw NoteError(.form, "a signature line under the note lacks a name or base64")
        }
        return Signature(name: name, keyID: UInt32(bigEndianBytes: bytes[..<4]), bytes: Array(bytes[4...]))
    }

    /// As it stands in a file.
    package var bytes: [UInt8] {
        Array((text + "\n" + signatures.map { $0.line + "\n" }.joined()).utf8)
    }

    package mutating func add(_ signature: Signature) {
        if !signatures.contains(signature) { signatures.append(signature) }
    }

    /// The keys of those given that signed this text, each once, in their order.
    ///
    /// A signature of an unknown key is ignored, also when it shares the name or the id with a known one.
    /// - Throws: when a known key's signature is wrong, or when none of them signed.
    package func verify(_ keys: [NoteKey]) throws(NoteError) -> [NoteKey] {
        var signers: [NoteKey] = []
        for key in keys {
            for signature in signatures where signature.name == key.name && signature.keyID == key.id {
                guard key.isValid(signature.bytes, for: text) else {
                    throw NoteError(.signature, "the signature of \(key.name) does not belong to this text")
                }
                if !signers.contains(key) { signers.append(key) }
            }
        }
        guard !signers.isEmpty else {
            throw NoteError(.unsigned, "none of the known keys (\(keys.map(\.name).joined(separator: ", "))) signed it")
        }
        return signers
    }
}
