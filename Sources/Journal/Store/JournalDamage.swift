/// Where and how a journal's files differ from what was written; found, never repaired: nothing is overwritten.
package struct JournalDamage: Error, Hashable, Sendable {
    package enum Reason: Hashable, Sendable {
        /// Neither a frame nor the torn end of one.
        case frameHeader
        /// A frame's header is whole, but what it promises is not.
        case frameDigest
        /// Record lengths do not add up to the frame.
        case recordLength
        /// A record's bytes do not have the leaf hash beside them.
        case leafHash
        case sequence(expected: UInt64, found: UInt64)
        /// A segment ends in the middle of a frame although it is not the newest.
        case unfinishedSegment
        /// No segment begins where the one before ends.
        case missingSegment(expected: String)
        /// The journal ends before the last entry that was acknowledged.
        case acknowledgedMissing(acknowledged: UInt64, found: UInt64)
        /// The record is no entry.
        case form(String)
        /// An entry, but not in its canonical spelling.
        case notCanonical
    }

    /// Path of the segment.
    package var file: String
    /// Bytes from the start of the file to the frame or record.
    package var offset: Int
    /// The entry at which the journal stops being sound; all before it are.
    package var sequence: UInt64
    package var reason: Reason

    package init(file: String, offset: Int, sequence: UInt64, reason: Reason) {
        self.file = file
        self.offset = offset
        self.sequence = sequence
        self.reason = reason
    }
}

extension JournalDamage: CustomStringConvertible {
    package var description: String {
        "the journal is damaged at entry \(sequence), \(file) byte \(offset): \(what). "
            + "Entries before it are whole; nothing was changed. \(remedy)"
    }

    private var what: String {
        switch reason {
        case .frameHeader: "there is no frame here"
        case .frameDigest: "the frame's digest does not fit its records"
        case .recordLength: "the lengths of the records do not add up"
        case .leafHash: "the entry does not have its leaf hash"
        case .sequence(let expected, let found): "entry \(expected) should follow, \(found) does"
        case .unfinishedSegment: "the segment ends in the middle of a frame, yet a newer one exists"
        case .missingSegment(let expected): "the segment \(expected) is missing"
        case .acknowledgedMissing(let acknowledged, let found):
            "\(acknowledged) entries were acknowledged, only \(found) are there"
        case .form(let reason): "the record is no entry: \(reason)"
        case .notCanonical: "the entry is not in its canonical form"
        }
    }

    private var remedy: String {
        switch reason {
        case .acknowledgedMissing:
            "Bring the newest segment back from a backup. To go on without those entries, knowingly, remove the file "
                + "`\(AcknowledgedMark.fileName)` beside it."
        case .missingSegment:
            "Bring the segment back from a backup."
        default:
            "Keep a copy of the folder, check the disk, then bring this segment back from a backup."
        }
    }
}
