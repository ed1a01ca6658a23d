package import Events

/// Addresses that are never blocked, and how much may be blocked without asking.
package struct LeasePolicy: Sendable, Hashable {
    package struct Protected: Sendable, Hashable {
        package var block: AddressBlock
        /// Whose it is: shown in the refusal.
        package var owner: String

        package init(_ block: AddressBlock, owner: String) {
            self.block = block
            self.owner = owner
        }
    }

    /// Own addresses, gateways, monitors, the operator's session.
    package var neverBlock: [Protected]
    /// Automatic leases in any hour; further ones wait for a person.
    package var budgetPerHour: Int
    /// The widest networks that are blocked at all, in bits.
    package var widestV4: Int
    package var widestV6: Int
    /// A lease that was not read back within this time after its order is not in force. Seconds.
    package var proofWithin: Int64
    /// How often a lease in force is read back again. Seconds.
    package var proofEvery: Int64
    /// What policy never approves by itself: it hits everybody, or cannot be taken back by lifting it.
    package var asksFor: Set<Lease.Verb>
    /// Enforcers that take their orders by asking for them now and then, and how long that may take. Seconds.
    package var patience: [String: Int64] = [:]

    package static let asksForByDefault: Set<Lease.Verb> = [
        .revokeEveryone, .maintenance, .isolateService, .stopService, .rotateKey, .regenerateCanary,
    ]

    package init(
        neverBlock: [Protected] = [], budgetPerHour: Int = 100, widestV4: Int = 24, widestV6: Int = 48, proofWithin: Int64 = 5,
        proofEvery: Int64 = 60, asksFor: Set<Lease.Verb> = LeasePolicy.asksForByDefault
    ) {
        self.neverBlock = neverBlock
        self.budgetPerHour = budgetPerHour
        self.widestV4 = widestV4
        self.widestV6 = widestV6
        self.proofWithin = proofWithin
        self.proofEvery = proofEvery
        self.asksFor = asksFor
    }

    package func proofWithin(_ enforcer: String) -> Int64 { patience[enforcer] ?? proofWithin }

    /// Why a target is never contained; `nil` where nothing speaks against it.
    package func objection(to verb: Lease.Verb, _ target: String) -> String? {
        guard verb.isNetwork else { return nil }
        guard let block = AddressBlock(target) else { return "\(target) is neither an address nor a network" }
        let isV4 = block.base.isV4
        let width = isV4 ? block.bits - 96 : block.bits
        guard width >= (isV4 ? widestV4 : widestV6) else {
            return "\(target) is wider than /\(isV4 ? widestV4 : widestV6), which policy allows at most"
        }
        guard let met = neverBlock.first(where: { $0.block.overlaps(block) }) else { return nil }
        return "\(target) meets \(met.owner), which is never blocked"
    }
}

extension AddressBlock {
    /// Whether any address is in both: of two networks that meet, one contains the other.
    package func overlaps(_ other: AddressBlock) -> Bool {
        contains(other.base) && other.bits >= bits || other.contains(base) && bits >= other.bits
    }
}

extension Lease.Verb {
    /// As people read it.
    package var words: String { rawValue.split(separator: "_").joined(separator: " ") }
}

/// Who and how much of the last day's traffic a lease would have met: asked before it is ordered.
package struct BlastRadius: Sendable, Hashable {
    package var requests: Int
    package var requestsInAll: Int
    package var addresses: Int
    package var accounts: [String]

    package init(requests: Int, requestsInAll: Int, addresses: Int, accounts: [String]) {
        self.requests = requests
        self.requestsInAll = requestsInAll
        self.addresses = addresses
        self.accounts = accounts
    }
}

/// What knows the last day's traffic.
package protocol TrafficHistory: Sendable {
    func blastRadius(of verb: Lease.Verb, target: String, since: Timestamp) async throws -> BlastRadius
}
