package import Events
package import Incidents

/// What the console shows of the journal and of sealed evidence. `Server` implements it on the files.
package protocol LedgerReading: Sendable {
    /// Entries below a sequence, newest first, and how many there are in all. `nil` begins at the newest.
    func entries(before sequence: Int?, limit: Int) async throws -> (entries: [LedgerEntry], total: Int)
    /// An entry with everything that proves it, checked; `nil` when there is no such entry.
    func proof(of sequence: Int) async throws -> LedgerProof?
    func evidence(of incident: String) async throws -> [EvidenceView]
    func evidence(id: String) async throws -> EvidenceView?
    /// Reads the bytes again and holds them against the journal.
    func verify(evidence: EvidenceView) async throws -> EvidenceVerdict
}

/// A line of the journal in a list.
package struct LedgerEntry: Sendable, Equatable {
    package var sequence: Int
    package var type: String
    package var actor: String
    package var occurredAt: Timestamp
    package var recordedAt: Timestamp
    package var incident: String?

    package init(
        sequence: Int, type: String, actor: String, occurredAt: Timestamp, recordedAt: Timestamp, incident: String?
    ) {
        self.sequence = sequence
        self.type = type
        self.actor = actor
        self.occurredAt = occurredAt
        self.recordedAt = recordedAt
        self.incident = incident
    }
}

/// That an entry stands in the log: from its bytes to a signed checkpoint. Hashes are lower-case hexadecimal.
package struct LedgerProof: Sendable, Equatable {
    package struct Step: Sendable, Equatable {
        package var sibling: String
        package var isSiblingLeft: Bool
        package var result: String

        package init(sibling: String, isSiblingLeft: Bool, result: String) {
            self.sibling = sibling
            self.isSiblingLeft = isSiblingLeft
            self.result = result
        }
    }

    /// A checkpoint that somebody else vouched for, under which the entry stands, too.
    package struct Voucher: Sendable, Equatable {
        package var size: Int
        /// Names under the checkpoint besides the log's; whose keys they are is for the reader to know.
        package var witnesses: [String]
        /// What an RFC 3161 authority said, where there is an answer about this checkpoint.
        package var timestamp: Timestamp?

        package init(size: Int, witnesses: [String], timestamp: Timestamp?) {
            self.size = size
            self.witnesses = witnesses
            self.timestamp = timestamp
        }
    }

    package var entry: LedgerEntry
    /// The exact bytes: one canonical JSON object.
    package var bytes: [UInt8]
    package var leaf: String
    package var steps: [Step]
    package var root: String
    /// Entries that the checkpoint is about.
    package var size: Int
    /// The signed note, as it stands on disk.
    package var checkpoint: String
    /// The log's public key.
    package var key: String
    /// C2SP tlog-proof.
    package var file: [UInt8]
    package var vouchers: [Voucher]
    /// What does not hold; empty when everything does.
    package var problems: [String]

    package init(
        entry: LedgerEntry, bytes: [UInt8], leaf: String, steps: [Step] = [], root: String = "", size: Int = 0,
        checkpoint: String = "", key: String = "", file: [UInt8] = [], vouchers: [Voucher] = [], problems: [String] = []
    ) {
        self.entry = entry
        self.bytes = bytes
        self.leaf = leaf
        self.steps = steps
        self.root = root
        self.size = size
        self.checkpoint = checkpoint
        self.key = key
        self.file = file
        self.vouchers = vouchers
        self.problems = problems
    }
}

/// Whether the bytes of an item are still those that were collected.
package struct EvidenceVerdict: Sendable, Equatable {
    package var at: Timestamp
    /// What is wrong; `nil` when the bytes have the hash that the journal proves.
    package var problem: String?

    package init(at: Timestamp, problem: String?) {
        self.at = at
        self.problem = problem
    }
}
