package import Events

/// Which incidents are open, and which findings belong to them: the state that grouping decides on.
///
/// A pure state machine: made of incident events and nothing else, so that replaying the journal gives the same book.
package struct IncidentBook: Sendable, Equatable {
    /// An incident that findings can still join.
    package struct Active: Sendable, Equatable {
        package var id: String
        /// The worst that rules have said so far. A person's word stands until a rule says that it is worse than that, and than what
        /// is in force.
        package var severity: Severity
        package var firstSeen: Timestamp
        package var lastSeen: Timestamp
        /// Event time of the newest that a silence took while this was restricted: for as long as that goes on, it is this incident's
        /// readers' alone to know.
        package var lastTaken: Timestamp?
        /// That act alone, or with others against one account. By `IPAddress.prefix`; the text itself where it is no address.
        package var addresses: Set<String> = []
        package var accounts: Set<String> = []
        /// Accounts that several addresses go for together.
        package var contested: Set<String> = []
        /// Addresses of findings about nobody in particular: innocents may be among them.
        package var bystanders: Set<String> = []
        package var categories: Set<String> = []
        /// Somebody, or grouping, has said that it belongs to another.
        package var isLinked = false
        /// People ended it: what its entities do next is another incident.
        package var isClosed = false
    }

    package private(set) var active: [String: Active] = [:]
    /// Only their readers may know of them: no other incident names them.
    package private(set) var restricted: Set<String> = []
    /// People found that they were none: what they are about has nothing held against it for that.
    private(set) var dismissed: Set<String> = []
    /// The incidents of each entity, oldest first.
    private var byActor: [String: [String]] = [:]
    private var byAccomplice: [String: [String]] = [:]
    private var byAccount: [String: [String]] = [:]
    private var byHandwriting: [Handwriting: [String]] = [:]
    /// By the rule that reported a surge.
    private var bySurge: [String: [String]] = [:]
    /// The last number given in each year.
    private var lastNumber: [Int: Int] = [:]
    /// Findings that are recorded: a replay meets them again and must not record them twice.
    private var known: Set<UInt128> = []
    /// What is held against addresses and accounts.
    private(set) var risks = RiskBook()
    /// Where the findings of incidents go that were merged.
    private(set) var merged: [String: String] = [:]

    package init() {}

    package func knows(findingID: String) -> Bool {
        UInt128(findingID, radix: 16).map(known.contains) ?? false
    }

    package mutating func apply(_ event: IncidentEvent) {
        switch event {
        case .opened(let opened):
            active[opened.incident] = Active(
                id: opened.incident, severity: opened.severity, firstSeen: opened.firstSeen, lastSeen: opened.firstSeen)
            if let (year, number) = IncidentNumber.parse(opened.incident) {
                lastNumber[year] = max(lastNumber[year] ?? 0, number)
            }
        case .changed(let change): apply(change)
        case .severityChanged, .clockMissed, .page: break
        case .findingRecorded(let finding):
            if let id = UInt128(finding.id, radix: 16) { known.insert(id) }
            // What a silence took counts against nobody.
            if finding.silence == nil, let incident = finding.incident { risks.note(finding, in: incident) }
            join(finding)
        }
    }

    private mutating func apply(_ change: IncidentChange) {
        switch change.action {
        case .close(_, let resolution):
            active[change.incident]?.isClosed = true
            if resolution == .falsePositive { dismissed.insert(change.incident) } else { dismissed.remove(change.incident) }
        case .reopen:
            active[change.incident]?.isClosed = false
            dismissed.remove(change.incident)
        case .restrict: restricted.insert(change.incident)
        case .unrestrict:
            restricted.remove(change.incident)
            active[change.incident]?.lastTaken = nil
        case .link: active[change.incident]?.isLinked = true
        case .merge(let into): merge(change.incident, into: into)
        case .split(let into, let findings, let entities):
            risks.move(findings, to: into)
            split(change.incident, into: into, entities: entities)
        default: break
        }
    }

    private mutating func merge(_ id: String, into other: String) {
        guard let source = active[id], var target = active[other] else { return }
        merged[id] = other
        active[id]?.isClosed = true
        target.severity = max(target.severity, source.severity)
        target.firstSeen = min(target.firstSeen, source.firstSeen)
        target.lastSeen = max(target.lastSeen, source.lastSeen)
        target.addresses.formUnion(source.addresses)
        target.accounts.formUnion(source.accounts)
        target.contested.formUnion(source.contested)
        target.bystanders.formUnion(source.bystanders)
        target.categories.formUnion(source.categories)
        active[other] = target
        // In the order of the source's place: where it was the newest, the target is the newest now.
        let keys = { (index: [String: [String]]) in index.filter { $0.value.contains(id) }.map(\.key) }
        for key in keys(byActor) { IncidentBook.add(other, to: &byActor, key) }
        for key in keys(byAccomplice) { IncidentBook.add(other, to: &byAccomplice, key) }
        for key in keys(byAccount) { IncidentBook.add(other, to: &byAccount, key) }
        for key in keys(bySurge) { IncidentBook.add(other, to: &bySurge, key) }
    }

    /// What the findings that were split off are about belongs to the new incident from now on.
    private mutating func split(_ id: String, into other: String, entities: [IncidentEntity]) {
        guard var source = active[id], var target = active[other] else { return }
        target.severity = source.severity
        target.lastSeen = max(target.lastSeen, source.lastSeen)
        target.categories = source.categories
        for entity in entities {
            guard let value = entity.value else { continue }
            switch entity.kind {
            case .address:
                let key = IncidentBook.key(address: value)
                source.addresses.remove(key)
                target.addresses.insert(key)
                for index in [\IncidentBook.byActor, \.byAccomplice] where self[keyPath: index][key]?.contains(id) == true {
                    self[keyPath: index][key]?.removeAll { $0 == id }
                    IncidentBook.add(other, to: &self[keyPath: index], key)
                }
            case .account:
                source.accounts.remove(value)
                target.accounts.insert(value)
                if source.contested.remove(value) != nil { target.contested.insert(value) }
                guard byAccount[value]?.contains(id) == true else { continue }
                byAccount[value]?.removeAll { $0 == id }
                IncidentBook.add(other, to: &byAccount, value)
            }
        }
        active[id] = source
        active[other] = target
    }

    private mutating func join(_ finding: FindingRecord) {
        guard let id = finding.incident, var incident = active[current(id)] else { return }
        guard finding.silence == nil else {
            // It adds nothing that others would be grouped or raised by.
            if restricted.contains(incident.id) {
                active[incident.id]?.lastTaken = max(incident.lastTaken ?? finding.lastSeen, finding.lastSeen)
            }
            return
        }
        incident.lastSeen = max(incident.lastSeen, finding.lastSeen)
        incident.firstSeen = min(incident.firstSeen, finding.firstSeen)
        incident.severity = max(incident.severity, finding.rated)
        incident.categories.insert(finding.category)
        if let address = finding.address {
            let key = IncidentBook.key(address: address)
            incident.addresses.insert(key)
            IncidentBook.add(incident.id, to: &byActor, key)
            if let handwriting = Handwriting(finding) { IncidentBook.add(incident.id, to: &byHandwriting, handwriting) }
        }
        let others = finding.otherAddresses.map(IncidentBook.key)
        if let user = finding.user {
            incident.accounts.insert(user)
            IncidentBook.add(incident.id, to: &byAccount, user)
            if finding.address == nil { incident.contested.insert(user) }
            if finding.isGuessing {
                for other in others {
                    incident.addresses.insert(other)
                    IncidentBook.add(incident.id, to: &byAccomplice, other)
                }
            }
        } else if finding.address == nil, !finding.isErased {
            incident.bystanders.formUnion(others)
            IncidentBook.add(incident.id, to: &bySurge, finding.ruleID)
        }
        active[incident.id] = incident
    }

    /// Where an id leads after merges.
    func current(_ id: String) -> String { IncidentBook.end(of: id, merged) }

    static func end(of id: String, _ merged: [String: String]) -> String {
        var id = id
        while let next = merged[id] { id = next }
        return id
    }

    private static func add<Key>(_ incident: String, to index: inout [Key: [String]], _ key: Key) {
        // The same incident again is the usual case by far.
        guard index[key]?.last != incident else { return }
        index[key, default: []].removeAll { $0 == incident }
        index[key, default: []].append(incident)
    }

    static func key(address: String) -> String {
        IPAddress(address)?.prefix.description ?? address
    }

    /// Incidents in which the address itself acted, the newest first.
    func incidents(actor address: String) -> some Collection<Active> { incidents(byActor[IncidentBook.key(address: address)]) }
    /// Incidents in which the address was one of many against one account, the newest first.
    func incidents(accomplice address: String) -> some Collection<Active> {
        incidents(byAccomplice[IncidentBook.key(address: address)])
    }
    func incidents(account: String) -> some Collection<Active> { incidents(byAccount[account]) }
    func incidents(handwriting: Handwriting) -> some Collection<Active> { incidents(byHandwriting[handwriting]) }
    func incidents(surge rule: String) -> some Collection<Active> { incidents(bySurge[rule]) }

    private func incidents(_ ids: [String]?) -> [Active] { (ids ?? []).reversed().compactMap { active[$0] } }

    /// `SEC-YYYY-NNNN`, the next one of the year in which it is opened.
    func nextIncidentID(openedAt now: Timestamp) -> String {
        let year = now.date.year
        return IncidentNumber.text(year: year, number: (lastNumber[year] ?? 0) + 1)
    }
}

/// `SEC-YYYY-NNNN`; past 9,999 in a year the number simply grows.
package enum IncidentNumber {
    static func text(year: Int, number: Int) -> String {
        let digits = String(number)
        return "SEC-\(year)-" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    package static func parse(_ text: String) -> (year: Int, number: Int)? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "SEC", parts[1].count == 4, parts[2].count >= 4,
            parts[1...].allSatisfy({ $0.allSatisfy(\.isWholeNumber) }), let year = Int(parts[1]), let number = Int(parts[2])
        else { return nil }
        return (year, number)
    }
}
