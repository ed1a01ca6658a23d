package import Events

/// One line of the journal: what happened, when, who did it, and the exact bytes that prove it.
///
/// The bytes are RFC 8785 JSON with the members `actor`, `data`, `occurred_at`, `recorded_at`, `sealed`, `seq`, `type` and `v`;
/// nothing else of an entry is stored, and every property below is read from them. So an entry that was just appended and the same
/// entry read back years later cannot differ.
package struct Entry: Hashable, Sendable {
    /// Position in the journal, from 0 without gaps.
    package let sequence: UInt64
    package let type: String
    package let occurredAt: Timestamp
    package let recordedAt: Timestamp
    package let actor: String
    package let data: [String: JSONValue]
    /// Personal values by field name; see ``EntryOpener``.
    package let sealed: [String: SealedField]
    /// At most ``byteLimit`` of them.
    package let canonicalBytes: [UInt8]
    /// SHA-256(0x00 ‖ ``canonicalBytes``).
    package let leafHash: MerkleHash

    /// C2SP tlog-tiles writes an entry behind a 16-bit length.
    package static let byteLimit = 65_535
    /// The version of the entry's form.
    static let version: Int64 = 1

    package static func == (left: Entry, right: Entry) -> Bool {
        left.canonicalBytes == right.canonicalBytes
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(leafHash)
    }
}

/// A personal value under authenticated encryption, with the ids of all keys that are needed to read it.
package struct SealedField: Hashable, Sendable {
    /// Sorted, each once. Random names: they tell nothing about the subjects.
    package let keys: [String]
    /// Nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes).
    package let box: [UInt8]
}

// MARK: - Rules that writer and reader share

extension Entry {
    /// What is wrong with a type; `nil` when nothing is.
    static func objection(toType type: String) -> String? {
        let isPlain = type.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
        }
        return isPlain && (1...64).contains(type.utf8.count)
            ? nil : "a type is 1 to 64 lower-case letters, digits, dots and underscores"
    }

    static func objection(toActor actor: String) -> String? {
        (1...255).contains(actor.utf8.count) ? nil : "an actor is 1 to 255 bytes"
    }
}
