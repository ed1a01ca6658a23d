import Events
import Incidents

struct APIProof: Encodable {
    struct Step: Encodable {
        var sibling: String
        var side: String
    }

    var sequence: Int
    /// The exact bytes, as text.
    var entry: String
    var leaf: String
    var path: [Step]
    var root: String
    var size: Int
    var checkpoint: String
    var key: String
    var problems: [String]

    init(_ proof: LedgerProof) {
        sequence = proof.entry.sequence
        entry = String(decoding: proof.bytes, as: UTF8.self)
        leaf = proof.leaf
        path = proof.steps.map { Step(sibling: $0.sibling, side: $0.isSiblingLeft ? "left" : "right") }
        root = proof.root
        size = proof.size
        checkpoint = proof.checkpoint
        key = proof.key
        problems = proof.problems
    }
}

struct APIEvidenceList: Encodable {
    var evidence: [APIEvidence]
}

struct APIEvidence: Encodable {
    var id: String
    var sequence: Int
    var sha256: String
    var size: Int
    var name: String
    var source: String
    var collector: String
    var host: String
    var clockOffsetMs: Int?
    var occurredAt: String
    var collectedAt: String
    var volatility: Int
    var tlp: String
    var suspicious: Bool
    var erased: Bool

    init(_ item: EvidenceView) {
        id = item.id
        sequence = item.sequence
        sha256 = item.sha256
        size = item.size
        name = item.name
        source = item.source
        collector = item.collector
        host = item.host
        clockOffsetMs = item.clockOffset
        occurredAt = item.occurredAt.rfc3339
        collectedAt = item.collectedAt.rfc3339
        volatility = item.volatility
        tlp = item.marking
        suspicious = item.isSuspicious
        erased = item.isErased
    }
}
