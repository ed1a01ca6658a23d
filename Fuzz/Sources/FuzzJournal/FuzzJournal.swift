import Fuzzing
import Journal

/// What others hand over to be checked: the first byte chooses what the rest is taken for.
///
/// Laws: nothing traps; a JSON text that is read has one canonical form, which is read as the same.
@main enum FuzzJournal {
    static func main() {
        fuzz(examine)
    }

    private static func examine(_ data: [UInt8]) {
        guard let kind = data.first else { return }
        let bytes = Array(data.dropFirst())
        switch kind % 7 {
        case 0:
            guard let value = try? JSONValue(parsing: bytes), let canonical = try? value.canonicalBytes() else { return }
            let again = try? JSONValue(parsing: canonical)
            precondition(again != nil, "a canonical form is not read")
            precondition((try? again?.canonicalBytes()) == canonical, "a canonical form has another")
        case 1: _ = try? SignedNote(parsing: bytes)
        case 2: _ = try? Checkpoint(parsing: String(decoding: bytes, as: UTF8.self))
        case 3: _ = try? LogProof(parsing: bytes)
        case 4: _ = try? NoteKey(parsing: String(decoding: bytes, as: UTF8.self))
        case 5: _ = try? Timestamp3161(parsing: bytes)
        default: _ = try? WitnessRequest(parsing: bytes)
        }
    }
}
