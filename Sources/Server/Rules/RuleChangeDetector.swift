import Detection
import Events

/// Decides when changed rule files are worth reading: once they have been left alone for a while.
///
/// An editor writes a file in several steps, `git pull` and `rsync` write many: read in between, the rules would be refused.
struct RuleChangeDetector {
    /// Files have to look the same for this long; nanoseconds.
    static let settling: Int64 = 1_000_000_000

    /// What was last read.
    private var known: RuleFilesFingerprint
    private var candidate: (fingerprint: RuleFilesFingerprint, since: Timestamp)?

    init(known: RuleFilesFingerprint) {
        self.known = known
    }

    /// Whether the files, seen like this at `now`, should be read.
    mutating func observe(_ fingerprint: RuleFilesFingerprint, at now: Timestamp) -> Bool {
        guard fingerprint != known else {
            candidate = nil
            return false
        }
        guard let candidate, candidate.fingerprint == fingerprint else {
            candidate = (fingerprint, now)
            return false
        }
        guard now.nanoseconds(since: candidate.since) >= RuleChangeDetector.settling else { return false }
        note(fingerprint)
        return true
    }

    /// The files have been read as they look now.
    mutating func note(_ fingerprint: RuleFilesFingerprint) {
        known = fingerprint
        candidate = nil
    }
}
