/// What a finding's newest line looks like without its address and its numbers: the request, the agent, the account.
///
/// Two addresses with the same one may be one attacker who changed the address. It is a hint for people and never decides what belongs
/// together: tools write the same for everybody who runs them.
struct Handwriting: Hashable, Sendable {
    /// Keyed anew in every process, so that nobody can make lines that collide.
    private let digest: Int

    /// `nil` where there is no line to look at, or where what it says is what everybody says: a password for an account that all try.
    init?(_ record: FindingRecord) {
        guard let address = record.address, let line = record.evidence.last?.text, !line.isEmpty else { return nil }
        if record.isGuessing {
            guard let user = record.user, !CommonAccounts.contains(user) else { return nil }
        }
        var hasher = Hasher()
        hasher.combine(record.ruleID)
        var isInNumber = false
        for byte in line.replacing(address, with: "").utf8 {
            let isDigit = (0x30...0x39).contains(byte)
            if !isDigit { hasher.combine(byte) } else if !isInNumber { hasher.combine(UInt8(0x30)) }
            isInNumber = isDigit
        }
        digest = hasher.finalize()
    }
}
