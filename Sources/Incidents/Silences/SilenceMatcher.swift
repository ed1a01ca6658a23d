import Detection
package import Events

/// Which findings a silence takes. Every part that is given has to match; at least a rule, an address or an account is given.
package struct SilenceMatcher: Sendable, Hashable {
    /// A rule's id; `nil` for all.
    package var rule: String?
    /// Every address of a finding has to lie in one of these; empty for all. Of IPv6, less than a /64 holds none.
    package var addresses: [AddressBlock]
    /// As the finding has it, letter by letter.
    package var account: String?
    /// Stands in every log line behind the finding. Clients write that themselves: it narrows, and is never enough.
    package var line: String?

    package init(rule: String? = nil, addresses: [AddressBlock] = [], account: String? = nil, line: String? = nil) {
        self.rule = rule
        self.addresses = addresses
        self.account = account
        self.line = line
    }

    /// How much it can hide.
    package enum Breadth: Sendable, Equatable {
        /// One rule, and exactly who: single addresses (of IPv6, one network of 64 bits), or an account.
        case exact
        /// Few addresses, or one account under one rule.
        case narrow
        /// Everybody under one rule, an account under every rule, or a large network.
        case wide
        /// Nothing that an attacker could not make true.
        case everything
    }

    package var breadth: Breadth {
        guard rule != nil || !addresses.isEmpty || account != nil, addresses.allSatisfy({ $0.prefixLength >= $0.least }) else {
            return .everything
        }
        let isSingle = addresses.allSatisfy { $0.prefixLength >= $0.single }
        if rule != nil, !addresses.isEmpty || account != nil, isSingle { return .exact }
        let isFew = !addresses.isEmpty && addresses.allSatisfy { $0.prefixLength >= $0.few }
        if isFew || (rule != nil && account != nil && addresses.isEmpty) { return .narrow }
        return .wide
    }

    /// What of a finding decides.
    package struct Subject: Sendable, Equatable {
        package var rule: String
        package var severity: Severity
        package var category: String
        package var addresses: [String]
        /// There may have been others than are named, or some were erased.
        package var lacksAddresses: Bool
        package var account: String?
        package var lines: [String?]
        /// More events were counted than lines are quoted.
        package var lacksLines: Bool

        /// What a silence takes only where a commander has said so of exactly whom.
        package var isCritical: Bool { severity == .critical || category == "canary" }
    }

    /// What is not known of a finding never matches: where in doubt, somebody is told.
    package func matches(_ finding: Subject) -> Bool {
        guard mayMatch(finding), addresses.isEmpty || !finding.lacksAddresses else { return false }
        guard let line else { return true }
        return !finding.lacksLines && !finding.lines.isEmpty && finding.lines.allSatisfy { $0?.contains(line) ?? false }
    }

    /// Whether it matches, unless the log lines behind the finding say otherwise.
    func mayMatch(_ finding: Subject) -> Bool {
        if let rule, rule != finding.rule { return false }
        if let account, account != finding.account { return false }
        guard !addresses.isEmpty else { return rule != nil || account != nil }
        return !finding.addresses.isEmpty
            && finding.addresses.allSatisfy { text in
                IPAddress(text).map { address in addresses.contains { !$0.isPartOfOne && $0.contains(address) } } ?? false
            }
    }

    /// Whether the log lines behind a finding that may match decide: what they say, or, where several addresses are named, whether each
    /// is there.
    func asksForLines(of finding: Subject) -> Bool { line != nil || (!addresses.isEmpty && finding.addresses.count > 1) }
}

extension SilenceMatcher.Subject {
    package init(_ finding: FindingRecord) {
        let isWhole = Self.isWhole(finding.count, finding.evidence, finding.isLowerBound)
        self.init(
            rule: finding.ruleID, severity: finding.severity, category: finding.category,
            addresses: (finding.address.map { [$0] } ?? []) + finding.otherAddresses,
            lacksAddresses: finding.erased.contains(.address) || (finding.address == nil && !isWhole), account: finding.user,
            lines: finding.evidence.map(\.text), lacksLines: !isWhole)
    }

    /// The same from the tables.
    package init(_ finding: FindingView) {
        let addresses = finding.entities.filter { $0.kind == .address }
        let isWhole = Self.isWhole(finding.count, finding.lines, finding.isLowerBound)
        self.init(
            rule: finding.ruleID, severity: finding.severity, category: finding.category,
            addresses: addresses.compactMap(\.value),
            lacksAddresses: addresses.contains { $0.value == nil } || (addresses.count > 1 && !isWhole),
            account: finding.entities.first { $0.kind == .account }?.value, lines: finding.lines.map(\.text), lacksLines: !isWhole
        )
    }

    /// Whether every event is referred to: beyond `Finding.maximumEvidence` there may be more, from other addresses.
    private static func isWhole(_ count: Int, _ evidence: [EvidenceLine], _ isLowerBound: Bool) -> Bool {
        !isLowerBound && count <= evidence.count && evidence.count < Finding.maximumEvidence
    }
}

extension AddressBlock {
    private var isV4: Bool { bits >= 96 && base.isV4 }
    /// As people write it: of 32 bits for IPv4, of 128 for IPv6.
    fileprivate var prefixLength: Int { isV4 ? bits - 96 : bits }
    /// The shortest prefixes that are taken for a network, for few, and for one.
    fileprivate var least: Int { isV4 ? 8 : 16 }
    fileprivate var few: Int { isV4 ? 24 : 48 }
    fileprivate var single: Int { isV4 ? 32 : 64 }
    /// It holds some addresses of one IPv6 /64, and not all. Whoever has one has all of them, rules count them together, and a finding names
    /// only the one that completed it: that all the others lie inside is not known.
    var isPartOfOne: Bool { prefixLength > single }

    /// The smallest that a silence can be about: the address, or the IPv6 /64 in which it lies.
    package static func one(with address: IPAddress) -> AddressBlock? {
        AddressBlock(address.isV4 ? "\(address)" : "\(address.prefix)/64")
    }

    package var text: String { description }
}
