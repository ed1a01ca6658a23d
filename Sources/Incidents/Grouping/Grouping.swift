package import Detection
package import Events

/// Decides which incident a finding belongs to.
///
/// By entity and time, and by nothing that strangers could share: the address that acts (an IPv6 /64 is one), or, for
/// attacks that many addresses make together, the account they go for (`CommonAccounts` excepted). An incident takes findings until its entity has
/// been quiet for `quietPeriod` of event time; what comes later is another incident.
package struct Grouping: Sendable {
    /// Nanoseconds of event time. A day: campaigns pause overnight, and an address rarely changes hands sooner.
    package var quietPeriod: Int64 = 86_400 * 1_000_000_000

    /// Nanoseconds of event time between an address that fell silent and another that writes the same: a block is noticed and
    /// gone round within minutes.
    static let longestHandover: Int64 = 600 * 1_000_000_000

    /// Nanoseconds of event time for which the one has to go on, and the other to be silent, before anything is said.
    static let silenceToBeSure: Int64 = 60 * 1_000_000_000

    /// What risk makes of an incident.
    package var risk = RiskPolicy()

    package init(risk: RiskPolicy = RiskPolicy()) { self.risk = risk }

    /// What is to be recorded for `finding`, in order; `book` is taken forward over it. Empty when it is recorded already.
    ///
    /// - Parameters:
    ///   - lines: see `FindingRecord`.
    ///   - now: when it is recorded; names the year of a new incident, and says which silences are in force.
    package func events(
        for finding: Finding, lines: [String?], book: inout IncidentBook, silences: SilenceBook = SilenceBook(), now: Timestamp
    ) -> [IncidentEvent] {
        guard !book.knows(findingID: finding.id) else { return [] }
        var record = FindingRecord(finding, lines: lines, incident: nil, grouping: "the first finding of this incident")
        if let silence = silences.taking(record, at: now) {
            let event = IncidentEvent.findingRecorded(muted(record, by: silence, in: book))
            book.apply(event)
            return [event]
        }
        let home = home(of: record, in: book)
        let incident = home?.incident.id ?? book.nextIncidentID(openedAt: now)
        record.incident = incident
        if let home { record.grouping = home.reason }
        let rating = book.rating(of: record, in: incident, by: risk)
        if rating.severity != record.severity { record.ratedByRisk = rating.severity }
        var events: [IncidentEvent] = []
        var link: IncidentChange?
        if let home {
            link = handover(to: home.incident, with: record, in: book)
            if record.rated > home.incident.severity {
                events.append(.severityChanged(raise(incident, record, rating, from: home.incident.severity)))
            } else if record.rated < record.severity, home.incident.severity < record.severity {
                let risk = rating.risk.map { ", with a risk of \(EntityRisk.text($0.score))" } ?? ""
                record.grouping += "; an attempt such as everybody makes on everybody: \(record.rated.code)\(risk)"
            }
            events.append(.findingRecorded(record))
        } else {
            link = recurrence(of: record, for: incident, in: book)
            // Opened as the rule has it at most: what risk adds to that is a change with its reason.
            let opened = min(record.severity, record.rated)
            if opened < record.severity {
                record.grouping += "; an attempt such as everybody makes on everybody: \(opened.code)"
                if let risk = rating.risk { record.grouping += " while \(risk.sentence)" }
            }
            events.append(
                .opened(
                    IncidentOpened(
                        incident: incident, title: record.ruleTitle, severity: opened, firstSeen: record.firstSeen)))
            events.append(.findingRecorded(record))
            if record.rated > opened { events.append(.severityChanged(raise(incident, record, rating, from: opened))) }
        }
        if let link { events.append(.changed(link)) }
        for event in events { book.apply(event) }
        return events
    }

    /// A finding that a silence takes. It stands where it would have stood, if that is there already, and changes nothing of it. What is
    /// no attack stands nowhere; what would have been a restricted incident's stays its readers' to know, whoever says that it is none.
    private func muted(_ record: FindingRecord, by silence: Silence, in book: IncidentBook) -> FindingRecord {
        var record = record
        record.silence = silence.id
        let home = home(of: record, in: book).flatMap {
            silence.kind == .silence || book.restricted.contains($0.incident.id) ? $0 : nil
        }
        record.incident = home?.incident.id
        record.grouping = home.map { "\($0.reason); taken by \(silence.id)" } ?? "taken by \(silence.id)"
        return record
    }

    private func raise(
        _ incident: String, _ record: FindingRecord, _ rating: IncidentBook.Rating, from: Severity
    ) -> SeverityChange {
        let reason = rating.risk.map { $0.sentence.prefix(1).uppercased() + $0.sentence.dropFirst() }
        return SeverityChange(
            incident: incident, from: from, to: record.rated,
            reason: reason ?? "rule '\(record.ruleTitle)' is of level \(record.level)", at: record.time)
    }

    /// The address's incident of before, which people have closed.
    private func recurrence(of record: FindingRecord, for incident: String, in book: IncidentBook) -> IncidentChange? {
        guard let address = record.address, let ended = book.incidents(actor: address).first(where: \.isClosed),
            !book.restricted.contains(ended.id)
        else { return nil }
        return IncidentChange(
            incident: incident, at: record.time, author: .system, action: .link(.recurrence, to: ended.id),
            text: "the same address as in \(ended.id), which was closed")
    }

    /// The incident whose address fell silent shortly before this one went on with the same lines. People decide whether it is the same
    /// attacker, and merge: strangers who run the same tool write the same, too. Where a third has written it, it says nothing, and
    /// whether the other is silent shows only after a while.
    private func handover(
        to incident: IncidentBook.Active, with record: FindingRecord, in book: IncidentBook
    ) -> IncidentChange? {
        guard !incident.isLinked, record.lastSeen.nanoseconds(since: incident.firstSeen) >= Grouping.silenceToBeSure,
            let handwriting = Handwriting(record)
        else { return nil }
        let others = book.incidents(handwriting: handwriting).filter { $0.id != incident.id }
        guard others.count == 1, let other = others.first, !other.isClosed, !book.restricted.contains(other.id)
        else { return nil }
        let silence = incident.firstSeen.nanoseconds(since: other.lastSeen)
        guard (0...Grouping.longestHandover).contains(silence) else { return nil }
        return IncidentChange(
            incident: incident.id, at: record.time, author: .system, action: .link(.related, to: other.id),
            text: "may be the same attacker under another address: the same lines but for numbers, begun "
                + "\(silence / 1_000_000_000) s after \(other.id) fell silent")
    }

    private typealias Home = (incident: IncidentBook.Active, reason: String)

    private func home(of record: FindingRecord, in book: IncidentBook) -> Home? {
        if let address = record.address { return home(of: record, from: address, in: book) }
        return record.user == nil ? homeOfSurge(record, in: book) : homeOfSharedAccount(record, in: book)
    }

    /// One address acted.
    private func home(of record: FindingRecord, from address: String, in book: IncidentBook) -> Home? {
        if let incident = newest(book.incidents(actor: address), at: record) {
            return (incident, "the same address as earlier findings of this incident\(pause(incident, record))")
        }
        // Whoever is loud enough to be found alone, on an account that all the world tries, is told apart.
        guard record.isGuessing else { return nil }
        if let incident = newest(
            book.incidents(accomplice: address), at: record, where: { !$0.contested.allSatisfy(CommonAccounts.contains) })
        {
            return (incident, "the same address took part in this incident's attack on one account\(pause(incident, record))")
        }
        guard let user = record.user, !CommonAccounts.contains(user),
            let incident = newest(book.incidents(account: user), at: record, where: { $0.contested.contains(user) })
        else { return nil }
        return (incident, "the account that many addresses are guessing at together in this incident")
    }

    /// Several addresses on one account.
    private func homeOfSharedAccount(_ record: FindingRecord, in book: IncidentBook) -> Home? {
        if let (incident, count) = sharedMost(record, in: book), count * 2 > record.otherAddresses.count {
            return (incident, "\(count) of its \(record.otherAddresses.count) addresses act in this incident")
        }
        guard let user = record.user else { return nil }
        let incident = newest(book.incidents(account: user), at: record) { incident in
            incident.contested.contains(user) && incident.categories.contains(record.category)
        }
        return incident.map { ($0, "the account that many addresses went for together in this incident") }
    }

    /// Many events of nobody in particular. It joins, and never ties strangers together: its addresses lead nowhere.
    private func homeOfSurge(_ record: FindingRecord, in book: IncidentBook) -> Home? {
        if let (incident, count) = sharedMost(record, in: book), explained(record, in: book) * 2 > record.otherAddresses.count {
            return (
                incident, "\(count) of its \(record.otherAddresses.count) addresses act in this incident, more than in any other"
            )
        }
        let addresses = Set(record.otherAddresses.map(IncidentBook.key))
        let incident = newest(book.incidents(surge: record.ruleID), at: record) { incident in
            addresses.isEmpty ? incident.bystanders.isEmpty : !incident.bystanders.isDisjoint(with: addresses)
        }
        return incident.map { ($0, "the same surge as in earlier findings of this incident\(pause($0, record))") }
    }

    /// The incident in which most of the finding's addresses act, the oldest of equals, and how many do.
    private func sharedMost(_ record: FindingRecord, in book: IncidentBook) -> (incident: IncidentBook.Active, count: Int)? {
        var counts: [String: Int] = [:]
        for address in record.otherAddresses {
            if let incident = actingIncident(address, record, in: book) { counts[incident.id, default: 0] += 1 }
        }
        guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return nil }
        return book.active[most.key].map { ($0, most.value) }
    }

    private func explained(_ record: FindingRecord, in book: IncidentBook) -> Int {
        record.otherAddresses.count { actingIncident($0, record, in: book) != nil }
    }

    private func actingIncident(_ address: String, _ record: FindingRecord, in book: IncidentBook) -> IncidentBook.Active? {
        newest(book.incidents(actor: address), at: record) ?? newest(book.incidents(accomplice: address), at: record)
    }

    /// The newest that is not over at the finding's time: logs of different age are read side by side.
    private func newest(
        _ incidents: some Collection<IncidentBook.Active>, at record: FindingRecord,
        where isFitting: (IncidentBook.Active) -> Bool = { _ in true }
    ) -> IncidentBook.Active? {
        incidents.first { isActive($0, at: record) && isFitting($0) }
    }

    private func isActive(_ incident: IncidentBook.Active, at record: FindingRecord) -> Bool {
        !incident.isClosed && record.firstSeen.nanoseconds(since: lastSign(of: incident, for: record)) <= quietPeriod
            && incident.firstSeen.nanoseconds(since: record.lastSeen) <= quietPeriod
    }

    /// What was taken keeps an incident open for what is taken, and for nothing else.
    private func lastSign(of incident: IncidentBook.Active, for record: FindingRecord) -> Timestamp {
        guard record.silence != nil, let lastTaken = incident.lastTaken else { return incident.lastSeen }
        return max(incident.lastSeen, lastTaken)
    }

    private func pause(_ incident: IncidentBook.Active, _ record: FindingRecord) -> String {
        let seconds = record.firstSeen.nanoseconds(since: lastSign(of: incident, for: record)) / 1_000_000_000
        guard seconds >= 60 else { return "" }
        return seconds < 7200 ? ", after a pause of \(seconds / 60) minutes" : ", after a pause of \(seconds / 3600) hours"
    }
}
