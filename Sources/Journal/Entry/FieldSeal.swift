import Crypto

/// Authenticated encryption of personal fields: ChaCha20-Poly1305 (RFC 8439) under a key of its own for each field.
///
/// The field's key is HKDF-SHA-256 (RFC 5869) over the keys of all its subjects, in the order of their ids, with the field's place as
/// `info`; so it takes every one of them to read the field. The place (sequence and name) is the additional data, too: a box moved to
/// another entry or field does not open.
enum FieldSeal {
    /// Nonce and tag, in bytes.
    static let overhead = 12 + 16

    /// Plaintexts are filled with spaces up to a multiple of this: the length that stays after erasure says little.
    private static let padding = 32

    static func seal(
        _ value: JSONValue,
        name: String,
        sequence: UInt64,
        keys: [SubjectKey],
        random: RandomSource
    ) throws -> SealedField {
        let unique = Dictionary(keys.map { ($0.id, $0) }) { first, _ in first }
        let ordered = unique.values.sorted { $0.id < $1.id }
        var text = try value.canonicalBytes()
        text += Array(repeating: UInt8(ascii: " "), count: (padding - text.count % padding) % padding)
        let place = place(name: name, sequence: sequence)
        let nonce = try ChaChaPoly.Nonce(data: random.bytes(12))
        let box = try ChaChaPoly.seal(text, using: fieldKey(ordered, place: place), nonce: nonce, authenticating: place)
        return SealedField(keys: ordered.map(\.id), box: Array(box.combined))
    }

    /// - Parameter keys: those the field names, in that order.
    /// - Returns: `nil` when the box does not belong to these keys and this place, or was changed.
    static func open(_ field: SealedField, name: String, sequence: UInt64, keys: [SubjectKey]) -> JSONValue? {
        let place = place(name: name, sequence: sequence)
        do {
            let box = try ChaChaPoly.SealedBox(combined: field.box)
            let text = try ChaChaPoly.open(box, using: fieldKey(keys, place: place), authenticating: place)
            return try JSONValue(parsing: Array(text))
        } catch {
            return nil
        }
    }

    /// The sequence in 8 bytes, then the name.
    private static func place(name: String, sequence: UInt64) -> [UInt8] {
        sequence.bigEndianBytes + Array(name.utf8)
    }

    private static func fieldKey(_ keys: [SubjectKey], place: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: keys.flatMap(\.bytes)),
            info: Array("vigie journal field v1".utf8) + place,
            outputByteCount: 32)
    }
}
